"""Credits in memory: their lifetime, who shares them, and read-only reads.

Not here: the operations, which suites over every database test (tests/service, tests/lockstep, test_stores.py).
"""

import asyncio
import contextlib
import gc
import os
import sqlite3
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from sixpence.auth.api_keys import ApiKeys
from sixpence.core.account.commands import Consume, EnsureAccount
from sixpence.core.errors import DatabaseUnavailableError
from sixpence.core.refusals import AccountNotFoundError, InsufficientCreditsError
from sixpence.ledger.database.tables import credit_accounts
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.sqlite.store import system_clock
from sixpence.ledger.writer.batch import Request
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import count_uses, rows, run, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import ADA, open_driver, summarize

pytestmark = pytest.mark.slow

EVE = "eve@example.com"


def test_memory_survives_its_ledger() -> None:
    """A second service finds the credits and the keys of the first."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)
        first = service.consume_credit(ADA, "video", idempotency_key="k")

    with SyncCreditService(memory) as service:
        again = service.consume_credit(ADA, "video", idempotency_key="k")

    assert (again.transaction, again.remaining, again.replayed) == (first.transaction, 5, True)
    assert verify_clean(memory, decide=True).transactions == 2


def test_memories_are_separate() -> None:
    """Two memories share nothing."""
    with SyncCreditService(Memory()) as one, SyncCreditService(Memory()) as other:
        one.initialize_user_credits(ADA)

        with pytest.raises(AccountNotFoundError):
            other.get_user_credits(ADA)


def test_memory_creates_no_file(tmp_path: Path) -> None:
    """The working directory stays empty."""
    with contextlib.chdir(tmp_path), SyncCreditService(Memory()) as service:
        service.initialize_user_credits(ADA)
        service.get_credit_history(ADA)

    assert list(tmp_path.iterdir()) == []


def test_memory_is_freed_with_its_last_reference() -> None:
    """A thousand tests in one process do not hold a thousand databases."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)
    connection = memory.acquire()
    memory.release()
    gone = weakref.ref(memory)

    del memory, service
    gc.collect()

    assert gone() is None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


async def test_two_ledgers_on_one_memory_never_overspend() -> None:
    """Ten uses at once on each of two services of six credits: six are paid, fourteen refused."""
    memory = Memory()
    async with CreditService(Ledger(memory)) as one, CreditService(Ledger(memory)) as other:
        await one.initialize_user_credits(ADA)

        uses = [each.consume_credit(ADA, "video") for _ in range(10) for each in (one, other)]
        answers = await asyncio.gather(*uses, return_exceptions=True)

    refused = [type(answer) for answer in answers if isinstance(answer, Exception)]
    assert refused == [InsufficientCreditsError] * 14
    assert count_uses(memory, ADA) == 6
    verify_clean(memory, decide=True)


async def test_reads_see_committed_balances_only() -> None:
    """Reads during uses find balances that a row of the ledger has."""
    memory = Memory()
    async with CreditService(memory) as service:
        await service.initialize_user_credits(ADA)
        await service.grant_credits(ADA, 94)

        uses = [service.consume_credit(ADA, "video") for _ in range(60)]
        looked = [service.get_user_credits(ADA) for _ in range(60)]
        seen = (await asyncio.gather(*(one for pair in zip(uses, looked, strict=True) for one in pair)))[1::2]
        history = await service.get_credit_history(ADA, limit=200)

    left = {row.seq: row.balance_after for row in history.transactions}
    assert [credits.remaining for credits in seen] == [left[credits.version] for credits in seen]


def test_reads_cannot_write() -> None:
    """A reading job may not write, as on a file, and the next change works."""
    ledger = Ledger(Memory())
    ledger.open()

    with pytest.raises(DatabaseUnavailableError) as refused:
        ledger.read_and_wait(lambda connection: connection.execute(text("DELETE FROM catalog_versions")))
    SyncCreditService(ledger).initialize_user_credits(ADA)
    accounts = ledger.read_and_wait(lambda connection: list(connection.scalars(select(credit_accounts.c.account_id))))
    ledger.close()

    assert "readonly" in str(refused.value.__cause__)
    assert accounts == [ADA]


def test_failed_job_is_rolled_back() -> None:
    """A failed job beside the batches leaves nothing, and releases the memory."""
    memory = Memory()
    ledger = Ledger(memory)
    ledger.open()

    with pytest.raises(OSError, match="enough"):
        ledger.write_and_wait(fail_in_transaction)
    opened = SyncCreditService(ledger).initialize_user_credits(ADA)
    ledger.close()

    assert (opened.created, rows(memory, "SELECT count(*) FROM source_claims")) == (True, [(0,)])


