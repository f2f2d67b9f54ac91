"""The relay over both databases: it counts every use of the ledger exactly once."""

import asyncio
import random
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from sixpence.core.account.commands import CaptureHold, Consume, EnsureAccount, GrantCredits, PlaceHold, Refund
from sixpence.core.catalog.price import Usage
from sixpence.core.values.bounds import AMOUNT_MAX, account_no
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.relay.batch_size import SQLITE, BatchSize
from sixpence.ledger.relay.relay import Relay
from sixpence.ledger.relay.step import RelayStep
from sixpence.ledger.writer.batch import Request
from sixpence.service.credits import CreditService
from tests.ledger.databases import rows, run, verify_clean
from tests.ledger.moved_clock import START, MovedClock
from tests.ledger.random_commands import RandomCommands
from tests.ledger.relay.usage_by_hand import by_hand, counted, left, read_all, until
from tests.ledger.writer.worker_driver import ADA, CATALOG, open_driver

pytestmark = pytest.mark.slow

BOB = "bob@example.com"
DAY = START.date()


class KilledError(Exception):
    """Ends a relay before its commit."""


@pytest.mark.parametrize("seed", range(3))
async def test_usage_is_what_the_ledger_says(url: str, clock: MovedClock, seed: int) -> None:
    """Two accounts live through every command while a relay reads now and then, in steps of any size."""
    dice = random.Random(seed)
    driver = open_driver(url, clock)
    driver.run(EnsureAccount(), account_id=BOB)
    lives = {name: RandomCommands(dice) for name in (ADA, BOB)}
    ledger = Ledger(url, catalog=CATALOG, clock=clock)
    for _ in range(60):
        requests = [Request(name, lives[name].next(clock())) for name in dice.choices((ADA, BOB), k=dice.randint(1, 6))]
        for request, outcome in zip(requests, driver.worker.run(requests), strict=True):
            assert outcome is not None
            lives[request.account_id].remember(outcome)
        clock.move(seconds=dice.choice((0, 1, 30, 1_800, 28_800)))
        if dice.random() < 0.2:
            size = BatchSize(dice.choice((1, 3, 100)), dice.choice((1, 5, 1_000)), busy_pause_seconds=0.0)
            await Relay(ledger, batch_size=size).run_once()
    driver.store.close()

    await read_all(Relay(ledger), url)
    ledger.close()

    assert counted(url) == by_hand(url)
    assert {name for name, _, _ in counted(url)} == {ADA, BOB}
    verify_clean(url)


async def test_what_counts_as_a_use(url: str, clock: MovedClock) -> None:
    """Consumes, captures and late captures, also of nothing; not holds, grants, nor what is released or expires."""
    driver = open_driver(url, clock)
    driver.row(Consume(feature="video"))
    driver.row(Consume(feature="sketch", usage=Usage(units=0)))
    kept, late, freed = (driver.row(PlaceHold(feature="sketch", ttl_seconds=60)).id for _ in range(3))
    driver.row(CaptureHold(hold_id=kept, amount=0))
    clock.move(minutes=1)
    assert driver.row(CaptureHold(hold_id=late, late=True)).kind == "consume"
    driver.store.close()

    await _relay(url)

    kinds = "SELECT count(*) FROM credit_transactions WHERE kind IN ('hold', 'hold_expire')"
    assert (rows(url, kinds), freed != late) == ([(5,)], True)
    assert counted(url) == {(ADA, DAY, "video"): (1, 3, 0), (ADA, DAY, "sketch"): (3, 1, 0)}


async def test_a_refund_counts_on_its_own_day(url: str, clock: MovedClock) -> None:
    """It is for the feature that was used, and lessens neither the uses nor what was consumed."""
    driver = open_driver(url, clock)
    used = driver.row(Consume(feature="video"))
    clock.move(days=1)
    driver.row(Refund(transaction_id=used.id, amount=1))
    driver.row(Refund(transaction_id=used.id))
    driver.store.close()

    await _relay(url)

    assert counted(url) == {(ADA, DAY, "video"): (1, 3, 0), (ADA, DAY + timedelta(days=1), "video"): (0, 0, 3)}


