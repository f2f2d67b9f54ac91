"""The witness: a process of its own that writes down what it is told, and says how much of it is safe.

`python -m tests.histories.witness FILE` appends the lines of its input to the file, syncs what came at once together,
and then writes the number of lines that are on the disk. It ends when its input does.
"""

import os
import sys

AT_ONCE = 1 << 20


def main() -> None:
    """Write down what comes until nothing more does."""
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    lines = 0
    while said := os.read(sys.stdin.fileno(), AT_ONCE):
        rest = memoryview(said)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
        lines += said.count(b"\n")
        os.write(sys.stdout.fileno(), b"%d\n" % lines)
    os.close(file)


if __name__ == "__main__":
    main()
