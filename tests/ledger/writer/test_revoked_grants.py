"""A revocation reads the past of its grant, over all that implement `Store`, and takes back what was spent of it."""

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
from tests.ledger.databases import verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.memory_store import MemoryStore, SharedState
from tests.ledger.writer.worker_driver import ADA, CATALOG, WorkerDriver, open_driver, summarize

BOB = "bob@example.com"


@pytest.fixture(params=["memory", "sqlite_url", "migrated_postgres_url"])
def driver(request: pytest.FixtureRequest, clock: MovedClock) -> Iterator[WorkerDriver]:
    """A driver over each store, with Ada's account of six credits; at the end verify replays every row."""
    if request.param == "memory":
        driver = WorkerDriver(MemoryStore(SharedState(), clock=clock, catalog=CATALOG))
        driver.row(EnsureAccount())
        yield driver
        driver.store.close()
        return
    url = str(request.getfixturevalue(request.param))
    driver = open_driver(url, clock)
    yield driver
    driver.store.close()
    verify_clean(url, decide=True)


def gift(clock: MovedClock, amount: int, *, days: int | None = 1) -> GrantCredits:
    """Grant credits that are spent before all others, for this many days."""
    expires_at = None if days is None else clock() + days * DAY
    return GrantCredits(amount=amount, category="paid", priority=1, expires_at=expires_at)


def spend(driver: WorkerDriver, amount: int) -> Transaction:
    """Consume this many credits in one use."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60, amount=amount))
    return driver.row(CaptureHold(hold_id=hold.id))


def revoke(driver: WorkerDriver, name: str) -> tuple[int, int | None]:
    """Revoke the grant: what became owed, and what could not be taken."""
    row = driver.row(VoidGrant(grant_id=name, revoke_spent=True))
    debt = sum(move.amount for move in row.read_allocations() if move.grant_id == OVERDRAFT)
    return -debt, row.read_detail().shortfall


def seqs(driver: WorkerDriver, name: str) -> list[int]:
    """The rows that a revocation of the grant reads."""
    return sorted(driver.loads(VoidGrant(grant_id=name, revoke_spent=True)).past[ADA].rows)


def test_revocation_reads_every_use_of_a_spent_grant(driver: WorkerDriver, clock: MovedClock) -> None:
    """It reads every use of the grant, and no other row of this or another account."""
    first = driver.row(gift(clock, 2))
    other = driver.row(gift(clock, 1, days=9))
    driver.run(EnsureAccount(), gift(clock, 2), Consume(feature="sketch"), Consume(feature="sketch"), account_id=BOB)
    uses = [driver.row(Consume(feature="sketch")) for _ in range(4)]

    found = seqs(driver, first.id)

    assert found == [first.seq, uses[0].seq, uses[1].seq]
    assert seqs(driver, other.id) == [other.seq, uses[2].seq]
    assert revoke(driver, first.id) == (2, 0)


def test_void_without_revocation_scans_nothing(driver: WorkerDriver, clock: MovedClock) -> None:
    """A voided grant that is not revoked reads only the rows about it."""
    given = driver.row(gift(clock, 2))
    driver.row(Consume(feature="sketch"))

    past = driver.loads(VoidGrant(grant_id=given.id)).past[ADA]

    assert dict(past.rows) == {given.seq: given}


def test_revocation_counts_uses_of_replacement_grants(driver: WorkerDriver, clock: MovedClock) -> None:
    """Five of six were spent, four refunded to a replacement grant, one of these spent: two are owed."""
    given = driver.row(gift(clock, 6))
    use = spend(driver, 5)
    clock.move(days=1)
    back = driver.row(Refund(transaction_id=use.id, amount=4))
    again = driver.row(Consume(feature="sketch"))
    driver.row(Adjust(amount=-1, reason="counted twice", actor="op@example.com"))
    found = seqs(driver, given.id)

    taken = revoke(driver, given.id)

    assert back.read_detail().grants[0].instead_of == given.id
    assert {given.seq, use.seq, back.seq, again.seq} <= set(found)
    assert taken == (2, 0)


def test_revocation_follows_replacements_of_replacements(driver: WorkerDriver, clock: MovedClock) -> None:
    """Refunded twice, each time to a new replacement of the first grant, and spent in the end."""
    given = driver.row(gift(clock, 4))
    use = spend(driver, 4)
    clock.move(days=1)
    driver.row(Refund(transaction_id=use.id))
    second = spend(driver, 4)
    clock.move(days=2)
    back = driver.row(Refund(transaction_id=second.id))
    third = spend(driver, 3)

    found = seqs(driver, given.id)

    assert back.read_detail().grants[0].instead_of == given.id
    assert {given.seq, use.seq, second.seq, back.seq, third.seq} <= set(found)
    assert revoke(driver, given.id) == (3, 0)


def test_revocation_ignores_expired_holds(driver: WorkerDriver, clock: MovedClock) -> None:
    """Of four one was captured, two were released after the grant's expiry and one expired."""
    given = driver.row(gift(clock, 4))
    driver.row(PlaceHold(feature="sketch", ttl_seconds=86_400 + 60, amount=2))
    spend(driver, 1)
    clock.move(days=1, minutes=2)

    assert revoke(driver, given.id) == (1, 0)


