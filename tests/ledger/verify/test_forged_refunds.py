"""Forged refunds with grace grants for voided or live grants: the audit finds each."""

from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import CaptureHold, Consume, GrantCredits, PlaceHold, Refund, VoidGrant
from sixpence.core.account.transaction import Detail, GrantTerms, Transaction
from sixpence.core.catalog.price import Usage
from sixpence.core.values.instant import DAY
from tests.ledger.databases import verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import another, difference_after, next_row_id
from tests.ledger.writer.worker_driver import WorkerDriver, open_driver


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


def gift(clock: MovedClock, amount: int, *, days: int = 1) -> GrantCredits:
    """Credits that are spent first, and expire after this many days."""
    return GrantCredits(amount=amount, priority=1, expires_at=clock() + days * DAY)


def grace(
    after: Transaction, use: Transaction, given: Transaction, clock: MovedClock, *, amount: int = 1
) -> Transaction:
    """A refund of the use with a grace grant for this one."""
    terms = GrantTerms(amount, "admin", clock(), clock() + DAY, priority=1, instead_of=given.id)
    return another(
        after,
        "refund",
        (next_row_id(after, clock()), "refunded", amount),
        detail=Detail(about=use.id, refunded=amount, grant=terms),
        feature_used="sketch",
        created_at=clock(),
    )


def test_grace_for_a_voided_grant_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """The refund of a voided grant comes back as a grace grant."""
    given = driver.row(gift(clock, 2))
    use = driver.row(Consume(feature="sketch"))
    driver.row(VoidGrant(grant_id=given.id))

    difference = difference_after(sqlite_url, lambda r: [*r, grace(r[-1], use, given, clock)])

    assert difference == f"transaction 5 gives back in the place of grant '{given.id}', which was voided"


@pytest.mark.parametrize("amount", [1, 2])
def test_grace_for_a_live_grant_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock, amount: int) -> None:
    """The refund of a live grant comes back as a grace grant that lasts longer."""
    given = driver.row(gift(clock, amount))
    use = driver.row(Consume(feature="sketch"))

    difference = difference_after(sqlite_url, lambda r: [*r, grace(r[-1], use, given, clock)])

    assert difference == f"transaction 4 gives back in the place of grant '{given.id}', which is not over"


def test_grace_for_an_unspent_grant_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """The grace grant is for a grant of the same terms that the use did not spend."""
    driver.row(gift(clock, 1))
    other = driver.row(gift(clock, 1, days=2))
    use = driver.row(Consume(feature="sketch"))

    difference = difference_after(sqlite_url, lambda r: [*r, grace(r[-1], use, other, clock)])

    assert difference == f"transaction 5 gives back in the place of grant '{other.id}', from which nothing was taken"


def test_grace_beyond_the_taken_credits_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """Two credits come back as grace, and one of them was of a voided grant."""
    over, voided = driver.row(gift(clock, 1)), driver.row(gift(clock, 1, days=9))
    use = driver.row(Consume(feature="sketch", usage=Usage(units=2)))
    driver.row(VoidGrant(grant_id=voided.id))
    clock.move(days=2)

    difference = difference_after(sqlite_url, lambda r: [*r, grace(r[-1], use, over, clock, amount=2)])

    assert difference == "transaction 6 gives back 2 in the place of grants from which 1 was taken"


def test_refund_of_a_capture_with_two_movements_is_clean(
    driver: WorkerDriver, sqlite_url: str, clock: MovedClock
) -> None:
    """A refund of a capture that took held credits of a grant, and more, is clean."""
    driver.row(gift(clock, 4))
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60, amount=1))
    use = driver.row(CaptureHold(hold_id=hold.id, amount=4))
    clock.move(days=2)

    refund = driver.row(Refund(transaction_id=use.id))

    assert [terms.amount for terms in refund.read_detail().grants] == [4]
    verify_clean(sqlite_url, decide=True)
