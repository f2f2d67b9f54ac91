"""Credits in memory: how long they live, who may share them, and what a read may not do.

Not here: that the operations do there what they do in a file, which the suites over every database show (tests/service,
tests/lockstep, test_stores.py).
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
from tests.ledger.databases import consumed, proved, rows, run
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.lane_driver import ADA, open_till, said

EVE = "eve@example.com"


def test_it_lives_on_when_its_ledger_is_closed() -> None:
    """A service that ends and another that begins find the same credits, and the key is remembered."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)
        first = service.consume_credit(ADA, "video", idempotency_key="k")

    with SyncCreditService(memory) as service:
        again = service.consume_credit(ADA, "video", idempotency_key="k")

    assert (again.transaction, again.remaining, again.replayed) == (first.transaction, 5, True)
    assert proved(memory, decide=True).transactions == 2


def test_each_is_alone() -> None:
    """Two memories know nothing of each other."""
    with SyncCreditService(Memory()) as one, SyncCreditService(Memory()) as other:
        one.initialize_user_credits(ADA)

        with pytest.raises(AccountNotFoundError):
            other.get_user_credits(ADA)


def test_no_file_is_made(tmp_path: Path) -> None:
    """Whatever happens in it, the folder in which the process works stays empty."""
    with contextlib.chdir(tmp_path), SyncCreditService(Memory()) as service:
        service.initialize_user_credits(ADA)
        service.get_credit_history(ADA)

    assert list(tmp_path.iterdir()) == []


def test_it_goes_with_its_last_reference() -> None:
    """A thousand tests in one process do not keep a thousand databases."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)
    connection = memory.take()
    memory.give_back()
    gone = weakref.ref(memory)

    del memory, service
    gc.collect()

    assert gone() is None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


async def test_two_ledgers_at_once_spend_each_credit_once() -> None:
    """Ten uses at once on each of two services of six credits: six are paid, fourteen refused."""
    memory = Memory()
    async with CreditService(Ledger(memory)) as one, CreditService(Ledger(memory)) as other:
        await one.initialize_user_credits(ADA)

        uses = [each.consume_credit(ADA, "video") for _ in range(10) for each in (one, other)]
        answers = await asyncio.gather(*uses, return_exceptions=True)

    refused = [type(answer) for answer in answers if isinstance(answer, Exception)]
    assert refused == [InsufficientCreditsError] * 14
    assert consumed(memory, ADA) == 6
    proved(memory, decide=True)


async def test_reads_and_uses_at_once_see_whole_changes_only() -> None:
    """Whoever looks while others spend finds a balance that some row of the ledger left."""
    memory = Memory()
    async with CreditService(memory) as service:
        await service.initialize_user_credits(ADA)
        await service.grant_credits(ADA, 94)

        asked = [service.consume_credit(ADA, "video") for _ in range(60)]
        looked = [service.get_user_credits(ADA) for _ in range(60)]
        seen = (await asyncio.gather(*(one for pair in zip(asked, looked, strict=True) for one in pair)))[1::2]
        history = await service.get_credit_history(ADA, limit=200)

    left = {row.seq: row.balance_after for row in history.transactions}
    assert [credits.remaining for credits in seen] == [left[credits.version] for credits in seen]


def test_a_read_cannot_write() -> None:
    """A job that only reads is refused a change, as on a file, and the next change goes through."""
    ledger = Ledger(Memory())
    ledger.open()

    with pytest.raises(DatabaseUnavailableError) as refused:
        ledger.read_and_wait(lambda connection: connection.execute(text("DELETE FROM catalog_versions")))
    SyncCreditService(ledger).initialize_user_credits(ADA)
    accounts = ledger.read_and_wait(lambda connection: list(connection.scalars(select(credit_accounts.c.account_id))))
    ledger.close()

    assert "readonly" in str(refused.value.__cause__)
    assert accounts == [ADA]


def test_what_a_transaction_raises_undoes_it() -> None:
    """A job beside the batches that fails leaves nothing, and lets the next one have its turn."""
    memory = Memory()
    ledger = Ledger(memory)
    ledger.open()

    with pytest.raises(OSError, match="enough"):
        ledger.write_and_wait(break_off)
    opened = SyncCreditService(ledger).initialize_user_credits(ADA)
    ledger.close()

    assert (opened.created, rows(memory, "SELECT count(*) FROM source_claims")) == (True, [(0,)])


def test_a_batch_that_breaks_off_half_way_is_undone(clock: MovedClock) -> None:
    """Its rows stand when the database refuses an account: they go, and the others' commands are done anew, once."""
    memory = Memory()
    till = open_till(memory, clock)
    till.row(EnsureAccount(), account_id=EVE)
    memory.take().execute(f"""
        CREATE TRIGGER refused BEFORE UPDATE ON credit_accounts WHEN NEW.account_id = '{EVE}'
        BEGIN SELECT RAISE(ABORT, 'not this one'); END
    """)
    memory.give_back()

    outcomes = till.lane.run([Request(account_id, Consume(feature="video")) for account_id in (ADA, EVE)])

    assert said(outcomes) == [("consume", -3), "internal-error"]
    assert (consumed(memory, ADA), consumed(memory, EVE)) == (1, 0)
    assert proved(memory, decide=True).transactions == 3


