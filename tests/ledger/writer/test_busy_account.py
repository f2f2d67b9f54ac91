"""An account that another session holds delays only its own commands, up to a limit."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from sixpence.core.errors import AccountBusyError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.values.bounds import account_no
from sixpence.ledger.ledger import Ledger, Limits
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import Receipt
from tests.ledger.databases import count_uses, ledger_of, verify_clean

HELD, NEW = "held@example.com", "new@example.com"
OTHERS = [f"user-{number}@example.com" for number in range(6)]
BOUND_SECONDS = 2.0


@pytest.fixture
async def service(migrated_postgres_url: str) -> AsyncIterator[CreditService]:
    """A service whose commands wait two seconds at most, and whose accounts have six credits each."""
    limits = Limits(wait_seconds_max=BOUND_SECONDS)
    async with CreditService(Ledger(migrated_postgres_url, limits=limits)) as service:
        for account_id in (HELD, *OTHERS):
            await service.initialize_user_credits(account_id)
            await service.grant_credits(account_id, 10_000)
        yield service


@pytest.fixture
def session(migrated_postgres_url: str) -> Iterator[psycopg.Connection]:
    """Another session on the same database."""
    with psycopg.connect(migrated_postgres_url, autocommit=True) as connection:
        yield connection


async def test_locked_account_delays_no_other_account(migrated_postgres_url: str, session: psycopg.Connection) -> None:
    """While one account is locked for ten seconds, others are answered at once; its own command gets 503 in time."""
    async with CreditService(migrated_postgres_url) as service:
        for account_id in (HELD, *OTHERS):
            await service.initialize_user_credits(account_id)
            await service.grant_credits(account_id, 10_000)
        _hold(session)
        began = time.monotonic()
        busy = asyncio.create_task(_outcome(service, HELD))
        waits: list[float] = []
        while time.monotonic() - began < 10:
            for account_id in OTHERS:
                began_at = time.monotonic()
                await service.consume_credit(account_id, "video")
                waits.append(time.monotonic() - began_at)
            await asyncio.sleep(0.05)
        session.execute("COMMIT")
        waits.sort()

        assert (await busy)[0] == AccountBusyError(retry_after_seconds=1)
        assert 4.5 < (await busy)[1] < 7
        assert waits[-1] < 0.9
        assert waits[len(waits) // 2] < 0.1
        assert isinstance((await _outcome(service, HELD))[0], Receipt)
    assert count_uses(migrated_postgres_url, HELD) == 1
    verify_clean(migrated_postgres_url)


async def test_commands_wait_for_a_short_lock_in_order(
    service: CreditService, session: psycopg.Connection, migrated_postgres_url: str
) -> None:
    """Commands that waited run in the order in which they came, each once."""
    _hold(session)
    waiting = [asyncio.create_task(_outcome(service, HELD)) for _ in range(40)]
    await asyncio.sleep(0.5)

    session.execute("COMMIT")
    outcomes = [outcome for outcome, _ in await asyncio.gather(*waiting)]

    balances = [outcome.remaining for outcome in outcomes if isinstance(outcome, Receipt)]
    assert balances == list(range(10_005, 10_005 - 40, -1))
    verify_clean(migrated_postgres_url)


async def test_waiting_command_sees_the_other_session_s_commit(
    service: CreditService, session: psycopg.Connection, migrated_postgres_url: str
) -> None:
    """A command that waited decides on the account as the other session left it."""
    async with CreditService(migrated_postgres_url) as other:
        _hold(session)
        waiting = asyncio.create_task(service.consume_credit(HELD, "video"))
        also = asyncio.create_task(other.consume_credit(HELD, "video"))
        await asyncio.sleep(0.2)
        session.execute("ROLLBACK")

        versions = {(await waiting).version, (await also).version}

    assert versions == {3, 4}
    verify_clean(migrated_postgres_url)


async def test_reads_do_not_wait_for_a_lock(service: CreditService, session: psycopg.Connection) -> None:
    """A locked account can be read."""
    _hold(session)
    began = time.monotonic()

    credits = await service.get_user_credits(HELD)
    history = await service.get_credit_history(HELD)

    assert (credits.remaining, len(history.transactions)) == (10_006, 2)
    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
async def test_ensure_waits_for_another_session_s_ensure(
    service: CreditService, session: psycopg.Connection, migrated_postgres_url: str, ending: str
) -> None:
    """Whether the other session commits its empty row or not: one account, one signup; other accounts do not wait."""
    session.execute("BEGIN")
    session.execute("INSERT INTO credit_accounts (account_no, account_id) VALUES (%s, %s)", (account_no(NEW), NEW))
    made = asyncio.create_task(service.initialize_user_credits(NEW))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await service.consume_credit(OTHERS[0], "video")
    delay = time.monotonic() - began
    with pytest.raises(AccountNotFoundError):
        await service.get_user_credits(NEW)

    session.execute(ending)

    assert (await made).created
    assert delay < 0.9
    assert ledger_of(migrated_postgres_url, NEW) == [(1, "signup", 6, 6)]
    verify_clean(migrated_postgres_url)


async def test_commands_after_a_waiting_ensure_wait_too(
    service: CreditService, session: psycopg.Connection, migrated_postgres_url: str
) -> None:
    """While another session creates the account, later commands wait instead of getting 404."""
    session.execute("BEGIN")
    session.execute("INSERT INTO credit_accounts (account_no, account_id) VALUES (%s, %s)", (account_no(NEW), NEW))
    calls = [service.initialize_user_credits(NEW), service.grant_credits(NEW, 1), service.consume_credit(NEW, "video")]
    waiting = asyncio.gather(*calls, service.consume_credit(OTHERS[0], "video"))
    await asyncio.sleep(0.3)

    session.execute("ROLLBACK")
    answers = await waiting

    assert [(answer.version, answer.remaining) for answer in answers] == [(1, 6), (2, 7), (3, 6), (3, 10_005)]
    verify_clean(migrated_postgres_url)


async def test_ensure_is_refused_after_the_wait_limit(
    service: CreditService, session: psycopg.Connection, migrated_postgres_url: str
) -> None:
    """After the limit an ensure is refused as busy; later it works."""
    session.execute("BEGIN")
    session.execute("INSERT INTO credit_accounts (account_no, account_id) VALUES (%s, %s)", (account_no(NEW), NEW))

    with pytest.raises(AccountBusyError):
        await service.initialize_user_credits(NEW)
    session.execute("ROLLBACK")

    assert (await service.initialize_user_credits(NEW)).created
    verify_clean(migrated_postgres_url)


async def test_close_waits_for_waiting_commands(
    service: CreditService, session: psycopg.Connection, migrated_postgres_url: str
) -> None:
    """A command that waits for a lock when the service closes still gets its outcome."""
    _hold(session)
    waiting = asyncio.create_task(service.consume_credit(HELD, "video"))
    await asyncio.sleep(0.1)
    closing = asyncio.create_task(service.close())
    await asyncio.sleep(0.1)

    session.execute("COMMIT")
    await closing

    assert (await waiting).remaining == 10_005
    verify_clean(migrated_postgres_url)


def _hold(session: psycopg.Connection) -> None:
    session.execute("BEGIN")
    session.execute("SELECT 1 FROM credit_accounts WHERE account_no = %s FOR UPDATE", (account_no(HELD),))


async def _outcome(service: CreditService, account_id: str) -> tuple[Receipt | AccountBusyError, float]:
    began = time.monotonic()
    try:
        outcome: Receipt | AccountBusyError = await service.consume_credit(account_id, "video")
    except AccountBusyError as error:
        outcome = error
    return outcome, time.monotonic() - began
