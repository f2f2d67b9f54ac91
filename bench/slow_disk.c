/* Makes every fsync and fdatasync of a process take a millisecond longer; loaded before the C library by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

typedef int (*sync_function)(int);

static int slowly(const char *name, int descriptor) {
    struct timespec millisecond = {0, 1000000};
    nanosleep(&millisecond, 0);
    return ((sync_function)dlsym(RTLD_NEXT, name))(descriptor);
}

int fsync(int descriptor) { return slowly("fsync", descriptor); }

int fdatasync(int descriptor) { return slowly("fdatasync", descriptor); }
