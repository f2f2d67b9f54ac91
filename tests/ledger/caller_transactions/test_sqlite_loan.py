"""Loans of the SQLite writer's connection: waiting for one, its time limit, and refused statements after its end."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from sixpence.core.errors import QueueFullError, ServiceClosedError, TransactionEndedError
from sixpence.ledger.ledger import Ledger, Limits
from sixpence.ledger.sqlite.memory import Memory
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.caller_transactions.interfaces import ADA, NOTE, SHOP, ChangedMindError, notes
from tests.ledger.databases import ledger_of, verify_clean

pytestmark = pytest.mark.slow

BOUND_SECONDS = 0.4
LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"


@pytest.fixture
def credits(noted_sqlite_url: str) -> Iterator[SyncCreditService]:
    """A service that lends for four tenths of a second at most, with Ada's account."""
    limits = Limits(wait_seconds_max=BOUND_SECONDS)
    with SyncCreditService(Ledger(noted_sqlite_url, limits=limits, catalog=SHOP)) as credits:
        credits.initialize_user_credits(ADA)
        yield credits


def note(connection: Connection, words: str) -> None:
    """Insert a row of the app."""
    connection.execute(text(NOTE.format(words)))


def test_transaction_beyond_the_time_limit_is_rolled_back(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """It ends with a clear error, nothing of it is committed, and the writer continues meanwhile."""
    slept = threading.Event()
    remaining: list[int] = []

    def ask() -> None:
        time.sleep(BOUND_SECONDS * 1.5)
        remaining.append(credits.consume_credit(ADA, "sketch").remaining)
        slept.set()

    def sleep_in_it() -> None:
        with credits.transaction() as connection:
            other.start()
            note(connection, "first")
            credits.consume_credit(ADA, "video", connection=connection)
            slept.wait(10)

    other = threading.Thread(target=ask)
    with pytest.raises(TransactionEndedError):
        sleep_in_it()
    other.join()

    assert remaining == [5]
    assert (notes(noted_sqlite_url), len(ledger_of(noted_sqlite_url, ADA))) == ([], 2)


def test_statements_after_the_time_limit_are_refused(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """Neither a statement nor a charge runs, by itself or in the next batch."""

    def continue_in_it() -> None:
        with credits.transaction() as connection:
            note(connection, "first")
            time.sleep(BOUND_SECONDS * 1.5)
            with pytest.raises(TransactionEndedError):
                credits.consume_credit(ADA, "video", connection=connection)
            note(connection, "second")

    with pytest.raises(TransactionEndedError):
        continue_in_it()

    assert (notes(noted_sqlite_url), len(ledger_of(noted_sqlite_url, ADA))) == ([], 1)


def test_long_statement_is_interrupted(credits: SyncCreditService) -> None:
    """The writer takes its connection back while the caller's statement runs."""
    began = time.monotonic()

    with pytest.raises(TransactionEndedError), credits.transaction() as connection:
        connection.execute(text(LONG))

    assert time.monotonic() - began < BOUND_SECONDS + 2
    assert credits.consume_credit(ADA, "sketch").remaining == 5


def test_statements_after_a_commit_are_refused(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """The committed rows stay; a later statement is refused and not committed by itself."""
    with credits.transaction() as connection:
        credits.consume_credit(ADA, "sketch", connection=connection)
        note(connection, "first")
        connection.exec_driver_sql("COMMIT")
        with pytest.raises(OperationalError, match="has ended"):
            note(connection, "second")
        with pytest.raises(TransactionEndedError):
            credits.consume_credit(ADA, "sketch", connection=connection)
        connection.rollback()

    assert (notes(noted_sqlite_url), len(ledger_of(noted_sqlite_url, ADA))) == (["first"], 2)


def test_statements_after_a_rollback_are_refused(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """Nothing is committed, and no later statement runs by itself."""
    with credits.transaction() as connection:
        credits.consume_credit(ADA, "sketch", connection=connection)
        connection.rollback()
        with pytest.raises(TransactionEndedError):
            credits.consume_credit(ADA, "sketch", connection=connection)

    assert len(ledger_of(noted_sqlite_url, ADA)) == 1


def test_commands_wait_for_the_end_of_a_loan(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """A command that comes meanwhile is decided after the transaction, on its result."""
    receipts: list[int] = []
    command = threading.Thread(target=lambda: receipts.append(credits.consume_credit(ADA, "video").remaining))

    with credits.transaction() as connection:
        command.start()
        time.sleep(0.1)
        first = credits.consume_credit(ADA, "sketch", connection=connection)
    command.join()

    assert (first.remaining, receipts) == (5, [2])


def test_loan_that_is_not_granted_in_time_is_refused(credits: SyncCreditService) -> None:
    """Of four long transactions at once, the last ones get 503 instead of waiting forever."""
    outcomes: list[str] = []

    def hold() -> None:
        try:
            with credits.transaction():
                time.sleep(BOUND_SECONDS * 0.8)
        except QueueFullError:
            outcomes.append("refused")
        else:
            outcomes.append("held")

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(outcomes) == {"refused", "held"}


def test_commands_run_between_waiting_transactions(credits: SyncCreditService) -> None:
    """For any number of waiting transactions, a command runs after the current one."""
    over = threading.Event()
    taken: list[str] = []

    def draw_credits() -> None:
        while not over.is_set():
            with credits.transaction():
                taken.append("transaction")
                time.sleep(0.01)

    threads = [threading.Thread(target=draw_credits) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    began = len(taken)
    try:
        for _ in range(5):
            credits.consume_credit(ADA, "sketch")
        ended = len(taken)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert ended - began <= 15


def test_closed_service_refuses_loans(noted_sqlite_url: str) -> None:
    """It is refused as closed, like every command."""
    credits = SyncCreditService(noted_sqlite_url, catalog=SHOP)
    credits.initialize_user_credits(ADA)
    own = credits.ledger.caller_transactions_and_wait()
    credits.close()

    with pytest.raises(ServiceClosedError), own.transaction():
        pass
    with pytest.raises(ServiceClosedError), credits.transaction():
        pass


async def test_cancelled_task_ends_its_loan(noted_sqlite_url: str) -> None:
    """Waiting or granted: nothing of it is committed, and the next one begins at once."""
    async with CreditService(noted_sqlite_url, catalog=SHOP) as credits:
        await credits.initialize_user_credits(ADA)
        holding = asyncio.Event()

        async def hold() -> None:
            async with credits.transaction() as connection:
                await credits.consume_credit(ADA, "video", connection=connection)
                holding.set()
                await asyncio.sleep(60)

        tasks = [asyncio.create_task(hold()) for _ in range(2)]
        await holding.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        began = time.monotonic()
        receipt = await credits.consume_credit(ADA, "sketch")

    assert receipt.remaining == 5
    assert time.monotonic() - began < 1


async def test_cancelled_charge_is_not_committed(noted_sqlite_url: str) -> None:
    """For a timeout at any time, a block that continues after it cannot commit, and the call has no effect."""
    committed = refused_count = 0
    async with CreditService(noted_sqlite_url, catalog=SHOP) as credits:
        await credits.initialize_user_credits(ADA)
        await credits.grant_credits(ADA, 94)
        for step in range(40):
            try:
                async with credits.transaction() as connection:
                    call = asyncio.create_task(credits.consume_credit(ADA, "sketch", connection=connection))
                    await asyncio.wait([call], timeout=step * 0.0001)
                    call.cancel()
                    await asyncio.gather(call, return_exceptions=True)
                    await connection.execute(text(NOTE.format(step)))
            except TransactionEndedError:
                refused_count += 1
            else:
                committed += 1
        left = (await credits.get_user_credits(ADA)).remaining

    assert refused_count > 0
    assert (left, len(notes(noted_sqlite_url))) == (100 - committed, committed)


LASTING = [
    "CREATE TEMPORARY TABLE credit_accounts (account_no integer)",
    "CREATE TEMPORARY VIEW outbox AS SELECT 1",
    "CREATE TABLE temp.mine (text text)",
    "CREATE VIRTUAL TABLE temp.mine USING fts5(text)",
    "CREATE TRIGGER temp.mine AFTER UPDATE ON credit_accounts BEGIN SELECT 1; END",
    "CREATE TEMPORARY TRIGGER mine AFTER UPDATE ON credit_accounts BEGIN SELECT 1; END",
    "ATTACH ':memory:' AS other",
    "PRAGMA ignore_check_constraints = ON",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
]


@pytest.mark.parametrize("statement", LASTING)
@pytest.mark.parametrize("in_memory", [False, True])
def test_statements_that_change_the_connection_are_refused(
    noted_sqlite_url: str, statement: str, in_memory: bool
) -> None:
    """The transaction continues, and so do later commands; reading the schema is allowed."""
    with SyncCreditService(Memory() if in_memory else noted_sqlite_url, catalog=SHOP) as credits:
        credits.initialize_user_credits(ADA)
        with credits.transaction() as connection:
            with pytest.raises(OperationalError, match="no temporary tables, no ATTACH and no PRAGMA that changes it"):
                connection.execute(text(statement))
            seen = "credit_accounts" in inspect(connection).get_table_names()
            inside = credits.consume_credit(ADA, "sketch", connection=connection)
        after = credits.consume_credit(ADA, "sketch")

    assert (seen, inside.remaining, after.remaining) == (True, 5, 4)


def test_memory_lends_like_a_file() -> None:
    """The store for tests has the same transactions."""
    memory = Memory()
    with SyncCreditService(memory, catalog=SHOP) as credits:
        credits.initialize_user_credits(ADA)
        with credits.transaction() as connection:
            credits.consume_credit(ADA, "video", connection=connection)
        with suppress(ChangedMindError), credits.transaction() as connection:
            credits.consume_credit(ADA, "video", connection=connection)
            raise ChangedMindError
        left = credits.get_user_credits(ADA).remaining

    assert left == 3
    verify_clean(memory)
