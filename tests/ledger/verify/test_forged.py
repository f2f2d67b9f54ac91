"""Ledgers that were forged so that they add up: what may not be all the same is found, and told in words."""

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
from tests.ledger.verify.forger import another, consume, next_row_id, told_of
from tests.ledger.writer.worker_driver import CATALOG, WorkerDriver, open_driver

Rows = list[Transaction]


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


def test_what_was_due_may_not_be_passed_over(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A use of a grant whose time is over, without the row of its end."""
    given = driver.row(GrantCredits(amount=2, expires_at=clock() + DAY))

    told = told_of(sqlite_url, lambda r: [*r, consume(r[-1], given.id, created_at=clock() + 2 * DAY)])

    assert told == f"transaction 3 passes over what was due at {clock() + DAY}"


def test_a_command_may_not_come_before_what_is_due(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """At the very instant at which a grant ends, its end comes first."""
    given = driver.row(GrantCredits(amount=2, expires_at=clock() + DAY))

    told = told_of(sqlite_url, lambda r: [*r, consume(r[-1], given.id, created_at=clock() + DAY)])

    assert told == f"transaction 3 comes before what was due at {clock() + DAY}"


def test_nothing_ends_before_its_time(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A grant that expires while it lives."""
    given = driver.row(GrantCredits(amount=2, expires_at=clock() + DAY))

    told = told_of(
        sqlite_url, lambda r: [*r, another(r[-1], "expire", (given.id, "expired", -2), detail=Detail(about=given.id))]
    )

    assert told == "transaction 3 is of the kind 'expire' at an instant at which nothing was due"


def test_a_grant_is_not_spent_when_it_is_over(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A row that says it ends the grant, and spends it."""
    given = driver.row(GrantCredits(amount=2, expires_at=clock() + DAY))

    told = told_of(
        sqlite_url,
        lambda r: [
            *r,
            another(r[-1], "expire", (given.id, "consumed", -2), created_at=clock() + DAY, credits_consumed=2),
        ],
    )

    assert told == f"transaction 3 spends grant '{given.id}', which expired at {clock() + DAY}"


def test_a_grant_is_not_spent_before_its_time(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A grant that is counted at once, and takes effect tomorrow by its terms."""
    given = driver.row(GrantCredits(amount=2))

    def forgery(r: Rows) -> Rows:
        terms = GrantTerms(2, "admin", clock() + DAY)
        early = msgspec.structs.replace(r[1], detail=write_detail(Detail(grant=terms)))
        return [r[0], early, consume(r[1], given.id)]

    assert told_of(sqlite_url, forgery) == (
        f"transaction 3 spends grant '{given.id}', which takes effect at {clock() + DAY}"
    )


def test_a_grant_is_not_spent_on_another_feature(driver: WorkerDriver, sqlite_url: str) -> None:
    """What was given for videos pays for a sketch; set aside for one, it is no better."""
    given = driver.row(GrantCredits(amount=2, features=("video",)))

    told = told_of(sqlite_url, lambda r: [*r, consume(r[-1], given.id)])

    assert told == f"transaction 3 spends grant '{given.id}' on 'sketch', which it is not for"


def test_an_account_is_made_once(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A second signup, with its credits."""

    def forgery(r: Rows) -> Rows:
        terms = GrantTerms(6, "signup", clock())
        return [*r, another(r[0], "signup", (next_row_id(r[0]), "granted", 6), detail=Detail(grant=terms))]

    assert told_of(sqlite_url, forgery) == "transaction 2 makes the account a second time"


def test_a_row_is_about_what_was_there(driver: WorkerDriver, sqlite_url: str) -> None:
    """A grant is voided that never was."""
    stranger = "019ca8b5-0000-7000-8000-000100000000"

    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], "void", detail=Detail(about=stranger))])

    assert told == f"transaction 2 is about '{stranger}', which was not there before"


def test_a_grant_is_voided_once(driver: WorkerDriver, sqlite_url: str) -> None:
    """A second void, which would take back what was spent a second time."""
    given = driver.row(GrantCredits(amount=2))
    driver.row(VoidGrant(grant_id=given.id))

    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], "void", detail=Detail(about=given.id))])

    assert told == f"transaction 4 voids grant '{given.id}' a second time"


def test_a_hold_only_sets_aside(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """What is spent in the row of a hold."""

    def forgery(r: Rows) -> Rows:
        signup = r[0].id
        terms = HoldTerms("sketch", clock() + 60 * SECOND, 1, 1)
        return [*r, another(r[0], "hold", (signup, "consumed", -1), detail=Detail(hold=terms), feature_used="sketch")]

    assert told_of(sqlite_url, forgery) == "transaction 2 sets credits aside and moves others"


def test_an_expired_hold_is_charged_late_once(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A second late charge of the same hold."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    clock.move(minutes=1)
    late = driver.row(CaptureHold(hold_id=hold.id, late=True))

    told = told_of(sqlite_url, lambda r: [*r, msgspec.structs.replace(late, seq=late.seq + 1)])

    assert told == "transaction 5 charges a hold late a second time"


def test_only_an_expired_hold_is_charged_late(driver: WorkerDriver, sqlite_url: str) -> None:
    """A late charge of a hold that was released."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    driver.row(ReleaseHold(hold_id=hold.id))
    late = Detail(about=hold.id, late=True, catalog_version=1)

    told = told_of(
        sqlite_url,
        lambda r: [*r, another(r[-1], "consume", (r[0].id, "consumed", -1), detail=late, credits_consumed=1)],
    )

    assert told == "transaction 4 charges a hold late that has not expired"


def test_no_command_goes_back_to_an_earlier_catalog(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A use by the prices of a catalog that another had taken the place of, when the use before it came."""
    apply_catalog(sqlite_url, msgspec.structs.replace(CATALOG, grace_days=9), clock())
    driver.row(Consume(feature="sketch"))

    told = told_of(sqlite_url, lambda r: [*r, consume(r[-1], r[0].id)])

    assert told == "transaction 3 goes back to catalog 1, and 2 was in force before"


@pytest.mark.parametrize("plan", ["free", "pro"])
def test_an_overdraft_has_a_limit(driver: WorkerDriver, sqlite_url: str, plan: str) -> None:
    """More is owed than the plan allows, or anything where it allows nothing."""
    driver.run(ChangePlan(plan=plan))

    told = told_of(sqlite_url, lambda r: [*r, consume(r[-1], "overdraft", 6)])

    assert told.endswith({"free": "takes 6 of an overdraft of 5", "pro": "takes 6 of an overdraft of 0"}[plan])


def test_a_row_says_what_it_consumed(driver: WorkerDriver, sqlite_url: str) -> None:
    """A use that takes three credits and counts one."""
    told = told_of(sqlite_url, lambda r: [*r, consume(r[-1], r[0].id, 3, credits_consumed=1)])

    assert told == "transaction 2 says that it consumed 1, and takes another amount"


def test_credits_are_given_back_by_refunds_only(driver: WorkerDriver, sqlite_url: str) -> None:
    """A correction that gives back what was spent, without a use to refund."""
    driver.row(Consume(feature="sketch"))

    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], "adjust", (r[0].id, "refunded", 1))])

    assert told == "transaction 3 gives back what was consumed and is no refund"


def test_no_more_is_refunded_than_was_consumed(driver: WorkerDriver, sqlite_url: str) -> None:
    """A use of one credit that is refunded twice, out of what another use took."""
    use = driver.row(Consume(feature="sketch"))
    driver.row(Consume(feature="video"))
    refund = driver.row(Refund(transaction_id=use.id))

    told = told_of(sqlite_url, lambda r: [*r, msgspec.structs.replace(refund, seq=refund.seq + 1)])

    assert told == "transaction 5 brings what was refunded of transaction 2 to 2, and it consumed 1"


def test_a_refund_states_what_it_moves(driver: WorkerDriver, sqlite_url: str) -> None:
    """Two come back, and one is counted."""
    use = driver.row(Consume(feature="video"))
    counted = Detail(about=use.id, refunded=1)

    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], "refund", (r[0].id, "refunded", 2), detail=counted)])

    assert told == "transaction 3 states another refund than it moves"


def test_a_refund_returns_to_where_it_came_from(driver: WorkerDriver, sqlite_url: str) -> None:
    """What was taken from the first grant comes back to another, from which something else was taken."""
    use = driver.row(Consume(feature="sketch"))
    other = driver.row(GrantCredits(amount=2, priority=1))
    driver.row(Consume(feature="sketch"))
    back = Detail(about=use.id, refunded=1)

    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], "refund", (other.id, "refunded", 1), detail=back)])

    assert told == f"transaction 5 gives back to grant '{other.id}', from which nothing was taken"


def test_a_grace_grant_is_like_the_one_it_stands_for(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A refund that makes paid credits of a gift."""
    use = driver.row(Consume(feature="sketch"))

    def forgery(r: Rows) -> Rows:
        back = Detail(about=use.id, refunded=1, grant=GrantTerms(1, "paid", clock(), clock() + DAY))
        return [*r, another(r[-1], "refund", (next_row_id(r[-1]), "refunded", 1), detail=back)]

    assert told_of(sqlite_url, forgery) == "transaction 3 gives back to a grace grant of other terms"


@pytest.mark.parametrize("end", ["voided", "expired"])
def test_what_is_over_does_not_come_back(driver: WorkerDriver, sqlite_url: str, clock: MovedClock, end: str) -> None:
    """A refund that revives a grant which was voided, or has expired since."""
    given = driver.row(GrantCredits(amount=1, priority=1, expires_at=clock() + DAY))
    use = driver.row(Consume(feature="sketch"))
    if end == "voided":
        driver.row(VoidGrant(grant_id=given.id))
    clock.move(days=int(end == "expired"))
    terms = given.read_detail().grants[0]

    def forgery(r: Rows) -> Rows:
        back = Detail(about=use.id, refunded=1, revived=(Revived(given.id, terms),))
        return [*r, another(r[-1], "refund", (given.id, "refunded", 1), detail=back, created_at=clock())]

    told = told_of(sqlite_url, forgery)

    assert (
        told.split(" ", 2)[2]
        == {
            "voided": f"brings back grant '{given.id}', which was voided",
            "expired": f"brings back grant '{given.id}', which is over or had other terms",
        }[end]
    )


@pytest.mark.parametrize("how", ["without a term", "not counted", "beyond the best", "outside"])
def test_a_term_gives_its_allowance_once(driver: WorkerDriver, sqlite_url: str, clock: MovedClock, how: str) -> None:
    """An allowance that comes again in its term, whatever the row says of the term."""
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
        told_of(sqlite_url, forgery)
        == {
            "without a term": "transaction 3 gives an allowance and no term",
            "not counted": "transaction 3 gives 30 of an allowance and counts 0",
            "beyond the best": "transaction 3 gives 60 in a term whose best plan gives 30",
            "outside": "transaction 3 gives an allowance outside its term's beginning",
        }[how]
    )
