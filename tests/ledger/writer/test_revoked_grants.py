"""What a revocation is told of a grant's past, over all that implement `Store`, and what it takes back by that."""

from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import (
    Adjust,
    CaptureHold,
    Consume,
    EnsureAccount,
    GrantCredits,
    PlaceHold,
    Refund,
    VoidGrant,
)
from sixpence.core.account.movement import OVERDRAFT, Allocation
from sixpence.core.account.transaction import Transaction, grant_id, transaction_id
from sixpence.core.values.instant import DAY
from sixpence.ledger.writer.batch import Accepted
from tests.ledger.databases import proved
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.lane_driver import ADA, CATALOG, Till, open_till, said
from tests.ledger.writer.memory_store import MemoryStore, Shelf

BOB = "bob@example.com"


@pytest.fixture(params=["memory", "sqlite_url", "migrated_postgres_url"])
def till(request: pytest.FixtureRequest, clock: MovedClock) -> Iterator[Till]:
    """A till over each store, with Ada's account of six credits; a database is proved at the end, decided anew."""
    if request.param == "memory":
        till = Till(MemoryStore(Shelf(), clock=clock, catalog=CATALOG))
        till.row(EnsureAccount())
        yield till
        till.store.close()
        return
    url = str(request.getfixturevalue(request.param))
    till = open_till(url, clock)
    yield till
    till.store.close()
    proved(url, decide=True)


def gift(clock: MovedClock, amount: int, *, days: int | None = 1) -> GrantCredits:
    """Credits that are spent before the others, for so many days."""
    expires_at = None if days is None else clock() + days * DAY
    return GrantCredits(amount=amount, category="paid", priority=1, expires_at=expires_at)


def spend(till: Till, amount: int) -> Transaction:
    """One use of so many credits."""
    hold = till.row(PlaceHold(feature="sketch", ttl_seconds=60, amount=amount))
    return till.row(CaptureHold(hold_id=hold.id))


def revoke(till: Till, name: str) -> tuple[int, int | None]:
    """What became a debt, and what could not be taken."""
    row = till.row(VoidGrant(grant_id=name, revoke_spent=True))
    debt = sum(move.amount for move in row.read_allocations() if move.grant_id == OVERDRAFT)
    return -debt, row.read_detail().shortfall


def seqs(till: Till, name: str) -> list[int]:
    """The rows that a revocation of the grant is told of."""
    return sorted(till.loads(VoidGrant(grant_id=name, revoke_spent=True)).past[ADA].rows)


def test_a_grant_that_was_spent_whole(till: Till, clock: MovedClock) -> None:
    """Every use of it is there, and no other row of the account or of another one."""
    first = till.row(gift(clock, 2))
    other = till.row(gift(clock, 1, days=9))
    till.ask(EnsureAccount(), gift(clock, 2), Consume(feature="sketch"), Consume(feature="sketch"), account_id=BOB)
    uses = [till.row(Consume(feature="sketch")) for _ in range(4)]

    told = seqs(till, first.id)

    assert told == [first.seq, uses[0].seq, uses[1].seq]
    assert seqs(till, other.id) == [other.seq, uses[2].seq]
    assert revoke(till, first.id) == (2, 0)


def test_only_a_revocation_scans(till: Till, clock: MovedClock) -> None:
    """A grant that is voided and not revoked is told what was done to it, as ever."""
    given = till.row(gift(clock, 2))
    till.row(Consume(feature="sketch"))

    past = till.loads(VoidGrant(grant_id=given.id)).past[ADA]

    assert dict(past.rows) == {given.seq: given}


def test_what_was_given_back_elsewhere_counts_where_it_was_spent(till: Till, clock: MovedClock) -> None:
    """Five of six were spent, four given back to what stands for the grant, one of these spent: two are owed."""
    given = till.row(gift(clock, 6))
    use = spend(till, 5)
    clock.move(days=1)
    back = till.row(Refund(transaction_id=use.id, amount=4))
    again = till.row(Consume(feature="sketch"))
    till.row(Adjust(amount=-1, reason="counted twice", actor="op@example.com"))
    told = seqs(till, given.id)

    taken = revoke(till, given.id)

    assert back.read_detail().grants[0].instead_of == given.id
    assert {given.seq, use.seq, back.seq, again.seq} <= set(told)
    assert taken == (2, 0)


