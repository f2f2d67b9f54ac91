"""Refusals of single operations; each leaves the account, its ledger and the outbox unchanged, byte for byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from sixpence.core.catalog.catalog import DEFAULT_CATALOG
from sixpence.core.errors import CreditSystemError, InvalidInputError
from sixpence.core.refusals import (
    AccountNotFoundError,
    BalanceLimitError,
    GrantLimitError,
    GrantPeriodError,
    IdempotencyConflictError,
    InsufficientCreditsError,
    UnknownFeatureError,
    UnknownPlanError,
)
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import SECOND
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, snapshot, verify_clean
from tests.ledger.moved_clock import START, MovedClock

Call = Callable[[CreditService], Awaitable[object]]
ADA, BOB, NOBODY = "ada@example.com", "bob@example.com", "nobody@example.com"
FEATURES = tuple(DEFAULT_CATALOG.features)
SOON, PAST = START + timedelta(hours=1), START - timedelta(hours=1)

REFUSED: dict[str, tuple[Call, CreditSystemError]] = {
    "no credits left": (
        lambda c: c.consume_credit(BOB, "interior"),
        InsufficientCreditsError("interior", 1, 0, 0),
    ),
    "no account to use": (lambda c: c.consume_credit(NOBODY, "interior"), AccountNotFoundError(NOBODY)),
    "no account to give to": (lambda c: c.grant_credits(NOBODY, 1), AccountNotFoundError(NOBODY)),
    "no account to change": (lambda c: c.update_subscription_status(NOBODY, "pro"), AccountNotFoundError(NOBODY)),
    "no account to read": (lambda c: c.get_user_credits(NOBODY), AccountNotFoundError(NOBODY)),
    "no account to check": (lambda c: c.validate_credit_usage(NOBODY, "interior"), AccountNotFoundError(NOBODY)),
    "no account to list": (lambda c: c.get_credit_history(NOBODY), AccountNotFoundError(NOBODY)),
    "an unknown feature": (lambda c: c.consume_credit(ADA, "cinema"), UnknownFeatureError("cinema", FEATURES)),
    "a check of an unknown feature": (
        lambda c: c.validate_credit_usage(ADA, "cinema"),
        UnknownFeatureError("cinema", FEATURES),
    ),
    "a grant for an unknown feature": (
        lambda c: c.grant_credits(ADA, 1, features=["video", "cinema"]),
        UnknownFeatureError("cinema", FEATURES),
    ),
    "an unknown plan": (
        lambda c: c.update_subscription_status(ADA, "gold"),
        UnknownPlanError("gold", ("free", "pro")),
    ),
    "a grant that has expired": (
        lambda c: c.grant_credits(ADA, 1, expires_at=PAST),
        GrantPeriodError("expires_at", "2026-03-01T11:00:00.000000Z", "has passed. Send a time to come, or none"),
    ),
    "a grant that ends as it begins": (
        lambda c: c.grant_credits(ADA, 1, effective_at=SOON, expires_at=SOON),
        GrantPeriodError("expires_at", "2026-03-01T13:00:00.000000Z", "is not after effective_at. Send a later time"),
    ),
    "more than the balance limit": (
        lambda c: c.grant_credits(ADA, AMOUNT_MAX - 5),
        BalanceLimitError(AMOUNT_MAX - 5, 6, AMOUNT_MAX),
    ),
    "a key of another request": (
        lambda c: c.consume_credit(ADA, "interior", idempotency_key="taken"),
        IdempotencyConflictError("taken"),
    ),
}

INVALID: dict[str, tuple[Call, str]] = {
    "an empty id": (lambda c: c.consume_credit("", "interior"), "account_id"),
    "an id of 256 characters": (lambda c: c.initialize_user_credits("x" * 256), "account_id"),
    "an id with a line break": (lambda c: c.get_user_credits("a\nb"), "account_id"),
    "an id with a NUL": (lambda c: c.get_credit_history("a\0b"), "account_id"),
    "an id that is half a character": (lambda c: c.validate_credit_usage("\ud800", "video"), "account_id"),
    "an id that is a number": (lambda c: c.consume_credit(7, "interior"), "account_id"),  # type: ignore[arg-type]
    "an empty feature": (lambda c: c.consume_credit(ADA, ""), "feature"),
    "no feature": (lambda c: c.consume_credit(ADA, None), "feature"),  # type: ignore[arg-type]
    "an amount of zero": (lambda c: c.grant_credits(ADA, 0), "amount"),
    "a negative amount": (lambda c: c.grant_credits(ADA, -1), "amount"),
    "an amount of 2^60": (lambda c: c.grant_credits(ADA, 2**60), "amount"),
    "true for an amount": (lambda c: c.grant_credits(ADA, True), "amount"),
    "a fraction for an amount": (lambda c: c.grant_credits(ADA, 1.0), "amount"),  # type: ignore[arg-type]
    "a priority out of range": (lambda c: c.grant_credits(ADA, 1, priority=1_001), "priority"),
    "an unknown category": (lambda c: c.grant_credits(ADA, 1, category="gift"), "category"),
    "a time without a zone": (
        lambda c: c.grant_credits(ADA, 1, expires_at=datetime(2027, 1, 1)),  # noqa: DTZ001 - this is refused
        "expires_at",
    ),
    "text for a time": (lambda c: c.grant_credits(ADA, 1, effective_at="soon"), "effective_at"),  # type: ignore[arg-type]
    "text for features": (lambda c: c.grant_credits(ADA, 1, features="video"), "features"),
    "a number for features": (lambda c: c.grant_credits(ADA, 1, features=5), "features"),  # type: ignore[arg-type]
    "a set of features, which has no order": (
        lambda c: c.grant_credits(ADA, 1, features={"video", "sketch"}),  # type: ignore[arg-type]
        "features",
    ),
    "no feature at all": (lambda c: c.grant_credits(ADA, 1, features=[]), "features"),
    "an empty plan": (lambda c: c.update_subscription_status(ADA, ""), "plan"),
    "an empty key": (lambda c: c.consume_credit(ADA, "interior", idempotency_key=""), "idempotency_key"),
    "a key of 256 characters": (
        lambda c: c.grant_credits(ADA, 1, idempotency_key="k" * 256),
        "idempotency_key",
    ),
    "metadata that is a list": (lambda c: c.consume_credit(ADA, "interior", metadata=[1]), "metadata"),  # type: ignore[arg-type]
    "metadata that is not JSON": (lambda c: c.consume_credit(ADA, "interior", metadata={"x": object()}), "metadata"),
    "metadata that is not finite": (
        lambda c: c.consume_credit(ADA, "interior", metadata={"x": float("nan")}),
        "metadata",
    ),
    "metadata with a NUL": (lambda c: c.consume_credit(ADA, "interior", metadata={"x": "\0"}), "metadata"),
    "a megabyte of metadata": (lambda c: c.consume_credit(ADA, "interior", metadata={"x": "y" * 2**20}), "metadata"),
    "a reason too long": (lambda c: c.grant_credits(ADA, 1, reason="r" * 1_001), "reason"),
    "a page of nothing": (lambda c: c.get_credit_history(ADA, limit=0), "limit"),
    "a page of 201": (lambda c: c.get_credit_history(ADA, limit=201), "limit"),
    "true for a limit": (lambda c: c.get_credit_history(ADA, limit=True), "limit"),
    "a negative cursor": (lambda c: c.get_credit_history(ADA, cursor="-1"), "cursor"),
    "a cursor of other digits": (lambda c: c.get_credit_history(ADA, cursor="٣"), "cursor"),
    "a cursor that is a number": (lambda c: c.get_credit_history(ADA, cursor=5), "cursor"),  # type: ignore[arg-type]
    "a filter with a NUL": (lambda c: c.get_credit_history(ADA, feature="a\0"), "feature"),
    "a filter that is half a character": (lambda c: c.get_credit_history(ADA, kind="\ud800"), "kind"),
    "text for the time of a filter": (lambda c: c.get_credit_history(ADA, since="today"), "since"),  # type: ignore[arg-type]
}


@pytest.fixture(scope="module")
async def known(module_url: Database) -> AsyncIterator[CreditService]:
    """A service with Ada, who has six credits and a used key, and Bob, who has no credits; no test changes it."""
    async with CreditService(Ledger(module_url, clock=MovedClock())) as service:
        for account_id in (ADA, BOB):
            await service.initialize_user_credits(account_id, idempotency_key="taken")
        for _ in range(6):
            await service.consume_credit(BOB, "interior")
        yield service
    verify_clean(module_url)


@pytest.mark.parametrize("name", REFUSED)
async def test_refusal_has_data_and_changes_nothing(known: CreditService, module_url: Database, name: str) -> None:
    """The refusal has its data, and no byte of the database changes."""
    call, refusal = REFUSED[name]
    before = snapshot(module_url)

    with pytest.raises(CreditSystemError) as refused:
        await call(known)

    assert (type(refused.value), refused.value) == (type(refusal), refusal)
    assert snapshot(module_url) == before


@pytest.mark.parametrize("name", INVALID)
async def test_invalid_value_is_refused_by_field_and_changes_nothing(
    known: CreditService, module_url: Database, name: str
) -> None:
    """The refusal has the field's name, and nothing changes."""
    call, field = INVALID[name]
    before = snapshot(module_url)

    with pytest.raises(InvalidInputError) as refused:
        await call(known)

    assert refused.value.field == field
    assert snapshot(module_url) == before


