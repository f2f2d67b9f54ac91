"""The relay on PostgreSQL, where several run at once and rows are not committed in the order of their numbers."""

import asyncio
import threading
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Connection

from sixpence.core.account.commands import Consume, EnsureAccount
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.relay.batch_size import POSTGRESQL, BatchSize
from sixpence.ledger.relay.relay import Relay
from sixpence.ledger.relay.step import RelayStep
from sixpence.ledger.writer.batch import Request, collect_needs, decide_batch
from sixpence.service.credits import CreditService
from tests.ledger.databases import rows, run, upgrade, verify_clean
from tests.ledger.relay.usage_by_hand import by_hand, counted, left, read_all, until
from tests.ledger.writer.worker_driver import ADA, CATALOG, WorkerDriver, reopen_driver
from tests.support.postgres import PostgresServer

BOB = "bob@example.com"


@pytest.fixture
def own_url(migrated_postgres_url: str) -> Iterator[str]:
    """The URL of a database, which is left alone again at the end."""
    yield migrated_postgres_url
    verify_clean(migrated_postgres_url)


async def test_relays_at_once(own_url: str) -> None:
    """Four relays of two processes' ledgers read while two writers write: everything is counted, and once."""
    ledgers = [Ledger(own_url) for _ in range(2)]
    shops = [CreditService(ledger) for ledger in ledgers]
    for name in (ADA, BOB):
        await shops[0].initialize_user_credits(name)
        await shops[0].grant_credits(name, 1_000)
    over = asyncio.Event()

    async def relay_until_over(ledger: Ledger) -> None:
        relay = Relay(ledger, batch_size=BatchSize(outbox_rows_max=5, ledger_rows_max=50, busy_pause_seconds=0.0))
        while not over.is_set():
            await relay.run_once()

    async def spend(shop: CreditService, name: str) -> None:
        for _ in range(40):
            await shop.consume_credit(name, "video")

    relays = [asyncio.create_task(relay_until_over(ledger)) for ledger in ledgers * 2]
    await asyncio.gather(*(spend(shop, name) for shop in shops for name in (ADA, BOB) for _ in range(3)))
    over.set()
    await asyncio.gather(*relays)
    await read_all(Relay(ledgers[0]), own_url)
    for shop in shops:
        await shop.close()

    assert counted(own_url) == by_hand(own_url)
    assert sum(uses for uses, _, _ in counted(own_url).values()) == 480


async def test_second_relay_skips_while_the_first_reads(own_url: str) -> None:
    """The second does not wait for the first, nor read what that one reads."""
    ledgers = [Ledger(own_url) for _ in range(2)]
    async with CreditService(own_url) as credits:
        await credits.initialize_user_credits(ADA)
        await credits.consume_credit(ADA, "video")
    first, second = (RelayStep(ledger, POSTGRESQL) for ledger in ledgers)
    read, may_continue = threading.Event(), threading.Event()

    def read_slowly(connection: Connection) -> None:
        first.run(connection)
        read.set()
        assert may_continue.wait(30)

    slow = asyncio.create_task(ledgers[0].write(read_slowly))
    await asyncio.to_thread(read.wait, 30)
    await ledgers[1].write(second.run)
    may_continue.set()
    await slow
    await read_all(Relay(ledgers[1]), own_url)
    for ledger in ledgers:
        ledger.close()

    assert second.result().outbox_rows == 0
    assert [sums for _, sums in counted(own_url).items()] == [(1, 1, 0)]


async def test_rows_after_a_running_transaction_wait(own_url: str) -> None:
    """Later batches wait for one that began before them, and so does the instant up to which all is counted."""
    driver, slow = _open(own_url), reopen_driver(own_url, None)
    driver.row(EnsureAccount(), account_id=BOB)
    ledger = Ledger(own_url, catalog=CATALOG)
    credits = CreditService(ledger)
    await read_all(Relay(ledger), own_url)
    requests = [Request(BOB, Consume(feature="sketch"))]
    loaded = slow.store.load(collect_needs(requests, wait=True))
    decided = decide_batch(loaded, requests)
    for _ in range(3):
        driver.row(Consume(feature="sketch"))

    held_back = await Relay(ledger).run_once()
    usage = await credits.get_usage(ADA)
    was_left = left(own_url)
    slow.store.append(decided.append)
    read = await read_all(Relay(ledger), own_url)
    await credits.close()
    driver.store.close()
    slow.store.close()

    assert (held_back, was_left, usage.days, read) == (0, 3, [], 4)
    assert int(usage.complete_until.timestamp() * 1_000_000) < loaded.clock
    assert counted(own_url) == by_hand(own_url)


async def test_a_row_that_may_be_preceded_is_the_last_that_is_seen(own_url: str) -> None:
    """What was written before an open transaction is read, what was written after it is not, whatever comes next."""
    driver = _open(own_url)
    ledger = Ledger(own_url, catalog=CATALOG)
    with psycopg.connect(own_url) as other:
        other.execute("SELECT pg_current_xact_id()")
        driver.row(Consume(feature="sketch"))
        await until(lambda: _relayed(ledger, own_url) == 1)
        before = rows(own_url, "SELECT touched FROM outbox")
        other.rollback()
    await read_all(Relay(ledger), own_url)
    ledger.close()
    driver.store.close()

    assert before == [(f'[["{ADA}",2,2]]',)]
    assert counted(own_url) == by_hand(own_url)


async def test_the_outbox_of_a_backup_is_read(own_url: str) -> None:
    """Another server's transactions have other numbers: none of them is still running here."""
    driver = _open(own_url)
    driver.row(Consume(feature="sketch"))
    driver.store.close()
    run(own_url, "UPDATE outbox SET written_by = 4611686018427387904 WHERE id % 2 = 0")
    run(own_url, "UPDATE outbox SET written_by = NULL WHERE id % 2 = 1")
    ledger = Ledger(own_url, catalog=CATALOG)

    await read_all(Relay(ledger), own_url)
    ledger.close()

    assert counted(own_url) == by_hand(own_url)


async def test_relay_retries_while_the_server_is_down(
    own_postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The relay logs one line and continues when PostgreSQL is back; committed uses are counted."""
    url = own_postgres_server.create_database()
    upgrade(url)
    async with CreditService(url) as credits:
        await credits.initialize_user_credits(ADA)
        await credits.consume_credit(ADA, "video")
        own_postgres_server.kill()
        async with Relay(credits.ledger).running():
            await until(lambda: "the relay failed" in caplog.text)
            own_postgres_server.start()
            await until(lambda: left(url) == 0)

    assert counted(url) == by_hand(url)
    assert "Traceback" not in caplog.text


def _open(url: str) -> WorkerDriver:
    """A till by PostgreSQL's own clock, and Ada's account."""
    ledger = Ledger(url, catalog=CATALOG)
    ledger.open()
    ledger.close()
    driver = reopen_driver(url, None)
    driver.row(EnsureAccount())
    return driver


def _relayed(ledger: Ledger, url: str) -> int:
    """Reads what may be read, and gives how many rows of the outbox are left."""
    ledger.write_and_wait(RelayStep(ledger, POSTGRESQL).run)
    return left(url)
