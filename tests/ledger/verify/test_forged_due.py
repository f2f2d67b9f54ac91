"""What time does was forged into another order, or onto something else, so that it adds up: it is found."""

from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import ChangePlan, GrantCredits, PlaceHold, Tick
from sixpence.core.account.transaction import Detail, Transaction
from sixpence.core.values.instant import DAY, SECOND
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import another, told_of
from tests.ledger.writer.worker_driver import WorkerDriver, open_driver

Rows = list[Transaction]


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


def expiry(after: Transaction, grant_id: str, amount: int, at: int) -> Transaction:
    """The row of a grant's end at an instant."""
    return another(after, "expire", (grant_id, "expired", -amount), detail=Detail(about=grant_id), created_at=at)


def test_two_that_end_at_once_end_in_the_order_of_their_ids(
    driver: WorkerDriver, sqlite_url: str, clock: MovedClock
) -> None:
    """The later one's row comes first."""
    at = clock() + DAY
    first, second = (driver.row(GrantCredits(amount=2, expires_at=at)) for _ in range(2))

    def forged(r: Rows) -> Rows:
        ended = expiry(r[-1], second.id, 2, at)
        return [*r, ended, expiry(ended, first.id, 2, at)]

    assert told_of(sqlite_url, forged) == f"transaction 4 comes before grant '{first.id}', which was due first at {at}"


def test_what_ends_is_what_was_due(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """Another grant's end, at an instant at which something is due."""
    at = clock() + DAY
    due = driver.row(GrantCredits(amount=2, expires_at=at))
    lasting = driver.row(GrantCredits(amount=2, expires_at=at + DAY))

    told = told_of(sqlite_url, lambda r: [*r, expiry(r[-1], lasting.id, 2, at)])

    assert told == f"transaction 4 comes before grant '{due.id}', which was due first at {at}"


def test_a_hold_times_out_before_a_grant_ends(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """Both at one instant."""
    at = clock() + 60 * SECOND
    given = driver.row(GrantCredits(amount=2, expires_at=at))
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60, amount=1))

    told = told_of(sqlite_url, lambda r: [*r, expiry(r[-1], given.id, 1, at)])

    assert told == f"transaction 4 comes before hold '{hold.id}', which was due first at {at}"


def test_a_grant_takes_effect_at_its_own_time(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """One that is for a day later, when another's time has come."""
    at = clock() + DAY
    due, later = (driver.row(GrantCredits(amount=2, effective_at=when)) for when in (at, at + DAY))

    told = told_of(
        sqlite_url, lambda r: [*r, another(r[-1], "take_effect", (later.id, "took_effect", 2), created_at=at)]
    )

    assert told == f"transaction 4 comes before grant '{due.id}', which was due first at {at}"


def test_a_term_ends_as_its_subscription_says(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A change of plan where none waits, in the place of the allowance."""
    driver.row(ChangePlan(plan="basic"))
    clock.move(days=1)
    driver.run(Tick())

    def forged(r: Rows) -> Rows:
        place = next(place for place, row in enumerate(r) if row.kind == "allowance")
        row = r[place]
        detail = Detail(previous_plan="basic", subscription=row.read_detail().subscription, catalog_version=1)
        return [
            *r[:place],
            another(r[place - 1], "plan_change", detail=detail, created_at=row.created_at, plan="basic"),
        ]

    assert "comes before the plan's term, which was due first at" in told_of(sqlite_url, forged)
