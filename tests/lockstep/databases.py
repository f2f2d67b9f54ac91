"""Databases that repeat a scenario: real ledgers on SQLite, PostgreSQL and in memory, with the core's commands.

Each step goes through the writer, with all its commands at once. Then the stored rows and accounts are compared with
the core's decisions.
"""

import asyncio
from collections.abc import Iterable

from msgspec.structs import replace
from sqlalchemy import Connection, Table, select

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Tick
from sixpence.core.account.hold import Hold
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import Catalog
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import AccountNotFoundError, IdempotencyConflictError
from sixpence.core.rules.decide import Decision
from sixpence.ledger.database import catalogs
from sixpence.ledger.database.engines import DatabaseAddress, PostgresServer
from sixpence.ledger.database.rows import hold_from_document, transaction_from_row
from sixpence.ledger.database.tables import credit_accounts, credit_holds, credit_transactions
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads.accounts import find_account
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.verify.verify import Report
from sixpence.ledger.writer.batch import Accepted, Request
from tests.ledger.databases import Database, run_verify
from tests.lockstep.commands import KeyedCommand
from tests.lockstep.comparing import agree
from tests.lockstep.pair import Pair, key_of
from tests.lockstep.scenario import Scenario, Step

Done = tuple[Pair, KeyedCommand, Decision | None]
Outcome = Accepted | RefusedError
# The tables that must be equal in all databases. The outbox is not: each database numbers it by itself.
_TABLES = (credit_accounts, credit_transactions, credit_holds)


class Follower:
    """One database with its ledger and clock; it compares each step's new rows."""

    def __init__(self, url: Database, scenario: Scenario) -> None:
        self.url = url
        self.clock = scenario.clock
        self.ledger = Ledger(url, catalog=scenario.priced_by.catalog, clock=lambda: self.clock)
        self.name = _name_of(self.ledger.address)
        self.ledger.open()
        self._seen: dict[str, int] = {}

    def follow(self, step: Step, done: list[Done]) -> None:
        """Run the step on the database, and compare every answer and everything stored."""
        self.clock = step.clock
        if step.catalog is not None:
            self._apply(step.catalog)
        outcomes = asyncio.run(self._submit([(pair, asked) for pair, asked, _ in done]))
        for (pair, asked, decision), outcome in zip(done, outcomes, strict=True):
            _compare(f"{self.name}: the answer to {asked}", pair, asked, decision, outcome)
        for pair in {id(pair): pair for pair, _, _ in done}.values():
            self._compare_stored(pair)

    def contents(self) -> dict[str, list[tuple[object, ...]]]:
        """Every byte of the accounts, the transactions and the holds."""

        def read(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
            return {table.name: _all(connection, table) for table in _TABLES}

        return self.ledger.read_and_wait(read)

    def close(self) -> None:
        """Close the database."""
        self.ledger.close()

    def prove(self) -> Report:
        """The report of `verify` with `decide`; it has to be clean."""
        report = run_verify(self.url, decide=True)
        agree(f"{self.name}: what verify finds", report.differences, [])
        return report

    def _apply(self, catalog: Catalog) -> None:
        self.ledger.write_and_wait(lambda connection: catalogs.apply(connection, catalog, now=self.clock))

    async def _submit(self, asked: Iterable[tuple[Pair, KeyedCommand]]) -> list[Outcome]:
        requests = [Request(pair.account_id, pair.command_of(one), key_of(one)) for pair, one in asked]
        return list(await asyncio.gather(*(self._outcome(request) for request in requests)))

    async def _outcome(self, request: Request) -> Outcome:
        try:
            return await self.ledger.submit(request)
        except RefusedError as refusal:
            return refusal

    def _compare_stored(self, pair: Pair) -> None:
        """Assert that the stored account, its holds and its new rows are the decided ones, byte for byte."""
        seen = self._seen.get(pair.account_id, 0)
        account, holds, rows = self.ledger.read_and_wait(lambda connection: _stored(connection, pair, seen))
        decided = pair.account
        if not decided.exists:
            agree(f"{self.name}: an account that was not made", account, None)
            return
        agree(f"{self.name}: the stored account", account, replace(decided, holds={}))
        agree(f"{self.name}: the stored holds", holds, decided.holds)
        agree(f"{self.name}: the stored rows", rows, pair.rows[seen:])
        self._seen[pair.account_id] = len(pair.rows)


def _name_of(place: DatabaseAddress | Memory) -> str:
    if isinstance(place, Memory):
        return "memory"
    return "PostgreSQL" if isinstance(place, PostgresServer) else "SQLite"


def _compare(what: str, pair: Pair, asked: KeyedCommand, decision: Decision | None, outcome: Outcome) -> None:
    if decision is None:
        assert asked.key is not None
        before = pair.keys[asked.key]
        if key_of(before) != key_of(asked):
            agree(what, outcome, IdempotencyConflictError(asked.key))
            return
        row = next(row for row in pair.rows if row.idempotency_key == asked.key)
        agree(what, (outcome.row, outcome.replayed) if isinstance(outcome, Accepted) else outcome, (row, True))
        return
    if isinstance(asked.command, Tick) and not decision.account.exists:
        # The ledger cannot lock an unknown account, and refuses; the core has nothing to do.
        agree(what, outcome, AccountNotFoundError(pair.account_id))
        return
    if decision.refusal is not None or not isinstance(outcome, Accepted):
        agree(what, outcome, decision.refusal)
        return
    agree(what, (outcome.row, outcome.replayed), (decision.row, False))
    agree(what, replace(outcome.account, holds={}), replace(decision.account, holds={}))


def _stored(connection: Connection, pair: Pair, seen: int) -> tuple[Account | None, dict[str, Hold], list[Transaction]]:
    number = pair.account.account_no
    of_account = credit_holds.c.account_no == number
    holds = [
        hold_from_document(row[0]) for row in connection.execute(select(credit_holds.c.document).where(of_account))
    ]
    columns = credit_transactions.c
    query = select(credit_transactions).where(columns.account_no == number, columns.seq > seen).order_by(columns.seq)
    rows = [transaction_from_row(row) for row in connection.execute(query)]
    return find_account(connection, pair.account_id), {hold.id: hold for hold in holds}, rows


def _all(connection: Connection, table: Table) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(select(table).order_by(*list(table.primary_key)))]
