"""The SQLite connection that the writer lends: its turn, its bound in time, and that nothing runs on it afterwards."""

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
from tests.ledger.caller_transactions.ways import ADA, NOTE, SHOP, ChangedMindError, notes
from tests.ledger.databases import ledger_of, proved

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
    """Write a row of the app's."""
    connection.execute(text(NOTE.format(words)))


def test_one_that_sleeps_is_undone(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """It ends with a clear error, nothing of it stays, and the writer goes on while it still sleeps."""
    slept = threading.Event()
    asked: list[int] = []

    def ask() -> None:
        time.sleep(BOUND_SECONDS * 1.5)
        asked.append(credits.consume_credit(ADA, "sketch").remaining)
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

    assert asked == [5]
    assert (notes(noted_sqlite_url), len(ledger_of(noted_sqlite_url, ADA))) == ([], 2)


def test_nothing_runs_on_it_afterwards(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """Neither a statement nor a charge, which would stand alone or in the next batch."""

    def go_on_in_it() -> None:
        with credits.transaction() as connection:
            note(connection, "first")
            time.sleep(BOUND_SECONDS * 1.5)
            with pytest.raises(TransactionEndedError):
                credits.consume_credit(ADA, "video", connection=connection)
            note(connection, "second")

    with pytest.raises(TransactionEndedError):
        go_on_in_it()

    assert (notes(noted_sqlite_url), len(ledger_of(noted_sqlite_url, ADA))) == ([], 1)


def test_a_statement_that_runs_on_is_broken_off(credits: SyncCreditService) -> None:
    """The writer has its connection back though the caller is in the middle of a statement."""
    began = time.monotonic()

    with pytest.raises(TransactionEndedError), credits.transaction() as connection:
        connection.execute(text(LONG))

    assert time.monotonic() - began < BOUND_SECONDS + 2
    assert credits.consume_credit(ADA, "sketch").remaining == 5


def test_after_a_commit_in_the_block_it_is_over(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """What was committed stands; a statement after it is refused and not committed by itself."""
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


def test_after_a_rollback_in_the_block_it_is_over(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """Nothing stands, and what comes after it does not stand alone."""
    with credits.transaction() as connection:
        credits.consume_credit(ADA, "sketch", connection=connection)
        connection.rollback()
        with pytest.raises(TransactionEndedError):
            credits.consume_credit(ADA, "sketch", connection=connection)

    assert len(ledger_of(noted_sqlite_url, ADA)) == 1


def test_commands_wait_for_the_turn_to_end(credits: SyncCreditService, noted_sqlite_url: str) -> None:
    """A command that comes meanwhile is decided after the transaction, on what that left."""
    receipts: list[int] = []
    command = threading.Thread(target=lambda: receipts.append(credits.consume_credit(ADA, "video").remaining))

    with credits.transaction() as connection:
        command.start()
        time.sleep(0.1)
        first = credits.consume_credit(ADA, "sketch", connection=connection)
    command.join()

    assert (first.remaining, receipts) == (5, [2])


def test_whoever_gets_no_turn_in_time_is_told(credits: SyncCreditService) -> None:
    """Of four that want it at once for nearly as long as one may wait, the last get 503 and not a hang."""
    outcomes: list[str] = []

    def hold() -> None:
        try:
            with credits.transaction():
                time.sleep(BOUND_SECONDS * 0.8)
        except QueueFullError:
            outcomes.append("told")
        else:
            outcomes.append("held")

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(outcomes) == {"told", "held"}


def test_commands_have_their_turn_between_transactions(credits: SyncCreditService) -> None:
    """However many transactions wait, a command comes after the one that is under way."""
    over = threading.Event()
    taken: list[str] = []

    def go_on() -> None:
        while not over.is_set():
            with credits.transaction():
                taken.append("transaction")
                time.sleep(0.01)

    threads = [threading.Thread(target=go_on) for _ in range(4)]
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


def test_a_closed_service_lends_nothing(noted_sqlite_url: str) -> None:
    """It says that it is closed, as for every command."""
    credits = SyncCreditService(noted_sqlite_url, catalog=SHOP)
    credits.initialize_user_credits(ADA)
    own = credits.ledger.own_and_wait()
    credits.close()

    with pytest.raises(ServiceClosedError), own.transaction():
        pass
    with pytest.raises(ServiceClosedError), credits.transaction():
        pass


async def test_a_task_that_is_cancelled_gives_its_turn_back(noted_sqlite_url: str) -> None:
    """Whether it waits for the turn or has it: nothing of it stays, and the next one begins at once."""
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


async def test_what_a_cancelled_call_charged_is_not_committed(noted_sqlite_url: str) -> None:
    """Whenever the timeout comes, a block that goes on after it cannot commit, and the call was for nothing."""
    committed = told = 0
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
                told += 1
            else:
                committed += 1
        left = (await credits.get_user_credits(ADA)).remaining

    assert told > 0
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
def test_what_would_outlast_the_loan_is_refused(noted_sqlite_url: str, statement: str, in_memory: bool) -> None:
    """The transaction goes on, and so do other commands after it; looking at the tables is not refused."""
    with SyncCreditService(Memory() if in_memory else noted_sqlite_url, catalog=SHOP) as credits:
        credits.initialize_user_credits(ADA)
        with credits.transaction() as connection:
            with pytest.raises(OperationalError, match="no temporary tables, no ATTACH and no PRAGMA that changes it"):
                connection.execute(text(statement))
            seen = "credit_accounts" in inspect(connection).get_table_names()
            inside = credits.consume_credit(ADA, "sketch", connection=connection)
        after = credits.consume_credit(ADA, "sketch")

    assert (seen, inside.remaining, after.remaining) == (True, 5, 4)


def test_a_memory_lends_as_a_file_does() -> None:
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
    proved(memory)
