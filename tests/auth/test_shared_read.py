"""`SharedRead`: concurrent calls share a read that begins after each of them."""

import asyncio

import pytest

from sixpence.auth.shared_read import SharedRead


class Source:
    """A value that is read slowly and changes meanwhile."""

    def __init__(self) -> None:
        self.value = "old"
        self.reads = 0
        self.gate = asyncio.Event()

    async def read(self, _text: str) -> str:
        """Returns the value at the beginning of the read, once the gate is open."""
        self.reads += 1
        seen = self.value
        await self.gate.wait()
        return seen


async def test_concurrent_calls_share_read() -> None:
    """A hundred concurrent calls make one read."""
    source = Source()
    source.gate.set()
    shared = SharedRead(source.read)

    answers = await asyncio.gather(*(shared.get("key") for _ in range(100)))

    assert set(answers) == {"old"}
    assert source.reads == 1


async def test_call_during_read_waits_for_next_read() -> None:
    """A call after a change gets the new value, even while an earlier read runs."""
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


async def test_cancelled_caller_does_not_cancel_others() -> None:
    """If one of two callers is cancelled, the other still gets its result."""
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
    """A read of one text does not delay another."""
    source = Source()
    shared = SharedRead(source.read)
    calls = [asyncio.create_task(shared.get(text)) for text in ("one", "two")]
    await asyncio.sleep(0.01)

    assert source.reads == 2

    source.gate.set()
    await asyncio.gather(*calls)


async def test_failed_read_is_retried_by_next_call() -> None:
    """The callers that waited get the error; the next call reads again."""
    failures = [OSError("away")]

    async def read(text: str) -> str:
        if failures:
            raise failures.pop()
        return text

    shared = SharedRead(read)
    with pytest.raises(OSError, match="away"):
        await shared.get("key")

    assert await shared.get("key") == "key"
