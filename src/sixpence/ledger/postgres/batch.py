"""The reads and writes of a batch on PostgreSQL, as calls in their order.

The writer's pipeline and a caller's connection run the same statements, locking before they read. Every statement
takes its rows as one JSON parameter.

Named holds are read with the lock. Further round trips, only where they are needed: holds that are due and named
transactions; the grants of refunded transactions; the originals of replacement grants; one or two scans for a revoked
grant (`writer.revoked_grants`).

Not here: sessions (`pipeline`, `caller_transactions.postgres_session`) and errors (`errors`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.hold import Hold
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.database.account_numbers import load_by_id
from sixpence.ledger.database.catalogs import CatalogCache, VersionRow
from sixpence.ledger.database.rows import account_from_row, account_to_row, hold_from_document, transaction_from_row
from sixpence.ledger.postgres import statements
from sixpence.ledger.postgres.statements import Call, Row
from sixpence.ledger.writer.prefetch import (
    OpenHolds,
    RowKey,
    group_prior_transactions,
    prefetch_after_lock,
    prefetch_with_lock,
    replaced_grant_keys,
    source_grant_keys,
)
from sixpence.ledger.writer.revoked_grants import Scan, scan_revoked_grants
from sixpence.ledger.writer.store import Append, BatchNeeds, Loaded


class Session(Protocol):
    """A session of a PostgreSQL server."""

    def run(self, *calls: Call) -> list[list[Row]]:
        """Run the calls in order and return the rows of each; raises for a failed call, and skips those after it."""


def load(
    session: Session,
    needs: BatchNeeds,
    *,
    begin: Sequence[Call],
    catalogs: CatalogCache,
    clock: Callable[[], int] | None,
) -> Loaded:
    """Begin, create accounts, lock, and read the clock, the catalog's version and the keys; then prefetch.

    `clock` (microseconds) rekeys the server's.
    """
    reader = _BatchReader(session, needs, begin)
    accounts = load_by_id(needs.account_ids, reader.lock_accounts)
    now = reader.clock if clock is None else clock()
    return Loaded(
        clock=now,
        priced_by=catalogs.current(reader.catalog_version, lambda above, up_to: _versions(session, above, up_to)),
        accounts=accounts,
        replays=reader.replays,
        busy=frozenset(reader.busy),
        broken=frozenset(reader.broken),
        past=reader.prefetch(accounts, now),
        active_api_keys=reader.active_api_keys,
    )


def write_calls(append: Append) -> list[Call]:
    """The calls that write a batch."""
    accounts = [account_to_row(account) for account in append.accounts]
    calls: list[Call] = [(statements.INSERT_TRANSACTIONS, (to_json(append.rows),))]
    if append.holds:
        calls.append((statements.UPSERT_HOLDS, (to_json(append.holds),)))
    calls.append((statements.UPDATE_ACCOUNTS, (to_json(accounts), str(len(accounts)))))
    if append.unused_account_nos:
        calls.append((statements.DELETE_UNUSED_ACCOUNTS, (to_array(append.unused_account_nos),)))
    calls.append((statements.INSERT_OUTBOX, (append.to_outbox_document(), str(append.clock))))
    return calls


def to_json(values: Sequence[Any]) -> str:
    """Rows as a statement's JSON parameter."""
    return msgspec.json.encode(values).decode()


def to_array(values: Sequence[int]) -> str:
    """Numbers as the text of a PostgreSQL array."""
    return f"{{{','.join(map(str, values))}}}"


def to_bytea(value: bytes) -> str:
    """Bytes as the text of a PostgreSQL bytea."""
    return f"\\x{value.hex()}"


