"""A worker over a store, driven by a test: commands one by one or as one batch, on each database by its URL.

It also has the catalog of these tests.
"""

from collections.abc import Callable

from sixpence.core.account.commands import Command, EnsureAccount, Key
from sixpence.core.account.hold import Hold
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import Catalog, FairUse, Feature, Plan, Rollover, Trial
from sixpence.ledger.database.engines import SQLiteFile, parse_database_url
from sixpence.ledger.database.rows import hold_from_document
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.sqlite.memory import InMemoryStore, Memory
from sixpence.ledger.sqlite.store import SQLiteStore, system_clock
from sixpence.ledger.writer.batch import Accepted, Outcome, Request, collect_needs
from sixpence.ledger.writer.store import Loaded, Store
from sixpence.ledger.writer.worker import BatchWorker
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


class WorkerDriver:
    """A worker over a store of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.worker = BatchWorker(store)

    def run(self, *commands: Command, account_id: str = ADA, key: str | None = None) -> list[Outcome | None]:
        """Run commands for one account as one batch, and return their outcomes."""
        named = None if key is None else Key(key, b"f")
        return self.worker.run([Request(account_id, command, named) for command in commands])

    def row(self, command: Command, account_id: str = ADA) -> Transaction:
        """Run a command that must be accepted, and return its row."""
        (outcome,) = self.run(command, account_id=account_id)
        assert isinstance(outcome, Accepted), outcome
        assert outcome.row is not None
        return outcome.row

    def loads(self, *commands: Command, account_id: str = ADA) -> Loaded:
        """Load the store for a batch of these commands and roll back; nothing is written."""
        loaded = self.store.load(collect_needs([Request(account_id, command) for command in commands], wait=True))
        self.store.roll_back()
        return loaded


def open_driver(url: Database, clock: Callable[[], int]) -> WorkerDriver:
    """A driver over the database, with the catalog of these tests and Ada's account of six credits."""
    ledger = Ledger(url, catalog=CATALOG, clock=clock)
    ledger.open()
    ledger.close()
    driver = reopen_driver(url, clock)
    driver.row(EnsureAccount())
    return driver


def reopen_driver(url: Database, clock: Callable[[], int] | None) -> WorkerDriver:
    """Another driver over the same database; without a clock it uses the database's."""
    if isinstance(url, Memory):
        return WorkerDriver(InMemoryStore(url, clock=clock or system_clock))
    place = parse_database_url(url)
    if isinstance(place, SQLiteFile):
        return WorkerDriver(SQLiteStore(place.path, clock=clock or system_clock))
    return WorkerDriver(PostgresStore(place.conninfo, clock=clock))


def summarize(outcomes: list[Outcome | None]) -> list[object]:
    """The kind and amount of each accepted row, or the code of an error."""
    return [
        (outcome.row.kind, outcome.row.amount)
        if isinstance(outcome, Accepted) and outcome.row is not None
        else getattr(outcome, "code", outcome)
        for outcome in outcomes
    ]


def stored_holds(url: Database) -> list[Hold]:
    """Every stored hold, in the order of placing."""
    return [hold_from_document(document) for (document,) in rows(url, "SELECT document FROM credit_holds ORDER BY seq")]
