"""A batch under way: its lines are begun in their order, a bounded number at once, and answered in their order.

The writer does commands of one account in the order in which they enter its queue. So all that is seen to here is that
no line enters it before an earlier one of its account. Not here: what a line is answered with (`batch_answers`).
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

from sixpence.core.errors import CreditSystemError, QueueFullError
from sixpence.http.batch.answers import Asked, LineAnswers, line_of
from sixpence.http.batch.lines import read_line
from sixpence.http.batch.ndjson import Lines
from sixpence.http.wire.errors import CallerError

IN_FLIGHT_MAX = 500
# How long a line asks for a place in the writer's queue before it is answered as a single request is at once.
PATIENCE_SECONDS = 3.0
PAUSE_SECONDS = 0.005


class _Begun:
    """A line that was begun, and where it stands with the writer's queue."""

    __slots__ = ("account_id", "alone", "passed", "refused", "task")

    def __init__(self, asked: Asked) -> None:
        line = None if isinstance(asked, Exception) else asked
        self.account_id = None if line is None else line.account_id
        self.alone = line is not None and line.is_exclusive
        # From here on a later line of its account may be in the queue, too.
        self.passed = False
        # There was no place in the queue, and it asks again.
        self.refused = False
        self.task: asyncio.Task[bytes]


class BatchRun:
    """Runs lines; while `is_overloaded` they wait, as they do for a place in a full queue."""

    def __init__(self, lines: Lines, answers: LineAnswers, is_overloaded: Callable[[], bool]) -> None:
        self._lines = lines
        self._answers = answers
        self._is_overloaded = is_overloaded
        self._places = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._begun: deque[_Begun] = deque()
        # The last line of each account that has yet to end.
        self._last: dict[str, _Begun] = {}
        self._changed = asyncio.Event()
        self._all_begun = False

    async def begin(self, first: bytes | CallerError, tasks: asyncio.TaskGroup) -> None:
        """Begin one line after another, each as a task of this group, until there is none."""
        text: bytes | CallerError | None = first
        index = 0
        while text is not None:
            await self._places.acquire()
            if self._lines.gone:
                break
            await self._begin(index, text, tasks)
            text = await self._lines.next()
            index += 1
        self._all_begun = True
        self._changed.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The answers in the order of their lines, as many together as are ready."""
        while True:
            while not self._begun and not self._all_begun:
                self._changed.clear()
                await self._changed.wait()
            if not self._begun:
                return
            await asyncio.wait([self._begun[0].task])
            parts = []
            while self._begun and self._begun[0].task.done():
                parts.append(self._end(self._begun.popleft()))
            yield b"".join(parts)
            # Not before it was taken: who reads slowly keeps the places, and lines wait for one.
            for _ in parts:
                self._places.release()

    async def _begin(self, index: int, text: bytes | CallerError, tasks: asyncio.TaskGroup) -> None:
        asked = _read(text)
        begun = _Begun(asked)
        before = None if begun.account_id is None else self._last.get(begun.account_id)
        if before is not None and (before.alone or begun.alone):
            await asyncio.wait([before.task])
        begun.task = tasks.create_task(self._answer(index, asked, begun))
        self._begun.append(begun)
        self._changed.set()
        # It goes as far as it can without waiting: into the writer's queue, or back from one without a place.
        await asyncio.sleep(0)
        if begun.refused and not begun.alone:
            await asyncio.wait([begun.task])
        begun.passed = not begun.alone
        if begun.account_id is not None and not begun.task.done():
            self._last[begun.account_id] = begun

    def _end(self, begun: _Begun) -> bytes:
        if begun.account_id is not None and self._last.get(begun.account_id) is begun:
            del self._last[begun.account_id]
        return begun.task.result()

    async def _answer(self, index: int, asked: Asked, begun: _Begun) -> bytes:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if self._is_overloaded():
                    raise QueueFullError
                return line_of(index, await self._answers.answer(asked))
            except QueueFullError as error:
                # One that had its place and was late for its batch does not come again: a later one may be done.
                if begun.passed or self._lines.gone or time.monotonic() > until:
                    return line_of(index, await self._answers.refusal(error))
            begun.refused = True
            await asyncio.sleep(PAUSE_SECONDS)


def _read(text: bytes | CallerError) -> Asked:
    if isinstance(text, CallerError):
        return text
    try:
        return read_line(text)
    except (CallerError, CreditSystemError) as error:
        return error
