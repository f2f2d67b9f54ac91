"""Faults of rows, files and disks: a bad command fails alone, and nothing acknowledged is lost."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import make_url

from sixpence.core.account.commands import Command, Consume, EnsureAccount, PlaceHold, Refund, ReleaseHold
from sixpence.core.errors import InternalError
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.worker import BatchWorker
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, count_uses, ledger_of, rows, run, snapshot, verify_clean
from tests.ledger.writer.worker_driver import reopen_driver

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"

# Changes of Eve's row that break her commands, in memory or at the database.
SPENT_WRONG = '{"grants":[{"id":"g","amount":3,"remaining":9,"category":"paid","effective_at":0}]}'
POISONS: dict[str, tuple[str, str | int]] = {
    "an invalid document": ("live = :value", "{"),
    "a document of another shape": ("live = :value", '{"grants":[{"id":7}]}'),
    "a grant that has more than it had": ("live = :value", SPENT_WRONG),
    "a balance at the end of what the checks allow": ("credits_remaining = :value", -AMOUNT_MAX),
    "a row whose place is taken": ("seq = seq - :value", 1),
}


@pytest.fixture
def worker(database: Database) -> Iterator[BatchWorker]:
    """A worker over a database in which Ada, Bob and Eve have sixteen credits each."""
    with SyncCreditService(database) as service:
        for account_id in (ADA, BOB, EVE):
            service.initialize_user_credits(account_id)
            service.grant_credits(account_id, 10)
    worker = reopen_driver(database, None).worker
    yield worker
    worker.close()


@pytest.mark.parametrize("poison", POISONS)
def test_broken_account_fails_alone(worker: BatchWorker, database: Database, poison: str) -> None:
    """In one batch with others, the command of a broken account fails and changes nothing, and all others succeed."""
    change, value = POISONS[poison]
    run(database, f"UPDATE credit_accounts SET {change} WHERE account_id = :id", {"id": EVE, "value": value})
    before = _of(EVE, database)
    use = Consume(feature="video")
    requests = [
        *(Request(ADA, use), Request(EVE, use), Request("new@example.com", EnsureAccount())),
        *(Request(BOB, use), Request(EVE, use), Request(ADA, use)),
    ]

    outcomes = worker.run(requests)

    assert [isinstance(outcome, Accepted) for outcome in outcomes] == [True, False, True, True, False, True]
    assert (outcomes[1], outcomes[4]) == (InternalError(), InternalError())
    assert (count_uses(database, ADA), count_uses(database, BOB)) == (2, 1)
    assert ledger_of(database, "new@example.com") == [(1, "signup", 6, 6)]
    assert _of(EVE, database) == before


@pytest.mark.parametrize("poison", ["a hold's document", "a hold that is gone", "the movements of a use"])
def test_unreadable_hold_or_transaction_fails_alone(worker: BatchWorker, database: Database, poison: str) -> None:
    """Only the command that needs the unreadable row fails."""
    placed, used = worker.run(
        [Request(EVE, PlaceHold(feature="video", ttl_seconds=60)), Request(EVE, Consume(feature="video"))]
    )
    assert isinstance(placed, Accepted)
    assert isinstance(used, Accepted)
    assert placed.row is not None
    assert used.row is not None
    command: Command = ReleaseHold(hold_id=placed.row.id)
    match poison:
        case "a hold's document":
            run(database, "UPDATE credit_holds SET document = 'x'")
        case "a hold that is gone":
            run(database, "DELETE FROM credit_holds")
            run(database, "UPDATE credit_accounts SET next_due_at = 1 WHERE account_id = :id", {"id": EVE})
        case _:
            command = Refund(transaction_id=used.row.id)
            run(database, "UPDATE credit_transactions SET allocations = 'x' WHERE id = :id", {"id": used.row.id})
    before = _of(EVE, database)
    use = Consume(feature="video")

    outcomes = worker.run([Request(ADA, use), Request(EVE, command), Request(BOB, use), Request(EVE, command)])

    assert [isinstance(outcome, Accepted) for outcome in outcomes] == [True, False, True, False]
    assert (outcomes[1], outcomes[3]) == (InternalError(), InternalError())
    assert _of(EVE, database) == before


def test_full_disk_refuses_changes_only(sqlite_url: str) -> None:
    """While the file cannot grow, changes fail with a code; with free space the same service continues."""
    program = """
import resource, signal, sys
from sixpence import CreditSystemError, SyncCreditService

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
acknowledged, errors = [], []
with SyncCreditService(sys.argv[1]) as service:
    service.initialize_user_credits("ada@example.com")
    service.grant_credits("ada@example.com", 100_000)
    service.consume_credit("ada@example.com", "video")
    for limit in (400_000, resource.RLIM_INFINITY):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        for _ in range(50):
            try:
                receipt = service.consume_credit("ada@example.com", "video", metadata={"x": "y" * 9_000})
                acknowledged.append(receipt.transaction.id)
            except CreditSystemError as error:
                errors.append((limit, error.code))
                break
print(*acknowledged)
print(errors)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=True, timeout=60
    )

    acknowledged, errors = ended.stdout.splitlines()
    ledger = [
        id_ for (id_,) in rows(sqlite_url, "SELECT id FROM credit_transactions WHERE kind = 'consume' ORDER BY seq")
    ]
    assert errors == "[(400000, 'database-unavailable')]"
    assert ledger[1:] == acknowledged.split()
    assert 51 < len(ledger) < 101
    verify_clean(sqlite_url)


async def test_file_locked_for_too_long_is_unavailable(sqlite_url: str) -> None:
    """A long write of another process costs an error with a code; afterwards the service works."""
    async with CreditService(sqlite_url) as service:
        await service.initialize_user_credits(ADA)
        with _locked_elsewhere(sqlite_url):
            began = time.monotonic()
            outcomes = await asyncio.gather(
                service.consume_credit(ADA, "video"), service.consume_credit(ADA, "video"), return_exceptions=True
            )
            took = time.monotonic() - began
            readable = await service.get_user_credits(ADA)

        assert {str(getattr(outcome, "code", outcome)) for outcome in outcomes} <= {
            "database-unavailable",
            "overloaded",
        }
        assert (4 < took < 12, readable.remaining) == (True, 6)
        assert (await service.consume_credit(ADA, "video")).remaining == 5
    assert count_uses(sqlite_url, ADA) == 1
    verify_clean(sqlite_url)


async def test_file_locked_briefly_is_waited_for(sqlite_url: str) -> None:
    """A short write of another process costs only time."""
    async with CreditService(sqlite_url) as service:
        await service.initialize_user_credits(ADA)
        with _locked_elsewhere(sqlite_url):
            waiting = asyncio.create_task(service.consume_credit(ADA, "video"))
            await asyncio.sleep(0.3)
            assert not waiting.done()

        assert (await waiting).remaining == 5
    verify_clean(sqlite_url)


def _of(account_id: str, url: Database) -> list[tuple[Any, ...]]:
    """Every byte of an account: its row and its ledger."""
    tables = snapshot(url)
    return [row for table in tables.values() for row in table if account_id in row]


@contextmanager
def _locked_elsewhere(url: str) -> Iterator[None]:
    """Another process holds the write lock and changes nothing."""
    program = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""
    path = str(make_url(url).database)
    process = subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    try:
        yield
    finally:
        process.communicate()
