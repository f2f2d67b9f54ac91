"""A change inside `credits.transaction()` without its connection is refused and changes nothing."""

import asyncio

import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, ledger_of, verify_clean
from tests.ledger.moved_clock import MovedClock

ADA = "ada@example.com"
MISSING = InvalidInputError(
    "connection",
    "is missing inside credits.transaction(). Send the block's connection, or call before or after the block.",
)


def test_change_without_connection_is_refused_inside_transaction(url: Database) -> None:
    """It is refused inside the block only; after the block it is accepted."""
    with SyncCreditService(url) as credits:
        credits.initialize_user_credits(ADA)
        with credits.transaction() as connection:
            with pytest.raises(InvalidInputError) as refused:
                credits.consume_credit(ADA, "interior")
            inside = credits.consume_credit(ADA, "interior", connection=connection)
        after = credits.consume_credit(ADA, "interior")

    assert refused.value == MISSING
    assert (inside.remaining, after.remaining) == (5, 4)
    verify_clean(url)


def test_outer_block_refuses_while_and_after_inner_block(url: Database, sqlite_url: str) -> None:
    """It refuses while another service's block is open inside it, and after that one has ended."""
    refusals = []
    with SyncCreditService(url) as credits, SyncCreditService(f"{sqlite_url}.other") as other:
        credits.initialize_user_credits(ADA)
        with credits.transaction():
            with other.transaction(), pytest.raises(InvalidInputError) as refused:
                credits.consume_credit(ADA, "interior")
            refusals.append(refused.value)
            with pytest.raises(InvalidInputError) as refused:
                credits.consume_credit(ADA, "interior")
            refusals.append(refused.value)
        after = credits.consume_credit(ADA, "interior")

    assert (refusals, after.remaining) == ([MISSING, MISSING], 5)


def test_block_does_not_refuse_other_ledgers(url: Database, sqlite_url: str) -> None:
    """A service on another database is not inside the block."""
    with SyncCreditService(url) as credits, SyncCreditService(f"{sqlite_url}.other") as other:
        other.initialize_user_credits(ADA)
        with credits.transaction():
            receipt = other.consume_credit(ADA, "interior")

    assert receipt.remaining == 5


def test_read_that_must_apply_due_changes_is_refused(sqlite_url: str, clock: MovedClock) -> None:
    """The writer would have to record the due change first, and it waits for the block."""
    with SyncCreditService(Ledger(sqlite_url, clock=clock)) as credits:
        credits.initialize_user_credits(ADA)
        credits.grant_credits(ADA, 5, expires_at=clock.moment.replace(hour=13))
        clock.move(hours=2)
        with credits.transaction(), pytest.raises(InvalidInputError) as refused:
            credits.get_user_credits(ADA)
        left = credits.get_user_credits(ADA)

    assert (refused.value, left.remaining) == (MISSING, 6)


async def test_async_block_includes_tasks_started_inside(migrated_postgres_url: str) -> None:
    """A task started before the block continues; one started inside belongs to it until it ends."""
    async with CreditService(migrated_postgres_url) as credits:
        await credits.initialize_user_credits(ADA)
        proceed = asyncio.Event()

        async def charge_later() -> int:
            await proceed.wait()
            return (await credits.consume_credit(ADA, "interior")).remaining

        before = asyncio.create_task(charge_later())
        await asyncio.sleep(0)
        async with credits.transaction():
            with pytest.raises(InvalidInputError):
                await credits.consume_credit(ADA, "interior")
            begun_inside = asyncio.create_task(charge_later())
            proceed.set()
            others = await before
        (after,) = await asyncio.gather(begun_inside, return_exceptions=True)

    assert others == 5
    assert after == MISSING
    assert len(ledger_of(migrated_postgres_url, ADA)) == 2
