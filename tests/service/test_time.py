"""Time-driven changes: each is applied lazily, once, at its own instant."""

import asyncio
from datetime import timedelta

import pytest

from sixpence.core.catalog.catalog import Catalog, Feature, Plan, Rollover
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.core.values.instant import SECOND
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, ledger_of, rows, snapshot, verify_clean
from tests.ledger.moved_clock import START, MovedClock

ADA = "ada@example.com"


async def test_grant_expires_at_its_instant(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """A microsecond before its expiry the credits remain; at the instant they expire, in a row of that instant."""
    await credits.initialize_user_credits(ADA)
    ends = START + timedelta(days=30)
    await credits.grant_credits(ADA, 10, expires_at=ends)
    clock.move(days=30, microseconds=-1)
    before = await credits.get_user_credits(ADA)
    clock.move(hours=5)

    after = await credits.get_user_credits(ADA)

    assert (before.remaining, before.next_expiry_at, before.version) == (16, ends, 2)
    assert (after.remaining, after.total, after.next_expiry_at, after.version) == (6, 6, None, 3)
    expiry = (await credits.get_credit_history(ADA, kind="expire")).transactions
    assert [(row.amount, row.created_at) for row in expiry] == [(-10, ends)]


async def test_scheduled_grant_takes_effect(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """It is in no balance before its instant; then it is, by a separate transaction."""
    await credits.initialize_user_credits(ADA)
    receipt = await credits.grant_credits(ADA, 10, effective_at=START + timedelta(hours=1))
    clock.move(hours=1)

    after = await credits.get_user_credits(ADA)

    assert (receipt.remaining, receipt.total, receipt.transaction.amount) == (6, 6, 0)
    assert (after.remaining, after.total) == (16, 16)
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6), (2, "grant", 0, 6), (3, "take_effect", 10, 16)]


async def test_concurrent_reads_record_due_expiry_once(
    credits: CreditService, clock: MovedClock, url: Database
) -> None:
    """Many concurrent reads after an expiry write one row and give the same result."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 10, expires_at=START + timedelta(hours=1))
    clock.move(hours=2)

    answers = await asyncio.gather(*(credits.get_user_credits(ADA) for _ in range(30)))

    assert {(answer.remaining, answer.version) for answer in answers} == {(6, 3)}
    assert ledger_of(url, ADA)[2:] == [(3, "expire", -10, 6)]


async def test_consume_applies_due_expiry_first(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """A use after the expiry cannot spend the credits, and the rows are in order."""
    await credits.initialize_user_credits(ADA)
    for _ in range(6):
        await credits.consume_credit(ADA, "video")
    await credits.grant_credits(ADA, 1, expires_at=START + timedelta(hours=1))
    clock.move(hours=1)

    with pytest.raises(InsufficientCreditsError) as refused:
        await credits.consume_credit(ADA, "video")

    assert (refused.value.available, refused.value.remaining) == (0, 0)
    assert ledger_of(url, ADA)[-2:] == [(8, "grant", 1, 1), (9, "expire", -1, 0)]


async def test_validate_applies_due_expiry(credits: CreditService, clock: MovedClock) -> None:
    """A check never counts expired credits."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 10, expires_at=START + timedelta(hours=1))
    clock.move(hours=1)

    check = await credits.validate_credit_usage(ADA, "video")

    assert (check.available, check.remaining) == (6, 6)


async def test_rows_do_not_depend_on_when_they_are_recorded(url: Database, clock: MovedClock) -> None:
    """Reads at each instant and one read at the end write the same rows, except `recorded_at`."""
    ledgers = []
    for reads, account_id in ((4, ADA), (1, "bob@example.com")):
        moved = MovedClock()
        async with CreditService(Ledger(url, clock=moved)) as service:
            await service.initialize_user_credits(account_id)
            for hour in (1, 2, 3):
                at = START + timedelta(hours=hour)
                await service.grant_credits(account_id, hour, effective_at=at, expires_at=at + timedelta(hours=1))
            for _ in range(reads):
                moved.move(hours=4 / reads)
                await service.get_user_credits(account_id)
        query = "SELECT seq, kind, amount, created_at FROM credit_transactions WHERE account_id = :id ORDER BY seq"
        ledgers.append(rows(url, query, {"id": account_id}))

    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0]) == 10
    verify_clean(url)


async def test_time_never_runs_backwards_in_account(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """If the clock is set back, the next row has the instant of the last one (invariant 12)."""
    await credits.initialize_user_credits(ADA)
    clock.move(days=-400)

    receipt = await credits.consume_credit(ADA, "video")

    assert receipt.transaction.created_at == START
    recorded = rows(url, "SELECT recorded_at FROM credit_transactions WHERE seq = 2")
    assert recorded == [(int((START - timedelta(days=400)).timestamp()) * SECOND,)]


async def test_read_without_due_changes_writes_nothing(
    credits: CreditService, clock: MovedClock, url: Database
) -> None:
    """It writes no row, no version and no outbox entry."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 10, expires_at=START + timedelta(hours=1))
    before = snapshot(url)

    await credits.get_user_credits(ADA)
    await credits.get_credit_history(ADA)

    assert snapshot(url) == before


async def test_postgresql_uses_server_clock(migrated_postgres_url: str) -> None:
    """Without a caller's clock, times come from the database, to the microsecond."""
    async with CreditService(migrated_postgres_url) as service:
        earliest = rows(migrated_postgres_url, "SELECT clock_timestamp()")[0][0]
        await service.initialize_user_credits(ADA)
        latest = rows(migrated_postgres_url, "SELECT clock_timestamp()")[0][0]

        granted_at = (await service.get_user_credits(ADA)).granted_at

    assert granted_at is not None
    assert earliest <= granted_at <= latest


async def test_next_expiry_includes_credits_ended_by_cancelled_plan(clock: MovedClock, url: Database) -> None:
    """Rolled-over credits that would live for three terms end with the current one if the plan is cancelled."""
    monthly = Plan(rank=1, allowance=100, period="month", rollover=Rollover(cap=30, periods=3))
    catalog = Catalog(features={"draw": Feature(1)}, plans={"free": Plan(), "basic": monthly}, default_plan="free")
    async with CreditService(Ledger(url, clock=clock, catalog=catalog)) as credits:
        await credits.initialize_user_credits(ADA)
        await credits.update_subscription_status(ADA, "basic")
        clock.move(days=32)
        running = await credits.get_user_credits(ADA)
        await credits.cancel_subscription(ADA)

        cancelled = await credits.get_user_credits(ADA)

    verify_clean(url)
    assert (running.remaining, running.next_expiry_at, running.next_expiry_amount) == (130, running.term_ends_at, 100)
    assert (cancelled.next_expiry_at, cancelled.next_expiry_amount) == (running.term_ends_at, 130)
