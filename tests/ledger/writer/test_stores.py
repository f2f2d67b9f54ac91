"""Holds and the past, over every store there is, the simulated one too: one suite for all that implement `Store`."""

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
from tests.ledger.writer.lane_driver import ADA, CATALOG, Till, open_till, said
from tests.ledger.writer.memory_store import MemoryStore, Shelf
from tests.simulation.alone import StoreAlone

BOB = "bob@example.com"
NOBODYS = ("", "x", "00000000-0000-0000-0000-000000000000", "a" * 300)


@pytest.fixture(params=["shelf", "simulated", "memory", "sqlite_url", "migrated_postgres_url"])
def till(request: pytest.FixtureRequest, clock: MovedClock) -> Iterator[Till]:
    """A till over each store, with Ada's account of six credits."""
    if request.param == "shelf":
        till = Till(MemoryStore(Shelf(), clock=clock, catalog=CATALOG))
        till.row(EnsureAccount())
    elif request.param == "simulated":
        till = Till(StoreAlone(clock, CATALOG))
        till.row(EnsureAccount())
    elif request.param == "memory":
        till = open_till(Memory(), clock)
    else:
        till = open_till(str(request.getfixturevalue(request.param)), clock)
    yield till
    till.store.close()


def place(minutes: int, amount: int = 1) -> PlaceHold:
    """A hold that lives for so many minutes."""
    return PlaceHold(feature="sketch", ttl_seconds=minutes * 60, amount=amount)


def test_nothing_is_read_where_nothing_is_named_or_due(till: Till) -> None:
    """Uses and new holds are decided without the holds there are, and without the past."""
    till.row(place(5))

    loaded = till.loads(Consume(feature="sketch"), place(1), GrantCredits(amount=1), Tick())

    assert (loaded.accounts[ADA].holds, loaded.past) == ({}, {})


@pytest.mark.parametrize("end", ["open", "captured", "released", "expired"])
def test_a_named_hold_is_loaded_in_any_state(till: Till, clock: MovedClock, end: str) -> None:
    """The hold comes back as the command before left it, whole."""
    placed = till.ask(place(5, 2))[0]
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
    after = till.ask(ends[end])[0]
    assert isinstance(after, Accepted)

    loaded = till.loads(ReleaseHold(hold_id=hold_id))

    assert loaded.accounts[ADA].holds == {hold_id: after.account.holds[hold_id]}
    assert after.account.holds[hold_id].state == end


def test_what_is_due_is_loaded_with_as_many_more_as_there_are_commands(till: Till, clock: MovedClock) -> None:
    """Two of seven holds are due: a batch of two commands reads these, and the three that come next."""
    placed = [till.row(place(minutes, 0)).id for minutes in (9, 3, 4, 7, 1, 2, 8)]
    clock.move(minutes=2)

    loaded = till.loads(Tick(), Consume(feature="sketch"))

    assert set(loaded.accounts[ADA].holds) == {placed[at] for at in (4, 5, 1, 2, 3)}


def test_a_named_hold_comes_with_the_earliest_others(till: Till) -> None:
    """One command that names the latest hold reads it and the two earliest ones."""
    placed = [till.row(place(minutes, 0)).id for minutes in (5, 1, 3, 2, 9)]

    loaded = till.loads(ReleaseHold(hold_id=placed[4]))

    assert set(loaded.accounts[ADA].holds) == {placed[at] for at in (1, 3, 4)}


def test_a_refund_brings_what_it_rests_on(till: Till) -> None:
    """The use, its refunds, the grants it took from, and what was done to those; nothing else."""
    given = till.row(GrantCredits(amount=2, priority=1))
    use = till.row(Consume(feature="video"))
    till.row(Consume(feature="sketch"))
    back = till.row(Refund(transaction_id=use.id, amount=1))
    void = till.row(VoidGrant(grant_id=given.id))

    past = till.loads(Refund(transaction_id=use.id)).past[ADA]

    assert sorted(past.rows) == [1, given.seq, use.seq, back.seq, void.seq]
    assert {seq: past.about(seq) for seq in (1, given.seq, use.seq)} == {1: (), given.seq: (void,), use.seq: (back,)}


def test_a_void_brings_the_grant_and_what_was_done_to_it(till: Till) -> None:
    """The row that made the grant, as it was written, and those about it."""
    given = till.row(GrantCredits(amount=2))
    first = till.row(VoidGrant(grant_id=given.id))

    past = till.loads(VoidGrant(grant_id=given.id)).past[ADA]

    assert (dict(past.rows), past.about(given.seq)) == ({given.seq: given, first.seq: first}, (first,))


@pytest.mark.parametrize("name", NOBODYS)
def test_what_is_no_id_is_not_found(till: Till, name: str) -> None:
    """Ids that cannot be read stand for nothing, in whatever command."""
    outcomes = till.ask(ReleaseHold(hold_id=name), Refund(transaction_id=name), VoidGrant(grant_id=name))

    assert said(outcomes) == ["hold-not-found", "transaction-not-found", "grant-not-found"]


def test_what_is_anothers_is_not_found(till: Till) -> None:
    """The ids of one account name nothing on another, even where it has rows in those places."""
    ids = [till.row(command).id for command in (GrantCredits(amount=9), place(5), Consume(feature="sketch"))]
    till.ask(EnsureAccount(), GrantCredits(amount=1), place(5), Consume(feature="sketch"), account_id=BOB)

    outcomes = till.ask(
        VoidGrant(grant_id=ids[0]),
        CaptureHold(hold_id=ids[1]),
        Refund(transaction_id=ids[2]),
        account_id=BOB,
    )

    assert said(outcomes) == ["grant-not-found", "hold-not-found", "transaction-not-found"]


def test_a_batch_carries_what_its_commands_leave(till: Till, clock: MovedClock) -> None:
    """What a command makes is there for the next one of the batch: a hold, a use, a refund, a void."""
    number = till.loads(Tick()).accounts[ADA].account_no
    ids = [transaction_id(number, seq, clock()) for seq in range(9)]

    outcomes = till.ask(
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

    assert said(outcomes) == [
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


def test_a_thousand_holds_fall_due_at_once(till: Till, clock: MovedClock) -> None:
    """Each ends by a row of its own, in one batch, and one that is not due stays."""
    stays = till.row(place(60, 1))
    for _ in range(4):
        till.ask(*[place(5, 0)] * 250)
    clock.move(minutes=6)

    (outcome,) = till.ask(Consume(feature="sketch"))

    assert isinstance(outcome, Accepted)
    assert (outcome.account.seq, outcome.account.held, outcome.account.remaining) == (2003, 1, 4)
    assert outcome.account.holds_due_at == outcome.account.holds[stays.id].terms.expires_at


def test_holds_stand_beside_the_account(till: Till) -> None:
    """The account's own document has no holds, and each hold's row says what the hold is."""
    row = till.row(place(5, 2))

    stored = till.loads(ReleaseHold(hold_id=row.id)).accounts[ADA]
    hold = stored.holds[row.id]

    assert (hold.seq, hold.amount, hold.parts, hold.state) == (row.seq, 2, ((hold.parts[0][0], 2),), "open")
    assert msgspec.structs.replace(stored, holds={}) == till.loads(Tick()).accounts[ADA]
