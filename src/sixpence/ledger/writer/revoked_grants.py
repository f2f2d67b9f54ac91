"""The rows that show what was spent of a revoked grant; no other command needs them.

Rows name grants in their movements and details, without an index. So a revocation scans the account's rows after the
grant's own row for its id, and scans once more for its replacement grants, while the account is locked. The rows that
name a grant are held in memory.

Pure. A store scans (`scan_revoked_grants`), or a caller passes all rows (`filter_rows_naming`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction, grant_id, seq_of
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.rules.grants import terms_of, was_voided
from sixpence.ledger.writer.store import BatchNeeds


class Scan(msgspec.Struct, frozen=True):
    """A search in an account's rows above a `seq` for rows with one of these words in their texts."""

    account_no: int
    above: int
    words: tuple[str, ...]


def scan_revoked_grants(
    needs: BatchNeeds,
    accounts: Mapping[str, Account],
    rows: Sequence[Transaction],
    scan: Callable[[list[Scan]], list[Transaction]],
) -> list[Transaction]:
    """The rows that name the revoked grants or their replacements, some of them twice.

    `rows` are the grants' own rows and those about them. Missing and voided grants are skipped, and grants that an
    earlier command of the batch makes: their rows are in the batch. Raises `BrokenLedgerError` for an unreadable row.
    """
    wanted = [
        (name, account.account_no)
        for account_id, name in needs.revoked
        for account in (accounts.get(account_id),)
        if account is not None and _can_be_voided(name, _of_account(rows, account.account_no))
    ]
    first = [Scan(number, seq_of(name) or 0, (_word(name),)) for name, number in wanted]
    found = scan(first) if first else []
    second = [
        Scan(number, seq_of(replacements[0]) or 0, tuple(map(_word, replacements)))
        for name, number in wanted
        for replacements in (_replacement_ids(name, _of_account(found, number)),)
        if replacements
    ]
    return [*found, *(scan(second) if second else ())]


def filter_rows_naming(name: str, rows: Iterable[Transaction]) -> Iterator[Transaction]:
    """The rows, given oldest first, that name the grant or one of its replacements.

    The row that makes a replacement names the original grant, so one pass finds both.
    """
    words = [_word(name)]
    for row in rows:
        if contains_word(row, words):
            words += map(_word, _replacement_ids(name, [row]))
            yield row


def contains_word(row: Transaction, words: Iterable[str]) -> bool:
    """Whether the texts of the row have one of the words."""
    return any(word in row.allocations or word in row.detail for word in words)


def _word(name: str) -> str:
    """An id as a JSON string: with its quotes it is never part of a longer id or of a caller's text."""
    return f'"{name}"'


def _of_account(rows: Iterable[Transaction], account_no: int) -> list[Transaction]:
    """The account's rows, oldest first."""
    return sorted((row for row in rows if row.account_no == account_no), key=lambda row: row.seq)


def _can_be_voided(name: str, rows: Sequence[Transaction]) -> bool:
    past = PriorTransactions().with_rows(rows)
    try:
        return terms_of(past, name) is not None and not was_voided(past, name)
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"the rows about grant '{name}' cannot be read: {error}") from error


def _replacement_ids(name: str, rows: Iterable[Transaction]) -> list[str]:
    """The ids of the grants that these rows made as replacements of the grant, in the order of the rows."""
    try:
        return [
            grant_id(row.id, place)
            for row in rows
            for place, terms in enumerate(row.read_detail().grants)
            if terms.instead_of == name
        ]
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"the replacements of grant '{name}' cannot be read: {error}") from error
