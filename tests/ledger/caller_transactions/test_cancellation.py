"""Tasks cancelled during a charge, and an unreachable database: nothing is committed, and the service continues."""

import asyncio

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from sixpence.core.errors import DatabaseUnavailableError
from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.caller_transactions.interfaces import ADA, NOTE, SHOP, notes
from tests.ledger.databases import ledger_of, raw_engine, upgrade
from tests.support.postgres import PostgresDatabases


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_cancelled_task_commits_nothing(noted_postgres_url: str, driver: str) -> None:
    """Its transaction is rolled back, and its pooled connection serves the next one."""
    engine = create_async_engine(make_url(noted_postgres_url).set(drivername=f"postgresql+{driver}"), pool_size=1)
    async with CreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        await credits.initialize_user_credits(ADA)

        async def charge() -> None:
            async with engine.begin() as transaction:
                await transaction.execute(text(NOTE.format("mine")))
                await credits.consume_credit(ADA, "video", connection=transaction)

        with SyncCreditService(credits.ledger) as blocking, raw_engine(noted_postgres_url).begin() as holder:
            blocking.consume_credit(ADA, "sketch", connection=holder)
            waiting = asyncio.create_task(charge())
            await asyncio.sleep(0.3)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            holder.commit()
            assert waiting.cancelled()
            before = notes(noted_postgres_url), ledger_of(noted_postgres_url, ADA)[1:]
            await charge()
    await engine.dispose()

    assert before == ([], [(2, "consume", -1, 5)])
    assert (notes(noted_postgres_url), ledger_of(noted_postgres_url, ADA)[2:]) == (["mine"], [(3, "consume", -3, 2)])


async def test_transaction_of_an_unreachable_database_is_refused(postgres_server: PostgresDatabases) -> None:
    """Both services report that the database is not available, as for every command."""
    url = postgres_server.create_database()
    upgrade(url)
    async with CreditService(Ledger(url, catalog=SHOP)) as credits:
        await credits.initialize_user_credits(ADA)
        postgres_server.drop_database(url)

        with SyncCreditService(credits.ledger) as blocking:
            with pytest.raises(DatabaseUnavailableError):
                async with credits.transaction():
                    pass
            with pytest.raises(DatabaseUnavailableError), blocking.transaction():
                pass
