"""A client that dies in its transaction leaves nothing, and the relay reads only committed rows."""

import contextlib
import signal
import subprocess
import sys

import psycopg
import pytest
from sqlalchemy import text

from sixpence.core.errors import DatabaseUnavailableError
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.relay.relay import Relay
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.caller_transactions.interfaces import ADA, SHOP, ChangedMindError, Interface, notes
from tests.ledger.databases import ledger_of, raw_engine, rows

CLIENT = """
import sys
from sqlalchemy import create_engine, text
from sixpence import SyncCreditService

credits = SyncCreditService(sys.argv[1])
begin = credits.transaction if sys.argv[1].startswith("sqlite") else create_engine(sys.argv[2]).begin
with begin() as connection:
    connection.execute(text("INSERT INTO notes VALUES ('lost')"))
    credits.consume_credit("ada@example.com", "video", idempotency_key="k", connection=connection)
    print("charged", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("fixture", ["noted_sqlite_url", "noted_postgres_url"])
def test_killed_process_leaves_nothing(fixture: str, request: pytest.FixtureRequest) -> None:
    """Killed between the charge and the commit: neither row is there, and the account and the key are free."""
    url = str(request.getfixturevalue(fixture))
    with SyncCreditService(Ledger(url, catalog=SHOP)) as credits:
        credits.initialize_user_credits(ADA)
    driver = url.replace("postgresql://", "postgresql+psycopg://")
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, url, driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert client.stdout is not None
    charged = client.stdout.readline()

    client.send_signal(signal.SIGKILL)
    client.wait()
    with SyncCreditService(Ledger(url, catalog=SHOP)) as credits:
        again = credits.consume_credit(ADA, "sketch", idempotency_key="k")

    assert (charged, again.replayed, notes(url)) == ("charged\n", False, [])
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]
    for pipe in (client.stdin, client.stdout):
        if pipe is not None:
            pipe.close()


def test_cut_connection_is_an_unavailable_database(noted_postgres_url: str) -> None:
    """The server ends the session: the next charge reports it, and nothing is committed."""
    engine = raw_engine(noted_postgres_url)
    with SyncCreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        credits.initialize_user_credits(ADA)
        with contextlib.suppress(ChangedMindError), engine.connect() as transaction:
            credits.consume_credit(ADA, "sketch", connection=transaction)
            pid = transaction.scalar(text("SELECT pg_backend_pid()"))
            with psycopg.connect(noted_postgres_url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            with pytest.raises(DatabaseUnavailableError):
                credits.consume_credit(ADA, "video", connection=transaction)
            raise ChangedMindError
        after = credits.consume_credit(ADA, "video")

    assert after.remaining == 3
    assert ledger_of(noted_postgres_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -3, 3)]


async def test_relay_reads_after_the_commit(interface: Interface, noted_url: str) -> None:
    """Live updates, webhooks and sums come from the outbox: while the transaction is open it has no row."""
    await interface.call("initialize_user_credits", ADA)
    async with CreditService(Ledger(noted_url, catalog=SHOP)) as credits:
        relay = Relay(credits.ledger)
        await relay.run_once()

        async with interface.begin() as transaction:
            await transaction.call("consume_credit", ADA, "video")
            meanwhile = await relay.run_once()
        afterwards = await relay.run_once()

    assert (meanwhile, afterwards) == (0, 1)
    assert rows(noted_url, "SELECT feature, uses, credits_consumed FROM usage_daily") == [("video", 1, 3)]
