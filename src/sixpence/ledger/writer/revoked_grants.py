"""Every row that tells what was spent of a grant: what a revocation must know, and no other command.

A grant is named in the movements and the facts of rows, and no index leads there. So the account's rows after the
grant's own are scanned, within the account, once for the grant and once more for the grants that stand for it, while
the account is locked: as long as it takes to look for an id in the texts of each of these rows, and in memory what
names it. Pure; a store does the scanning (`read_revoked`), or hands over all the rows (`rows_naming`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Transaction, grant_id, seq_of
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.rules.grants import terms_of, was_voided
from sixpence.ledger.writer.store import Asked


class Scan(msgspec.Struct, frozen=True):
    """Rows to look for: those of the account above that `seq` that have one of these words in their texts."""

    account_no: int
    above: int
    words: tuple[str, ...]


def read_revoked(
    asked: Asked,
    accounts: Mapping[str, Account],
    rows: Sequence[Transaction],
    scan: Callable[[list[Scan]], list[Transaction]],
) -> list[Transaction]:
    """The rows that name the grants to be revoked or grants that stand for them, some of them twice.

    `rows` are the grants' own and those about them. Of a grant that is not there or was voided nothing is read, and
    none that an earlier command of the batch may make: all about it is in the batch. Raises `BrokenLedgerError` for a
    row that cannot be read.
    """
    wanted = [
        (name, account.account_no)
        for account_id, name in asked.revoked
        for account in (accounts.get(account_id),)
        if account is not None and _can_be_voided(name, _of_account(rows, account.account_no))
    ]
    first = [Scan(number, seq_of(name) or 0, (_word(name),)) for name, number in wanted]
    found = scan(first) if first else []
    second = [
        Scan(number, seq_of(others[0]) or 0, tuple(map(_word, others)))
        for name, number in wanted
        for others in (_standing_for(name, _of_account(found, number)),)
        if others
    ]
    return [*found, *(scan(second) if second else ())]


def rows_naming(name: str, rows: Iterable[Transaction]) -> Iterator[Transaction]:
    """Those of the rows, given oldest first, that name the grant or one that stands for it.

    What stands for a grant names it where it is made, so that one pass finds both.
    """
    words = [_word(name)]
    for row in rows:
        if has_word(row, words):
            words += map(_word, _standing_for(name, [row]))
            yield row


def has_word(row: Transaction, words: Iterable[str]) -> bool:
    """Whether one of the words stands in the texts of the row."""
    return any(word in row.allocations or word in row.detail for word in words)


def _word(name: str) -> str:
    """An id as it stands in a JSON text: with its quotes it is no part of a longer id, nor of what somebody wrote."""
    return f'"{name}"'


def _of_account(rows: Iterable[Transaction], account_no: int) -> list[Transaction]:
    """The account's rows, oldest first."""
    return sorted((row for row in rows if row.account_no == account_no), key=lambda row: row.seq)


def _can_be_voided(name: str, rows: Sequence[Transaction]) -> bool:
    past = Past().with_rows(rows)
    try:
        return terms_of(past, name) is not None and not was_voided(past, name)
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"what was done to grant '{name}' cannot be read: {error}") from error


def _standing_for(name: str, rows: Iterable[Transaction]) -> list[str]:
    """The ids of the grants that these rows made in the place of the grant, in the order of the rows."""
    try:
        return [
            grant_id(row.id, place)
            for row in rows
            for place, terms in enumerate(row.read_detail().grants)
            if terms.instead_of == name
        ]
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"what stands for grant '{name}' cannot be read: {error}") from error
