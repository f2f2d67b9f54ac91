"""Ledgers with a history: the core decides every row in memory, COPY writes them, and they are verified and stored.

Rows are on disk in the order of their time, as in a ledger that has grown: the rows of an account are not neighbours.
"""

import itertools
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import Connection, select

from bench.accounts import CREDITS, Filled, filled_postgres
from bench.persistent_server import PersistentServer, StoredDatabase
from bench.templates import PostgresTemplate, settle
from bench.verify_ledgers import verify_all
from sixpence.core.account.account import Account
from sixpence.core.account.commands import Command, Consume, EnsureAccount, GrantCredits, Key
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.catalogs import CatalogReader
from sixpence.ledger.database.migrate import steps
from sixpence.ledger.database.rows import ACCOUNT_COLUMNS, TRANSACTION_COLUMNS, account_to_row, transaction_to_row
from sixpence.ledger.database.tables import credit_accounts
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads.usage import SeqRange, add_usage

_PRIMARY_KEY = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = 'credit_transactions'::regclass AND contype = 'p'
"""
# The indexes that remain without the primary key.
_INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'credit_transactions'"
_DAYS = 90
_DAY = 24 * 3600 * 1_000_000
_PROGRESS_LINES = 10
_COUNTED_AT_ONCE = 1_000
# The disk space of a transaction with its share of the indexes.
BYTES_EACH = 500


class Past(msgspec.Struct, frozen=True):
    """What a ledger holds: the number of accounts, and of consumes of the first few of them, the same for each."""

    accounts: int
    transactions: int
    among: int

    @property
    def name(self) -> str:
        """The name that it is stored under; another schema makes another ledger."""
        return f"{self.accounts} accounts, {self.transactions} consumes among {self.among}, schema {steps()[-1]}"


def grown(server: PersistentServer, past: Past) -> Filled:
    """Return the ledger with this history; make and store it if it is missing."""
    stored = server.find(past.name)
    if stored is None:
        print(f"Making a ledger of {past.name}, once", flush=True)
        stored = _made(server, past)
        server.add(past.name, stored)
    return Filled(PostgresTemplate(server, server.url_of(stored.database)), stored.key, past.accounts)


def _made(server: PersistentServer, past: Past) -> StoredDatabase:
    filled = filled_postgres(server, 0)
    url, started = filled.template.url, time.monotonic()
    indexes = _without_indexes(url)
    shares = max(1, min(os.cpu_count() or 1, past.among))
    with ProcessPoolExecutor(shares, multiprocessing.get_context("spawn")) as processes:
        jobs = [processes.submit(_write, url, past, share, shares, time.time_ns() // 1000) for share in range(shares)]
        for job in jobs:
            job.result()
    print(f"  written after {time.monotonic() - started:,.0f} s; its indexes are made", flush=True)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in indexes:
            connection.execute(statement)
    _count_usage(url)
    settle(url)
    print(f"  ready after {time.monotonic() - started:,.0f} s; it is verified", flush=True)
    count = verify_all([url])
    print(f"  {count:,} transactions verified after {time.monotonic() - started:,.0f} s", flush=True)
    return StoredDatabase(url.rpartition("/")[2], filled.key)


def _count_usage(url: str) -> None:
    """Add the uses up by day, as a relay would have done by now."""
    ledger = Ledger(url)
    try:
        accounts = ledger.read_and_wait(_all_accounts)
        for first in range(0, len(accounts), _COUNTED_AT_ONCE):
            part = accounts[first : first + _COUNTED_AT_ONCE]
            ledger.write_and_wait(partial(_add_usage, part))
    finally:
        ledger.close()


def _all_accounts(connection: Connection) -> list[SeqRange]:
    query = select(credit_accounts.c.account_no, credit_accounts.c.seq)
    return [SeqRange(number, 1, seq) for number, seq in connection.execute(query)]


def _add_usage(spans: list[SeqRange], connection: Connection) -> None:
    add_usage(connection, spans)


def _without_indexes(url: str) -> list[bytes]:
    """Drop the transactions' indexes, which are faster to make at the end; return the statements for that."""
    table = sql.Identifier("credit_transactions")
    made: list[bytes] = []
    with psycopg.connect(url) as connection:
        for name, definition in connection.execute(_PRIMARY_KEY).fetchall():
            connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(name)))
            made.append(f"ALTER TABLE credit_transactions ADD {definition}".encode())
        for name, statement in connection.execute(_INDEXES).fetchall():
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
            made.append(str(statement).encode())
    return made


def _write(url: str, past: Past, share: int, shares: int, now: int) -> None:
    """The share of one process: every `shares`-th account, and its part of the consumes."""
    priced_by = _prices(url)
    names = [f"user_{number}" for number in range(share + 1, past.accounts + 1, shares)]
    accounts = [Account(account_no=account_no(name, 0), account_id=name) for name in names]
    among = len(range(share, past.among, shares))
    count = past.transactions * among // past.among
    with psycopg.connect(url) as connection:
        with connection.cursor().copy(_copy("credit_transactions", TRANSACTION_COLUMNS)) as copy:
            opened = _opened(accounts, priced_by, now - (_DAYS + 1) * _DAY)
            consumed = _consumed(accounts, among, count, priced_by, now - _DAYS * _DAY)
            interval = max(1, (2 * len(accounts) + count) // _PROGRESS_LINES)
            for number, row in enumerate(itertools.chain(opened, consumed), start=1):
                copy.write_row(transaction_to_row(row))
                if number % interval == 0:
                    print(
                        f"  process {share + 1} of {shares}: {number:,} of {_PROGRESS_LINES * interval:,}", flush=True
                    )
        with connection.cursor().copy(_copy("credit_accounts", ACCOUNT_COLUMNS)) as copy:
            for account in accounts:
                copy.write_row(msgspec.structs.astuple(account_to_row(account)))


def _opened(accounts: list[Account], priced_by: PricedBy, at: int) -> Iterator[Transaction]:
    """Open every account and grant it credits that do not run out, like the bench's other accounts."""
    for place in range(len(accounts)):
        for command in (EnsureAccount(), GrantCredits(amount=CREDITS)):
            yield from _decided(accounts, place, command, None, priced_by, at + place)


def _consumed(
    accounts: list[Account], among: int, count: int, priced_by: PricedBy, start: int
) -> Iterator[Transaction]:
    """Consumes in turn, evenly over the days."""
    command = Consume(feature="interior")
    between = (_DAYS * _DAY - _DAY) // max(1, count)
    for number in range(count):
        key = Key(f"past-{number}", bytes(32))
        yield from _decided(accounts, number % among, command, key, priced_by, start + number * between)


def _decided(
    accounts: list[Account], place: int, command: Command, key: Key | None, priced_by: PricedBy, at: int
) -> Sequence[Transaction]:
    """Return the rows of a command; replaces the account by the one after it."""
    decision = decide(accounts[place], command, clock=at, priced_by=priced_by, key=key)
    if decision.refusal is not None:
        raise RuntimeError(f"the past was refused: {decision.refusal!r}")
    accounts[place] = decision.account
    return decision.rows


def _prices(url: str) -> PricedBy:
    ledger = Ledger(url)
    try:
        return ledger.read_and_wait(lambda connection: CatalogReader().current(connection))
    finally:
        ledger.close()


def _copy(table: str, columns: Sequence[str]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
