"""Holds and prior transactions over every store, the simulated one too: one suite for all that implement `Store`."""

from collections.abc import Iterator

import msgspec
import pytest

from sixpence.core.account.commands import (
    CaptureHold,
    Command,
    Consume,
    EnsureAccount,
    ExtendHold,
    GrantCredits,
    PlaceHold,
    Refund,
    ReleaseHold,
    Tick,
    VoidGrant,
)
from sixpence.core.account.transaction import transaction_id
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.writer.batch import Accepted
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.memory_store import MemoryStore, SharedState
from tests.ledger.writer.worker_driver import ADA, CATALOG, WorkerDriver, open_driver, summarize
from tests.simulation.standalone import StandaloneSimulatedStore

BOB = "bob@example.com"
NOBODYS = ("", "x", "00000000-0000-0000-0000-000000000000", "a" * 300)


@pytest.fixture(params=["state", "simulated", "memory", "sqlite_url", "migrated_postgres_url"])
def driver(request: pytest.FixtureRequest, clock: MovedClock) -> Iterator[WorkerDriver]:
    """A driver over each store, with Ada's account of six credits."""
    if request.param == "state":
        driver = WorkerDriver(MemoryStore(SharedState(), clock=clock, catalog=CATALOG))
        driver.row(EnsureAccount())
    elif request.param == "simulated":
        driver = WorkerDriver(StandaloneSimulatedStore(clock, CATALOG))
        driver.row(EnsureAccount())
    elif request.param == "memory":
        driver = open_driver(Memory(), clock)
    else:
        driver = open_driver(str(request.getfixturevalue(request.param)), clock)
    yield driver
    driver.store.close()


def place(minutes: int, amount: int = 1) -> PlaceHold:
    """Place a hold that lives for this many minutes."""
    return PlaceHold(feature="sketch", ttl_seconds=minutes * 60, amount=amount)


def test_load_reads_no_holds_when_none_is_named_or_due(driver: WorkerDriver) -> None:
    """Uses and new holds are decided without stored holds and prior transactions."""
    driver.row(place(5))

    loaded = driver.loads(Consume(feature="sketch"), place(1), GrantCredits(amount=1), Tick())

    assert (loaded.accounts[ADA].holds, loaded.past) == ({}, {})


@pytest.mark.parametrize("end", ["open", "captured", "released", "expired"])
def test_load_reads_named_holds_in_any_state(driver: WorkerDriver, clock: MovedClock, end: str) -> None:
    """The hold is read exactly as the command before left it."""
    placed = driver.run(place(5, 2))[0]
    assert isinstance(placed, Accepted)
    assert placed.row is not None
    hold_id = placed.row.id
    ends: dict[str, Command] = {
        "open": ExtendHold(hold_id=hold_id, ttl_seconds=600),
        "captured": CaptureHold(hold_id=hold_id, amount=1),
        "released": ReleaseHold(hold_id=hold_id),
        "expired": Tick(),
    }
    clock.move(minutes=5 if end == "expired" else 1)
    after = driver.run(ends[end])[0]
    assert isinstance(after, Accepted)

    loaded = driver.loads(ReleaseHold(hold_id=hold_id))

    assert loaded.accounts[ADA].holds == {hold_id: after.account.holds[hold_id]}
    assert after.account.holds[hold_id].state == end


def test_load_reads_due_holds_and_one_more_than_commands(driver: WorkerDriver, clock: MovedClock) -> None:
    """Two of seven holds are due: a batch of two commands reads these, and the next three."""
    placed = [driver.row(place(minutes, 0)).id for minutes in (9, 3, 4, 7, 1, 2, 8)]
    clock.move(minutes=2)

    loaded = driver.loads(Tick(), Consume(feature="sketch"))

    assert set(loaded.accounts[ADA].holds) == {placed[at] for at in (4, 5, 1, 2, 3)}


def test_load_reads_the_earliest_holds_beside_a_named_one(driver: WorkerDriver) -> None:
    """One command that names the latest hold reads it and the two earliest ones."""
    placed = [driver.row(place(minutes, 0)).id for minutes in (5, 1, 3, 2, 9)]

    loaded = driver.loads(ReleaseHold(hold_id=placed[4]))

    assert set(loaded.accounts[ADA].holds) == {placed[at] for at in (1, 3, 4)}


