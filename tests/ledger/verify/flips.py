"""Flips every byte in a ledger's rows: each value is replaced by one that differs in one byte, and then restored.

On a copy in memory, with the database's own checks turned off, as if the bytes on the disk had changed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from sixpence.ledger.database.engines import engine_on_connection
from sixpence.ledger.verify.verify import verify

TABLES = {
    "credit_transactions": ("account_no", "seq"),
    "credit_accounts": ("account_no",),
    "credit_holds": ("account_no", "seq"),
    "source_claims": ("source_key",),
    "catalog_versions": ("version",),
    "usage_daily": ("account_no", "day", "feature"),
}
# Columns in which some flips cannot be found, and why.
EXCEPTIONS = {
    ("credit_accounts", "label"): "no change of credits; the app may change it as it likes",
    ("credit_accounts", "metadata"): "the same; and erased on request",
    ("catalog_versions", "applied_at"): "a row says its catalog, and not since when that was in force",
    ("source_claims", "claimed_at"): "nobody reads it but a person; whose the event is says the grant",
}


class Flip(NamedTuple):
    """A value that replaces the stored one; `how` describes the change."""

    table: str
    column: str
    key: tuple[Any, ...]
    how: str
    there: Any
    instead: Any


class Flipped:
    """A copy of a SQLite file in memory, on which flips are tried one after another."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._engine = engine_on_connection(connection)

    def flips(self) -> Iterator[Flip]:
        """Every flip of every stored value, in the order of tables, rows and columns."""
        for table, keys in TABLES.items():
            cursor = self._connection.execute(f"SELECT * FROM {table} ORDER BY {', '.join(keys)}")
            columns = [name for name, *_ in cursor.description]
            for row in cursor.fetchall():
                named = dict(zip(columns, row, strict=True))
                key = tuple(named[name] for name in keys)
                for column, there in named.items():
                    for how, instead in _flipped(there):
                        yield Flip(table, column, key, how, there, instead)

    def differences(self) -> list[str]:
        """The differences that verify finds."""
        with self._engine.connect() as connection:
            return verify(connection).differences

    def is_found(self, flip: Flip) -> bool:
        """Whether verify finds the flip, or the database refuses it because two rows would have one key."""
        keys = TABLES[flip.table]
        moved = tuple(flip.instead if name == flip.column else part for name, part in zip(keys, flip.key, strict=True))
        try:
            self._put(flip, flip.key, flip.instead)
        except sqlite3.IntegrityError:
            return True
        try:
            return self.differences() != []
        finally:
            self._put(flip, moved, flip.there)

    def _put(self, flip: Flip, key: tuple[Any, ...], value: Any) -> None:
        where = " AND ".join(f"{name} = {_as(part)}" for name, part in zip(TABLES[flip.table], key, strict=True))
        statement = f"UPDATE {flip.table} SET {flip.column} = {_as(value)} WHERE {where}"
        done = self._connection.execute(statement, (_bound(value), *map(_bound, key)))
        assert done.rowcount == 1, flip


class Text(NamedTuple):
    """Bytes that are stored as text, valid or not."""

    data: bytes


@contextmanager
def flipped(path: str) -> Iterator[Flipped]:
    """A copy of the file at the path."""
    with closing(sqlite3.connect(path)) as file, closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        file.backup(copy)
        copy.execute("PRAGMA ignore_check_constraints = ON")
        yield Flipped(copy)


def _flipped(value: Any) -> Iterator[tuple[str, Any]]:
    """One flipped bit of each byte of a value, another letter for each byte of text, and a value for NULL."""
    if value is None:
        yield from (("0 for nothing", 0), ("text for nothing", Text(b"x")))
    elif isinstance(value, int):
        for place in range(8):
            yield f"byte {place}", _signed(value ^ 1 << 8 * place + place % 8)
        yield "nothing for a number", None
    elif isinstance(value, bytes):
        for place in range(len(value)):
            yield f"byte {place}", _with(value, place, value[place] ^ 1 << place % 8)
    else:
        data = value.encode()
        for place, byte in enumerate(data):
            yield f"byte {place}", Text(_with(data, place, byte ^ 1 << place % 8))
            yield f"letter {place}", Text(_with(data, place, ord("z") if byte != ord("z") else ord("y")))


def _with(data: bytes, place: int, byte: int) -> bytes:
    return data[:place] + bytes((byte,)) + data[place + 1 :]


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def _as(value: Any) -> str:
    return "CAST(? AS TEXT)" if isinstance(value, Text) else "?"


def _bound(value: Any) -> Any:
    return value.data if isinstance(value, Text) else value
