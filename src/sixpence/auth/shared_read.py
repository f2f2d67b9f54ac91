"""`SharedRead`: concurrent reads of one key share a database read that begins after each of them.

Not a cache: a result goes to the callers that waited for it and is not stored.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRead(Generic[T]):
    """Runs `read` for a text. Calls during a running read share the next one, so no result is older than its call."""

    def __init__(self, read: Callable[[str], Awaitable[T]]) -> None:
        self._read = read
        self._next: dict[str, asyncio.Task[T]] = {}
        self._running: dict[str, asyncio.Task[T]] = {}

    async def get(self, text: str) -> T:
        """Returns the result of a read that begins after this call. A cancelled caller cancels no other call."""
        task = self._next.get(text)
        if task is None:
            task = self._next[text] = asyncio.create_task(self._run(text))
        return await asyncio.shield(task)

    async def _run(self, text: str) -> T:
        previous = self._running.get(text)
        if previous is not None:
            await asyncio.wait({previous})
        # The read begins: later calls share the next one.
        current = self._running[text] = self._next.pop(text)
        try:
            return await self._read(text)
        finally:
            if self._running.get(text) is current:
                del self._running[text]