def test_rejected_batch_is_rolled_back_and_retried(clock: MovedClock) -> None:
    """An account is rejected after rows were written: these are rolled back, and the other commands run again, once."""
    memory = Memory()
    driver = open_driver(memory, clock)
    driver.row(EnsureAccount(), account_id=EVE)
    memory.acquire().execute(f"""
        CREATE TRIGGER refused BEFORE UPDATE ON credit_accounts WHEN NEW.account_id = '{EVE}'
        BEGIN SELECT RAISE(ABORT, 'not this one'); END
    """)
    memory.release()

    outcomes = driver.worker.run([Request(account_id, Consume(feature="video")) for account_id in (ADA, EVE)])

    assert summarize(outcomes) == [("consume", -3), "internal-error"]
    assert (count_uses(memory, ADA), count_uses(memory, EVE)) == (1, 0)
    assert verify_clean(memory, decide=True).transactions == 3


async def test_failed_transaction_rolls_back_no_other() -> None:
    """While one ledger's transactions fail, another's uses are committed, each once."""
    memory = Memory()
    failing = Ledger(memory)
    async with CreditService(Ledger(memory)) as service:
        await service.initialize_user_credits(ADA)
        await service.grant_credits(ADA, 94)

        async def spend() -> list[int]:
            return [(await service.consume_credit(ADA, "video")).remaining for _ in range(100)]

        async def fail() -> None:
            for _ in range(100):
                with pytest.raises(OSError, match="enough"):
                    await failing.write(fail_in_transaction)

        left, _ = await asyncio.gather(spend(), fail())
    failing.close()

    assert left == list(range(99, -1, -1))
    assert verify_clean(memory, decide=True).transactions == 102


async def test_api_keys_work_in_memory() -> None:
    """API keys are created, found and revoked."""
    ledger = Ledger(Memory())
    keys = ApiKeys(ledger, system_clock)

    made = await keys.create_key(name="shop", created_by="a test")
    found = await keys.find_key(made.text)
    await keys.revoke(made.key.id)
    gone = await keys.find_key(made.text)
    ledger.close()

    assert (found, gone) == (made.key, None)


def test_app_rows_and_charges_commit_together() -> None:
    """In caller's transactions: one is committed with its charge, one rolled back with it."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)
        run(memory, "CREATE TABLE pictures (name TEXT)")

        def draw(name: str) -> None:
            with service.transaction() as connection:
                connection.execute(text("INSERT INTO pictures VALUES (:name)"), {"name": name})
                service.consume_credit(ADA, "video", connection=connection)
                if name == "gone":
                    raise OSError("enough")

        draw("kept")
        with pytest.raises(OSError, match="enough"):
            draw("gone")

    assert (rows(memory, "SELECT name FROM pictures"), count_uses(memory, ADA)) == ([("kept",)], 1)
    verify_clean(memory, decide=True)


def test_forked_process_is_refused() -> None:
    """The child's changes would be lost, so it is refused; the parent continues."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)

        result = in_a_fork(lambda: service.consume_credit(ADA, "video"))
        receipt = service.consume_credit(ADA, "video")

    assert result == (
        f"DatabaseSetupError: These credits are in the memory of process {os.getpid()}, and another process loses its"
        " changes. Use a SQLite file for processes that share credits."
    )
    assert receipt.remaining == 5


def test_held_memory_is_unavailable_after_five_seconds() -> None:
    """While another transaction holds the memory, a use is refused after five seconds."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)
        memory.acquire()

        with pytest.raises(DatabaseUnavailableError):
            service.consume_credit(ADA, "video")
        memory.release()
        receipt = service.consume_credit(ADA, "video")

    assert receipt.remaining == 5


def fail_in_transaction(connection: Connection) -> None:
    """Write in a transaction and then fail."""
    connection.execute(text("INSERT INTO source_claims VALUES ('k', 1, 'ada', 1)"))
    raise OSError("enough")


def in_a_fork(ask: Callable[[], object]) -> str:
    """The result of a call in a forked child: the error's class and message, or nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            ask()
            os.write(writing, b"it was done")
        except Exception as error:  # noqa: BLE001 - the parent gets any error
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read().decode()
    os.waitpid(child, 0)
    return result
