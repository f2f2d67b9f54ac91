"""Forged ledgers that add up: the audit finds each forbidden row and describes it."""

from collections.abc import Iterator

import msgspec
import pytest

from sixpence.core.account.commands import (
    CaptureHold,
    ChangePlan,
    Consume,
    GrantCredits,
    PlaceHold,
    Refund,
    ReleaseHold,
    VoidGrant,
)
from sixpence.core.account.hold import HoldTerms
from sixpence.core.account.transaction import Detail, GrantTerms, Revived, Transaction, write_detail
from sixpence.core.values.instant import DAY, SECOND
from tests.ledger.databases import apply_catalog
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import another, consume, difference_after, next_row_id
from tests.ledger.writer.worker_driver import CATALOG, WorkerDriver, open_driver

Rows = list[Transaction]


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


def test_skipped_due_row_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A use of an expired grant, without the row of its expiry."""
    given = driver.row(GrantCredits(amount=2, expires_at=clock() + DAY))

    difference = difference_after(sqlite_url, lambda r: [*r, consume(r[-1], given.id, created_at=clock() + 2 * DAY)])

    assert difference == f"transaction 3 passes over what was due at {clock() + DAY}"


def test_command_before_a_due_row_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """At the instant of a grant's expiry, the expiry comes first."""
    given = driver.row(GrantCredits(amount=2, expires_at=clock() + DAY))

    difference = difference_after(sqlite_url, lambda r: [*r, consume(r[-1], given.id, created_at=clock() + DAY)])

    assert difference == f"transaction 3 comes before what was due at {clock() + DAY}"


def test_early_expiry_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A grant that expires early."""
    given = driver.row(GrantCredits(amount=2, expires_at=clock() + DAY))

    difference = difference_after(
        sqlite_url, lambda r: [*r, another(r[-1], "expire", (given.id, "expired", -2), detail=Detail(about=given.id))]
    )

    assert difference == "transaction 3 is of the kind 'expire' at an instant at which nothing was due"


def test_spending_an_expired_grant_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A row that says it ends the grant, and spends it."""
    given = driver.row(GrantCredits(amount=2, expires_at=clock() + DAY))

    difference = difference_after(
        sqlite_url,
        lambda r: [
            *r,
            another(r[-1], "expire", (given.id, "consumed", -2), created_at=clock() + DAY, credits_consumed=2),
        ],
    )

    assert difference == f"transaction 3 spends grant '{given.id}', which expired at {clock() + DAY}"


def test_spending_a_pending_grant_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A grant that is counted at once, and takes effect tomorrow by its terms."""
    given = driver.row(GrantCredits(amount=2))

    def forgery(r: Rows) -> Rows:
        terms = GrantTerms(2, "admin", clock() + DAY)
        early = msgspec.structs.replace(r[1], detail=write_detail(Detail(grant=terms)))
        return [r[0], early, consume(r[1], given.id)]

    assert difference_after(sqlite_url, forgery) == (
        f"transaction 3 spends grant '{given.id}', which takes effect at {clock() + DAY}"
    )


def test_spending_on_another_feature_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """What was given for videos pays for a sketch; set aside for one, it is no better."""
    given = driver.row(GrantCredits(amount=2, features=("video",)))

    difference = difference_after(sqlite_url, lambda r: [*r, consume(r[-1], given.id)])

    assert difference == f"transaction 3 spends grant '{given.id}' on 'sketch', which it is not for"


def test_second_signup_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A second signup, with its credits."""

    def forgery(r: Rows) -> Rows:
        terms = GrantTerms(6, "signup", clock())
        return [*r, another(r[0], "signup", (next_row_id(r[0]), "granted", 6), detail=Detail(grant=terms))]

    assert difference_after(sqlite_url, forgery) == "transaction 2 makes the account a second time"


