"""An account that somebody else holds: the wait in a caller's transaction is bounded, and the transaction goes on."""

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
from tests.ledger.caller_transactions.ways import ADA, BOB, SHOP, notes
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
    """What a setting is in the transaction."""
    return str(connection.scalar(text(f"SHOW {name}")))


def test_a_wait_beyond_the_bound_is_over(credits: SyncCreditService, engine: Engine, noted_postgres_url: str) -> None:
    """The caller is told to try again, keeps what it did, and may charge another account."""
    with engine.begin() as holder:
        credits.consume_credit(ADA, "sketch", connection=holder)
        with engine.begin() as own:
            own.execute(text("INSERT INTO notes VALUES ('mine')"))
            began = time.monotonic()
            with pytest.raises(AccountBusyError):
                credits.consume_credit(ADA, "video", connection=own)
            waited = time.monotonic() - began
            credits.consume_credit(BOB, "sketch", connection=own)

    assert BOUND_SECONDS * 0.9 < waited < BOUND_SECONDS + 1
    assert notes(noted_postgres_url) == ["mine"]
    assert [ledger_of(noted_postgres_url, name)[-1] for name in (ADA, BOB)] == [(2, "consume", -1, 5)] * 2


def test_a_refusal_and_a_replay_leave_no_lock(credits: SyncCreditService, engine: Engine) -> None:
    """While the transaction goes on, the accounts that it asked about in vain are anybody's."""
    credits.consume_credit(BOB, "sketch", idempotency_key="k")

    with engine.begin() as own:
        with pytest.raises(InsufficientCreditsError):
            credits.place_hold(ADA, "sketch", amount=7, connection=own)
        credits.consume_credit(BOB, "sketch", idempotency_key="k", connection=own)
        others = [credits.consume_credit(name, "sketch").remaining for name in (ADA, BOB)]

    assert others == [5, 4]


@pytest.mark.parametrize(("before", "waits"), [("0", "500ms"), ("10s", "500ms"), ("70ms", "70ms")])
def test_the_caller_s_own_limits_are_as_before(
    credits: SyncCreditService, engine: Engine, before: str, waits: str
) -> None:
    """After a charge, a refusal and a wait that was over; a shorter wait of the caller's counts while it lasts."""
    with engine.begin() as holder, engine.begin() as own:
        own.execute(text(f"SET lock_timeout = '{before}'"))
        credits.consume_credit(ADA, "sketch", connection=holder)
        began = time.monotonic()
        with pytest.raises(AccountBusyError):
            credits.consume_credit(ADA, "sketch", connection=own)
        waited = time.monotonic() - began
        after_wait = setting(own, "lock_timeout")
        credits.consume_credit(BOB, "sketch", connection=own)
        after_charge = setting(own, "lock_timeout")

    assert (after_wait, after_charge) == (before, before)
    assert waited < 0.4 if waits == "70ms" else waited > 0.45


def test_a_charge_that_waited_sees_what_was_committed(
    credits: SyncCreditService, engine: Engine, noted_postgres_url: str
) -> None:
    """The transaction began before the other one committed, and decides on what that left."""
    holder = engine.connect()
    credits.consume_credit(ADA, "video", connection=holder)
    with engine.begin() as own:
        own.execute(text("INSERT INTO notes VALUES ('mine')"))
        threading.Timer(0.2, holder.commit).start()
        receipt = credits.consume_credit(ADA, "sketch", connection=own)
    holder.close()

    assert receipt.remaining == 2
    assert ledger_of(noted_postgres_url, ADA) == [(1, "signup", 6, 6), (2, "consume", -3, 3), (3, "consume", -1, 2)]


def test_two_that_wait_for_each_other_get_an_end(noted_postgres_url: str, engine: Engine) -> None:
    """Two transactions take two accounts in opposite orders: one is told to try again, the other goes on."""
    outcomes: list[str] = []
    met = threading.Barrier(2)

    def take(credits: SyncCreditService, first: str, second: str) -> None:
        with engine.connect() as own:
            credits.consume_credit(first, "sketch", connection=own)
            met.wait()
            try:
                credits.consume_credit(second, "sketch", connection=own)
            except AccountBusyError:
                own.rollback()
                outcomes.append("busy")
            else:
                own.commit()
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


async def test_the_writer_goes_on_for_everybody_else(noted_postgres_url: str, engine: Engine) -> None:
    """While a transaction holds an account for two seconds, commands for others are answered as ever."""
    async with CreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        for name in (ADA, BOB):
            await credits.initialize_user_credits(name)
        await credits.grant_credits(BOB, 1_000_000)
        with SyncCreditService(credits.ledger) as sync_credits, engine.begin() as own:
            sync_credits.consume_credit(ADA, "sketch", connection=own)
            held = asyncio.create_task(credits.consume_credit(ADA, "video"))
            waits = []
            until = time.monotonic() + 2
            while time.monotonic() < until:
                asked = time.monotonic()
                await credits.consume_credit(BOB, "sketch")
                waits.append(time.monotonic() - asked)
            still_held = not held.done()
            own.commit()
            receipt = await held

    assert (still_held, receipt.remaining) == (True, 2)
    assert len(waits) > 10
    assert sorted(waits)[len(waits) // 2] < 0.2
