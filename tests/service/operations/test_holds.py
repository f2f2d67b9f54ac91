"""Holds over every database: the result of each operation, and that nothing is charged before a capture."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sixpence.core.catalog.catalog import Feature
from sixpence.core.catalog.price import Usage
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import HoldEndedError, HoldNotFoundError, InsufficientCreditsError, UnpricedUsageError
from sixpence.service.credits import CreditService
from sixpence.service.results.results import CreditHold
from tests.ledger.databases import Database, apply_catalog, ledger_of, snapshot, verify_clean
from tests.ledger.moved_clock import START, MovedClock
from tests.service.full_catalog import CATALOG

ADA = "ada@example.com"


@pytest.fixture
async def ada(priced: CreditService) -> CreditService:
    """The service, in which Ada has six credits."""
    await priced.initialize_user_credits(ADA)
    return priced


async def test_place_hold_sets_credits_aside(ada: CreditService) -> None:
    """Held credits cannot be spent, and the hold expires after ten minutes by default."""
    placed = await ada.place_hold(ADA, "render", units=11, generation_id="g", metadata={"a": 1})

    row = placed.transaction
    assert (placed.hold_id, placed.amount, placed.expires_at) == (row.id, 4, START + timedelta(minutes=10))
    assert (placed.remaining, placed.held, placed.total) == (2, 4, 6)
    assert (row.kind, row.amount, row.price, row.usage, row.covered) == ("hold", -4, 4, Usage(units=11), False)
    assert (row.generation_id, row.metadata, row.hold_expires_at) == ("g", {"a": 1}, placed.expires_at)


async def test_model_without_price_is_refused_before_the_work(ada: CreditService, url: Database) -> None:
    """A hold, an estimate and a check name the nearest model, also where an amount is set aside; nothing is written."""
    smaller = Usage(model="smal", input_tokens=1)
    before = snapshot(url)

    for attempt in (
        ada.place_hold(ADA, "chat", usage=smaller),
        ada.place_hold(ADA, "chat", amount=2, usage=Usage(model="smal")),
        ada.estimate("chat", usage=Usage(model="smal")),
        ada.validate_credit_usage(ADA, "chat", usage=smaller),
    ):
        with pytest.raises(UnpricedUsageError) as refused:
            await attempt
        problem = "'smal' has no price. The nearest is small. Send one of: small, large."
        assert refused.value == UnpricedUsageError("usage.model", problem)

    with pytest.raises(UnpricedUsageError, match="priced by the unit, for any model"):
        await ada.place_hold(ADA, "draw", amount=2, usage=Usage(model="small"))
    assert snapshot(url) == before


async def test_hold_of_an_amount_names_its_model(ada: CreditService) -> None:
    """The amount is set aside, and the capture charges the tokens of the model."""
    placed = await ada.place_hold(ADA, "chat", amount=5, usage=Usage(model="small"), idempotency_key="k")
    replay = await ada.place_hold(ADA, "chat", amount=5, usage=Usage(model="small"), idempotency_key="k")

    captured = await ada.capture_hold(ADA, placed.hold_id, usage=Usage(model="small", input_tokens=2_000))

    assert (placed.amount, placed.transaction.usage, replay.replayed) == (5, None, True)
    assert (captured.credits_consumed, captured.released, captured.remaining) == (2, 3, 4)


async def test_list_holds_has_open_holds_by_expiry(ada: CreditService) -> None:
    """Open holds are listed by their expiry; ended ones are not."""
    late = await ada.place_hold(ADA, "draw", amount=2, ttl_seconds=900)
    soon = await ada.place_hold(ADA, "draw", ttl_seconds=60)
    gone = await ada.place_hold(ADA, "draw")
    await ada.release_hold(ADA, gone.hold_id)

    listed = await ada.list_holds(ADA)

    assert [hold.id for hold in listed] == [soon.hold_id, late.hold_id]
    assert listed[1] == CreditHold(
        id=late.hold_id,
        feature="draw",
        amount=2,
        price=2,
        usage=None,
        covered=False,
        subscription_status="free",
        catalog_version=1,
        expires_at=START + timedelta(minutes=15),
    )
    assert [hold.id for hold in await ada.list_holds(ADA, limit=1)] == [soon.hold_id]


async def test_capture_less_than_held_releases_rest(ada: CreditService) -> None:
    """The used credits are charged, the rest can be spent again."""
    placed = await ada.place_hold(ADA, "render", units=30)

    captured = await ada.capture_hold(ADA, placed.hold_id, units=10, generation_id="g")

    assert (captured.hold_id, captured.credits_consumed, captured.released, captured.shortfall) == (
        placed.hold_id,
        2,
        4,
        0,
    )
    assert (captured.remaining, captured.held, captured.late, captured.transaction.generation_id) == (4, 0, False, "g")


async def test_capture_without_usage_charges_whole_hold(ada: CreditService) -> None:
    """Without a usage the whole hold is charged; `amount` of the row is 0."""
    placed = await ada.place_hold(ADA, "draw", amount=5)

    captured = await ada.capture_hold(ADA, placed.hold_id)

    assert (captured.credits_consumed, captured.released, captured.transaction.amount) == (5, 0, 0)
    assert (captured.remaining, captured.total) == (1, 6)


async def test_capture_more_than_available(ada: CreditService, url: Database) -> None:
    """With `exact` it is refused and the hold is unchanged; with `up_to_available` it gives the shortfall."""
    placed = await ada.place_hold(ADA, "draw", amount=2)
    before = snapshot(url)

    with pytest.raises(InsufficientCreditsError) as refused:
        await ada.capture_hold(ADA, placed.hold_id, amount=10)
    unchanged = snapshot(url) == before
    captured = await ada.capture_hold(ADA, placed.hold_id, amount=10, mode="up_to_available")

    assert (unchanged, refused.value.required, refused.value.available, refused.value.held) == (True, 10, 6, 2)
    assert (captured.credits_consumed, captured.shortfall, captured.remaining) == (6, 4, 0)


async def test_release_gives_back_once(ada: CreditService) -> None:
    """All held credits come back once; then the hold has ended."""
    placed = await ada.place_hold(ADA, "draw", amount=5)

    released = await ada.release_hold(ADA, placed.hold_id, reason="the model is away")

    assert (released.hold_id, released.released, released.remaining, released.held) == (placed.hold_id, 5, 6, 0)
    assert released.transaction.reason == "the model is away"
    for end in (ada.release_hold, ada.capture_hold, ada.extend_hold):
        with pytest.raises(HoldEndedError) as refused:
            await end(ADA, placed.hold_id)
        assert (refused.value.state, refused.value.captured_late) == ("released", False)


async def test_extend_never_shortens(ada: CreditService, clock: MovedClock) -> None:
    """A hold is extended from now on, and never shortened."""
    placed = await ada.place_hold(ADA, "draw", ttl_seconds=60)
    clock.move(seconds=59)

    longer = await ada.extend_hold(ADA, placed.hold_id, ttl_seconds=120)
    same = await ada.extend_hold(ADA, placed.hold_id, ttl_seconds=1)

    assert longer.hold_id == placed.hold_id
    assert (longer.expires_at, same.expires_at) == (START + timedelta(seconds=179),) * 2


async def test_expired_hold_is_captured_late_once(ada: CreditService, clock: MovedClock, url: Database) -> None:
    """Its credits come back. It can be captured late once, by a separate use."""
    placed = await ada.place_hold(ADA, "draw", amount=2, ttl_seconds=60)
    clock.move(seconds=60)
    back = await ada.get_user_credits(ADA)

    with pytest.raises(HoldEndedError) as refused:
        await ada.capture_hold(ADA, placed.hold_id)
    late = await ada.capture_hold(ADA, placed.hold_id, late=True)
    with pytest.raises(HoldEndedError) as twice:
        await ada.capture_hold(ADA, placed.hold_id, late=True)

    assert (back.remaining, back.held) == (6, 0)
    assert (refused.value.state, refused.value.ended_at) == ("expired", "2026-03-01T12:01:00.000000Z")
    assert (late.late, late.credits_consumed, late.hold_id, late.released) == (True, 2, placed.hold_id, 0)
    assert twice.value.captured_late
    assert ledger_of(url, ADA)[1:] == [(2, "hold", -2, 4), (3, "hold_expire", 2, 6), (4, "consume", -2, 4)]


async def test_hold_of_another_account_is_not_found(ada: CreditService) -> None:
    """A hold id is looked up in the named account only."""
    placed = await ada.place_hold(ADA, "draw")
    await ada.initialize_user_credits("grace")

    for hold_id in (placed.hold_id, "no id at all"):
        with pytest.raises(HoldNotFoundError):
            await ada.capture_hold("grace", hold_id)


async def test_hold_operations_replay_with_key(ada: CreditService) -> None:
    """Each operation on a hold is done once with its key, and replayed whatever happened to the hold since."""
    placed = await ada.place_hold(ADA, "draw", amount=3, idempotency_key="place")
    extended = await ada.extend_hold(ADA, placed.hold_id, idempotency_key="extend")
    captured = await ada.capture_hold(ADA, placed.hold_id, amount=1, idempotency_key="capture")

    again = (
        await ada.place_hold(ADA, "draw", amount=3, idempotency_key="place"),
        await ada.extend_hold(ADA, placed.hold_id, idempotency_key="extend"),
        await ada.capture_hold(ADA, placed.hold_id, amount=1, idempotency_key="capture"),
    )

    assert [one.replayed for one in again] == [True] * 3
    assert [one.transaction for one in again] == [one.transaction for one in (placed, extended, captured)]
    assert (again[0].expires_at, again[2].released) == (placed.expires_at, 2)


async def test_concurrent_ends_of_hold(ada: CreditService) -> None:
    """Of many concurrent captures and releases exactly one ends the hold."""
    placed = await ada.place_hold(ADA, "draw", amount=3)
    ends: list[Callable[..., Awaitable[Any]]] = [ada.capture_hold, ada.release_hold] * 5

    answers = await asyncio.gather(*(end(ADA, placed.hold_id) for end in ends), return_exceptions=True)

    ended = [answer for answer in answers if not isinstance(answer, RefusedError)]
    assert (len(ended), (await ada.get_user_credits(ADA)).held) == (1, 0)
    assert {type(answer) for answer in answers if isinstance(answer, RefusedError)} == {HoldEndedError}


async def test_unlimited_plan_covers_hold(ada: CreditService) -> None:
    """Nothing is set aside, and capturing a covered hold costs nothing."""
    await ada.update_subscription_status(ADA, "max")

    placed = await ada.place_hold(ADA, "render", units=30)
    captured = await ada.capture_hold(ADA, placed.hold_id, units=30)

    assert (placed.amount, placed.transaction.covered, placed.transaction.price) == (0, True, 6)
    assert (captured.credits_consumed, captured.remaining) == (0, 6)


async def test_hold_keeps_plan_and_price_of_its_catalog(ada: CreditService, url: Database, clock: MovedClock) -> None:
    """A hold keeps the plan and catalog version of its placing, whatever catalog and plan follow."""
    placed = await ada.place_hold(ADA, "render", units=30)
    covered = await _place_covered_hold(ada, "draw")
    dearer = {**CATALOG.features, "render": Feature(9, unit="second"), "draw": Feature(5)}
    apply_catalog(url, msgspec.structs.replace(CATALOG, features=dearer), clock())
    terms = {hold.id: (hold.subscription_status, hold.catalog_version) for hold in await ada.list_holds(ADA)}

    on_max = await ada.capture_hold(ADA, placed.hold_id, units=21)
    await ada.update_subscription_status(ADA, "free")
    on_free = await ada.capture_hold(ADA, covered, units=1)

    assert terms == {placed.hold_id: ("free", 1), covered: ("max", 1)}
    assert (on_max.credits_consumed, on_max.transaction.price, on_max.transaction.catalog_version) == (6, 6, 1)
    assert (on_free.credits_consumed, on_free.transaction.price, on_free.transaction.catalog_version) == (0, 1, 1)
    verify_clean(url, decide=True)


async def _place_covered_hold(ada: CreditService, feature: str) -> str:
    """Places a hold that the unlimited plan covers; returns its id."""
    await ada.update_subscription_status(ADA, "max")
    return (await ada.place_hold(ADA, feature)).hold_id
