"""The port between the writer and a database: load a batch under its locks, append, commit.

SQLite and PostgreSQL implement `Store`; one thread uses a store. A `StoreError` never leaves the ledger: a worker
retries, or answers with the refusal from `to_refusal`.
"""

import logging
from collections.abc import Mapping
from typing import Protocol

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.errors import AccountBusyError, CreditSystemError, DatabaseUnavailableError, InternalError
from sixpence.ledger.database.rows import HoldRow

_log = logging.getLogger(__name__)


class BatchNeeds(msgspec.Struct, frozen=True):
    """What a batch has to load: its accounts, their keys, and the rows that its commands name.

    `create_ids` are accounts to create where they are missing. `wait` is False to skip locked accounts at once instead
    of waiting for them briefly. `commands` counts the commands of each account. `holds`, `refunded` and `voided` are
    pairs of an account's id and the id of a hold, a transaction or a grant. `revoked` are the voided grants for which
    every use must be known. `api_key_hashes` are the hashes of the API keys that the commands came with.
    """

    account_ids: tuple[str, ...]
    create_ids: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    wait: bool = True
    commands: Mapping[str, int] = {}
    holds: tuple[tuple[str, str], ...] = ()
    refunded: tuple[tuple[str, str], ...] = ()
    voided: tuple[tuple[str, str], ...] = ()
    revoked: tuple[tuple[str, str], ...] = ()
    api_key_hashes: tuple[bytes, ...] = ()


class Loaded(msgspec.Struct, frozen=True):
    """A batch's state, read under its locks: an account that is missing here does not exist, or is `busy` or `broken`.

    The accounts have the holds that their commands may need, and `past` the earlier transactions (see `prefetch`).
    `active_api_keys` are the hashes of API keys that were not revoked.
    """

    clock: int
    priced_by: PricedBy
    accounts: dict[str, Account]
    replays: dict[tuple[str, str], Transaction]
    busy: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    past: dict[str, PriorTransactions] = {}
    active_api_keys: frozenset[bytes] = frozenset()


class Append(msgspec.Struct, frozen=True):
    """A batch's writes: rows in order, the accounts after them, and new or changed holds, each once.

    `unused_account_nos` are accounts that the batch created and that got no row; they are deleted.
    """

    rows: list[Transaction]
    accounts: list[Account]
    unused_account_nos: list[int]
    clock: int
    holds: list[HoldRow] = []

    def to_outbox_document(self) -> str:
        """The outbox's document: [account id, first seq, last seq] of every account with rows."""
        ranges: dict[str, list[int]] = {}
        for row in self.rows:
            ranges.setdefault(row.account_id, [row.seq, row.seq])[1] = row.seq
        return msgspec.json.encode([[account_id, *seqs] for account_id, seqs in ranges.items()]).decode()


class Store(Protocol):
    """The database of one worker. Each method may raise a `StoreError`."""

    def load(self, needs: BatchNeeds) -> Loaded:
        """Begin, create missing accounts, lock in key order, then read the rest in later statements."""

    def append(self, append: Append) -> None:
        """Write and commit; returns only when the commit is durable."""

    def roll_back(self) -> None:
        """Roll back an open transaction; does nothing without one."""

    def was_committed(self, row: Transaction) -> bool:
        """Whether the batch with this first row was committed: read on a new connection, under the account's lock."""

    def close(self) -> None:
        """Close the connection."""


class StoreError(Exception):
    """An error of a store, translated from its driver's error."""


class ConnectionLostError(StoreError):
    """The database went away, or could not be reached."""


class ContendedError(StoreError):
    """The database ended the transaction in favor of another one (a deadlock, for example): retry the batch."""


class LockTimeoutError(StoreError):
    """Another session held an account of the batch for longer than a batch may wait."""


class RowRejectedError(StoreError):
    """The database refused a statement of the batch: one of its commands is at fault."""


def to_refusal(error: Exception) -> CreditSystemError:
    """The refusal of a command whose batch failed for good; logs a row that cannot be stored."""
    if isinstance(error, LockTimeoutError | ContendedError):
        return AccountBusyError()
    if isinstance(error, ConnectionLostError):
        return DatabaseUnavailableError()
    _log.error("a command cannot be stored", extra={"cause": str(error)})
    return InternalError()