async def test_a_refund_that_names_no_feature_has_that_of_the_use(url: str, clock: MovedClock) -> None:
    """The row it is about says it."""
    driver = open_driver(url, clock)
    driver.row(Refund(transaction_id=driver.row(Consume(feature="video")).id))
    driver.store.close()
    assert run(url, "UPDATE credit_transactions SET feature_used = NULL WHERE kind = 'refund'") == 1

    await _relay(url)

    assert counted(url) == {(ADA, DAY, "video"): (1, 3, 3)}


async def test_days_begin_at_midnight_in_utc(url: str, clock: MovedClock) -> None:
    """The last microsecond of a day is on that day, the next one is not."""
    driver = open_driver(url, clock)
    clock.move(hours=12, microseconds=-1)
    driver.row(Consume(feature="sketch"))
    clock.move(microseconds=1)
    driver.row(Consume(feature="sketch"))
    driver.store.close()

    await _relay(url)

    assert counted(url) == {(ADA, DAY, "sketch"): (1, 1, 0), (ADA, DAY + timedelta(days=1), "sketch"): (1, 1, 0)}


async def test_sums_are_capped(url: str, clock: MovedClock) -> None:
    """What is spent and given back over and over is counted up to 2^53 - 1, within one step and over several."""
    driver = open_driver(url, clock)
    driver.row(GrantCredits(amount=AMOUNT_MAX - 6))
    for _ in range(2):
        for _ in range(3):
            hold = driver.row(PlaceHold(feature="video", ttl_seconds=60, amount=AMOUNT_MAX - 6))
            driver.row(Refund(transaction_id=driver.row(CaptureHold(hold_id=hold.id)).id))
        await _relay(url)
    driver.store.close()

    assert counted(url) == {(ADA, DAY, "video"): (6, AMOUNT_MAX, AMOUNT_MAX)}


async def test_an_account_whose_number_was_taken(url: str, clock: MovedClock) -> None:
    """Where two ids have one number, each is counted under its own."""
    taken = f"UPDATE credit_accounts SET account_no = {account_no(BOB)} WHERE account_id = '{ADA}'"
    driver = open_driver(url, clock)
    run(url, taken)
    run(url, taken.replace("credit_accounts", "credit_transactions"))
    driver.row(EnsureAccount(), account_id=BOB)
    driver.row(Consume(feature="sketch"), account_id=BOB)
    driver.store.close()

    await _relay(url)

    numbers = {account_no(BOB), account_no(BOB, 1)}
    assert {number for (number,) in rows(url, "SELECT account_no FROM credit_accounts")} == numbers
    assert counted(url) == {(BOB, DAY, "sketch"): (1, 1, 0)}


async def test_removed_account_is_skipped(url: str, clock: MovedClock) -> None:
    """Its rows in the outbox are read and count nothing."""
    driver = open_driver(url, clock)
    driver.row(EnsureAccount(), account_id=BOB)
    driver.row(Consume(feature="sketch"), account_id=BOB)
    driver.store.close()
    for table in ("credit_transactions", "credit_accounts"):
        run(url, f"DELETE FROM {table} WHERE account_id = '{ADA}'")

    await _relay(url)

    assert counted(url) == {(BOB, DAY, "sketch"): (1, 1, 0)}


async def test_a_relay_that_dies_before_its_commit_counts_nothing(url: str, clock: MovedClock) -> None:
    """What it read, added and deleted is as it was; the next one counts it, once."""
    driver = open_driver(url, clock)
    for _ in range(4):
        driver.row(Consume(feature="sketch"))
    driver.store.close()
    ledger = Ledger(url, catalog=CATALOG, clock=clock)
    seen: list[int] = []

    def die(connection: Connection) -> None:
        step.run(connection)
        seen.append(step.result().ledger_rows)
        raise KilledError

    for _ in range(200):
        step = RelayStep(ledger, SQLITE)
        with pytest.raises(KilledError):
            await ledger.write(die)
        if seen[-1]:
            break
        await asyncio.sleep(0.02)
    after = (counted(url), left(url))
    await read_all(Relay(ledger), url)
    ledger.close()

    assert (seen[-1], after) == (5, ({}, 5))
    assert counted(url) == {(ADA, DAY, "sketch"): (4, 4, 0)}


