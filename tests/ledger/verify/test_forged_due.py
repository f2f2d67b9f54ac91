"""Forged due rows, in another order or of other grants, that add up: the audit finds each."""

from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import ChangePlan, GrantCredits, PlaceHold, Tick
from sixpence.core.account.transaction import Detail, Transaction
from sixpence.core.values.instant import DAY, SECOND
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import another, difference_after
from tests.ledger.writer.worker_driver import WorkerDriver, open_driver

Rows = list[Transaction]


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


def expiry(after: Transaction, grant_id: str, amount: int, at: int) -> Transaction:
    """The row of a grant's expiry at an instant."""
    return another(after, "expire", (grant_id, "expired", -amount), detail=Detail(about=grant_id), created_at=at)


def test_expiries_out_of_order_are_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """Two grants expire at once, and the later one's row comes first."""
    at = clock() + DAY
    first, second = (driver.row(GrantCredits(amount=2, expires_at=at)) for _ in range(2))

    def forged(r: Rows) -> Rows:
        ended = expiry(r[-1], second.id, 2, at)
        return [*r, ended, expiry(ended, first.id, 2, at)]

    assert (
        difference_after(sqlite_url, forged)
        == f"transaction 4 comes before grant '{first.id}', which was due first at {at}"
    )


def test_expiry_of_another_grant_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """The expiry of another grant, at an instant at which one is due."""
    at = clock() + DAY
    due = driver.row(GrantCredits(amount=2, expires_at=at))
    lasting = driver.row(GrantCredits(amount=2, expires_at=at + DAY))

    difference = difference_after(sqlite_url, lambda r: [*r, expiry(r[-1], lasting.id, 2, at)])

    assert difference == f"transaction 4 comes before grant '{due.id}', which was due first at {at}"


def test_grant_expiry_before_a_hold_timeout_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """Both are due at one instant, and the hold must time out first."""
    at = clock() + 60 * SECOND
    given = driver.row(GrantCredits(amount=2, expires_at=at))
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60, amount=1))

    difference = difference_after(sqlite_url, lambda r: [*r, expiry(r[-1], given.id, 1, at)])

    assert difference == f"transaction 4 comes before hold '{hold.id}', which was due first at {at}"


def test_early_effect_of_a_grant_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A grant that is effective a day later, at the instant of another one."""
    at = clock() + DAY
    due, later = (driver.row(GrantCredits(amount=2, effective_at=when)) for when in (at, at + DAY))

    difference = difference_after(
        sqlite_url, lambda r: [*r, another(r[-1], "take_effect", (later.id, "took_effect", 2), created_at=at)]
    )

    assert difference == f"transaction 4 comes before grant '{due.id}', which was due first at {at}"


def test_unscheduled_plan_change_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A change of plan that is not scheduled, instead of the allowance."""
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

    assert "comes before the plan's term, which was due first at" in difference_after(sqlite_url, forged)
