"""Runs a batch: lines start in their order, a bounded number at once, and are answered in their order.

The writer runs the commands of one account in the order in which they enter its queue. So the runner only ensures that
no line enters the queue before an earlier line of its account. Not here: the answer to a line (`answers`).
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

from sixpence.core.errors import CreditSystemError, QueueFullError
from sixpence.http.batch.answers import LineAnswers, ReadLine, answer_line
from sixpence.http.batch.lines import read_line
from sixpence.http.batch.ndjson import Lines
from sixpence.http.wire.errors import CallerError

IN_FLIGHT_MAX = 500
# How long a line retries while the writer's queue is full; a single request is refused at once.
RETRY_SECONDS_MAX = 3.0
RETRY_PAUSE_SECONDS = 0.005


class _StartedLine:
    """A line that was started, and whether it has entered the writer's queue."""

    __slots__ = ("account_id", "is_exclusive", "may_be_followed", "task", "was_refused")

    def __init__(self, line: ReadLine) -> None:
        self.account_id = None if isinstance(line, Exception) else line.account_id
        self.is_exclusive = not isinstance(line, Exception) and line.is_exclusive
        # A later line of its account may be in the queue, too.
        self.may_be_followed = False
        # The queue was full, and the line retries.
        self.was_refused = False
        self.task: asyncio.Task[bytes]


class BatchRun:
    """Runs lines; they wait while the queue is full or the server `is_overloaded`."""

    def __init__(self, lines: Lines, answers: LineAnswers, is_overloaded: Callable[[], bool]) -> None:
        self._lines = lines
        self._answers = answers
        self._is_overloaded = is_overloaded
        self._slots = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._started: deque[_StartedLine] = deque()
        # The last unfinished line of each account.
        self._last: dict[str, _StartedLine] = {}
        self._changed = asyncio.Event()
        self._all_started = False

    async def start_all(self, first: bytes | CallerError, tasks: asyncio.TaskGroup) -> None:
        """Start one line after another, each as a task of this group."""
        text: bytes | CallerError | None = first
        index = 0
        while text is not None:
            await self._slots.acquire()
            if self._lines.disconnected:
                break
            await self._start(index, text, tasks)
            text = await self._lines.next()
            index += 1
        self._all_started = True
        self._changed.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The answers in the order of their lines, all that are ready in one chunk."""
        while True:
            while not self._started and not self._all_started:
                self._changed.clear()
                await self._changed.wait()
            if not self._started:
                return
            await asyncio.wait([self._started[0].task])
            parts = []
            while self._started and self._started[0].task.done():
                parts.append(self._end(self._started.popleft()))
            yield b"".join(parts)
            # Only now: a client that reads slowly keeps the slots, and lines wait for one.
            for _ in parts:
                self._slots.release()

    async def _start(self, index: int, text: bytes | CallerError, tasks: asyncio.TaskGroup) -> None:
        line = _read(text)
        started = _StartedLine(line)
        before = None if started.account_id is None else self._last.get(started.account_id)
        if before is not None and (before.is_exclusive or started.is_exclusive):
            await asyncio.wait([before.task])
        started.task = tasks.create_task(self._answer(index, line, started))
        self._started.append(started)
        self._changed.set()
        # The task runs until it waits: it has entered the writer's queue, or found it full.
        await asyncio.sleep(0)
        if started.was_refused and not started.is_exclusive:
            await asyncio.wait([started.task])
        started.may_be_followed = not started.is_exclusive
        if started.account_id is not None and not started.task.done():
            self._last[started.account_id] = started

    def _end(self, started: _StartedLine) -> bytes:
        if started.account_id is not None and self._last.get(started.account_id) is started:
            del self._last[started.account_id]
        return started.task.result()

    async def _answer(self, index: int, line: ReadLine, started: _StartedLine) -> bytes:
        until = time.monotonic() + RETRY_SECONDS_MAX
        while True:
            try:
                if self._is_overloaded():
                    raise QueueFullError
                return answer_line(index, await self._answers.answer(line))
            except QueueFullError as error:
                # A line that entered the queue and was late for its batch does not retry: a later line may have run.
                if started.may_be_followed or self._lines.disconnected or time.monotonic() > until:
                    return answer_line(index, await self._answers.refusal(error))
            started.was_refused = True
            await asyncio.sleep(RETRY_PAUSE_SECONDS)


def _read(text: bytes | CallerError) -> ReadLine:
    if isinstance(text, CallerError):
        return text
    try:
        return read_line(text)
    except (CallerError, CreditSystemError) as error:
        return error
