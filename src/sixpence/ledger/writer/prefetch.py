"""Which holds and earlier transactions a batch reads beside its accounts.

Pure: it computes the keys of rows, and a store reads them. A batch in which no command names a hold or a transaction,
and no hold is due, reads nothing here.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction, seq_of
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.writer.store import BatchNeeds

RowKey = tuple[int, int]
"""A row's account number and `seq`."""
# Before every instant.
NEVER_DUE = -1


class OpenHolds(msgspec.Struct, frozen=True):
    """An account's open holds to read: all with an expiry up to `due_by`, and the `beyond` next ones after it.

    `beyond` is the number of commands plus one. Each command ends or extends one hold at most, so at least one of the
    holds read stays open, and the earliest of these is the earliest of all: `holds_due_at` is exact without the others.
    """

    account_no: int
    due_by: int
    beyond: int


class Prefetch(msgspec.Struct, frozen=True):
    """The rows to read: open holds, named holds, and transactions, each with those about it."""

    open_holds: list[OpenHolds]
    holds: list[RowKey]
    past: list[RowKey]

    def __bool__(self) -> bool:
        return bool(self.open_holds or self.holds or self.past)


def prefetch_with_lock(needs: BatchNeeds, numbers: Mapping[str, int]) -> Prefetch:
    """The holds to read together with the lock: those that commands name, and the accounts' open holds that end next.

    `numbers` are the account numbers by id. Of the open holds it takes as many as `prefetch_after_lock` when none is
    due.
    """
    naming = dict.fromkeys(name for name, _ in needs.holds if name in numbers)
    open_holds = [OpenHolds(numbers[name], NEVER_DUE, needs.commands.get(name, 0) + 1) for name in naming]
    keys = ((numbers[name], seq_of(hold_id)) for name, hold_id in needs.holds if name in numbers)
    holds = dict.fromkeys((number, seq) for number, seq in keys if seq is not None)
    return Prefetch(open_holds, list(holds), [])


def prefetch_after_lock(needs: BatchNeeds, accounts: Mapping[str, Account], *, clock: int) -> Prefetch:
    """The holds and transactions to read once the accounts are locked and read; `clock` is microseconds."""
    existing = {name: account for name, account in accounts.items() if account.exists}
    naming = {name for name, _ in needs.holds}
    open_holds = [
        OpenHolds(account.account_no, due_by, needs.commands.get(name, 0) + 1)
        for name, account in existing.items()
        for due_by in (max(clock, account.last_at),)
        if account.holds_due_at is not None and (name in naming or account.holds_due_at <= due_by)
    ]
    named = [*needs.refunded, *needs.voided]
    past = [*_row_keys(named, existing), *_live_grant_keys(needs.refunded, existing)]
    return Prefetch(open_holds, _row_keys(needs.holds, existing), list(dict.fromkeys(past)))


def source_grant_keys(needs: BatchNeeds, accounts: Mapping[str, Account], rows: Iterable[Transaction]) -> list[RowKey]:
    """The rows that made the grants that the refunded transactions consumed from; `rows` has these transactions.

    Raises `BrokenLedgerError` for a row whose movements cannot be read.
    """
    refunded = set(_row_keys(needs.refunded, accounts))
    keys: dict[RowKey, None] = {}
    for row in rows:
        if (row.account_no, row.seq) in refunded:
            keys |= dict.fromkeys(_keys_of_grants(row.account_no, _grant_ids(row)))
    return list(keys)


def replaced_grant_keys(rows: Iterable[Transaction]) -> list[RowKey]:
    """The rows that made the originals of these rows' replacement grants, without the rows read before.

    A refund makes a replacement grant where the original has expired.

    Raises `BrokenLedgerError` for a row whose facts cannot be read.
    """
    by_key = {(row.account_no, row.seq): row for row in rows}
    keys: dict[RowKey, None] = {}
    for row in by_key.values():
        keys |= dict.fromkeys(_keys_of_grants(row.account_no, _original_ids(row)))
    return [key for key in keys if key not in by_key]


def group_prior_transactions(
    needs: BatchNeeds, accounts: Mapping[str, Account], rows: Sequence[Transaction]
) -> dict[str, PriorTransactions]:
    """The prior transactions of each account of which a command names a transaction."""
    past = {}
    in_order = sorted(rows, key=lambda row: row.seq)
    for name in dict.fromkeys(name for name, _ in (*needs.refunded, *needs.voided)):
        if name in accounts:
            number = accounts[name].account_no
            past[name] = PriorTransactions().with_rows(row for row in in_order if row.account_no == number)
    return past


def _row_keys(named: Iterable[tuple[str, str]], accounts: Mapping[str, Account]) -> list[RowKey]:
    """The keys of the named rows. Unknown ids and accounts are skipped."""
    found = ((accounts[name].account_no, seq_of(named_id)) for name, named_id in named if name in accounts)
    return list(dict.fromkeys((number, seq) for number, seq in found if seq is not None))


def _live_grant_keys(named: Iterable[tuple[str, str]], accounts: Mapping[str, Account]) -> list[RowKey]:
    """The rows of all live grants, when a refund names a transaction that an earlier command of the batch may make."""
    keys: list[RowKey] = []
    for name, named_id in named:
        account = accounts.get(name)
        if account is not None and (seq_of(named_id) or 0) > account.seq:
            keys += _keys_of_grants(account.account_no, [grant.id for grant in account.grants])
    return keys


def _keys_of_grants(account_no: int, grant_ids: Iterable[str]) -> list[RowKey]:
    return [(account_no, seq) for seq in map(seq_of, grant_ids) if seq is not None]


def _grant_ids(row: Transaction) -> list[str]:
    try:
        return [move.grant_id for move in row.read_allocations()]
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"the movements of transaction {row.seq} cannot be read: {error}") from error


def _original_ids(row: Transaction) -> list[str]:
    """The ids of the grants that the row's grants replace."""
    try:
        return [terms.instead_of for terms in row.read_detail().grants if terms.instead_of is not None]
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"the grants of transaction {row.seq} cannot be read: {error}") from error