def test_row_about_an_unknown_grant_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A void of a grant that never existed."""
    stranger = "019ca8b5-0000-7000-8000-000100000000"

    difference = difference_after(sqlite_url, lambda r: [*r, another(r[-1], "void", detail=Detail(about=stranger))])

    assert difference == f"transaction 2 is about '{stranger}', which was not there before"


def test_second_void_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A second void, which would charge the spent credits back twice."""
    given = driver.row(GrantCredits(amount=2))
    driver.row(VoidGrant(grant_id=given.id))

    difference = difference_after(sqlite_url, lambda r: [*r, another(r[-1], "void", detail=Detail(about=given.id))])

    assert difference == f"transaction 4 voids grant '{given.id}' a second time"


def test_hold_that_spends_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A hold whose row spends credits."""

    def forgery(r: Rows) -> Rows:
        signup = r[0].id
        terms = HoldTerms("sketch", clock() + 60 * SECOND, 1, 1)
        return [*r, another(r[0], "hold", (signup, "consumed", -1), detail=Detail(hold=terms), feature_used="sketch")]

    assert difference_after(sqlite_url, forgery) == "transaction 2 sets credits aside and moves others"


def test_second_late_capture_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A second late charge of the same hold."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    clock.move(minutes=1)
    late = driver.row(CaptureHold(hold_id=hold.id, late=True))

    difference = difference_after(sqlite_url, lambda r: [*r, msgspec.structs.replace(late, seq=late.seq + 1)])

    assert difference == "transaction 5 charges a hold late a second time"


def test_late_capture_of_a_released_hold_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A late charge of a hold that was released."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    driver.row(ReleaseHold(hold_id=hold.id))
    late = Detail(about=hold.id, late=True, catalog_version=1)

    difference = difference_after(
        sqlite_url,
        lambda r: [*r, another(r[-1], "consume", (r[0].id, "consumed", -1), detail=late, credits_consumed=1)],
    )

    assert difference == "transaction 4 charges a hold late that has not expired"


def test_earlier_catalog_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A use by the prices of a catalog that was replaced before the last use."""
    apply_catalog(sqlite_url, msgspec.structs.replace(CATALOG, grace_days=9), clock())
    driver.row(Consume(feature="sketch"))

    difference = difference_after(sqlite_url, lambda r: [*r, consume(r[-1], r[0].id)])

    assert difference == "transaction 3 goes back to catalog 1, and 2 was in force before"


@pytest.mark.parametrize("plan", ["free", "pro"])
def test_overdraft_beyond_the_limit_is_found(driver: WorkerDriver, sqlite_url: str, plan: str) -> None:
    """More is owed than the plan's overdraft, or anything on a plan without one."""
    driver.run(ChangePlan(plan=plan))

    difference = difference_after(sqlite_url, lambda r: [*r, consume(r[-1], "overdraft", 6)])

    assert difference.endswith({"free": "takes 6 of an overdraft of 5", "pro": "takes 6 of an overdraft of 0"}[plan])


def test_wrong_credits_consumed_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A use that takes three credits and counts one."""
    difference = difference_after(sqlite_url, lambda r: [*r, consume(r[-1], r[0].id, 3, credits_consumed=1)])

    assert difference == "transaction 2 says that it consumed 1, and takes another amount"


def test_refund_by_an_adjustment_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """An adjustment that gives spent credits back, without a use to refund."""
    driver.row(Consume(feature="sketch"))

    difference = difference_after(sqlite_url, lambda r: [*r, another(r[-1], "adjust", (r[0].id, "refunded", 1))])

    assert difference == "transaction 3 gives back what was consumed and is no refund"


def test_refund_beyond_the_consumed_credits_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A use of one credit that is refunded twice."""
    use = driver.row(Consume(feature="sketch"))
    driver.row(Consume(feature="video"))
    refund = driver.row(Refund(transaction_id=use.id))

    difference = difference_after(sqlite_url, lambda r: [*r, msgspec.structs.replace(refund, seq=refund.seq + 1)])

    assert difference == "transaction 5 brings what was refunded of transaction 2 to 2, and it consumed 1"


