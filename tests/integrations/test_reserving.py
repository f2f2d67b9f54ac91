"""What happens around reserved work: keys while it runs, streams, clients that go away, and cancellation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from sixpence.core.refusals import InsufficientCreditsError
from sixpence.integrations.reserving import Use
from tests.integrations.caller import Caller
from tests.integrations.conftest import Studio
from tests.ledger.databases import ledger_of, rows

HELD = [(1, "signup", 6, 6), (2, "hold", -1, 5)]
CAPTURED, RELEASED = [*HELD, (3, "capture", 0, 5)], [*HELD, (3, "release", 1, 6)]


async def eventually(holds: Callable[[], bool]) -> None:
    """Waits until something that goes on in the background has happened."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    assert holds()


async def test_work_that_failed_is_reserved_anew(studio: Studio, caller: Caller, account_id: str) -> None:
    """The same key after a failure sets credits aside again, and is charged once."""
    outcomes = iter((500, 503, 200))

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return JSONResponse({}, next(outcomes))

    statuses = [await caller.answered(draw, (b"idempotency-key", b"picture")) for _ in range(4)]

    assert statuses == [500, 503, 200, 409]
    assert [kind for _, kind, _, _ in ledger_of(studio.url, account_id)] == [
        *("signup", "hold", "release", "hold", "release", "hold", "capture"),
    ]


async def test_the_same_key_twice_at_once_is_one_hold(studio: Studio, caller: Caller, account_id: str) -> None:
    """While the work runs, its repetition shares the hold; both are answered, one is charged."""
    started, go_on = asyncio.Semaphore(0), asyncio.Event()

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        started.release()
        await go_on.wait()
        return JSONResponse({})

    key = (b"idempotency-key", b"picture")
    both = [asyncio.create_task(caller.answered(draw, key)) for _ in range(2)]
    for _ in range(2):
        await started.acquire()
    go_on.set()
    statuses = await asyncio.gather(*both)

    assert statuses == [200, 200]
    kinds = [kind for _, kind, _, _ in ledger_of(studio.url, account_id)]
    assert (kinds.count("hold"), kinds.count("capture")) == (1, 1)


async def test_one_fails_while_its_repetition_succeeds(studio: Studio, caller: Caller, account_id: str) -> None:
    """The failure gives the hold back; what succeeded is still charged."""
    started, go_on = asyncio.Event(), asyncio.Event()

    @studio.integration.charged("video")
    async def draw(request: Request) -> Response:
        if request.headers["x-outcome"] == "bad":
            return JSONResponse({}, 500)
        started.set()
        await go_on.wait()
        return JSONResponse({})

    key = (b"idempotency-key", b"picture")
    good = asyncio.create_task(caller.answered(draw, key, (b"x-outcome", b"good")))
    await started.wait()
    bad = await caller.answered(draw, key, (b"x-outcome", b"bad"))
    go_on.set()

    assert (bad, await good) == (500, 200)
    assert ledger_of(studio.url, account_id)[-1][1:] == ("capture", 0, 5)


@pytest.mark.parametrize("keyed", [True, False])
async def test_work_that_is_cancelled_costs_nothing(
    studio: Studio, caller: Caller, account_id: str, keyed: bool
) -> None:
    """The cancellation goes through, and does not cancel the release."""
    started = asyncio.Event()

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        started.set()
        await asyncio.Event().wait()
        return JSONResponse({})

    more = [(b"idempotency-key", b"picture")] if keyed else []
    work = asyncio.create_task(caller.answered(draw, *more))
    await started.wait()
    work.cancel()
    # Once more, while the release is on its way.
    asyncio.get_running_loop().call_soon(work.cancel)
    with pytest.raises(asyncio.CancelledError):
        await work

    await eventually(lambda: ledger_of(studio.url, account_id) == RELEASED)


async def test_cancelled_while_the_hold_is_being_placed(studio: Studio, account_id: str) -> None:
    """The command is on its way already: what it set aside goes back by itself."""
    await studio.credits.initialize_user_credits(account_id)
    use = Use(studio.credits, account_id, "video")

    reserving = asyncio.create_task(use.reserve())
    for _ in range(3):
        await asyncio.sleep(0)
    reserving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reserving

    await eventually(lambda: ledger_of(studio.url, account_id) == RELEASED)


async def test_a_client_that_has_gone_pays_nothing(studio: Studio, caller: Caller, account_id: str) -> None:
    """Nobody is there to be answered when the work is done: what was set aside goes back."""

    @studio.integration.charged("video")
    async def draw(request: Request) -> Response:
        await request.body()
        caller.gone.set()
        return JSONResponse({})

    await caller.answered(draw)

    assert ledger_of(studio.url, account_id) == RELEASED


async def test_a_stream_is_charged_at_its_end(studio: Studio, caller: Caller, account_id: str) -> None:
    """While it is sent nothing is charged; when it is whole, it is."""
    during: list[Any] = []

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        during.append(ledger_of(studio.url, account_id))
        yield b"two"

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts(), media_type="text/plain", headers={"x-own": "kept"})

    await caller.answered(draw)

    assert (caller.body, (b"x-own", b"kept") in caller.sent[0]["headers"]) == (b"onetwo", True)
    assert during == [HELD]
    assert ledger_of(studio.url, account_id) == CAPTURED


@pytest.mark.parametrize("how", ["it fails", "the client goes away"])
async def test_a_stream_that_breaks_off_costs_nothing(
    studio: Studio, caller: Caller, account_id: str, how: str
) -> None:
    """Half an answer is none."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        if how == "it fails":
            raise RuntimeError("the model is away")
        caller.gone.set()
        await asyncio.Event().wait()

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts())

    answering = caller.answered(draw)
    if how == "it fails":
        with pytest.raises(RuntimeError):
            await answering
    else:
        await answering

    await eventually(lambda: ledger_of(studio.url, account_id) == RELEASED)
    assert caller.body == b"one"


async def test_work_by_hand(studio: Studio, caller: Caller, account_id: str) -> None:
    """An app reserves, works, and charges what was really used; a key makes it one use."""
    request = caller.request()

    first = await studio.integration.reserve(request, "video", "gen 1", amount=4, idempotency_key="k")
    captured = await first.capture(amount=1)
    again = await studio.integration.reserve(request, "video", "gen 1", amount=4, idempotency_key="k")
    replayed = await again.capture(amount=1)
    await again.release()

    assert (first.paid, again.paid, replayed.replayed) == (False, True, True)
    assert (captured.credits_consumed, captured.released, replayed.transaction) == (1, 3, captured.transaction)
    query = "SELECT generation_id FROM credit_transactions WHERE account_id = :id AND seq > 1 ORDER BY seq"
    assert rows(studio.url, query, {"id": account_id}) == [("gen 1",), ("gen 1",)]
    with pytest.raises(InsufficientCreditsError):
        await studio.integration.reserve(request, "video", amount=100)


async def test_a_key_of_any_length(studio: Studio, ada: httpx.AsyncClient, account_id: str) -> None:
    """The longest key that a caller may send makes one hold and one capture, too."""
    key = {"Idempotency-Key": "k" * 255}

    statuses = [(await ada.post("/draw", headers=key)).status_code for _ in range(2)]

    assert statuses == [200, 409]
    assert ledger_of(studio.url, account_id) == CAPTURED
