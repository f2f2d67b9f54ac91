"""A Sixpence server to measure: a real process on a fresh database, with accounts that can pay and a key."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sixpence.core.commands import EnsureAccount, GrantCredits
from sixpence.ledger.batch import Request
from sixpence.ledger.verify import Report, verify
from sixpence.settings import Settings
from sixpence.wiring import Sixpence, wire
from tests.support.ports import free_port

READY_SECONDS_MAX = 30.0


class Served(msgspec.Struct, frozen=True):
    """Where the server answers, with which key, and the database it keeps."""

    url: str
    key: str
    database: str

    def verify(self) -> Report:
        """Fold the whole ledger and compare."""
        parts = wire(Settings(database_url=self.database, secret="x" * 32))
        try:
            return parts.ledger.read_and_wait(verify)
        finally:
            parts.ledger.close()


@contextmanager
def served(database: str, accounts: int) -> Iterator[Served]:
    """A running server whose accounts `user_1` to `user_N` have a million credits each."""
    with tempfile.TemporaryDirectory() as home:
        key = asyncio.run(_prepare(wire(Settings(home=Path(home), database_url=database)), accounts))
        port = free_port()
        command = [sys.executable, "-m", "sixpence.cli", "serve", "--port", str(port), "--database", database]
        with open(Path(home) / "log", "w") as log:
            server = subprocess.Popen(command, env={**os.environ, "SIXPENCE_HOME": home}, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, server)
            yield Served(url, key, database)
        finally:
            server.terminate()
            server.wait()


async def _prepare(parts: Sixpence, accounts: int) -> str:
    names = [f"user_{number}" for number in range(1, accounts + 1)]
    for start in range(0, accounts, 1_000):
        part = names[start : start + 1_000]
        await asyncio.gather(*(parts.ledger.submit(Request(name, EnsureAccount())) for name in part))
        await asyncio.gather(*(parts.ledger.submit(Request(name, GrantCredits(amount=1_000_000))) for name in part))
    made = await parts.api_keys.create_key(name="bench", created_by="bench")
    await parts.credits.close()
    return made.text


def _wait(url: str, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("The server did not become ready.")