def test_revocation_ignores_adjusted_credits(driver: WorkerDriver, clock: MovedClock) -> None:
    """Three of five were adjusted away before the others were spent."""
    given = driver.row(gift(clock, 5, days=None))
    driver.row(Adjust(amount=-3, reason="counted twice", actor="op@example.com"))
    spend(driver, 2)

    assert revoke(driver, given.id) == (2, 0)


def test_revocation_after_adjustment_and_refund(driver: WorkerDriver, clock: MovedClock) -> None:
    """Three of five were adjusted away, two spent, and one of these refunded: one was spent."""
    given = driver.row(gift(clock, 5, days=None))
    driver.row(Adjust(amount=-3, reason="counted twice", actor="op@example.com"))
    use = spend(driver, 2)
    driver.row(Refund(transaction_id=use.id, amount=1))

    assert revoke(driver, given.id) == (1, 0)


def test_replacement_grant_is_revoked_once(driver: WorkerDriver, clock: MovedClock) -> None:
    """Its uses are taken back once, for either order of revoking it and the original."""
    given = driver.row(gift(clock, 3))
    use = spend(driver, 3)
    clock.move(days=1)
    back = driver.row(Refund(transaction_id=use.id))
    spend(driver, 3)

    taken = [revoke(driver, name) for name in (back.id, given.id)]

    assert taken == [(3, 0), (0, 0)]


def test_replacement_of_a_revoked_grant_is_only_ended(driver: WorkerDriver, clock: MovedClock) -> None:
    """Its uses were counted when the original was revoked; voiding it only ends it."""
    given = driver.row(gift(clock, 3))
    use = spend(driver, 3)
    clock.move(days=1)
    back = driver.row(Refund(transaction_id=use.id))
    spend(driver, 2)

    taken = revoke(driver, given.id)
    again = driver.run(VoidGrant(grant_id=back.id, revoke_spent=True))

    assert (taken, summarize(again)) == ((2, 0), ["grant-ended"])


def test_refund_of_a_replacement_knows_its_voided_original(driver: WorkerDriver, clock: MovedClock) -> None:
    """A refund to a grace grant of a voided grant pays what is owed, and gives nothing more."""
    given = driver.row(gift(clock, 3))
    use = spend(driver, 3)
    clock.move(days=1)
    driver.row(Refund(transaction_id=use.id))
    again = spend(driver, 3)
    driver.row(VoidGrant(grant_id=given.id))

    back = driver.row(Refund(transaction_id=again.id))

    assert {move.movement for move in back.read_allocations()} == {"withheld"}
    assert back.amount == 0


