"""The witness's record: a line for each sent request, and one for each answer; writing it, and reading it back.

An answer counts once the witness has it on the disk. Not here: the checks of the record (checker.py).
"""

import asyncio
import itertools
import json
import sys
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from tests.histories.history import Asked, Call

ROOT = Path(__file__).parents[2]


class WitnessRecorder:
    """Writes the record through a witness process; used with `async with`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._calls = itertools.count(1)
        self._lines_written = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.histories.witness", str(self._file)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for the tested processes; the witness ends with its input
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._listening is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._listening

    def sent(self, asked: Asked, called_at: int) -> int:
        """Record that a request is being sent; returns the number of the call."""
        call = next(self._calls)
        names = {
            "number": asked.number,
            "account": asked.account,
            "kind": asked.kind,
            "fields": asked.fields,
            "key": asked.key,
        }
        self._write({"call": call, "called_at": called_at, **names})
        return call

    async def answered(self, call: int, *, returned_at: int, status: int, replayed: bool, text: str) -> None:
        """Record an answer, and return when it is on the disk; raises `RuntimeError` if the witness has ended."""
        assert self._listening is not None
        if self._listening.done():
            raise RuntimeError("the witness has gone")
        record = {"call": call, "returned_at": returned_at, "status": status, "replayed": replayed, "text": text}
        self._write(record)
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._lines_written, safe))
        await safe

    def _write(self, record: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(record).encode() + b"\n")
        self._lines_written += 1

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            while self._waiting and self._waiting[0][0] <= int(line):
                _, safe = self._waiting.popleft()
                if not safe.done():
                    safe.set_result(None)
        for _, safe in self._waiting:
            if not safe.done():
                safe.set_exception(RuntimeError("the witness has gone"))


class _Line(msgspec.Struct):
    """A line of the record: a sent request, or, with a `status`, an answer."""

    call: int
    called_at: int = 0
    number: int = 0
    account: str = ""
    kind: str = ""
    fields: dict[str, Any] = {}
    key: str | None = None
    returned_at: int = 0
    status: int | None = None
    replayed: bool = False
    text: str = ""


def read_calls(file: Path) -> list[Call]:
    """The recorded calls, in the order of sending."""
    decode = msgspec.json.Decoder(_Line).decode
    calls: dict[int, Call] = {}
    for line in map(decode, file.read_bytes().splitlines()):
        if line.status is None:
            calls[line.call] = Call(Asked(line.number, line.account, line.kind, line.fields, line.key), line.called_at)
            continue
        sent = calls[line.call]
        calls[line.call] = Call(
            sent.asked,
            sent.called_at,
            returned_at=line.returned_at,
            status=line.status,
            text=line.text,
            body=json.loads(line.text),
            replayed=line.replayed,
        )
    return list(calls.values())
