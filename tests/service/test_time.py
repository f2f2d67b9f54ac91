"""Time-driven change, with a clock that the test moves: it happens lazily, once, at its own instant."""

import asyncio
from datetime import timedelta

import pytest

from sixpence.core.catalog.catalog import Catalog, Feature, Plan, Rollover
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.core.values.instant import SECOND
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, ledger_of, proved, rows, snapshot
from tests.ledger.moved_clock import START, MovedClock

ADA = "ada@example.com"


async def test_a_grant_ends_at_its_expiry(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """A microsecond before, the credits are there; at the instant itself they are gone, in a row of that instant."""
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


async def test_a_later_grant_takes_effect_by_itself(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """It is in no balance before its instant; then it is, by a transaction of its own."""
    await credits.initialize_user_credits(ADA)
    receipt = await credits.grant_credits(ADA, 10, effective_at=START + timedelta(hours=1))
    clock.move(hours=1)

    after = await credits.get_user_credits(ADA)

    assert (receipt.remaining, receipt.total, receipt.transaction.amount) == (6, 6, 0)
    assert (after.remaining, after.total) == (16, 16)
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6), (2, "grant", 0, 6), (3, "take_effect", 10, 16)]


async def test_a_read_writes_what_fell_due_once(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """However many read at once after an expiry, there is one row of it, and every answer is the same."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 10, expires_at=START + timedelta(hours=1))
    clock.move(hours=2)

    answers = await asyncio.gather(*(credits.get_user_credits(ADA) for _ in range(30)))

    assert {(answer.remaining, answer.version) for answer in answers} == {(6, 3)}
    assert ledger_of(url, ADA)[2:] == [(3, "expire", -10, 6)]


async def test_a_use_meets_what_fell_due_first(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """A use after the expiry cannot spend it, and both rows stand in order."""
    await credits.initialize_user_credits(ADA)
    for _ in range(6):
        await credits.consume_credit(ADA, "video")
    await credits.grant_credits(ADA, 1, expires_at=START + timedelta(hours=1))
    clock.move(hours=1)

    with pytest.raises(InsufficientCreditsError) as refused:
        await credits.consume_credit(ADA, "video")

    assert (refused.value.available, refused.value.remaining) == (0, 0)
    assert ledger_of(url, ADA)[-2:] == [(8, "grant", 1, 1), (9, "expire", -1, 0)]


async def test_a_check_sees_what_fell_due(credits: CreditService, clock: MovedClock) -> None:
    """A preview never counts credits that have expired."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 10, expires_at=START + timedelta(hours=1))
    clock.move(hours=1)

    check = await credits.validate_credit_usage(ADA, "video")

    assert (check.available, check.remaining) == (6, 6)


async def test_when_it_is_written_does_not_matter(url: Database, clock: MovedClock) -> None:
    """Looking at each instant and looking once at the end leave the same rows, but for when they were recorded."""
    ledgers = []
    for looks, account_id in ((4, ADA), (1, "bob@example.com")):
        moved = MovedClock()
        async with CreditService(Ledger(url, clock=moved)) as service:
            await service.initialize_user_credits(account_id)
            for hour in (1, 2, 3):
                at = START + timedelta(hours=hour)
                await service.grant_credits(account_id, hour, effective_at=at, expires_at=at + timedelta(hours=1))
            for _ in range(looks):
                moved.move(hours=4 / looks)
                await service.get_user_credits(account_id)
        query = "SELECT seq, kind, amount, created_at FROM credit_transactions WHERE account_id = :id ORDER BY seq"
        ledgers.append(rows(url, query, {"id": account_id}))

    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0]) == 10
    proved(url)


async def test_time_never_runs_backwards_in_an_account(
    credits: CreditService, clock: MovedClock, url: Database
) -> None:
    """A clock set back moves nothing back: the next row stands at the last one's instant (invariant 12)."""
    await credits.initialize_user_credits(ADA)
    clock.move(days=-400)

    receipt = await credits.consume_credit(ADA, "video")

    assert receipt.transaction.created_at == START
    recorded = rows(url, "SELECT recorded_at FROM credit_transactions WHERE seq = 2")
    assert recorded == [(int((START - timedelta(days=400)).timestamp()) * SECOND,)]


async def test_a_read_with_nothing_due_writes_nothing(credits: CreditService, clock: MovedClock, url: Database) -> None:
    """Looking is free: no row, no version, no entry in the outbox."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 10, expires_at=START + timedelta(hours=1))
    before = snapshot(url)

    await credits.get_user_credits(ADA)
    await credits.get_credit_history(ADA)

    assert snapshot(url) == before


async def test_the_servers_clock_counts_on_postgresql(migrated_postgres_url: str) -> None:
    """Without a clock of the caller's, times come from the database, to the microsecond."""
    async with CreditService(migrated_postgres_url) as service:
        earliest = rows(migrated_postgres_url, "SELECT clock_timestamp()")[0][0]
        await service.initialize_user_credits(ADA)
        latest = rows(migrated_postgres_url, "SELECT clock_timestamp()")[0][0]

        granted_at = (await service.get_user_credits(ADA)).granted_at

    assert granted_at is not None
    assert earliest <= granted_at <= latest


async def test_what_a_waiting_change_ends_is_the_next_expiry(clock: MovedClock, url: Database) -> None:
    """Rolled credits that would live for three terms end with the running one when the plan is cancelled."""
    monthly = Plan(rank=1, allowance=100, period="month", rollover=Rollover(cap=30, periods=3))
    catalog = Catalog(features={"draw": Feature(1)}, plans={"free": Plan(), "basic": monthly}, default_plan="free")
    async with CreditService(Ledger(url, clock=clock, catalog=catalog)) as credits:
        await credits.initialize_user_credits(ADA)
        await credits.update_subscription_status(ADA, "basic")
        clock.move(days=32)
        running = await credits.get_user_credits(ADA)
        await credits.cancel_subscription(ADA)

        cancelled = await credits.get_user_credits(ADA)

    proved(url)
    assert (running.remaining, running.next_expiry_at, running.next_expiry_amount) == (130, running.term_ends_at, 100)
    assert (cancelled.next_expiry_at, cancelled.next_expiry_amount) == (running.term_ends_at, 130)
