"""The witness: a process that appends lines to a file, and reports how many are on the disk.

`python -m tests.histories.witness FILE` appends the lines of its input to the file, syncs the lines of each read,
and then writes the number of lines on the disk. It ends when its input does.
"""

import os
import sys

READ_BYTES_MAX = 1 << 20


def main() -> None:
    """Append the input to the file until the input ends."""
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    lines = 0
    while data := os.read(sys.stdin.fileno(), READ_BYTES_MAX):
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
        lines += data.count(b"\n")
        os.write(sys.stdout.fileno(), b"%d\n" % lines)
    os.close(file)


if __name__ == "__main__":
    main()