def test_load_reads_a_refund_s_transactions(driver: WorkerDriver) -> None:
    """It reads the use, its refunds, the grants it consumed from and the rows about these; nothing else."""
    given = driver.row(GrantCredits(amount=2, priority=1))
    use = driver.row(Consume(feature="video"))
    driver.row(Consume(feature="sketch"))
    back = driver.row(Refund(transaction_id=use.id, amount=1))
    void = driver.row(VoidGrant(grant_id=given.id))

    past = driver.loads(Refund(transaction_id=use.id)).past[ADA]

    assert sorted(past.rows) == [1, given.seq, use.seq, back.seq, void.seq]
    assert {seq: past.about(seq) for seq in (1, given.seq, use.seq)} == {1: (), given.seq: (void,), use.seq: (back,)}


def test_load_reads_a_void_s_grant(driver: WorkerDriver) -> None:
    """It reads the row that made the grant and the rows about it."""
    given = driver.row(GrantCredits(amount=2))
    first = driver.row(VoidGrant(grant_id=given.id))

    past = driver.loads(VoidGrant(grant_id=given.id)).past[ADA]

    assert (dict(past.rows), past.about(given.seq)) == ({given.seq: given, first.seq: first}, (first,))


@pytest.mark.parametrize("name", NOBODYS)
def test_load_skips_invalid_ids(driver: WorkerDriver, name: str) -> None:
    """Unreadable ids are skipped in every command."""
    outcomes = driver.run(ReleaseHold(hold_id=name), Refund(transaction_id=name), VoidGrant(grant_id=name))

    assert summarize(outcomes) == ["hold-not-found", "transaction-not-found", "grant-not-found"]


def test_load_skips_ids_of_another_account(driver: WorkerDriver) -> None:
    """An id of one account names nothing on another, even where that has rows with the same `seq`."""
    ids = [driver.row(command).id for command in (GrantCredits(amount=9), place(5), Consume(feature="sketch"))]
    driver.run(EnsureAccount(), GrantCredits(amount=1), place(5), Consume(feature="sketch"), account_id=BOB)

    outcomes = driver.run(
        VoidGrant(grant_id=ids[0]),
        CaptureHold(hold_id=ids[1]),
        Refund(transaction_id=ids[2]),
        account_id=BOB,
    )

    assert summarize(outcomes) == ["grant-not-found", "hold-not-found", "transaction-not-found"]


def test_later_commands_see_earlier_ones_of_their_batch(driver: WorkerDriver, clock: MovedClock) -> None:
    """A hold, a use, a refund and a void are there for the next command of the batch."""
    number = driver.loads(Tick()).accounts[ADA].account_no
    ids = [transaction_id(number, seq, clock()) for seq in range(9)]

    outcomes = driver.run(
        place(5, 2),
        CaptureHold(hold_id=ids[2]),
        CaptureHold(hold_id=ids[2]),
        Refund(transaction_id=ids[3], amount=1),
        Refund(transaction_id=ids[3]),
        Refund(transaction_id=ids[3]),
        Consume(feature="video"),
        VoidGrant(grant_id=ids[1]),
        VoidGrant(grant_id=ids[1]),
        Refund(transaction_id=ids[6]),
    )

    assert summarize(outcomes) == [
        ("hold", -2),
        ("capture", 0),
        "hold-ended",
        ("refund", 1),
        ("refund", 1),
        "refund-limit",
        ("consume", -3),
        ("void", -3),
        "grant-ended",
        ("refund", 0),
    ]


def test_a_thousand_due_holds_end_in_one_batch(driver: WorkerDriver, clock: MovedClock) -> None:
    """Each ends by a row of its own, in one batch, and a hold that is not due stays."""
    stays = driver.row(place(60, 1))
    for _ in range(4):
        driver.run(*[place(5, 0)] * 250)
    clock.move(minutes=6)

    (outcome,) = driver.run(Consume(feature="sketch"))

    assert isinstance(outcome, Accepted)
    assert (outcome.account.seq, outcome.account.held, outcome.account.remaining) == (2003, 1, 4)
    assert outcome.account.holds_due_at == outcome.account.holds[stays.id].terms.expires_at


def test_holds_are_stored_beside_the_account(driver: WorkerDriver) -> None:
    """The account's document has no holds, and each hold's row has its state, amount and expiry."""
    row = driver.row(place(5, 2))

    stored = driver.loads(ReleaseHold(hold_id=row.id)).accounts[ADA]
    hold = stored.holds[row.id]

    assert (hold.seq, hold.amount, hold.parts, hold.state) == (row.seq, 2, ((hold.parts[0][0], 2),), "open")
    assert msgspec.structs.replace(stored, holds={}) == driver.loads(Tick()).accounts[ADA]