def test_what_stands_for_what_stands_for_it(till: Till, clock: MovedClock) -> None:
    """Given back twice, each time to a new grant in the place of the first, and spent in the end."""
    given = till.row(gift(clock, 4))
    use = spend(till, 4)
    clock.move(days=1)
    till.row(Refund(transaction_id=use.id))
    second = spend(till, 4)
    clock.move(days=2)
    back = till.row(Refund(transaction_id=second.id))
    third = spend(till, 3)

    told = seqs(till, given.id)

    assert back.read_detail().grants[0].instead_of == given.id
    assert {given.seq, use.seq, second.seq, back.seq, third.seq} <= set(told)
    assert revoke(till, given.id) == (3, 0)


def test_holds_that_lapsed_were_not_spent(till: Till, clock: MovedClock) -> None:
    """Of four one was captured, two were given back by their hold after the grant's expiry and one expired."""
    given = till.row(gift(clock, 4))
    till.row(PlaceHold(feature="sketch", ttl_seconds=86_400 + 60, amount=2))
    spend(till, 1)
    clock.move(days=1, minutes=2)

    assert revoke(till, given.id) == (1, 0)


def test_what_was_adjusted_away_was_not_spent(till: Till, clock: MovedClock) -> None:
    """Three of five were taken by hand before the others were spent."""
    given = till.row(gift(clock, 5, days=None))
    till.row(Adjust(amount=-3, reason="counted twice", actor="op@example.com"))
    spend(till, 2)

    assert revoke(till, given.id) == (2, 0)


def test_a_grant_that_a_refund_brought_back_counts_what_was_adjusted_away(till: Till, clock: MovedClock) -> None:
    """Three of five were taken by hand, two spent, and one of these is back: one was spent."""
    given = till.row(gift(clock, 5, days=None))
    till.row(Adjust(amount=-3, reason="counted twice", actor="op@example.com"))
    use = spend(till, 2)
    till.row(Refund(transaction_id=use.id, amount=1))

    assert revoke(till, given.id) == (1, 0)


def test_what_stands_for_a_grant_is_revoked_by_itself(till: Till, clock: MovedClock) -> None:
    """What was spent of it is taken back once, whichever of the two is revoked first."""
    given = till.row(gift(clock, 3))
    use = spend(till, 3)
    clock.move(days=1)
    back = till.row(Refund(transaction_id=use.id))
    spend(till, 3)

    taken = [revoke(till, name) for name in (back.id, given.id)]

    assert taken == [(3, 0), (0, 0)]


def test_what_stands_for_a_revoked_grant_was_revoked_with_it(till: Till, clock: MovedClock) -> None:
    """What was spent of it was counted when the grant it stands for was revoked; by itself it is ended."""
    given = till.row(gift(clock, 3))
    use = spend(till, 3)
    clock.move(days=1)
    back = till.row(Refund(transaction_id=use.id))
    spend(till, 2)

    taken = revoke(till, given.id)
    again = till.ask(VoidGrant(grant_id=back.id, revoke_spent=True))

    assert (taken, said(again)) == ((2, 0), ["grant-ended"])


def test_a_refund_knows_that_the_grant_its_own_stands_for_was_voided(till: Till, clock: MovedClock) -> None:
    """What a grace grant had paid comes back to pay what is owed, and no further."""
    given = till.row(gift(clock, 3))
    use = spend(till, 3)
    clock.move(days=1)
    till.row(Refund(transaction_id=use.id))
    again = spend(till, 3)
    till.row(VoidGrant(grant_id=given.id))

    back = till.row(Refund(transaction_id=again.id))

    assert {move.movement for move in back.read_allocations()} == {"withheld"}
    assert back.amount == 0


