"""A lane over a store, asked by hand: for tests of what the ledger keeps and loads.

Lives here: the catalog of these tests, stores over each database by URL, commands one by one or as one batch.
"""

from collections.abc import Callable

from sixpence.core.account.commands import Command, EnsureAccount, Key
from sixpence.core.account.hold import Hold
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import Catalog, FairUse, Feature, Plan, Rollover, Trial
from sixpence.ledger.database.engines import SQLiteFile, place_of
from sixpence.ledger.database.rows import hold_from_document
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.sqlite.memory import InMemoryStore, Memory
from sixpence.ledger.sqlite.store import SQLiteStore, system_clock
from sixpence.ledger.writer.batch import Accepted, Outcome, Request, asked_for
from sixpence.ledger.writer.lane import Lane
from sixpence.ledger.writer.store import Loaded, Store
from tests.ledger.databases import Database, rows

ADA = "ada@example.com"
CATALOG = Catalog(
    features={"sketch": Feature(1), "video": Feature(3)},
    plans={
        "free": Plan(signup_credits=6, overdraft=5),
        "basic": Plan(rank=1, allowance=10, period="day", rollover=Rollover(5, 2), overdraft=7, trial=Trial(1, 4)),
        "pro": Plan(rank=2, allowance=30, period="day", trial=Trial(2, 9)),
        "studio": Plan(rank=3, allowance=100, period="year", drip=True, rollover=Rollover(20)),
        "all": Plan(rank=5, unlimited=True, fair_use=FairUse(3, "hour")),
    },
    default_plan="free",
    grace_days=2,
)


class Till:
    """A lane over a store of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lane = Lane(store)

    def ask(self, *commands: Command, account_id: str = ADA, key: str | None = None) -> list[Outcome | None]:
        """The outcomes of commands for one account, asked as one batch."""
        named = None if key is None else Key(key, b"f")
        return self.lane.run([Request(account_id, command, named) for command in commands])

    def row(self, command: Command, account_id: str = ADA) -> Transaction:
        """The row of a command that has to be accepted."""
        (outcome,) = self.ask(command, account_id=account_id)
        assert isinstance(outcome, Accepted), outcome
        assert outcome.row is not None
        return outcome.row

    def loads(self, *commands: Command, account_id: str = ADA) -> Loaded:
        """What the store loads for a batch of these commands; nothing comes of them."""
        loaded = self.store.load(asked_for([Request(account_id, command) for command in commands], wait=True))
        self.store.abandon()
        return loaded


def open_till(url: Database, clock: Callable[[], int]) -> Till:
    """A till over the database, with the catalog of these tests and Ada's account of six credits."""
    ledger = Ledger(url, catalog=CATALOG, clock=clock)
    ledger.open()
    ledger.close()
    till = another_till(url, clock)
    till.row(EnsureAccount())
    return till


def another_till(url: Database, clock: Callable[[], int] | None) -> Till:
    """One more writer over the same database; without a clock it reads the database's."""
    if isinstance(url, Memory):
        return Till(InMemoryStore(url, clock=clock or system_clock))
    place = place_of(url)
    if isinstance(place, SQLiteFile):
        return Till(SQLiteStore(place.path, clock=clock or system_clock))
    return Till(PostgresStore(place.conninfo, clock=clock))


def said(outcomes: list[Outcome | None]) -> list[object]:
    """The kind and amount of each accepted row, or the code of an error."""
    return [
        (outcome.row.kind, outcome.row.amount)
        if isinstance(outcome, Accepted) and outcome.row is not None
        else getattr(outcome, "code", outcome)
        for outcome in outcomes
    ]


def kept_holds(url: Database) -> list[Hold]:
    """Every hold that stands in the database, in the order of their placing."""
    return [hold_from_document(document) for (document,) in rows(url, "SELECT document FROM credit_holds ORDER BY seq")]
