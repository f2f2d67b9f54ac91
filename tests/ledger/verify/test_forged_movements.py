"""Forged movements that a row of their kind never has, or with the opposite sign: the audit finds each."""

from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest

from sixpence.core.account.commands import CaptureHold, Consume, GrantCredits, PlaceHold, Refund
from sixpence.core.account.movement import EFFECTS, Movement
from sixpence.core.account.transaction import Detail, GrantTerms, Kind, Revived, write_detail
from sixpence.core.audit.movements import MOVEMENTS
from sixpence.core.catalog.price import Usage
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import another, difference_after, next_row_id
from tests.ledger.writer.worker_driver import WorkerDriver, open_driver


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


def test_table_has_every_kind_and_movement() -> None:
    """A new kind must be added to it, and every movement belongs to a kind."""
    assert set(MOVEMENTS) == set(get_args(Kind))
    assert {movement for allowed in MOVEMENTS.values() for movement in allowed} == set(EFFECTS)


@pytest.mark.parametrize(("kind", "movement", "amount"), [("adjust", "expired", -6), ("expire", "voided", -6)])
def test_movement_of_another_kind_is_found(
    driver: WorkerDriver, sqlite_url: str, kind: Kind, movement: Movement, amount: int, clock: MovedClock
) -> None:
    """An adjustment that expires a grant, and an expiry that voids one."""
    given = driver.row(GrantCredits(amount=6, expires_at=clock() + 1_000_000))
    due_at = clock() + 1_000_000 if kind == "expire" else clock()

    difference = difference_after(
        sqlite_url, lambda r: [*r, another(r[-1], kind, (given.id, movement, amount), created_at=due_at)]
    )

    assert difference == f"transaction 3 is of the kind '{kind}' and moves what is '{movement}'"


def test_consume_that_grants_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A use that costs nothing and makes a grant."""
    terms = GrantTerms(9, "paid", clock())

    difference = difference_after(
        sqlite_url,
        lambda r: [
            *r,
            another(
                r[-1], "consume", (next_row_id(r[-1]), "granted", 9), detail=Detail(grant=terms), credits_consumed=0
            ),
        ],
    )

    assert difference == "transaction 2 is of the kind 'consume' and moves what is 'granted'"


def test_release_that_charges_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """The row of a release takes the held credits."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))

    difference = difference_after(
        sqlite_url,
        lambda r: [
            *r,
            another(
                r[-1],
                "release",
                (r[0].id, "captured", -1),
                detail=Detail(about=hold.id),
                feature_used="sketch",
                credits_consumed=1,
            ),
        ],
    )

    assert difference == "transaction 3 is of the kind 'release' and moves what is 'captured'"


def test_unknown_kind_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A row of a kind that no rule writes."""
    difference = difference_after(sqlite_url, lambda r: [*r, another(r[-1], "gift")])

    assert difference == "transaction 2 is of the unknown kind 'gift'"


def test_negative_consumption_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A use that refills one grant with credits of another."""
    driver.row(Consume(feature="sketch"))
    other = driver.row(GrantCredits(amount=2))

    difference = difference_after(
        sqlite_url,
        lambda r: [
            *r,
            another(
                r[-1],
                "consume",
                (r[0].id, "consumed", 1),
                (other.id, "consumed", -2),
                feature_used="sketch",
                credits_consumed=1,
            ),
        ],
    )

    assert difference == "transaction 4 moves 1 that is 'consumed', which goes the other way"


def test_second_granted_movement_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """An adjustment that restores a grant's spent credits."""
    driver.row(Consume(feature="sketch"))

    difference = difference_after(sqlite_url, lambda r: [*r, another(r[-1], "adjust", (r[0].id, "granted", 1))])

    assert difference.startswith("transaction 3 gives to grant '")
    assert difference.endswith("', which it does not make")


def test_grant_revived_by_an_adjustment_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """An adjustment that revives a spent grant."""
    given = driver.row(GrantCredits(amount=1, priority=1))
    driver.row(Consume(feature="sketch"))
    back = Detail(revived=(Revived(given.id, given.read_detail().grants[0]),))

    difference = difference_after(
        sqlite_url, lambda r: [*r, another(r[-1], "adjust", (given.id, "granted", 1), detail=back)]
    )

    assert difference == "transaction 4 gives back what was consumed and is no refund"


@pytest.mark.parametrize(
    ("purse", "amount", "difference"),
    [
        ("overdraft", 2, "transaction 3 pays 2 of what is owed out of nothing"),
        ("signup", -2, "transaction 3 pays -2 of what is owed out of nothing"),
    ],
)
def test_wrong_repayment_is_found(
    driver: WorkerDriver, sqlite_url: str, purse: str, amount: int, difference: str
) -> None:
    """A debt that disappears, and a grant that repays a debt without lowering it."""
    driver.row(Consume(feature="sketch", usage=Usage(units=8 if purse == "overdraft" else 2)))

    found = difference_after(
        sqlite_url,
        lambda r: [*r, another(r[-1], "adjust", (r[0].id if purse == "signup" else purse, "repaid", amount))],
    )

    assert found == difference


def test_capture_of_another_feature_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A hold for a sketch is captured as a video."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    driver.row(CaptureHold(hold_id=hold.id))

    difference = difference_after(sqlite_url, lambda r: [*r[:2], msgspec.structs.replace(r[2], feature_used="video")])

    assert difference == "transaction 3 names 'video', and its hold is for 'sketch'"


def test_capture_by_another_catalog_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """The row names another catalog than its hold."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    capture = driver.row(CaptureHold(hold_id=hold.id))
    said = write_detail(msgspec.structs.replace(capture.read_detail(), catalog_version=2))

    difference = difference_after(sqlite_url, lambda r: [*r[:2], msgspec.structs.replace(r[2], detail=said)])

    assert difference == "transaction 3 captures by catalog 2, and its hold was placed by 1"


def test_refund_of_another_feature_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """The refund of a sketch names a video."""
    use = driver.row(Consume(feature="sketch"))
    driver.row(Refund(transaction_id=use.id))

    difference = difference_after(sqlite_url, lambda r: [*r[:2], msgspec.structs.replace(r[2], feature_used="video")])

    assert difference == "transaction 3 names 'video', and what it refunds was 'sketch'"
