"""Two calls at the same time on one connection: the second would end the savepoint of the first, and is refused."""

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.caller_transactions.interfaces import ADA, BOB, SHOP
from tests.ledger.databases import ledger_of, raw_engine

AT_ONCE = InvalidInputError(
    "connection", "is used by another call at this moment. Make the calls of one transaction one at a time."
)
SIGNUP = (1, "signup", 6, 6)
# Ada has five credits left, Bob has none.
SPENT = [(ADA, "sketch"), (BOB, "video"), (BOB, "video")]
POOR = [SIGNUP, (2, "consume", -3, 3), (3, "consume", -3, 0)]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("names", [(ADA, BOB), (BOB, ADA)])
async def test_concurrent_tasks_on_one_connection_are_refused(
    noted_postgres_url: str, driver: str, names: tuple[str, str]
) -> None:
    """The first call is decided, accepted or refused; the other account can be charged afterwards."""
    url = make_url(noted_postgres_url).set(drivername=f"postgresql+{driver}")
    engine = create_async_engine(url, poolclass=NullPool)
    async with CreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        for name, feature in SPENT:
            await credits.initialize_user_credits(name)
            # One call first: a service reads the identity of its tables once, before its first command.
            async with engine.begin() as connection:
                await credits.consume_credit(name, feature, connection=connection)
        async with engine.begin() as connection:
            first, second = await asyncio.gather(
                *(credits.consume_credit(name, "sketch", connection=connection) for name in names),
                return_exceptions=True,
            )
            (later,) = await asyncio.gather(
                credits.consume_credit(names[1], "sketch", connection=connection), return_exceptions=True
            )

    outcomes: dict[str, Any] = {names[0]: first, names[1]: later}
    assert (second, outcomes[ADA].remaining) == (AT_ONCE, 4)
    assert isinstance(outcomes[BOB], InsufficientCreditsError)
    assert ledger_of(noted_postgres_url, ADA) == [SIGNUP, (2, "consume", -1, 5), (3, "consume", -1, 4)]
    assert ledger_of(noted_postgres_url, BOB) == POOR


def test_concurrent_threads_on_one_connection_are_refused(noted_postgres_url: str) -> None:
    """While one thread's call waits for its account, another thread's is refused, and the first one still succeeds."""
    first: list[Any] = []
    with SyncCreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        for name, feature in SPENT:
            credits.initialize_user_credits(name)
            credits.consume_credit(name, feature)
        engine = raw_engine(noted_postgres_url)
        with engine.begin() as holder, engine.begin() as transaction:
            credits.consume_credit(ADA, "sketch", connection=holder)
            waiting = threading.Thread(
                target=lambda: first.append(credits.consume_credit(ADA, "sketch", connection=transaction).remaining)
            )
            waiting.start()
            waiting.join(0.5)
            with pytest.raises(InvalidInputError) as refused:
                credits.consume_credit(BOB, "sketch", connection=transaction)
            holder.commit()
            waiting.join()

    assert (refused.value, first) == (AT_ONCE, [3])
    assert [after for *_, after in ledger_of(noted_postgres_url, ADA)] == [6, 5, 4, 3]
    assert ledger_of(noted_postgres_url, BOB) == POOR
