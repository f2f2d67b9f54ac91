"""One read for many who ask at once, and never an answer from before a question."""

import asyncio

import pytest

from sixpence.auth.shared_read import SharedRead


class Source:
    """Something that is read slowly and changes meanwhile."""

    def __init__(self) -> None:
        self.value = "old"
        self.reads = 0
        self.gate = asyncio.Event()

    async def read(self, _text: str) -> str:
        """What the value is when the read begins."""
        self.reads += 1
        seen = self.value
        await self.gate.wait()
        return seen


async def test_many_at_once_share_a_read() -> None:
    """A hundred that ask together cost one read."""
    source = Source()
    source.gate.set()
    shared = SharedRead(source.read)

    answers = await asyncio.gather(*(shared.get("key") for _ in range(100)))

    assert set(answers) == {"old"}
    assert source.reads == 1


async def test_nobody_joins_a_read_that_has_begun() -> None:
    """Whoever asks after a change sees it, even while a read from before is under way."""
    source = Source()
    shared = SharedRead(source.read)
    early = asyncio.create_task(shared.get("key"))
    await asyncio.sleep(0.01)

    source.value = "new"
    late = [asyncio.create_task(shared.get("key")) for _ in range(10)]
    await asyncio.sleep(0.01)
    source.gate.set()

    assert await early == "old"
    assert set(await asyncio.gather(*late)) == {"new"}
    assert source.reads == 2


async def test_a_caller_that_goes_away_cancels_nobody() -> None:
    """Cancelling one of two callers leaves the other its answer."""
    source = Source()
    shared = SharedRead(source.read)
    first, second = (asyncio.create_task(shared.get("key")) for _ in range(2))
    await asyncio.sleep(0.01)

    first.cancel()
    source.gate.set()

    assert await second == "old"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_different_texts_do_not_wait_for_each_other() -> None:
    """A read for one text holds up no other."""
    source = Source()
    shared = SharedRead(source.read)
    asked = [asyncio.create_task(shared.get(text)) for text in ("one", "two")]
    await asyncio.sleep(0.01)

    assert source.reads == 2

    source.gate.set()
    await asyncio.gather(*asked)


async def test_a_failed_read_is_tried_again_by_the_next() -> None:
    """An error reaches those who waited for it and nobody after them."""
    failures = [OSError("away")]

    async def read(text: str) -> str:
        if failures:
            raise failures.pop()
        return text

    shared = SharedRead(read)
    with pytest.raises(OSError, match="away"):
        await shared.get("key")

    assert await shared.get("key") == "key"