def test_ids_that_begin_alike_are_different(till: Till, clock: MovedClock) -> None:
    """Of two grants that one row made, only the one that is asked about is found."""
    first, second = till.row(gift(clock, 2)), till.row(gift(clock, 3, days=1))
    use = spend(till, 5)
    clock.move(days=1)
    back = till.row(Refund(transaction_id=use.id))
    one, two = grant_id(back.id, 0), grant_id(back.id, 1)
    paid_first = spend(till, 1)
    (paid_by,) = {move.grant_id for move in paid_first.read_allocations() if move.movement == "captured"}
    other = two if paid_by == one else one

    assert len(back.read_detail().grants) == 2
    assert paid_first.seq in seqs(till, paid_by)
    assert paid_first.seq not in seqs(till, other)
    assert {terms.instead_of for terms in back.read_detail().grants} == {first.id, second.id}


def test_one_batch_spends_and_revokes(till: Till, clock: MovedClock) -> None:
    """What earlier commands of the batch did to the grant counts beside what was done before it."""
    given = till.row(gift(clock, 3))
    till.row(Consume(feature="sketch"))

    outcomes = till.ask(
        Consume(feature="sketch"), Consume(feature="sketch"), VoidGrant(grant_id=given.id, revoke_spent=True)
    )

    assert said(outcomes) == [("consume", -1), ("consume", -1), ("void", -3)]


def test_one_batch_refunds_spends_and_revokes(till: Till, clock: MovedClock) -> None:
    """The same where the grant had expired, and what stands for it is made and spent in the batch."""
    given = till.row(gift(clock, 4))
    use = spend(till, 4)
    clock.move(days=1)

    outcomes = till.ask(
        Refund(transaction_id=use.id), Consume(feature="sketch"), VoidGrant(grant_id=given.id, revoke_spent=True)
    )

    assert said(outcomes) == [("refund", 4), ("consume", -1), ("void", -4)]
    last = outcomes[-1]
    assert isinstance(last, Accepted)
    assert last.row is not None
    assert Allocation(OVERDRAFT, "charged_back", -1) in last.row.read_allocations()


def test_one_batch_gives_spends_and_revokes(till: Till, clock: MovedClock) -> None:
    """A grant that the batch itself makes needs nothing that was there before."""
    account = till.loads(Consume(feature="sketch")).accounts[ADA]
    name = transaction_id(account.account_no, account.seq + 1, clock())

    outcomes = till.ask(gift(clock, 1), Consume(feature="sketch"), VoidGrant(grant_id=name, revoke_spent=True))

    assert said(outcomes) == [("grant", 1), ("consume", -1), ("void", -1)]


def test_the_account_stays_usable_after_a_revocation(till: Till, clock: MovedClock) -> None:
    """Bought, spent, refunded after its expiry and charged back: what stood for it is gone, and a new grant comes."""
    given = till.row(gift(clock, 5))
    use = spend(till, 5)
    clock.move(days=2)
    till.row(Refund(transaction_id=use.id))

    taken = revoke(till, given.id)
    clock.move(days=40)
    fresh = till.row(GrantCredits(amount=100, reason="new money"))

    assert taken == (0, 0)
    assert (fresh.balance_after, fresh.total_after) == (106, 106)


def test_a_correction_does_not_make_a_debt(till: Till, clock: MovedClock) -> None:
    """All of a grant was taken by hand, and so nothing was spent: another grant's expiry leaves the account whole."""
    spend(till, 6)
    given = till.row(gift(clock, 5, days=None))
    till.row(Adjust(amount=-5, reason="wrong", actor="op@example.com"))
    till.row(gift(clock, 5))

    taken = revoke(till, given.id)
    clock.move(days=1)
    fresh = till.row(GrantCredits(amount=100))

    assert taken == (0, 0)
    assert (fresh.balance_after, fresh.total_after) == (100, 106)
