"""What a batch reads and writes on PostgreSQL, as calls in their order; whose session runs them is another's business.

The writer's pipeline runs them, and a caller's own connection does: the same statements, the lock before whatever is
read under it. Every statement takes its rows as one JSON parameter.

Holds that commands name are read with the lock. Where commands name transactions, or holds are due, these are read in a
round trip of their own, and the grants of what is to be refunded in another; the grants that those stand for, and what
names a grant to be revoked (`revoked`), take one or two more where there are any.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.hold import Hold
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.database.account_numbers import load_by_id
from sixpence.ledger.database.catalogs import CatalogCache, VersionRow
from sixpence.ledger.database.rows import account_from_row, account_to_row, hold_from_document, transaction_from_row
from sixpence.ledger.postgres import statements
from sixpence.ledger.postgres.statements import Call, Row
from sixpence.ledger.writer.prefetch import OpenHolds, Place, ahead_of_the_lock, grants_of, needed, past_of, roots_of
from sixpence.ledger.writer.revoked_grants import Scan, read_revoked
from sixpence.ledger.writer.store import Append, Asked, Loaded


class Session(Protocol):
    """A session of a PostgreSQL server."""

    def run(self, *calls: Call) -> list[list[Row]]:
        """The rows of each call; raises for the first that failed, and runs none behind it."""


def load(
    session: Session,
    asked: Asked,
    *,
    begin: Sequence[Call],
    catalogs: CatalogCache,
    clock: Callable[[], int] | None,
) -> Loaded:
    """Begin, make, lock, and read the clock, the catalog's version and the keys; then what else the batch needs.

    `clock` takes the place of the server's own.
    """
    reading = _Reading(session, asked, begin)
    accounts = load_by_id(asked.account_ids, reading.locked)
    now = reading.clock if clock is None else clock()
    return Loaded(
        clock=now,
        priced_by=catalogs.current(reading.catalog_version, lambda above, up_to: _versions(session, above, up_to)),
        accounts=accounts,
        replays=reading.replays,
        busy=frozenset(reading.busy),
        broken=frozenset(reading.broken),
        past=reading.needed(accounts, now),
        permitted=reading.permitted,
    )


def writing(append: Append) -> list[Call]:
    """The calls that write a batch."""
    accounts = [account_to_row(account) for account in append.accounts]
    calls: list[Call] = [(statements.INSERT, (as_json(append.rows),))]
    if append.holds:
        calls.append((statements.KEEP_HOLDS, (as_json(append.holds),)))
    calls.append((statements.UPDATE, (as_json(accounts), str(len(accounts)))))
    if append.unmade:
        calls.append((statements.UNMAKE, (as_array(append.unmade),)))
    calls.append((statements.OUTBOX, (append.touched(), str(append.clock))))
    return calls


def as_json(values: Sequence[Any]) -> str:
    """Values as a statement takes its rows."""
    return msgspec.json.encode(values).decode()


def as_array(values: Sequence[int]) -> str:
    """An array of numbers as PostgreSQL writes it."""
    return f"{{{','.join(map(str, values))}}}"


def as_bytea(value: bytes) -> str:
    """Bytes as PostgreSQL writes them."""
    return f"\\x{value.hex()}"


class _Reading:
    """One batch being read. Locking is one round trip; there is a second one only where account numbers collide."""

    def __init__(self, session: Session, asked: Asked, begin: Sequence[Call]) -> None:
        self.clock = 0
        self.catalog_version: int | None = None
        self.replays: dict[tuple[str, str], Transaction] = {}
        self.busy: set[str] = set()
        self.broken: set[str] = set()
        self.permitted: frozenset[bytes] = frozenset()
        self._session = session
        self._asked = asked
        self._begin = begin
        self._begun = False
        # By account number: the holds that commands name there, and those that end next.
        self._ahead: dict[int, list[Hold]] = {}

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
        numbers = as_array(sorted(by_no))
        calls: list[Call] = [] if self._begun else [*self._begin]
        self._begun = True
        if made:
            calls.append((statements.MAKE, (as_json(made),)))
        calls.append((statements.LOCK if self._asked.wait else statements.LOCK_FREE, (numbers,)))
        calls.append((statements.MOMENT, (_as_byteas(self._asked.permits),)))
        ahead = ahead_of_the_lock(self._asked, numbers_by_id)
        calls += _held(ahead.open_holds, ahead.holds)
        if keys:
            calls.append((statements.KEYS, (as_json(keys),)))
        results = self._session.run(*calls)
        keyed = results.pop() if keys else []
        for _ in _held(ahead.open_holds, ahead.holds):
            self._keep(results.pop())
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
        calls = [*_held(self._not_ahead(wanted.open_holds), []), *_past(wanted.past)]
        results = self._session.run(*calls) if calls else []
        if calls and calls[0][0] == statements.OPEN_HOLDS:
            self._keep(results.pop(0))
        for account in accounts.values():
            for hold in self._ahead.get(account.account_no, ()):
                account.holds[hold.id] = hold
        rows = _transactions(results)
        rows += self._read_past(grants_of(self._asked, accounts, rows))
        rows += self._read_past(roots_of(rows))
        rows += read_revoked(self._asked, accounts, rows, self._rows_naming)
        return past_of(self._asked, accounts, rows)

    def _keep(self, rows: Sequence[Row]) -> None:
        for number, document in rows:
            self._ahead.setdefault(number, []).append(hold_from_document(document))

    def _not_ahead(self, wanted: Sequence[OpenHolds]) -> list[OpenHolds]:
        """Those of which not all were read with the lock, when it was not known what is due."""
        return [
            one
            for one in wanted
            if one.account_no not in self._ahead
            or any(hold.state == "open" and hold.terms.expires_at <= one.due_by for hold in self._ahead[one.account_no])
        ]

    def _read_past(self, places: Sequence[Place]) -> list[Transaction]:
        """These, read at once: a round trip of its own, where there is something to read."""
        return _transactions(self._session.run(*_past(places))) if places else []

    def _rows_naming(self, scans: Sequence[Scan]) -> list[Transaction]:
        """The transactions that have one of the words in their texts."""
        return _transactions(self._session.run((statements.NAMING, (as_json(scans),))))

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
        present = self._session.run((statements.PRESENT, (as_array(missing),)))[0] if missing else []
        self.busy.update(by_no[number] for (number,) in present if by_no[number] not in self.broken)


def _versions(session: Session, above: int, up_to: int) -> list[VersionRow]:
    found = session.run((statements.CATALOGS, (str(above), str(up_to))))[0]
    return [(version, applied_at, document) for version, applied_at, document in found]


def _held(open_holds: Sequence[OpenHolds], named: Sequence[Place]) -> list[Call]:
    """The calls for holds, which each give an account's number and a document."""
    calls: list[Call] = []
    if open_holds:
        calls.append((statements.OPEN_HOLDS, (as_json(open_holds),)))
    if named:
        calls.append((statements.HOLDS, (_places(named),)))
    return calls


def _past(places: Sequence[Place]) -> list[Call]:
    """The calls for the transactions in these places and those about them."""
    queries = (statements.PAST, statements.ABOUT) if places else ()
    return [(query, (_places(places),)) for query in queries]


def _transactions(results: Sequence[list[Row]]) -> list[Transaction]:
    return [transaction_from_row(row) for result in results for row in result]


def _places(places: Sequence[Place]) -> str:
    return as_json([{"account_no": number, "seq": seq} for number, seq in places])


def _as_byteas(values: Sequence[bytes]) -> str:
    """An array of bytes as PostgreSQL writes it."""
    quoted = (f'"{chr(92)}{as_bytea(value)}"' for value in values)
    return f"{{{','.join(quoted)}}}"