def test_wrong_refunded_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """Two credits come back, and one is counted."""
    use = driver.row(Consume(feature="video"))
    counted = Detail(about=use.id, refunded=1)

    difference = difference_after(
        sqlite_url, lambda r: [*r, another(r[-1], "refund", (r[0].id, "refunded", 2), detail=counted)]
    )

    assert difference == "transaction 3 states another refund than it moves"


def test_refund_to_another_grant_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """Credits of the first grant come back to another, which another use has spent."""
    use = driver.row(Consume(feature="sketch"))
    other = driver.row(GrantCredits(amount=2, priority=1))
    driver.row(Consume(feature="sketch"))
    back = Detail(about=use.id, refunded=1)

    difference = difference_after(
        sqlite_url, lambda r: [*r, another(r[-1], "refund", (other.id, "refunded", 1), detail=back)]
    )

    assert difference == f"transaction 5 gives back to grant '{other.id}', from which nothing was taken"


def test_grace_grant_with_other_terms_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A refund that turns a gift into paid credits."""
    use = driver.row(Consume(feature="sketch"))

    def forgery(r: Rows) -> Rows:
        back = Detail(about=use.id, refunded=1, grant=GrantTerms(1, "paid", clock(), clock() + DAY))
        return [*r, another(r[-1], "refund", (next_row_id(r[-1]), "refunded", 1), detail=back)]

    assert difference_after(sqlite_url, forgery) == "transaction 3 gives back to a grace grant of other terms"


@pytest.mark.parametrize("end", ["voided", "expired"])
def test_refund_to_an_ended_grant_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock, end: str) -> None:
    """A refund that revives a voided or expired grant."""
    given = driver.row(GrantCredits(amount=1, priority=1, expires_at=clock() + DAY))
    use = driver.row(Consume(feature="sketch"))
    if end == "voided":
        driver.row(VoidGrant(grant_id=given.id))
    clock.move(days=int(end == "expired"))
    terms = given.read_detail().grants[0]

    def forgery(r: Rows) -> Rows:
        back = Detail(about=use.id, refunded=1, revived=(Revived(given.id, terms),))
        return [*r, another(r[-1], "refund", (given.id, "refunded", 1), detail=back, created_at=clock())]

    difference = difference_after(sqlite_url, forgery)

    assert (
        difference.split(" ", 2)[2]
        == {
            "voided": f"brings back grant '{given.id}', which was voided",
            "expired": f"brings back grant '{given.id}', which is over or had other terms",
        }[end]
    )


@pytest.mark.parametrize("how", ["without a term", "not counted", "beyond the best", "outside"])
def test_second_allowance_of_a_term_is_found(
    driver: WorkerDriver, sqlite_url: str, clock: MovedClock, how: str
) -> None:
    """A second allowance in one term, with any term in its row."""
    driver.row(ChangePlan(plan="pro"))
    clock.move(hours=1)

    def forgery(r: Rows) -> Rows:
        term = r[1].read_detail().subscription
        assert term is not None
        said = {
            "without a term": None,
            "not counted": term,
            "beyond the best": msgspec.structs.replace(term, given=60),
            "outside": msgspec.structs.replace(term, anchor=term.anchor - 1),
        }[how]
        detail = Detail(grant=GrantTerms(30, "plan", clock(), clock() + DAY, by_plan="pro"), subscription=said)
        again = msgspec.structs.replace(r[1], created_at=clock())
        return [*r, another(again, "plan_change", (next_row_id(again), "granted", 30), detail=detail)]

    assert (
        difference_after(sqlite_url, forgery)
        == {
            "without a term": "transaction 3 gives an allowance and no term",
            "not counted": "transaction 3 gives 30 of an allowance and counts 0",
            "beyond the best": "transaction 3 gives 60 in a term whose best plan gives 30",
            "outside": "transaction 3 gives an allowance outside its term's beginning",
        }[how]
    )
