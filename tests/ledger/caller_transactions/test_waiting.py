"""An account locked elsewhere: the wait in a caller's transaction is limited, and the transaction continues."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from sixpence.core.errors import AccountBusyError
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.ledger.ledger import Ledger, Limits
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.caller_transactions.interfaces import ADA, BOB, SHOP, notes
from tests.ledger.databases import ledger_of, raw_engine

BOUND_SECONDS = 0.5


@pytest.fixture
def credits(noted_postgres_url: str) -> Iterator[SyncCreditService]:
    """A service whose commands wait half a second at most, with accounts of Ada and Bob."""
    limits = Limits(wait_seconds_max=BOUND_SECONDS)
    with SyncCreditService(Ledger(noted_postgres_url, limits=limits, catalog=SHOP)) as credits:
        for name in (ADA, BOB):
            credits.initialize_user_credits(name)
        yield credits


@pytest.fixture
def engine(noted_postgres_url: str) -> Engine:
    """The app's engine."""
    return raw_engine(noted_postgres_url)


def setting(connection: Connection, name: str) -> str:
    """A setting's value in the transaction."""
    return str(connection.scalar(text(f"SHOW {name}")))


def test_wait_for_a_lock_is_limited(credits: SyncCreditService, engine: Engine, noted_postgres_url: str) -> None:
    """The call is refused as busy, and the caller's transaction keeps its rows and may charge another account."""
    with engine.begin() as holder:
        credits.consume_credit(ADA, "sketch", connection=holder)
        with engine.begin() as transaction:
            transaction.execute(text("INSERT INTO notes VALUES ('mine')"))
            began = time.monotonic()
            with pytest.raises(AccountBusyError):
                credits.consume_credit(ADA, "video", connection=transaction)
            waited = time.monotonic() - began
            credits.consume_credit(BOB, "sketch", connection=transaction)

    assert BOUND_SECONDS * 0.9 < waited < BOUND_SECONDS + 1
    assert notes(noted_postgres_url) == ["mine"]
    assert [ledger_of(noted_postgres_url, name)[-1] for name in (ADA, BOB)] == [(2, "consume", -1, 5)] * 2


def test_refusal_and_replay_leave_no_lock(credits: SyncCreditService, engine: Engine) -> None:
    """While the transaction is open, other sessions may lock the accounts that it did not change."""
    credits.consume_credit(BOB, "sketch", idempotency_key="k")

    with engine.begin() as transaction:
        with pytest.raises(InsufficientCreditsError):
            credits.place_hold(ADA, "sketch", amount=7, connection=transaction)
        credits.consume_credit(BOB, "sketch", idempotency_key="k", connection=transaction)
        others = [credits.consume_credit(name, "sketch").remaining for name in (ADA, BOB)]

    assert others == [5, 4]


@pytest.mark.parametrize(("before", "waits"), [("0", "500ms"), ("10s", "500ms"), ("70ms", "70ms")])
def test_caller_s_lock_timeout_is_restored(credits: SyncCreditService, engine: Engine, before: str, waits: str) -> None:
    """After a charge, a refusal and a timeout; a shorter timeout of the caller's counts meanwhile."""
    with engine.begin() as holder, engine.begin() as transaction:
        transaction.execute(text(f"SET lock_timeout = '{before}'"))
        credits.consume_credit(ADA, "sketch", connection=holder)
        began = time.monotonic()
        with pytest.raises(AccountBusyError):
            credits.consume_credit(ADA, "sketch", connection=transaction)
        waited = time.monotonic() - began
        after_wait = setting(transaction, "lock_timeout")
        credits.consume_credit(BOB, "sketch", connection=transaction)
        after_charge = setting(transaction, "lock_timeout")

    assert (after_wait, after_charge) == (before, before)
    assert waited < 0.4 if waits == "70ms" else waited > 0.45


def test_waiting_charge_sees_the_other_commit(
    credits: SyncCreditService, engine: Engine, noted_postgres_url: str
) -> None:
    """The transaction began before the other one committed, and is decided on its result."""
    holder = engine.connect()
    credits.consume_credit(ADA, "video", connection=holder)
    with engine.begin() as transaction:
        transaction.execute(text("INSERT INTO notes VALUES ('mine')"))
        threading.Timer(0.2, holder.commit).start()
        receipt = credits.consume_credit(ADA, "sketch", connection=transaction)
    holder.close()

    assert receipt.remaining == 2
    assert ledger_of(noted_postgres_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -3, 3), (3, "consume", -1, 2)]


def test_deadlock_of_two_transactions_ends(noted_postgres_url: str, engine: Engine) -> None:
    """Two transactions lock two accounts in opposite orders: one is refused as busy, the other continues."""
    outcomes: list[str] = []
    met = threading.Barrier(2)

    def take(credits: SyncCreditService, first: str, second: str) -> None:
        with engine.connect() as transaction:
            credits.consume_credit(first, "sketch", connection=transaction)
            met.wait()
            try:
                credits.consume_credit(second, "sketch", connection=transaction)
            except AccountBusyError:
                transaction.rollback()
                outcomes.append("busy")
            else:
                transaction.commit()
                outcomes.append("charged")

    with SyncCreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        for name in (ADA, BOB):
            credits.initialize_user_credits(name)
        threads = [threading.Thread(target=take, args=(credits, *pair)) for pair in ((ADA, BOB), (BOB, ADA))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(outcomes) == ["busy", "charged"]
    assert [ledger_of(noted_postgres_url, name)[-1] for name in (ADA, BOB)] == [(2, "consume", -1, 5)] * 2


async def test_writer_continues_for_other_accounts(noted_postgres_url: str, engine: Engine) -> None:
    """While a transaction locks an account for two seconds, commands for others are answered at once."""
    async with CreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        for name in (ADA, BOB):
            await credits.initialize_user_credits(name)
        await credits.grant_credits(BOB, 1_000_000)
        with SyncCreditService(credits.ledger) as sync_credits, engine.begin() as transaction:
            sync_credits.consume_credit(ADA, "sketch", connection=transaction)
            held = asyncio.create_task(credits.consume_credit(ADA, "video"))
            waits = []
            until = time.monotonic() + 2
            while time.monotonic() < until:
                began_at = time.monotonic()
                await credits.consume_credit(BOB, "sketch")
                waits.append(time.monotonic() - began_at)
            still_held = not held.done()
            transaction.commit()
            receipt = await held

    assert (still_held, receipt.remaining) == (True, 2)
    assert len(waits) > 10
    assert sorted(waits)[len(waits) // 2] < 0.2
