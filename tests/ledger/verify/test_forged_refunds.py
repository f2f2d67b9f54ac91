"""Refunds forged so that they make credits out of grants that were voided, or that are still there."""

from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import CaptureHold, Consume, GrantCredits, PlaceHold, Refund, VoidGrant
from sixpence.core.account.transaction import Detail, GrantTerms, Transaction
from sixpence.core.catalog.price import Usage
from sixpence.core.values.instant import DAY
from tests.ledger.databases import verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import another, next_row_id, told_of
from tests.ledger.writer.worker_driver import WorkerDriver, open_driver


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


def gift(clock: MovedClock, amount: int, *, days: int = 1) -> GrantCredits:
    """Credits that are spent before the others, for so many days."""
    return GrantCredits(amount=amount, priority=1, expires_at=clock() + days * DAY)


def grace(
    after: Transaction, use: Transaction, given: Transaction, clock: MovedClock, *, amount: int = 1
) -> Transaction:
    """A refund of the use that makes a grace grant in the place of this one."""
    terms = GrantTerms(amount, "admin", clock(), clock() + DAY, priority=1, instead_of=given.id)
    return another(
        after,
        "refund",
        (next_row_id(after, clock()), "refunded", amount),
        detail=Detail(about=use.id, refunded=amount, grant=terms),
        feature_used="sketch",
        created_at=clock(),
    )


def test_a_voided_grant_gives_no_grace(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """What was spent of a grant that was voided since comes back as credits of another one."""
    given = driver.row(gift(clock, 2))
    use = driver.row(Consume(feature="sketch"))
    driver.row(VoidGrant(grant_id=given.id))

    told = told_of(sqlite_url, lambda r: [*r, grace(r[-1], use, given, clock)])

    assert told == f"transaction 5 gives back in the place of grant '{given.id}', which was voided"


@pytest.mark.parametrize("amount", [1, 2])
def test_a_grant_that_is_not_over_needs_no_grace(
    driver: WorkerDriver, sqlite_url: str, clock: MovedClock, amount: int
) -> None:
    """What was spent of a grant that lives, or would come back, lives on for longer as another one."""
    given = driver.row(gift(clock, amount))
    use = driver.row(Consume(feature="sketch"))

    told = told_of(sqlite_url, lambda r: [*r, grace(r[-1], use, given, clock)])

    assert told == f"transaction 4 gives back in the place of grant '{given.id}', which is not over"


def test_a_grace_grant_stands_for_one_that_was_spent(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """It names a grant of the same terms that had no part in the use."""
    driver.row(gift(clock, 1))
    other = driver.row(gift(clock, 1, days=2))
    use = driver.row(Consume(feature="sketch"))

    told = told_of(sqlite_url, lambda r: [*r, grace(r[-1], use, other, clock)])

    assert told == f"transaction 5 gives back in the place of grant '{other.id}', from which nothing was taken"


def test_no_more_comes_back_than_was_taken_of_what_is_over(
    driver: WorkerDriver, sqlite_url: str, clock: MovedClock
) -> None:
    """Two credits of a use come back as grace, though one of them was taken from a grant that was voided."""
    over, voided = driver.row(gift(clock, 1)), driver.row(gift(clock, 1, days=9))
    use = driver.row(Consume(feature="sketch", usage=Usage(units=2)))
    driver.row(VoidGrant(grant_id=voided.id))
    clock.move(days=2)

    told = told_of(sqlite_url, lambda r: [*r, grace(r[-1], use, over, clock, amount=2)])

    assert told == "transaction 6 gives back 2 in the place of grants from which 1 was taken"


def test_what_a_capture_took_twice_of_a_grant_comes_back_as_one(
    driver: WorkerDriver, sqlite_url: str, clock: MovedClock
) -> None:
    """Nothing is wrong with a refund of what was set aside of a grant, and of what went beyond that."""
    driver.row(gift(clock, 4))
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60, amount=1))
    use = driver.row(CaptureHold(hold_id=hold.id, amount=4))
    clock.move(days=2)

    refund = driver.row(Refund(transaction_id=use.id))

    assert [terms.amount for terms in refund.read_detail().grants] == [4]
    verify_clean(sqlite_url, decide=True)
