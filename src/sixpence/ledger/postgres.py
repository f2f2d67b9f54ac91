"""The store over PostgreSQL: a batch is two round trips of one pipeline, locked first and read in later statements.

Where commands name holds or transactions, or holds are due, these are read in a round trip between the two, and the
grants of what is to be refunded in another; the grants that those stand for, and what names a grant to be revoked
(`revoked`), take one or two more where there are any.

Under READ COMMITTED the locked row comes back fresh, and each later statement sees what the awaited session committed.
Every statement takes its rows as one JSON parameter.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from sixpence.core.account import Account
from sixpence.core.errors import BrokenLedgerError, DatabaseSetupError, DatabaseUnavailableError
from sixpence.core.past import Past
from sixpence.core.transaction import Transaction
from sixpence.ledger import statements
from sixpence.ledger.catalogs import CatalogCache, VersionRow
from sixpence.ledger.keyed import load_by_id
from sixpence.ledger.needed import Place, grants_of, needed, past_of, roots_of
from sixpence.ledger.pipeline import Call, Pipeline, Row
from sixpence.ledger.revoked import Scan, read_revoked
from sixpence.ledger.rows import account_from_row, account_to_row, hold_from_document, transaction_from_row
from sixpence.ledger.store import (
    Append,
    Asked,
    ConnectionLostError,
    ContendedError,
    Loaded,
    LockWaitError,
    RowRejectedError,
)

# How long a batch waits for an account that another session holds before it goes on without it.
LOCK_WAIT = "50ms"

# The writer knows its plans: an index look-up for each row, whatever the statistics of a young table say.
_SESSION = " ".join(
    f"-c {setting}"
    for setting in (
        f"lock_timeout={LOCK_WAIT}",
        "enable_seqscan=off",
        "enable_hashjoin=off",
        "enable_mergejoin=off",
        "jit=off",
        "application_name=sixpence-writer",
    )
)


def connect(conninfo: str, *, unsafe_durability: bool = False) -> psycopg.Connection:
    """A connection that writes; raises `DatabaseSetupError` when the server would acknowledge before it is durable."""
    # Options of the caller's own, such as a schema to work in, stand before ours.
    options = f"{conninfo_to_dict(conninfo).get('options') or ''} {_SESSION}"
    connection = psycopg.connect(
        conninfo, autocommit=True, connect_timeout=3, options=options, tcp_user_timeout=10_000, keepalives_idle=10
    )
    unsafe = [name for name in ("fsync", "synchronous_commit") if _setting(connection, name) == "off"]
    if unsafe and not unsafe_durability:
        connection.close()
        problem = f"PostgreSQL runs with {' and '.join(unsafe)} off: it acknowledges what a crash can lose."
        raise DatabaseSetupError(problem, "Turn it on, or set SIXPENCE_UNSAFE_DURABILITY=yes to accept that.")
    return connection


class PostgresStore:
    """A batch on PostgreSQL. `clock` takes the place of the server's own clock where a caller moves time."""

    def __init__(
        self, conninfo: str, *, clock: Callable[[], int] | None = None, unsafe_durability: bool = False
    ) -> None:
        self._conninfo = conninfo
        self._clock = clock
        self._unsafe_durability = unsafe_durability
        self._catalogs = CatalogCache()
        self._connection: psycopg.Connection | None = None
        self._pipeline: Pipeline | None = None

    def check(self) -> None:
        """Connect now, so that a server that cannot be trusted is refused at the start."""
        try:
            self._open()
        except psycopg.Error as error:
            raise DatabaseUnavailableError from error

    def load(self, asked: Asked) -> Loaded:
        """Begin, make, lock, and read the clock, the catalog's version and the keys: one round trip."""
        try:
            return self._load(asked)
        except (errors.LockNotAvailable, errors.QueryCanceled) as error:
            raise LockWaitError(str(error)) from error
        except (errors.DeadlockDetected, errors.SerializationFailure) as error:
            raise ContendedError(str(error)) from error
        except psycopg.Error as error:
            raise ConnectionLostError(str(error)) from error

    def append(self, append: Append) -> None:
        """Write the batch and commit it: one round trip."""
        accounts = [account_to_row(account) for account in append.accounts]
        calls: list[Call] = [(statements.INSERT, (_json(append.rows),))]
        if append.holds:
            calls.append((statements.KEEP_HOLDS, (_json(append.holds),)))
        calls.append((statements.UPDATE, (_json(accounts), str(len(accounts)))))
        if append.unmade:
            calls.append((statements.UNMAKE, (_numbers(append.unmade),)))
        calls.append((statements.OUTBOX, (append.touched(), str(append.clock))))
        calls.append((statements.COMMIT, ()))
        try:
            self._open().run(*calls)
        except (errors.DeadlockDetected, errors.SerializationFailure) as error:
            raise ContendedError(str(error)) from error
        except (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError) as error:
            raise RowRejectedError(str(error)) from error
        except psycopg.Error as error:
            raise ConnectionLostError(str(error)) from error

    def abandon(self) -> None:
        """Undo what was begun; a connection that cannot even do that is given up."""
        if self._connection is not None:
            try:
                self._connection.rollback()
            except psycopg.Error:
                self.close()

    def was_committed(self, row: Transaction) -> bool:
        """Lock the account again on a new connection, which waits for the old transaction to end, and look.

        An account that the old transaction made cannot be seen and so not be locked: making it again waits for it too.
        """
        self.close()
        made = [{"account_no": row.account_no, "account_id": row.account_id}]
        try:
            *_, found, _ = self._open().run(
                (statements.BEGIN, ()),
                (statements.SETTLE_PATIENTLY, ()),
                (statements.MAKE, (_json(made),)),
                (statements.LOCK, (_numbers([row.account_no]),)),
                (statements.COMMITTED, (str(row.account_no), str(row.seq), _bytea(row.hash))),
                (statements.ROLLBACK, ()),
            )
        except psycopg.Error as error:
            raise ConnectionLostError(str(error)) from error
        return bool(found)

    def close(self) -> None:
        """Close the connection; the server undoes what was not committed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._pipeline = None

    def _open(self) -> Pipeline:
        if self._connection is None or self._pipeline is None or self._connection.closed:
            self._connection = connect(self._conninfo, unsafe_durability=self._unsafe_durability)
            self._pipeline = Pipeline(self._connection)
        return self._pipeline

    def _load(self, asked: Asked) -> Loaded:
        pipeline = self._open()
        reading = _Reading(pipeline, asked)
        accounts = load_by_id(asked.account_ids, reading.locked)
        clock = reading.clock if self._clock is None else self._clock()
        return Loaded(
            clock=clock,
            priced_by=self._catalogs.current(
                reading.catalog_version,
                lambda above, up_to: _versions(pipeline, above, up_to),
            ),
            accounts=accounts,
            replays=reading.replays,
            busy=frozenset(reading.busy),
            broken=frozenset(reading.broken),
            past=reading.needed(accounts, clock),
            permitted=reading.permitted,
        )


class _Reading:
    """One batch being read. Locking is one round trip; there is a second one only where account numbers collide."""

    def __init__(self, pipeline: Pipeline, asked: Asked) -> None:
        self.clock = 0
        self.catalog_version: int | None = None
        self.replays: dict[tuple[str, str], Transaction] = {}
        self.busy: set[str] = set()
        self.broken: set[str] = set()
        self.permitted: frozenset[bytes] = frozenset()
        self._pipeline = pipeline
        self._asked = asked
        self._begun = False

    def locked(self, by_no: Mapping[int, str]) -> dict[int, Account]:
        """The accounts of these numbers, locked in their order; after the lock the clock, the version and the keys."""
        numbers_by_id = {account_id: number for number, account_id in by_no.items()}
        keys = [
            {"account_no": numbers_by_id[account_id], "idempotency_key": key}
            for account_id, key in self._asked.keys
            if account_id in numbers_by_id
        ]
        making = set(self._asked.making)
        made = [{"account_no": number, "account_id": name} for number, name in by_no.items() if name in making]
        numbers = _numbers(sorted(by_no))
        calls: list[Call] = [] if self._begun else self._begin()
        self._begun = True
        if made:
            calls.append((statements.MAKE, (_json(made),)))
        calls.append((statements.LOCK if self._asked.wait else statements.LOCK_FREE, (numbers,)))
        calls.append((statements.MOMENT, (_byteas(self._asked.permits),)))
        if keys:
            calls.append((statements.KEYS, (_json(keys),)))
        results = self._pipeline.run(*calls)
        keyed = results.pop() if keys else []
        moment, locked = results.pop(), results.pop()
        self.clock, self.catalog_version, permitted = moment[0]
        self.permitted = frozenset(permitted)
        for row in keyed:
            transaction = transaction_from_row(row)
            self.replays[(transaction.account_id, str(transaction.idempotency_key))] = transaction
        found = self._accounts(locked)
        if not self._asked.wait:
            self._find_busy(by_no, found)
        return found

    def needed(self, accounts: Mapping[str, Account], clock: int) -> dict[str, Past]:
        """Give the locked accounts the holds that the commands need, and read the past that they name."""
        wanted = needed(self._asked, accounts, clock=clock)
        if not wanted:
            return past_of(self._asked, accounts, ())
        calls: list[Call] = []
        if wanted.open_holds:
            calls.append((statements.OPEN_HOLDS, (_json(wanted.open_holds),)))
        if wanted.holds:
            calls.append((statements.HOLDS, (_places(wanted.holds),)))
        held = len(calls)
        results = self._pipeline.run(*calls, *_past(wanted.past))
        by_no = {account.account_no: account for account in accounts.values()}
        for number, document in (row for result in results[:held] for row in result):
            hold = hold_from_document(document)
            by_no[number].holds[hold.id] = hold
        rows = _transactions(results[held:])
        rows += self._read_past(grants_of(self._asked, accounts, rows))
        rows += self._read_past(roots_of(rows))
        rows += read_revoked(self._asked, accounts, rows, self._rows_naming)
        return past_of(self._asked, accounts, rows)

    def _read_past(self, places: Sequence[Place]) -> list[Transaction]:
        """These, read at once: a round trip of its own, where there is something to read."""
        return _transactions(self._pipeline.run(*_past(places))) if places else []

    def _rows_naming(self, scans: Sequence[Scan]) -> list[Transaction]:
        """The transactions that have one of the words in their texts."""
        return _transactions(self._pipeline.run((statements.NAMING, (_json(scans),))))

    def _begin(self) -> list[Call]:
        begin: list[Call] = [(statements.BEGIN, ())]
        return begin if self._asked.wait else [*begin, (statements.LOCK_BRIEFLY, ())]

    def _accounts(self, rows: Sequence[Sequence[Any]]) -> dict[int, Account]:
        found = {}
        for row in rows:
            try:
                found[row[0]] = account_from_row(row)
            except BrokenLedgerError:
                self.broken.add(row[1])
        return found

    def _find_busy(self, by_no: Mapping[int, str], found: Mapping[int, Account]) -> None:
        missing = [number for number, account_id in by_no.items() if number not in found]
        present = self._pipeline.run((statements.PRESENT, (_numbers(missing),)))[0] if missing else []
        self.busy.update(by_no[number] for (number,) in present if by_no[number] not in self.broken)


def _setting(connection: psycopg.Connection, name: str) -> str:
    return str(connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchall()[0][0])


def _versions(pipeline: Pipeline, above: int, up_to: int) -> list[VersionRow]:
    found = pipeline.run((statements.CATALOGS, (str(above), str(up_to))))[0]
    return [(version, applied_at, document) for version, applied_at, document in found]


def _past(places: Sequence[Place]) -> list[Call]:
    """The calls for the transactions in these places and those about them."""
    queries = (statements.PAST, statements.ABOUT) if places else ()
    return [(query, (_places(places),)) for query in queries]


def _transactions(results: Sequence[list[Row]]) -> list[Transaction]:
    return [transaction_from_row(row) for result in results for row in result]


def _places(places: Sequence[Place]) -> str:
    return _json([{"account_no": number, "seq": seq} for number, seq in places])


def _json(values: Sequence[Any]) -> str:
    return msgspec.json.encode(values).decode()


def _numbers(numbers: Sequence[int]) -> str:
    """An array of numbers as PostgreSQL writes it."""
    return f"{{{','.join(map(str, numbers))}}}"


def _byteas(values: Sequence[bytes]) -> str:
    """An array of bytes as PostgreSQL writes it."""
    quoted = (f'"{chr(92)}{_bytea(value)}"' for value in values)
    return f"{{{','.join(quoted)}}}"


def _bytea(value: bytes) -> str:
    return f"\\x{value.hex()}"
