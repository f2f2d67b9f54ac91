"""Reservations: keys while the work runs, streams, disconnected clients, and cancellation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from sixpence.core.refusals import InsufficientCreditsError
from sixpence.integrations.reservations import ReservationRequest
from tests.integrations.asgi_browser import AsgiBrowser
from tests.integrations.conftest import ChargingApp
from tests.ledger.databases import ledger_of, rows

HELD = [(1, "signup", 6, 6), (2, "hold", -1, 5)]
CAPTURED, RELEASED = [*HELD, (3, "capture", 0, 5)], [*HELD, (3, "release", 1, 6)]


async def eventually(holds: Callable[[], bool]) -> None:
    """Waits until something that runs in the background has happened."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    assert holds()


async def test_failed_work_is_reserved_again(charging_app: ChargingApp, browser: AsgiBrowser, account_id: str) -> None:
    """After a failure the same key sets credits aside again, and is charged once."""
    outcomes = iter((500, 503, 200))

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return JSONResponse({}, next(outcomes))

    statuses = [await browser.status_of(draw, (b"idempotency-key", b"picture")) for _ in range(4)]

    assert statuses == [500, 503, 200, 409]
    assert [kind for _, kind, _, _ in ledger_of(charging_app.url, account_id)] == [
        *("signup", "hold", "release", "hold", "release", "hold", "capture"),
    ]


async def test_concurrent_requests_with_one_key_share_hold(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """While the work runs a retry shares its hold: both get a response, and one charge is made."""
    started, proceed = asyncio.Semaphore(0), asyncio.Event()

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        started.release()
        await proceed.wait()
        return JSONResponse({})

    key = (b"idempotency-key", b"picture")
    both = [asyncio.create_task(browser.status_of(draw, key)) for _ in range(2)]
    for _ in range(2):
        await started.acquire()
    proceed.set()
    statuses = await asyncio.gather(*both)

    assert statuses == [200, 200]
    kinds = [kind for _, kind, _, _ in ledger_of(charging_app.url, account_id)]
    assert (kinds.count("hold"), kinds.count("capture")) == (1, 1)


async def test_failure_and_success_with_one_key_is_charged(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """The failure releases the shared hold; the successful request is still charged."""
    started, proceed = asyncio.Event(), asyncio.Event()

    @charging_app.integration.charged("video")
    async def draw(request: Request) -> Response:
        if request.headers["x-outcome"] == "bad":
            return JSONResponse({}, 500)
        started.set()
        await proceed.wait()
        return JSONResponse({})

    key = (b"idempotency-key", b"picture")
    good = asyncio.create_task(browser.status_of(draw, key, (b"x-outcome", b"good")))
    await started.wait()
    bad = await browser.status_of(draw, key, (b"x-outcome", b"bad"))
    proceed.set()

    assert (bad, await good) == (500, 200)
    assert ledger_of(charging_app.url, account_id)[-1][1:] == ("capture", 0, 5)


@pytest.mark.parametrize("keyed", [True, False])
async def test_cancelled_work_costs_nothing(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str, keyed: bool
) -> None:
    """The cancellation goes through, and does not cancel the release."""
    started = asyncio.Event()

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        started.set()
        await asyncio.Event().wait()
        return JSONResponse({})

    more = [(b"idempotency-key", b"picture")] if keyed else []
    work = asyncio.create_task(browser.status_of(draw, *more))
    await started.wait()
    work.cancel()
    # Once more, while the release is on its way.
    asyncio.get_running_loop().call_soon(work.cancel)
    with pytest.raises(asyncio.CancelledError):
        await work

    await eventually(lambda: ledger_of(charging_app.url, account_id) == RELEASED)


async def test_cancel_while_placing_hold_releases_it(charging_app: ChargingApp, account_id: str) -> None:
    """The command runs already, so its hold is released afterwards."""
    await charging_app.credits.initialize_user_credits(account_id)
    request = ReservationRequest(charging_app.credits, account_id, "video")

    reserving = asyncio.create_task(request.reserve())
    for _ in range(3):
        await asyncio.sleep(0)
    reserving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reserving

    await eventually(lambda: ledger_of(charging_app.url, account_id) == RELEASED)


async def test_disconnected_client_pays_nothing(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """If the client disconnects before the response, the hold is released."""

    @charging_app.integration.charged("video")
    async def draw(request: Request) -> Response:
        await request.body()
        browser.disconnected.set()
        return JSONResponse({})

    await browser.status_of(draw)

    assert ledger_of(charging_app.url, account_id) == RELEASED


async def test_stream_is_charged_at_its_end(charging_app: ChargingApp, browser: AsgiBrowser, account_id: str) -> None:
    """A stream is charged when it is complete, not before."""
    during: list[Any] = []

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        during.append(ledger_of(charging_app.url, account_id))
        yield b"two"

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts(), media_type="text/plain", headers={"x-own": "kept"})

    await browser.status_of(draw)

    assert (browser.body, (b"x-own", b"kept") in browser.sent[0]["headers"]) == (b"onetwo", True)
    assert during == [HELD]
    assert ledger_of(charging_app.url, account_id) == CAPTURED


@pytest.mark.parametrize("how", ["it fails", "the client goes away"])
async def test_broken_stream_costs_nothing(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str, how: str
) -> None:
    """An incomplete stream is not charged."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        if how == "it fails":
            raise RuntimeError("the model is away")
        browser.disconnected.set()
        await asyncio.Event().wait()

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts())

    response = browser.status_of(draw)
    if how == "it fails":
        with pytest.raises(RuntimeError):
            await response
    else:
        await response

    await eventually(lambda: ledger_of(charging_app.url, account_id) == RELEASED)
    assert browser.body == b"one"


async def test_reserve_and_capture_by_hand(charging_app: ChargingApp, browser: AsgiBrowser, account_id: str) -> None:
    """An app reserves, works, and charges what was used; with a key it is one use."""
    request = browser.request()

    first = await charging_app.integration.reserve(request, "video", "gen 1", amount=4, idempotency_key="k")
    captured = await first.capture(amount=1)
    again = await charging_app.integration.reserve(request, "video", "gen 1", amount=4, idempotency_key="k")
    replayed = await again.capture(amount=1)
    await again.release()

    assert (first.paid, again.paid, replayed.replayed) == (False, True, True)
    assert (captured.credits_consumed, captured.released, replayed.transaction) == (1, 3, captured.transaction)
    query = "SELECT generation_id FROM credit_transactions WHERE account_id = :id AND seq > 1 ORDER BY seq"
    assert rows(charging_app.url, query, {"id": account_id}) == [("gen 1",), ("gen 1",)]
    with pytest.raises(InsufficientCreditsError):
        await charging_app.integration.reserve(request, "video", amount=100)


async def test_longest_key_makes_one_hold_and_capture(
    charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str
) -> None:
    """The longest allowed key makes one hold and one capture, too."""
    key = {"Idempotency-Key": "k" * 255}

    statuses = [(await ada.post("/draw", headers=key)).status_code for _ in range(2)]

    assert statuses == [200, 409]
    assert ledger_of(charging_app.url, account_id) == CAPTURED
