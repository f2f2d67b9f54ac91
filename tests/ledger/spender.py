"""A process of its own that uses a ledger: `python -m tests.ledger.spender burst URL` or `... load URL ACCOUNT KEYED`.

burst: reads calls as one line of JSON ([method, arguments, keyword arguments] each), says `ready`, waits for a line,
makes all calls at once and writes their outcomes as one line of JSON.
load: sixteen callers spend on one account without end; each acknowledgement is written to the pipe as a line
`CALLER NUMBER TRANSACTION SEQ` the moment it arrives. It ends by being killed.
Not here: what comes of it, which the tests compare with what stands in the database.
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
    """A running process of this module, seen from the test."""

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

    def say(self, line: str) -> None:
        """Writes a line to the process."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        """The next line that the process writes; empty once it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")


def burst(url: str, *parts: list[Call]) -> list[list[Any]]:
    """Makes the calls of each part in a process of its own, all at once, and gives their outcomes."""
    spenders = [Spender("burst", url) for _ in parts]
    try:
        for spender, calls in zip(spenders, parts, strict=True):
            spender.say(json.dumps(calls))
        assert [spender.hear() for spender in spenders] == ["ready"] * len(parts)
        for spender in spenders:
            spender.say("go")
        return [json.loads(spender.hear()) for spender in spenders]
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