async def test_second_run_counts_nothing_again(url: str, clock: MovedClock) -> None:
    """Rows that were read are deleted: a second run reads only new ones."""
    driver = open_driver(url, clock)
    driver.row(Consume(feature="sketch"))
    first = await _relay(url)
    again = await _relay(url)
    driver.row(Consume(feature="sketch"))
    driver.store.close()

    new = await _relay(url)

    assert (first, again, new) == (2, 0, 1)
    assert counted(url) == {(ADA, DAY, "sketch"): (2, 2, 0)}


async def test_a_relay_that_fell_behind_catches_up(url: str, clock: MovedClock) -> None:
    """Many small steps come to the same as one; in between it says how far it is."""
    driver = open_driver(url, clock)
    for _ in range(6):
        clock.move(seconds=1)
        driver.row(Consume(feature="sketch"))
    driver.store.close()
    ledger = Ledger(url, catalog=CATALOG, clock=clock)
    credits = CreditService(ledger)
    seen = [await credits.get_usage(ADA)]
    for _ in range(400):
        step = RelayStep(ledger, BatchSize(outbox_rows_max=3, ledger_rows_max=100, busy_pause_seconds=0.0))
        await ledger.write(step.run)
        if step.result().outbox_rows:
            seen.append(await credits.get_usage(ADA))
        if left(url) == 0:
            break
        await asyncio.sleep(0.01)
    await credits.close()

    # The account was made at 0 s, and used at 1 s to 6 s.
    assert [sum(day.uses for day in usage.days) for usage in seen] == [0, 2, 5, 6]
    behind = [(usage.complete_until - START) / timedelta(seconds=1) for usage in seen[:3]]
    assert behind == [0, 3, 6]
    assert START < seen[3].complete_until <= clock.moment


async def test_step_ends_at_the_batch_size(url: str, clock: MovedClock) -> None:
    """It ends with the row of the outbox that reaches either limit, and its result is `full`."""
    driver = open_driver(url, clock)
    for _ in range(3):
        driver.run(Consume(feature="sketch"), Consume(feature="sketch"))
    driver.store.close()
    ledger = Ledger(url, catalog=CATALOG, clock=clock)
    done = []
    for size in ((2, 100), (100, 1), (100, 100)):
        for _ in range(400):
            step = RelayStep(ledger, BatchSize(*size, busy_pause_seconds=0.0))
            await ledger.write(step.run)
            if step.result().outbox_rows:
                break
            await asyncio.sleep(0.01)
        result = step.result()
        done.append((result.outbox_rows, result.ledger_rows, result.full))
    ledger.close()

    assert done == [(2, 3, True), (1, 2, True), (1, 2, False)]


async def test_running_counts_in_the_background(url: str) -> None:
    """Uses are counted in the background; after the block they stay in the outbox."""
    async with CreditService(url) as credits:
        await credits.initialize_user_credits(ADA)
        async with Relay(credits.ledger).running():
            await credits.consume_credit(ADA, "interior")
            await until(lambda: left(url) == 0)
            seen = (await credits.get_usage(ADA)).days
        await credits.consume_credit(ADA, "interior")
        await asyncio.sleep(1.5)

    assert [(day.feature, day.uses, day.credits_consumed) for day in seen] == [("interior", 1, 1)]
    assert isinstance(seen[0].day, date)
    assert left(url) == 1


async def test_failed_relay_retries(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """An unreadable row of the outbox is logged and delays no use; once it is repaired everything is counted."""
    async with CreditService(url) as credits:
        await credits.initialize_user_credits(ADA)
        assert run(url, "UPDATE outbox SET touched = 'x' || touched") == 1
        async with Relay(credits.ledger).running():
            await until(lambda: "the relay failed; it tries again in 2 s" in caplog.text)
            used = await credits.consume_credit(ADA, "interior")
            assert run(url, "UPDATE outbox SET touched = substr(touched, 2) WHERE touched LIKE 'x%'") == 1
            await until(lambda: left(url) == 0)

    assert used.remaining == 5
    assert {name: sums for (name, _, _), sums in counted(url).items()} == {ADA: (1, 1, 0)}


async def _relay(url: str) -> int:
    """Lets a new relay empty the outbox."""
    ledger = Ledger(url, catalog=CATALOG)
    try:
        return await read_all(Relay(ledger), url)
    finally:
        ledger.close()
