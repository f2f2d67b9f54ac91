"""A separate process that uses a ledger: `python -m tests.ledger.spender burst URL` or `... load URL ACCOUNT KEYED`.

burst: reads calls as one line of JSON ([method, arguments, keyword arguments] each), writes `ready`, waits for a line,
makes all calls at once and writes their outcomes as one line of JSON.
load: sixteen callers spend on one account until the process is killed; each acknowledgement is written to the pipe at
once, as a line `CALLER NUMBER TRANSACTION SEQ`.
Not here: the comparison of these outcomes with the database, which the tests make.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import msgspec

from sixpence.core.errors import CreditSystemError
from sixpence.service.credits import CreditService

CALLERS = 16
Call = tuple[str, list[Any], dict[str, Any]]

_ROOT = Path(__file__).parents[2]


class Spender:
    """A running process of this module, controlled by the test."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.spender", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def send_line(self, line: str) -> None:
        """Write a line to the process."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def read_line(self) -> str:
        """Read the process's next line; empty after its end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")


def burst(url: str, *parts: list[Call]) -> list[list[Any]]:
    """Make the calls of each part in a separate process, all at once, and return their outcomes."""
    spenders = [Spender("burst", url) for _ in parts]
    try:
        for spender, calls in zip(spenders, parts, strict=True):
            spender.send_line(json.dumps(calls))
        assert [spender.read_line() for spender in spenders] == ["ready"] * len(parts)
        for spender in spenders:
            spender.send_line("go")
        return [json.loads(spender.read_line()) for spender in spenders]
    finally:
        for spender in spenders:
            spender.__exit__()


async def _burst(url: str) -> None:
    calls = json.loads(await asyncio.to_thread(sys.stdin.readline))
    async with CreditService(url) as service:
        await service.get_catalog()
        _write("ready")
        await asyncio.to_thread(sys.stdin.readline)
        outcomes = await asyncio.gather(*(_outcome(service, *call) for call in calls))
    _write(json.dumps(outcomes))


async def _outcome(service: CreditService, method: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    try:
        return msgspec.to_builtins(await getattr(service, method)(*arguments, **keywords))
    except CreditSystemError as error:
        return error.code


async def _load(url: str, account_id: str, keyed: bool) -> None:
    async with CreditService(url) as service, asyncio.TaskGroup() as callers:
        for caller in range(CALLERS):
            callers.create_task(_spend(service, account_id, caller, keyed))


async def _spend(service: CreditService, account_id: str, caller: int, keyed: bool) -> None:
    number = 0
    while True:
        key = f"{caller}-{number}" if keyed else None
        receipt = await service.consume_credit(account_id, "video", idempotency_key=key)
        _write(f"{caller} {number} {receipt.transaction.id} {receipt.version}")
        number += 1


def _write(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["burst", url]:
            asyncio.run(_burst(url))
        case ["load", url, account_id, keyed]:
            asyncio.run(_load(url, account_id, keyed == "keyed"))
