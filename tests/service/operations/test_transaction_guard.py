"""A change inside `credits.transaction()` that was forgotten to be part of it is refused, and changes nothing."""

import asyncio

import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, ledger_of, proved
from tests.ledger.moved_clock import MovedClock

ADA = "ada@example.com"
MISSING = InvalidInputError(
    "connection",
    "is missing inside credits.transaction(). Send the block's connection, or ask before or after it.",
)


def test_a_forgotten_connection_is_refused(url: Database) -> None:
    """In the block and in no other thread; after the block it is a change like any other."""
    with SyncCreditService(url) as credits:
        credits.initialize_user_credits(ADA)
        with credits.transaction() as connection:
            with pytest.raises(InvalidInputError) as refused:
                credits.consume_credit(ADA, "interior")
            inside = credits.consume_credit(ADA, "interior", connection=connection)
        after = credits.consume_credit(ADA, "interior")

    assert refused.value == MISSING
    assert (inside.remaining, after.remaining) == (5, 4)
    proved(url)


def test_a_block_around_another_one_still_refuses(url: Database, sqlite_url: str) -> None:
    """While another service's block is open inside it, and after that has ended."""
    said = []
    with SyncCreditService(url) as credits, SyncCreditService(f"{sqlite_url}.other") as other:
        credits.initialize_user_credits(ADA)
        with credits.transaction():
            with other.transaction(), pytest.raises(InvalidInputError) as refused:
                credits.consume_credit(ADA, "interior")
            said.append(refused.value)
            with pytest.raises(InvalidInputError) as refused:
                credits.consume_credit(ADA, "interior")
            said.append(refused.value)
        after = credits.consume_credit(ADA, "interior")

    assert (said, after.remaining) == ([MISSING, MISSING], 5)


def test_another_ledger_s_changes_are_its_own(url: Database, sqlite_url: str) -> None:
    """A service on another database is not inside."""
    with SyncCreditService(url) as credits, SyncCreditService(f"{sqlite_url}.other") as other:
        other.initialize_user_credits(ADA)
        with credits.transaction():
            receipt = other.consume_credit(ADA, "interior")

    assert receipt.remaining == 5


def test_a_look_that_would_have_to_write_is_refused(sqlite_url: str, clock: MovedClock) -> None:
    """What is due is written down by the writer first, who waits for the block: it says so instead."""
    with SyncCreditService(Ledger(sqlite_url, clock=clock)) as credits:
        credits.initialize_user_credits(ADA)
        credits.grant_credits(ADA, 5, expires_at=clock.moment.replace(hour=13))
        clock.move(hours=2)
        with credits.transaction(), pytest.raises(InvalidInputError) as refused:
            credits.get_user_credits(ADA)
        left = credits.get_user_credits(ADA)

    assert (refused.value, left.remaining) == (MISSING, 6)


async def test_on_an_event_loop_the_task_is_inside_and_others_are_not(migrated_postgres_url: str) -> None:
    """A task that was begun before goes on; one begun in the block belongs to it until it ends."""
    async with CreditService(migrated_postgres_url) as credits:
        await credits.initialize_user_credits(ADA)
        go_on = asyncio.Event()

        async def charge_later() -> int:
            await go_on.wait()
            return (await credits.consume_credit(ADA, "interior")).remaining

        before = asyncio.create_task(charge_later())
        await asyncio.sleep(0)
        async with credits.transaction():
            with pytest.raises(InvalidInputError):
                await credits.consume_credit(ADA, "interior")
            begun_inside = asyncio.create_task(charge_later())
            go_on.set()
            others = await before
        (after,) = await asyncio.gather(begun_inside, return_exceptions=True)

    assert others == 5
    assert after == MISSING
    assert len(ledger_of(migrated_postgres_url, ADA)) == 2
