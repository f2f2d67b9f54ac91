"""A disk that takes a millisecond longer to make a write durable, simulated.

On PostgreSQL by its own `commit_delay`, on SQLite by a few lines of C that are loaded before the C library.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from bench.cache import CACHE

# The leader of a group commit waits this many microseconds before it flushes, even if no other session is active.
POSTGRES = {"commit_delay": "1000", "commit_siblings": "0"}
_SOURCE = Path(__file__).with_suffix(".c")


def can_slow_sqlite() -> bool:
    """Whether it can be simulated here: a C compiler, and a system with LD_PRELOAD."""
    return sys.platform == "linux" and shutil.which("cc") is not None


def slow_environment() -> dict[str, str]:
    """Return the environment of a process with a slow disk; compiles the library at first use."""
    library = CACHE / "slow_disk.so"
    if not library.exists() or library.stat().st_mtime < _SOURCE.stat().st_mtime:
        CACHE.mkdir(exist_ok=True)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}