async def test_a_transaction_that_fails_undoes_nobody_elses() -> None:
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
                    await failing.write(break_off)

        left, _ = await asyncio.gather(spend(), fail())
    failing.close()

    assert left == list(range(99, -1, -1))
    assert proved(memory, decide=True).transactions == 102


async def test_what_stands_beside_the_credits_works_too() -> None:
    """API keys are made, found and revoked."""
    ledger = Ledger(Memory())
    keys = ApiKeys(ledger, system_clock)

    made = await keys.create_key(name="shop", created_by="a test")
    found = await keys.find_key(made.text)
    await keys.revoke(made.key.id)
    gone = await keys.find_key(made.text)
    ledger.close()

    assert (found, gone) == (made.key, None)


def test_a_row_of_the_apps_own_and_its_charge_are_both_or_neither() -> None:
    """In a transaction of the caller's own: the first is kept with its charge, the second gone with it."""
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

    assert (rows(memory, "SELECT name FROM pictures"), consumed(memory, ADA)) == ([("kept",)], 1)
    proved(memory, decide=True)


def test_a_forked_process_is_told_that_it_has_no_share() -> None:
    """The child's changes would be its own and lost, so it is refused; the parent goes on."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)

        said = in_a_fork(lambda: service.consume_credit(ADA, "video"))
        receipt = service.consume_credit(ADA, "video")

    assert said == (
        f"DatabaseSetupError: These credits are in the memory of process {os.getpid()}, and what this one changed would"
        " be lost. Give processes that are to share credits a SQLite file."
    )
    assert receipt.remaining == 5


def test_a_turn_that_nobody_gives_back_ends_in_a_refusal() -> None:
    """Somebody has the memory and keeps it: a use is told so after five seconds, and does not hang."""
    memory = Memory()
    with SyncCreditService(memory) as service:
        service.initialize_user_credits(ADA)
        memory.take()

        with pytest.raises(DatabaseUnavailableError):
            service.consume_credit(ADA, "video")
        memory.give_back()
        receipt = service.consume_credit(ADA, "video")

    assert receipt.remaining == 5


def break_off(connection: Connection) -> None:
    """A transaction that writes and then fails."""
    connection.execute(text("INSERT INTO source_claims VALUES ('k', 1, 'ada', 1)"))
    raise OSError("enough")


def in_a_fork(ask: Callable[[], object]) -> str:
    """What a forked child's asking ends in: the kind of the error and its words, or nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            ask()
            os.write(writing, b"it was done")
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        said = told.read().decode()
    os.waitpid(child, 0)
    return said
