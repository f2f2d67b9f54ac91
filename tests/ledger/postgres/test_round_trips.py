"""The number of round trips that a batch on PostgreSQL takes before its decision."""

from collections.abc import Iterator

import psycopg
import pytest

from sixpence.core.account.commands import CaptureHold, Command, Consume, Refund
from sixpence.core.values.instant import SECOND
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.postgres import batch, statements
from sixpence.ledger.postgres.pipeline import Pipeline
from sixpence.ledger.postgres.statements import Call, Row
from sixpence.ledger.writer.batch import Request, collect_needs
from sixpence.service.blocking import SyncCreditService

ADA = "ada@example.com"


class CountedPipeline(Pipeline):
    """A pipeline that counts its round trips."""

    trips = 0

    def run(self, *calls: Call) -> list[list[Row]]:
        """Count the trip, and run the calls."""
        self.trips += 1
        return super().run(*calls)


class Batches:
    """Batches of one command that are loaded and never written, on an account with three holds."""

    def __init__(self, service: SyncCreditService, connection: psycopg.Connection) -> None:
        service.initialize_user_credits(ADA)
        self.holds = [service.place_hold(ADA, "video", ttl_seconds=60 * minutes).hold_id for minutes in (1, 2, 3)]
        self.use = service.consume_credit(ADA, "video").transaction.id
        self._connection = connection
        self._pipeline = CountedPipeline(connection)
        self._catalogs = CatalogCache()
        self.load(Consume(feature="video"))  # the first one of a connection reads the catalog

    def load(self, *commands: Command, later_seconds: int = 0) -> tuple[int, list[str]]:
        """The number of trips, and the account's loaded holds by expiry."""
        before = self._pipeline.trips
        needs = collect_needs([Request(ADA, command) for command in commands], wait=True)
        begin: list[Call] = [(statements.BEGIN, ())]
        now = self._connection.execute(statements.CLOCK_AND_CATALOG.replace("$1", "'{}'")).fetchall()[0][0]
        loaded = batch.load(
            self._pipeline,
            needs,
            begin=begin,
            catalogs=self._catalogs,
            clock=lambda: now + later_seconds * SECOND,
        )
        self._connection.rollback()
        held = sorted(loaded.accounts[ADA].holds.values(), key=lambda hold: hold.terms.expires_at)
        return self._pipeline.trips - before, [hold.id for hold in held]


@pytest.fixture
def batches(migrated_postgres_url: str) -> Iterator[Batches]:
    """Batches on a database of their own."""
    with (
        SyncCreditService(migrated_postgres_url) as service,
        psycopg.connect(migrated_postgres_url, autocommit=True) as connection,
    ):
        yield Batches(service, connection)


def test_use_takes_one_round_trip(batches: Batches) -> None:
    """A plain use reads everything at once, and no hold."""
    assert batches.load(Consume(feature="video")) == (1, [])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_capture_takes_one_round_trip(batches: Batches, place: int) -> None:
    """The named hold is read with the lock, and the next open holds for `holds_due_at`."""
    trips, holds = batches.load(CaptureHold(hold_id=batches.holds[place]))

    assert (trips, set(holds)) == (1, {*batches.holds[:2], batches.holds[place]})


def test_capture_beside_due_holds_takes_two_round_trips(batches: Batches) -> None:
    """Due holds are known with the clock: all of them are read in a second trip, and the next ones."""
    assert batches.load(CaptureHold(hold_id=batches.holds[2]), later_seconds=150) == (2, batches.holds)


def test_use_with_a_due_hold_takes_two_round_trips(batches: Batches) -> None:
    """The account shows that a hold is due, although no command names it."""
    assert batches.load(Consume(feature="video"), later_seconds=90) == (2, batches.holds)


def test_refund_takes_three_round_trips(batches: Batches) -> None:
    """The transaction is read, and then the rows of the grants that it consumed from."""
    assert batches.load(Refund(transaction_id=batches.use))[0] == 3


def test_capture_of_an_unknown_hold_takes_one_round_trip(batches: Batches) -> None:
    """An unknown id reads the next holds and nothing more."""
    trips, holds = batches.load(CaptureHold(hold_id=batches.use))

    assert (trips, holds) == (1, batches.holds[:2])