async def test_301st_live_grant_is_refused(credits: CreditService, url: Database) -> None:
    """An account has at most 300 live grants; the next is refused and changes nothing."""
    await credits.initialize_user_credits(ADA)
    await asyncio.gather(*(credits.grant_credits(ADA, 1) for _ in range(299)))
    before = snapshot(url)

    with pytest.raises(GrantLimitError) as refused:
        await credits.grant_credits(ADA, 1)

    assert refused.value == GrantLimitError(300)
    assert snapshot(url) == before


async def test_refused_use_succeeds_after_grant(credits: CreditService) -> None:
    """A refusal is not remembered: after a top-up the same request with the same key is accepted."""
    await credits.initialize_user_credits(BOB)
    for _ in range(6):
        await credits.consume_credit(BOB, "interior")
    with pytest.raises(InsufficientCreditsError):
        await credits.consume_credit(BOB, "interior", idempotency_key="again")
    await credits.grant_credits(BOB, 1)

    receipt = await credits.consume_credit(BOB, "interior", idempotency_key="again")

    assert (receipt.remaining, receipt.replayed) == (0, False)


async def test_refusal_records_due_expiry(credits: CreditService, url: Database, clock: MovedClock) -> None:
    """A refused use records the due expiry in a row of its own, as a read at that instant would."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 4, expires_at=SOON, features=["video"])
    clock.move(seconds=3_600)

    with pytest.raises(UnknownFeatureError):
        await credits.consume_credit(ADA, "cinema")

    last = snapshot(url)["credit_transactions"][-1]
    assert (last[1], last[4], last[5], last[21]) == (3, "expire", -4, int(SOON.timestamp()) * SECOND)
