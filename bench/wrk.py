"""Runs wrk, the HTTP load generator, and reads what it reports. The requests are in `load/*.lua`."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Literal

import msgspec

from bench.part import Figure, Options

SCRIPTS = Path(__file__).with_name("load")
THREADS_MAX = 2
_SCALE = {"us": 1e-3, "ms": 1.0, "s": 1e3}

Shape = Literal["uniform", "zipf", "hot"]


class Load(msgspec.Struct, frozen=True):
    """A load: a script of `load/`, a number of connections, and the shape in which accounts are drawn."""

    script: str
    connections: int
    shape: Shape = "uniform"


class HttpRun(msgspec.Struct, frozen=True):
    """One run: its figure (requests a second), and how many requests were not answered with 2xx."""

    figure: Figure
    failed: int


def find_wrk() -> str:
    """Return the program; as root on Debian it is installed if it is missing."""
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "wrk"], check=True)
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("The load generator wrk is missing. Install it: apt-get install -y wrk")
    return program


def run(url: str, load: Load, *, key: str, accounts: int, options: Options) -> HttpRun:
    """Load the server at `url`: briefly to warm it up, then for the measured seconds."""
    warm_failed = 0
    if options.warm_seconds:
        warm_failed = _run(url, load, key=key, accounts=accounts, seconds=options.warm_seconds, name="warm").failed
    measured = _run(url, load, key=key, accounts=accounts, seconds=options.seconds, name="run")
    return HttpRun(measured.figure, measured.failed + warm_failed)


def _run(url: str, load: Load, *, key: str, accounts: int, seconds: int, name: str) -> HttpRun:
    """One run of wrk; `name` makes its idempotency keys its own."""
    own = {
        "BENCH_ACCOUNTS": str(accounts),
        "BENCH_HOST": url.partition("//")[2],
        "BENCH_KEY": key,
        "BENCH_RUN": name,
        "BENCH_SHAPE": load.shape,
    }
    options = ["-t", str(min(THREADS_MAX, load.connections)), "-c", str(load.connections), "-d", f"{seconds}s"]
    script = str(SCRIPTS / f"{load.script}.lua")
    command = [find_wrk(), *options, "--latency", "-s", script, url]
    done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"wrk failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return _read(done.stdout)


def _read(text: str) -> HttpRun:
    """The figures in wrk's report; a script may print `value X` in `done`, which goes before requests a second."""
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    dropped = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    figure = Figure(
        value=float(_found(r"^value ([\d.]+)$" if "\nvalue " in text else r"Requests/sec:\s+([\d.]+)", text)),
        p50_ms=_milliseconds(_found(r"\n\s+50%\s+(\S+)", text)),
        p99_ms=_milliseconds(_found(r"\n\s+99%\s+(\S+)", text)),
    )
    lost = sum(map(int, dropped.groups())) if dropped else 0
    return HttpRun(figure, (int(failed[1]) if failed else 0) + lost)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise RuntimeError(f"wrk said something unexpected:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s)", text)
    if match is None:
        raise RuntimeError(f"wrk gave an unexpected time: {text}")
    return float(match[1]) * _SCALE[match[2]]
