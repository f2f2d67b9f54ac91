"""One read for everybody who asks the same at once, and never an old answer: nobody joins a read that has begun.

Not a cache: an answer is given to those who waited for it and then forgotten.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRead(Generic[T]):
    """Runs `read` for a text; whoever asks for it while a read is under way shares the next one."""

    def __init__(self, read: Callable[[str], Awaitable[T]]) -> None:
        self._read = read
        self._next: dict[str, asyncio.Task[T]] = {}
        self._running: dict[str, asyncio.Task[T]] = {}

    async def get(self, text: str) -> T:
        """What a read that begins after this call finds; a caller that goes away cancels nobody else's."""
        waited_for = self._next.get(text)
        if waited_for is None:
            waited_for = self._next[text] = asyncio.create_task(self._run(text))
        return await asyncio.shield(waited_for)

    async def _run(self, text: str) -> T:
        before = self._running.get(text)
        if before is not None:
            await asyncio.wait({before})
        # From here on nobody joins.
        this = self._running[text] = self._next.pop(text)
        try:
            return await self._read(text)
        finally:
            if self._running.get(text) is this:
                del self._running[text]
