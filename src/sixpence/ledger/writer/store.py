"""What the writer asks of a database: load a batch under its locks, append, commit. SQLite and PostgreSQL implement it.

A store belongs to one thread. Its exceptions never leave the ledger: the lane turns them into outcomes.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.ledger.database.rows import HoldRow


class Asked(msgspec.Struct, frozen=True):
    """What a batch needs: its accounts, those it may make, and the keys it names.

    `commands` says how many commands an account has; `holds`, `refunded` and `voided` are pairs of an account's id
    and the id of a hold, a transaction or a grant that one of its commands names; `revoked` are those of the voided
    grants of which all that was spent is to be known. `wait` says whether to wait (a little) for an account that
    another session holds, or to leave it out at once. `permits` are the hashes of API keys that commands came with.
    """

    account_ids: tuple[str, ...]
    making: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    wait: bool = True
    commands: Mapping[str, int] = {}
    holds: tuple[tuple[str, str], ...] = ()
    refunded: tuple[tuple[str, str], ...] = ()
    voided: tuple[tuple[str, str], ...] = ()
    revoked: tuple[tuple[str, str], ...] = ()
    permits: tuple[bytes, ...] = ()


class Loaded(msgspec.Struct, frozen=True):
    """A batch's state, read under its locks: what is not in `accounts` does not exist, or is `busy` or `broken`.

    The accounts have the holds that their commands may need, and `past` the earlier transactions (see `needed`).
    `permitted` are those of the permits that let in.
    """

    clock: int
    priced_by: PricedBy
    accounts: dict[str, Account]
    replays: dict[tuple[str, str], Transaction]
    busy: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    past: dict[str, Past] = {}
    permitted: frozenset[bytes] = frozenset()


class Append(msgspec.Struct, frozen=True):
    """What a batch writes: rows in order, the accounts they leave, and accounts that were made for nothing.

    `holds` are those that were placed or changed, each once, as they are in the end.
    """

    rows: list[Transaction]
    accounts: list[Account]
    unmade: list[int]
    clock: int
    holds: list[HoldRow] = []

    def touched(self) -> str:
        """The outbox's document: [account id, first seq, last seq] of every account with rows."""
        spans: dict[str, list[int]] = {}
        for row in self.rows:
            spans.setdefault(row.account_id, [row.seq, row.seq])[1] = row.seq
        return msgspec.json.encode([[account_id, *span] for account_id, span in spans.items()]).decode()


class Store(Protocol):
    """The durable side of one lane of the writer."""

    def load(self, asked: Asked) -> Loaded:
        """Begin, make the accounts that may be made, lock in key order, then read the rest in later statements."""

    def append(self, append: Append) -> None:
        """Write and commit; returns only when the commit is durable."""

    def abandon(self) -> None:
        """Undo what was begun; does nothing where nothing is."""

    def was_committed(self, row: Transaction) -> bool:
        """Whether the batch whose first row this is was committed, on a new connection and under the account's lock."""

    def close(self) -> None:
        """Give the connection back."""


class ConnectionLostError(Exception):
    """The database went away, or could not be reached."""


class ContendedError(Exception):
    """The database broke off the batch for the sake of another session (a deadlock, say): run it again."""


class LockWaitError(Exception):
    """An account of the batch is held by another session for longer than a batch may wait."""


class RowRejectedError(Exception):
    """The database refused a statement of the batch: one of its commands is at fault."""
