"""Runs wrk, the HTTP load generator, and reads what it reports."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

_LOAD = Path(__file__).with_name("load.lua")
_SCALE = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class HttpRun(msgspec.Struct, frozen=True):
    """One run: requests a second, latency in milliseconds, and how many were not answered with 2xx."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def find_wrk() -> str:
    """The program; as root on Debian it is installed where it is missing."""
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "wrk"], check=True)
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("The load generator wrk is missing. Install it: apt-get install -y wrk")
    return program


def run(url: str, *, key: str, accounts: int, connections: int, seconds: int, name: str) -> HttpRun:
    """Load the server at `url` for some seconds; `name` makes this run's idempotency keys its own."""
    environment = {**os.environ, "BENCH_ACCOUNTS": str(accounts), "BENCH_KEY": key, "BENCH_RUN": name}
    threads = str(min(2, connections))
    command = [
        find_wrk(),
        "-t",
        threads,
        "-c",
        str(connections),
        "-d",
        f"{seconds}s",
        "--latency",
        "-s",
        str(_LOAD),
        url,
    ]
    text = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    dropped = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return HttpRun(
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        p50_ms=_milliseconds(_found(r"\n\s+50%\s+(\S+)", text)),
        p99_ms=_milliseconds(_found(r"\n\s+99%\s+(\S+)", text)),
        failed=(int(failed[1]) if failed else 0) + (sum(map(int, dropped.groups())) if dropped else 0),
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"wrk said something unexpected:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s)", text)
    if match is None:
        raise SystemExit(f"wrk gave an unexpected time: {text}")
    return float(match[1]) * _SCALE[match[2]]