def test_revocation_tells_ids_with_one_prefix_apart(driver: WorkerDriver, clock: MovedClock) -> None:
    """Of two grants that one row made, only the revoked one is found."""
    first, second = driver.row(gift(clock, 2)), driver.row(gift(clock, 3, days=1))
    use = spend(driver, 5)
    clock.move(days=1)
    back = driver.row(Refund(transaction_id=use.id))
    one, two = grant_id(back.id, 0), grant_id(back.id, 1)
    paid_first = spend(driver, 1)
    (paid_by,) = {move.grant_id for move in paid_first.read_allocations() if move.movement == "captured"}
    other = two if paid_by == one else one

    assert len(back.read_detail().grants) == 2
    assert paid_first.seq in seqs(driver, paid_by)
    assert paid_first.seq not in seqs(driver, other)
    assert {terms.instead_of for terms in back.read_detail().grants} == {first.id, second.id}


def test_revocation_counts_uses_in_its_own_batch(driver: WorkerDriver, clock: MovedClock) -> None:
    """Earlier commands of the batch count beside the stored rows."""
    given = driver.row(gift(clock, 3))
    driver.row(Consume(feature="sketch"))

    outcomes = driver.run(
        Consume(feature="sketch"), Consume(feature="sketch"), VoidGrant(grant_id=given.id, revoke_spent=True)
    )

    assert summarize(outcomes) == [("consume", -1), ("consume", -1), ("void", -3)]


def test_revocation_counts_replacements_in_its_own_batch(driver: WorkerDriver, clock: MovedClock) -> None:
    """The grant had expired, and its replacement is made and spent in the batch."""
    given = driver.row(gift(clock, 4))
    use = spend(driver, 4)
    clock.move(days=1)

    outcomes = driver.run(
        Refund(transaction_id=use.id), Consume(feature="sketch"), VoidGrant(grant_id=given.id, revoke_spent=True)
    )

    assert summarize(outcomes) == [("refund", 4), ("consume", -1), ("void", -4)]
    last = outcomes[-1]
    assert isinstance(last, Accepted)
    assert last.row is not None
    assert Allocation(OVERDRAFT, "charged_back", -1) in last.row.read_allocations()


def test_revocation_of_a_grant_made_in_its_own_batch(driver: WorkerDriver, clock: MovedClock) -> None:
    """A grant that the batch makes reads no stored row."""
    account = driver.loads(Consume(feature="sketch")).accounts[ADA]
    name = transaction_id(account.account_no, account.seq + 1, clock())

    outcomes = driver.run(gift(clock, 1), Consume(feature="sketch"), VoidGrant(grant_id=name, revoke_spent=True))

    assert summarize(outcomes) == [("grant", 1), ("consume", -1), ("void", -1)]


def test_the_account_stays_usable_after_a_revocation(driver: WorkerDriver, clock: MovedClock) -> None:
    """Bought, spent, refunded after its expiry and charged back: the replacement is gone, and a new grant works."""
    given = driver.row(gift(clock, 5))
    use = spend(driver, 5)
    clock.move(days=2)
    driver.row(Refund(transaction_id=use.id))

    taken = revoke(driver, given.id)
    clock.move(days=40)
    fresh = driver.row(GrantCredits(amount=100, reason="new money"))

    assert taken == (0, 0)
    assert (fresh.balance_after, fresh.total_after) == (106, 106)


def test_adjusted_credits_are_never_owed(driver: WorkerDriver, clock: MovedClock) -> None:
    """All of a grant was adjusted away, so nothing was spent: nothing is owed after another grant's expiry."""
    spend(driver, 6)
    given = driver.row(gift(clock, 5, days=None))
    driver.row(Adjust(amount=-5, reason="wrong", actor="op@example.com"))
    driver.row(gift(clock, 5))

    taken = revoke(driver, given.id)
    clock.move(days=1)
    fresh = driver.row(GrantCredits(amount=100))

    assert taken == (0, 0)
    assert (fresh.balance_after, fresh.total_after) == (100, 106)
