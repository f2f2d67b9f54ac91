"""Ledgers forged by movements that a row of their kind never carries, or that go the other way; found, and told."""

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
from tests.ledger.verify.forger import another, next_row_id, told_of
from tests.ledger.writer.worker_driver import WorkerDriver, open_driver


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


def test_every_kind_and_every_movement_stands_in_the_table() -> None:
    """A kind that is new must be placed in it, and no movement is left that no kind may carry."""
    assert set(MOVEMENTS) == set(get_args(Kind))
    assert {movement for allowed in MOVEMENTS.values() for movement in allowed} == set(EFFECTS)


@pytest.mark.parametrize(("kind", "movement", "amount"), [("adjust", "expired", -6), ("expire", "voided", -6)])
def test_a_row_carries_only_what_its_kind_does(
    driver: WorkerDriver, sqlite_url: str, kind: Kind, movement: Movement, amount: int, clock: MovedClock
) -> None:
    """A correction that lets a grant expire, and an end by time that voids one."""
    given = driver.row(GrantCredits(amount=6, expires_at=clock() + 1_000_000))
    due_at = clock() + 1_000_000 if kind == "expire" else clock()

    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], kind, (given.id, movement, amount), created_at=due_at)])

    assert told == f"transaction 3 is of the kind '{kind}' and moves what is '{movement}'"


def test_a_use_gives_nothing(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A use that costs nothing and makes a grant."""
    terms = GrantTerms(9, "paid", clock())

    told = told_of(
        sqlite_url,
        lambda r: [
            *r,
            another(
                r[-1], "consume", (next_row_id(r[-1]), "granted", 9), detail=Detail(grant=terms), credits_consumed=0
            ),
        ],
    )

    assert told == "transaction 2 is of the kind 'consume' and moves what is 'granted'"


def test_a_release_charges_nothing(driver: WorkerDriver, sqlite_url: str) -> None:
    """What a hold set aside is taken by the row that says it was given back."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))

    told = told_of(
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

    assert told == "transaction 3 is of the kind 'release' and moves what is 'captured'"


def test_a_kind_that_there_is_not(driver: WorkerDriver, sqlite_url: str) -> None:
    """A row of a kind that no rule writes."""
    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], "gift")])

    assert told == "transaction 2 is of the unknown kind 'gift'"


def test_nothing_is_consumed_backwards(driver: WorkerDriver, sqlite_url: str) -> None:
    """A use that fills one grant up again with what it takes from another."""
    driver.row(Consume(feature="sketch"))
    other = driver.row(GrantCredits(amount=2))

    told = told_of(
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

    assert told == "transaction 4 moves 1 that is 'consumed', which goes the other way"


def test_a_grant_is_given_once(driver: WorkerDriver, sqlite_url: str) -> None:
    """What was spent of a grant is there again by a correction that makes none."""
    driver.row(Consume(feature="sketch"))

    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], "adjust", (r[0].id, "granted", 1))])

    assert told.startswith("transaction 3 gives to grant '")
    assert told.endswith("', which it does not make")


def test_only_a_refund_brings_a_grant_back(driver: WorkerDriver, sqlite_url: str) -> None:
    """A grant that was spent whole lives again by a correction."""
    given = driver.row(GrantCredits(amount=1, priority=1))
    driver.row(Consume(feature="sketch"))
    back = Detail(revived=(Revived(given.id, given.read_detail().grants[0]),))

    told = told_of(sqlite_url, lambda r: [*r, another(r[-1], "adjust", (given.id, "granted", 1), detail=back)])

    assert told == "transaction 4 gives back what was consumed and is no refund"


@pytest.mark.parametrize(
    ("purse", "amount", "told"),
    [
        ("overdraft", 2, "transaction 3 pays 2 of what is owed out of nothing"),
        ("signup", -2, "transaction 3 pays -2 of what is owed out of nothing"),
    ],
)
def test_what_is_owed_is_paid_by_what_arrives(
    driver: WorkerDriver, sqlite_url: str, purse: str, amount: int, told: str
) -> None:
    """A debt that goes away by itself, and a grant that pays one and leaves it as it was."""
    driver.row(Consume(feature="sketch", usage=Usage(units=8 if purse == "overdraft" else 2)))

    found = told_of(
        sqlite_url,
        lambda r: [*r, another(r[-1], "adjust", (r[0].id if purse == "signup" else purse, "repaid", amount))],
    )

    assert found == told


def test_a_capture_is_for_the_feature_of_its_hold(driver: WorkerDriver, sqlite_url: str) -> None:
    """What was set aside for a sketch is charged as a video."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    driver.row(CaptureHold(hold_id=hold.id))

    told = told_of(sqlite_url, lambda r: [*r[:2], msgspec.structs.replace(r[2], feature_used="video")])

    assert told == "transaction 3 names 'video', and its hold is for 'sketch'"


def test_a_capture_is_priced_by_the_catalog_of_its_placing(driver: WorkerDriver, sqlite_url: str) -> None:
    """The row names another catalog than that by which its hold was placed."""
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    capture = driver.row(CaptureHold(hold_id=hold.id))
    said = write_detail(msgspec.structs.replace(capture.read_detail(), catalog_version=2))

    told = told_of(sqlite_url, lambda r: [*r[:2], msgspec.structs.replace(r[2], detail=said)])

    assert told == "transaction 3 captures by catalog 2, and its hold was placed by 1"


def test_a_refund_is_for_the_feature_that_was_used(driver: WorkerDriver, sqlite_url: str) -> None:
    """What a sketch had cost comes back as the price of a video."""
    use = driver.row(Consume(feature="sketch"))
    driver.row(Refund(transaction_id=use.id))

    told = told_of(sqlite_url, lambda r: [*r[:2], msgspec.structs.replace(r[2], feature_used="video")])

    assert told == "transaction 3 names 'video', and what it refunds was 'sketch'"