class _BatchReader:
    """Reads one batch. Locking takes one round trip, and a second one only where account numbers collide."""

    def __init__(self, session: Session, needs: BatchNeeds, begin: Sequence[Call]) -> None:
        self.clock = 0
        self.catalog_version: int | None = None
        self.replays: dict[tuple[str, str], Transaction] = {}
        self.busy: set[str] = set()
        self.broken: set[str] = set()
        self.active_api_keys: frozenset[bytes] = frozenset()
        self._session = session
        self._needs = needs
        self._begin = begin
        self._begun = False
        # By account number: the named holds, and the open holds that end next.
        self._holds_read: dict[int, list[Hold]] = {}

    def lock_accounts(self, by_no: Mapping[int, str]) -> dict[int, Account]:
        """Lock the accounts in the order of their numbers, then read the clock, the catalog's version and the keys."""
        numbers_by_id = {account_id: number for number, account_id in by_no.items()}
        keys = [
            {"account_no": numbers_by_id[account_id], "idempotency_key": key}
            for account_id, key in self._needs.keys
            if account_id in numbers_by_id
        ]
        create_ids = set(self._needs.create_ids)
        new = [{"account_no": number, "account_id": name} for number, name in by_no.items() if name in create_ids]
        numbers = to_array(sorted(by_no))
        calls: list[Call] = [] if self._begun else [*self._begin]
        self._begun = True
        if new:
            calls.append((statements.CREATE_ACCOUNTS, (to_json(new),)))
        calls.append((statements.LOCK_ACCOUNTS if self._needs.wait else statements.LOCK_FREE_ACCOUNTS, (numbers,)))
        calls.append((statements.CLOCK_AND_CATALOG, (_to_bytea_array(self._needs.api_key_hashes),)))
        prefetch = prefetch_with_lock(self._needs, numbers_by_id)
        calls += _hold_calls(prefetch.open_holds, prefetch.holds)
        if keys:
            calls.append((statements.TRANSACTIONS_BY_KEY, (to_json(keys),)))
        results = self._session.run(*calls)
        replays = results.pop() if keys else []
        for _ in _hold_calls(prefetch.open_holds, prefetch.holds):
            self._add_holds(results.pop())
        clock_and_catalog, locked = results.pop(), results.pop()
        self.clock, self.catalog_version, active = clock_and_catalog[0]
        self.active_api_keys = frozenset(active)
        for row in replays:
            transaction = transaction_from_row(row)
            self.replays[(transaction.account_id, str(transaction.idempotency_key))] = transaction
        found = self._to_accounts(locked)
        if not self._needs.wait:
            self._find_busy(by_no, found)
        return found

    def prefetch(self, accounts: Mapping[str, Account], clock: int) -> dict[str, PriorTransactions]:
        """Add the holds that the commands need to the locked accounts, and read the transactions that they name."""
        prefetch = prefetch_after_lock(self._needs, accounts, clock=clock)
        if not prefetch:
            return group_prior_transactions(self._needs, accounts, ())
        calls = [*_hold_calls(self._not_yet_read(prefetch.open_holds), []), *_transaction_calls(prefetch.past)]
        results = self._session.run(*calls) if calls else []
        if calls and calls[0][0] == statements.OPEN_HOLDS:
            self._add_holds(results.pop(0))
        for account in accounts.values():
            for hold in self._holds_read.get(account.account_no, ()):
                account.holds[hold.id] = hold
        rows = _to_transactions(results)
        rows += self._read_transactions(source_grant_keys(self._needs, accounts, rows))
        rows += self._read_transactions(replaced_grant_keys(rows))
        rows += scan_revoked_grants(self._needs, accounts, rows, self._scan_texts)
        return group_prior_transactions(self._needs, accounts, rows)

    def _add_holds(self, rows: Sequence[Row]) -> None:
        for number, document in rows:
            self._holds_read.setdefault(number, []).append(hold_from_document(document))

    def _not_yet_read(self, open_holds: Sequence[OpenHolds]) -> list[OpenHolds]:
        """The open holds to read after the lock: when the lock was taken, it was unknown which holds are due."""
        return [
            one
            for one in open_holds
            if one.account_no not in self._holds_read
            or any(
                hold.state == "open" and hold.terms.expires_at <= one.due_by
                for hold in self._holds_read[one.account_no]
            )
        ]

    def _read_transactions(self, keys: Sequence[RowKey]) -> list[Transaction]:
        """Read these transactions and those about them in one round trip; none for no keys."""
        return _to_transactions(self._session.run(*_transaction_calls(keys))) if keys else []

    def _scan_texts(self, scans: Sequence[Scan]) -> list[Transaction]:
        """The transactions that have one of the words in their texts."""
        return _to_transactions(self._session.run((statements.TRANSACTIONS_CONTAINING, (to_json(scans),))))

    def _to_accounts(self, rows: Sequence[Sequence[Any]]) -> dict[int, Account]:
        found = {}
        for row in rows:
            try:
                found[row[0]] = account_from_row(row)
            except BrokenLedgerError:
                self.broken.add(row[1])
        return found

    def _find_busy(self, by_no: Mapping[int, str], found: Mapping[int, Account]) -> None:
        missing = [number for number, account_id in by_no.items() if number not in found]
        present = self._session.run((statements.FIND_ACCOUNTS, (to_array(missing),)))[0] if missing else []
        self.busy.update(by_no[number] for (number,) in present if by_no[number] not in self.broken)


def _versions(session: Session, above: int, up_to: int) -> list[VersionRow]:
    found = session.run((statements.CATALOGS, (str(above), str(up_to))))[0]
    return [(version, applied_at, document) for version, applied_at, document in found]


def _hold_calls(open_holds: Sequence[OpenHolds], named: Sequence[RowKey]) -> list[Call]:
    """The calls that read holds; each returns account numbers and documents."""
    calls: list[Call] = []
    if open_holds:
        calls.append((statements.OPEN_HOLDS, (to_json(open_holds),)))
    if named:
        calls.append((statements.HOLDS_BY_SEQ, (_row_keys_json(named),)))
    return calls


def _transaction_calls(keys: Sequence[RowKey]) -> list[Call]:
    """The calls that read these transactions and those about them."""
    queries = (statements.TRANSACTIONS_BY_SEQ, statements.TRANSACTIONS_ABOUT) if keys else ()
    return [(query, (_row_keys_json(keys),)) for query in queries]


def _to_transactions(results: Sequence[list[Row]]) -> list[Transaction]:
    return [transaction_from_row(row) for result in results for row in result]


def _row_keys_json(keys: Sequence[RowKey]) -> str:
    return to_json([{"account_no": number, "seq": seq} for number, seq in keys])


def _to_bytea_array(values: Sequence[bytes]) -> str:
    """Bytes as the text of a PostgreSQL bytea array."""
    quoted = (f'"{chr(92)}{to_bytea(value)}"' for value in values)
    return f"{{{','.join(quoted)}}}"
