"""How many times a batch on PostgreSQL goes to the server before it can be decided."""

from collections.abc import Iterator

import psycopg
import pytest

from sixpence.core.account.commands import CaptureHold, Command, Consume, Refund
from sixpence.core.values.instant import SECOND
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.postgres import batch, statements
from sixpence.ledger.postgres.pipeline import Pipeline
from sixpence.ledger.postgres.statements import Call, Row
from sixpence.ledger.writer.batch import Request, asked_for
from sixpence.service.blocking import SyncCreditService

ADA = "ada@example.com"


class CountedPipeline(Pipeline):
    """A pipeline that counts its round trips."""

    trips = 0

    def run(self, *calls: Call) -> list[list[Row]]:
        """Count the trip, and make it."""
        self.trips += 1
        return super().run(*calls)


class Batches:
    """Batches of one command, which are loaded and never written; an account with three holds is there."""

    def __init__(self, service: SyncCreditService, connection: psycopg.Connection) -> None:
        service.initialize_user_credits(ADA)
        self.holds = [service.place_hold(ADA, "video", ttl_seconds=60 * minutes).hold_id for minutes in (1, 2, 3)]
        self.use = service.consume_credit(ADA, "video").transaction.id
        self._connection = connection
        self._pipeline = CountedPipeline(connection)
        self._catalogs = CatalogCache()
        self.load(Consume(feature="video"))  # the first one of a connection reads the catalog

    def load(self, *commands: Command, later_seconds: int = 0) -> tuple[int, list[str]]:
        """How many trips it takes, and the holds that the account then has in memory, those that end first first."""
        before = self._pipeline.trips
        asked = asked_for([Request(ADA, command) for command in commands], wait=True)
        begin: list[Call] = [(statements.BEGIN, ())]
        now = self._connection.execute(statements.MOMENT.replace("$1", "'{}'")).fetchall()[0][0]
        loaded = batch.load(
            self._pipeline,
            asked,
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


def test_a_use_takes_one(batches: Batches) -> None:
    """A plain use has all it needs after the first, and reads no hold."""
    assert batches.load(Consume(feature="video")) == (1, [])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_capture_takes_one(batches: Batches, place: int) -> None:
    """The hold that is named is read with the lock, and of the others as many as tell when the next one ends."""
    trips, holds = batches.load(CaptureHold(hold_id=batches.holds[place]))

    assert (trips, set(holds)) == (1, {*batches.holds[:2], batches.holds[place]})


def test_a_capture_beside_holds_that_are_due_takes_two(batches: Batches) -> None:
    """What is due is known with the clock: however many these are, all are read then, and as many of the next ones."""
    assert batches.load(CaptureHold(hold_id=batches.holds[2]), later_seconds=150) == (2, batches.holds)


def test_a_use_of_an_account_with_a_hold_that_is_due_takes_two(batches: Batches) -> None:
    """Nobody named the hold; that it is due shows with the account."""
    assert batches.load(Consume(feature="video"), later_seconds=90) == (2, batches.holds)


def test_a_refund_takes_three(batches: Batches) -> None:
    """The transaction is read, and then the rows of the grants that it took from."""
    assert batches.load(Refund(transaction_id=batches.use))[0] == 3


def test_a_capture_of_what_is_no_hold_takes_one(batches: Batches) -> None:
    """An id that leads nowhere reads the next holds and nothing more."""
    trips, holds = batches.load(CaptureHold(hold_id=batches.use))

    assert (trips, holds) == (1, batches.holds[:2])
