"""Reads of the past wait for commands that may still commit, so a past balance never changes later."""

import asyncio

import pytest

from sixpence.service.credits import CreditService

ADA = "ada@example.com"


@pytest.mark.parametrize("database", ["sqlite_url", "migrated_postgres_url"])
async def test_read_waits_for_uncommitted_charge(request: pytest.FixtureRequest, database: str) -> None:
    """A balance and a statement up to now include a charge that has not committed; the next one begins after it."""
    url = str(request.getfixturevalue(database))
    async with CreditService(url) as app, CreditService(url) as desk:
        await app.initialize_user_credits(ADA)
        async with app.transaction() as connection:
            await app.consume_credit(ADA, "video", connection=connection)
            balance = asyncio.create_task(desk.balance_at(ADA))
            statement = asyncio.create_task(desk.get_statement(ADA))
            await asyncio.sleep(0.5)
            waited = not (balance.done() or statement.done())
        first = await statement
        then = await desk.get_statement(ADA, since=first.until)

        assert (waited, (await balance).remaining) == (True, 5)
        assert (first.closing.remaining, then.opening, then.movements) == (5, first.closing, ())


async def test_balance_before_last_transaction_does_not_wait(migrated_postgres_url: str) -> None:
    """Nothing can commit before the last transaction, so an earlier balance is read while the account is locked."""
    async with CreditService(migrated_postgres_url) as app, CreditService(migrated_postgres_url) as desk:
        await app.initialize_user_credits(ADA)
        made = (await app.get_credit_history(ADA)).transactions[0]
        await app.consume_credit(ADA, "video")
        async with app.transaction() as connection:
            await app.consume_credit(ADA, "video", connection=connection)

            balance = await asyncio.wait_for(desk.balance_at(ADA, made.created_at), timeout=2)

    assert balance.remaining == 6
