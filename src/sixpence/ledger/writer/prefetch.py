"""What a batch's commands need beside their accounts: holds and earlier transactions, and which rows those are.

Pure: asked once the accounts are locked and read, answered by a store. A batch in which no command names a hold or a
transaction, and no hold is due, needs nothing here.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Transaction, seq_of
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.writer.store import Asked

Place = tuple[int, int]
"""A row's account number and `seq`."""
# Before every instant.
NEVER_DUE = -1


class OpenHolds(msgspec.Struct, frozen=True):
    """An account's open holds to read: all with an expiry up to `due_by`, and the `beyond` next ones after it.

    Each command ends or extends one hold at most, so of one more than there are commands the earliest that is still
    open at the end is the earliest of all: `holds_due_at` stays exact without the others.
    """

    account_no: int
    due_by: int
    beyond: int


class Needed(msgspec.Struct, frozen=True):
    """The rows to read: open holds, holds by name, and transactions, each with those that are about it."""

    open_holds: list[OpenHolds]
    holds: list[Place]
    past: list[Place]

    def __bool__(self) -> bool:
        return bool(self.open_holds or self.holds or self.past)


def ahead_of_the_lock(asked: Asked, numbers: Mapping[str, int]) -> Needed:
    """What is known to be needed of accounts of these numbers before they are read: the holds that commands name.

    Of their other open holds those that end next, as many as `needed` asks for where none is due.
    """
    naming = dict.fromkeys(name for name, _ in asked.holds if name in numbers)
    open_holds = [OpenHolds(numbers[name], NEVER_DUE, asked.commands.get(name, 0) + 1) for name in naming]
    places = ((numbers[name], seq_of(hold_id)) for name, hold_id in asked.holds if name in numbers)
    holds = dict.fromkeys((number, seq) for number, seq in places if seq is not None)
    return Needed(open_holds, list(holds), [])


def needed(asked: Asked, accounts: Mapping[str, Account], *, clock: int) -> Needed:
    """What the commands need of accounts that are locked and read, at this time (microseconds)."""
    here = {name: account for name, account in accounts.items() if account.exists}
    naming = {name for name, _ in asked.holds}
    open_holds = [
        OpenHolds(account.account_no, due_by, asked.commands.get(name, 0) + 1)
        for name, account in here.items()
        for due_by in (max(clock, account.last_at),)
        if account.holds_due_at is not None and (name in naming or account.holds_due_at <= due_by)
    ]
    named = [*asked.refunded, *asked.voided]
    past = [*_places(named, here), *_of_rows_to_come(asked.refunded, here)]
    return Needed(open_holds, _places(asked.holds, here), list(dict.fromkeys(past)))


def grants_of(asked: Asked, accounts: Mapping[str, Account], rows: Iterable[Transaction]) -> list[Place]:
    """The rows that made the grants from which the transactions to be refunded took, once those are read.

    Raises `BrokenLedgerError` for a row whose movements cannot be read.
    """
    refunded = set(_places(asked.refunded, accounts))
    places: dict[Place, None] = {}
    for row in rows:
        if (row.account_no, row.seq) in refunded:
            places |= dict.fromkeys(_made_by(row.account_no, _grant_ids(row)))
    return list(places)


def roots_of(rows: Iterable[Transaction]) -> list[Place]:
    """The rows that made the grants for which others stand that these rows made, where they are not read yet.

    Raises `BrokenLedgerError` for a row whose facts cannot be read.
    """
    by_place = {(row.account_no, row.seq): row for row in rows}
    places: dict[Place, None] = {}
    for row in by_place.values():
        places |= dict.fromkeys(_made_by(row.account_no, _roots_made_by(row)))
    return [place for place in places if place not in by_place]


def past_of(asked: Asked, accounts: Mapping[str, Account], rows: Sequence[Transaction]) -> dict[str, Past]:
    """The past of every account of which a command names a transaction, made of the rows that were read."""
    past = {}
    in_order = sorted(rows, key=lambda row: row.seq)
    for name in dict.fromkeys(name for name, _ in (*asked.refunded, *asked.voided)):
        if name in accounts:
            number = accounts[name].account_no
            past[name] = Past().with_rows(row for row in in_order if row.account_no == number)
    return past


def _places(named: Iterable[tuple[str, str]], accounts: Mapping[str, Account]) -> list[Place]:
    """Where the named rows stand; what is no id, or is of no account that is there, stands nowhere."""
    found = ((accounts[name].account_no, seq_of(named_id)) for name, named_id in named if name in accounts)
    return list(dict.fromkeys((number, seq) for number, seq in found if seq is not None))


def _of_rows_to_come(named: Iterable[tuple[str, str]], accounts: Mapping[str, Account]) -> list[Place]:
    """The rows of all live grants, where a refund names a transaction that an earlier command of the batch may make."""
    places: list[Place] = []
    for name, named_id in named:
        account = accounts.get(name)
        if account is not None and (seq_of(named_id) or 0) > account.seq:
            places += _made_by(account.account_no, [grant.id for grant in account.grants])
    return places


def _made_by(account_no: int, grant_ids: Iterable[str]) -> list[Place]:
    return [(account_no, seq) for seq in map(seq_of, grant_ids) if seq is not None]


def _grant_ids(row: Transaction) -> list[str]:
    try:
        return [move.grant_id for move in row.read_allocations()]
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"the movements of transaction {row.seq} cannot be read: {error}") from error


def _roots_made_by(row: Transaction) -> list[str]:
    """The ids of the grants for which those stand that the row made."""
    try:
        return [terms.instead_of for terms in row.read_detail().grants if terms.instead_of is not None]
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"the grants of transaction {row.seq} cannot be read: {error}") from error
