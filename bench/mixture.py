"""Ledgers of random account histories, decided by the core and written in bulk: mostly uses, some of every other kind.

Of a hundred rows about 78 are uses, 9 holds and 9 what ends them, 2 refunds, 2 grants and their expiries. Not here:
ledgers whose rows are in the order of years of use (`growth`).
"""

import random
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from sixpence.core.account.account import Account
from sixpence.core.account.commands import (
    CaptureHold,
    Command,
    Consume,
    EnsureAccount,
    GrantCredits,
    Key,
    PlaceHold,
    Refund,
    ReleaseHold,
)
from sixpence.core.account.hold import Hold
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, PricedBy
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import DAY, SECOND
from sixpence.ledger.database.engines import SQLiteFile, parse_database_url
from sixpence.ledger.database.rows import (
    ACCOUNT_COLUMNS,
    HOLD_COLUMNS,
    TRANSACTION_COLUMNS,
    account_to_row,
    hold_to_row,
    transaction_to_row,
)
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads import usage
from sixpence.ledger.reads.usage import SeqRange

_START = 1_767_225_600_000_000
_CREDITS = 1_000_000_000
_BETWEEN_SECONDS = 900
_FEATURES = tuple(DEFAULT_CATALOG.features)


class Life:
    """One account: the core decides each command on the account after the one before."""

    def __init__(self, name: str, dice: random.Random) -> None:
        self.account = Account(account_no=account_no(name), account_id=name)
        self.ended: list[Hold] = []
        self._dice = dice
        self._now = _START + dice.randrange(DAY)
        self._priced_by = PricedBy(1, DEFAULT_CATALOG, _START - DAY)
        self._uses: deque[Transaction] = deque(maxlen=50)
        self._given: dict[int, Transaction] = {}
        self._refunding: Transaction | None = None
        self._number = 0

    def rows(self, count: int) -> Iterator[Transaction]:
        """Yield about `count` rows."""
        yield from self._run(EnsureAccount())
        yield from self._run(GrantCredits(amount=_CREDITS))
        while self.account.seq < count:
            yield from self._run(self._next())

    def _next(self) -> Command:
        dice, feature = self._dice, self._dice.choice(_FEATURES)
        drawn = dice.random()
        hold = self.account.holds.earliest()
        lasts = hold is not None and hold.terms.expires_at > self._now + 2 * _BETWEEN_SECONDS * SECOND
        if hold is not None and lasts and dice.random() < 0.3:
            return ReleaseHold(hold_id=hold.id) if drawn < 0.2 else CaptureHold(hold_id=hold.id, amount=1)
        if drawn < 0.1:
            return PlaceHold(feature=feature, ttl_seconds=6 * 3_600, amount=2)
        if drawn < 0.12 and self._uses:
            self._refunding = self._uses.pop()
            return Refund(transaction_id=self._refunding.id)
        if drawn < 0.14:
            return GrantCredits(amount=40, category="promo", expires_at=self._now + DAY // 4)
        return Consume(feature=feature, generation_id=f"gen-{self.account.seq}", metadata='{"model":"m-1","seed":42}')

    def _run(self, command: Command) -> Sequence[Transaction]:
        self._now += self._dice.randrange(2 * _BETWEEN_SECONDS) * SECOND
        self._number += 1
        key = Key(f"request-{self._number}", bytes(32))
        decision = decide(
            self.account, command, clock=self._now, priced_by=self._priced_by, key=key, prior=self._past(command)
        )
        if decision.refusal is not None:
            raise RuntimeError(f"the command was refused: {decision.refusal!r}")
        self.account = decision.account
        over = [hold for hold in self.account.holds.values() if hold.state != "open"]
        self.ended += over
        for hold in over:
            del self.account.holds[hold.id]
        for row in decision.rows:
            if row.kind in ("consume", "capture") and row.credits_consumed:
                self._uses.append(row)
            if row.read_detail().grants:
                self._given[row.seq] = row
        return decision.rows

    def _past(self, command: Command) -> PriorTransactions:
        if not isinstance(command, Refund):
            return PriorTransactions()
        assert self._refunding is not None
        return PriorTransactions().with_rows([*self._given.values(), self._refunding])


def write_lives(url: str, *, accounts: int, rows_each: int, seed: int = 1) -> int:
    """Fill the empty database at the URL with `accounts` histories, all relayed; returns the number of rows."""
    dice = random.Random(seed)
    ledger = Ledger(url, clock=lambda: _START - DAY)
    ledger.open()
    lives = [Life(f"user_{number}", dice) for number in range(1, accounts + 1)]
    writer = _SQLiteWriter if isinstance(parse_database_url(url), SQLiteFile) else _PostgresWriter
    count = writer(url).write(lives, rows_each)
    spans = [SeqRange(life.account.account_no, 1, life.account.seq) for life in lives]
    ledger.write_and_wait(lambda connection: usage.add_usage(connection, spans))
    ledger.close()
    return count


class _SQLiteWriter:
    """Writes account histories into a file."""

    def __init__(self, url: str) -> None:
        self._path = url.removeprefix("sqlite:///")

    def write(self, lives: Sequence[Life], rows_each: int) -> int:
        """Write row by row in one transaction; returns the number of rows."""
        with sqlite3.connect(self._path) as connection:
            for life in lives:
                rows = map(transaction_to_row, life.rows(rows_each))
                connection.executemany(_insert("credit_transactions", TRANSACTION_COLUMNS), rows)
                connection.executemany(_insert("credit_holds", HOLD_COLUMNS), _holds(life))
                account = msgspec.structs.astuple(account_to_row(life.account))
                connection.execute(_insert("credit_accounts", ACCOUNT_COLUMNS), account)
        return sum(life.account.seq for life in lives)


class _PostgresWriter:
    """Writes account histories into a PostgreSQL database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def write(self, lives: Sequence[Life], rows_each: int) -> int:
        """Write by COPY in one transaction; returns the number of rows."""
        with psycopg.connect(self._url) as connection:
            for life in lives:
                rows = map(transaction_to_row, life.rows(rows_each))
                _copy(connection, "credit_transactions", TRANSACTION_COLUMNS, rows)
                _copy(connection, "credit_holds", HOLD_COLUMNS, _holds(life))
                account = msgspec.structs.astuple(account_to_row(life.account))
                _copy(connection, "credit_accounts", ACCOUNT_COLUMNS, iter((account,)))
        return sum(life.account.seq for life in lives)


def _holds(life: Life) -> Iterator[tuple[Any, ...]]:
    for hold in (*life.ended, *life.account.holds.values()):
        yield msgspec.structs.astuple(hold_to_row(life.account.account_no, hold))


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _copy(
    connection: "psycopg.Connection[Any]", table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
