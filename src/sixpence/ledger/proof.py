"""The proof of one account: its rows are folded and audited one by one, and what they make is what stands in the rows.

Holds that have ended are compared with their rows and let go, some hundred at a time, so that an account of any length
is proved in little memory. Which accounts there are, and what a report looks like: `verify`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, select, text

from sixpence.core import again
from sixpence.core.account import Account
from sixpence.core.audit import Audit
from sixpence.core.bounds import account_no
from sixpence.core.catalog import PricedBy
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.fold import fold
from sixpence.core.hold import Hold
from sixpence.core.movement import OVERDRAFT
from sixpence.core.past import Past
from sixpence.core.transaction import Transaction, seq_of, transaction_id
from sixpence.ledger.keyed import ATTEMPTS_MAX
from sixpence.ledger.needed import roots_of
from sixpence.ledger.revoked import rows_naming
from sixpence.ledger.rows import (
    HoldRow,
    account_from_row,
    hold_from_document,
    hold_to_row,
    transaction_from_row,
)
from sixpence.ledger.schema import credit_holds, credit_transactions

HOLDS_AT_ONCE = 500
ROWS_AT_ONCE = 1_000
# SQLite keeps any value in any column, so what is there may not even be a number.
_UNREADABLE = (
    *(msgspec.MsgspecError, TypeError, ValueError, AttributeError),
    *(ArithmeticError, LookupError, MemoryError),
)

# Only with this in the statement's own text does the planner see that the index holds the answer.
_IS_ABOUT = text("about_seq IS NOT NULL")


def difference(
    connection: Connection, row: Any, rows: Iterable[Transaction], priced_by: PricedBy | None, *, decide: bool
) -> str | None:
    """The first thing about a `credit_accounts` row that its ledger does not bear out, in words.

    With `decide` every row is decided anew as well, under the catalogs of `priced_by`.
    """
    name = f"account '{row[1]}'"
    if not isinstance(row[0], int):
        return f"{name}: its number is {row[0]!r:.60}, which is none"
    try:
        stored = account_from_row(row)
        folded = _Proof(connection, Account(account_no=row[0], account_id=row[1]), priced_by, decide=decide).run(rows)
    except BrokenLedgerError as error:
        return f"{name}: {error}"
    except _UNREADABLE as error:
        return f"{name}: its ledger cannot be read: {error}"
    if row[0] not in (account_no(stored.account_id, attempt) for attempt in range(ATTEMPTS_MAX)):
        return f"{name}: number {row[0]} does not follow from its id"
    told = _unequal(stored, folded) or _sums(folded)
    return None if told is None else f"{name}: {told}"


class _Proof:
    """An account being folded, row by row."""

    def __init__(self, connection: Connection, account: Account, priced_by: PricedBy | None, *, decide: bool) -> None:
        self._connection = connection
        self._account = account
        self._audit = Audit(priced_by, self._read_past)
        self._decided_by = priced_by if decide else None
        self._ended: list[Hold] = []

    def run(self, rows: Iterable[Transaction]) -> Account:
        """The account that the rows make; raises `BrokenLedgerError` at the first thing that is wrong."""
        for row in rows:
            self._step(row)
        self._compare([*self._ended, *self._account.holds.values()])
        return self._account

    def _step(self, row: Transaction) -> None:
        if row.id != transaction_id(row.account_no, row.seq, row.created_at):
            raise BrokenLedgerError(f"transaction {row.seq}: its id does not follow from its place and time")
        try:
            self._bring_back(row)
            self._audit.check(self._account, row)
            self._decide_again(row)
        except (BrokenLedgerError, *_UNREADABLE):
            fold(self._account, [row])  # where the chain itself is broken, that is what is told
            raise
        fold(self._account, [row])
        self._let_go(row)

    def _decide_again(self, row: Transaction) -> None:
        if self._decided_by is None:
            return
        told = again.difference(self._account, row, self._decided_by, past=self._past_before(row))
        if told is not None:
            raise BrokenLedgerError(told)

    def _past_before(self, row: Transaction) -> Past:
        """What the row's command had to know of earlier transactions, as it was then."""
        if row.kind not in ("refund", "void") or row.about_seq is None:
            return Past()
        past = self._read_past(row.about_seq)
        detail = row.read_detail()
        if row.kind == "void" and detail.about is not None and detail.shortfall is not None:
            past = past.with_rows(rows_naming(detail.about, self._rows_between(row.about_seq, row.seq)))
        named = past.rows.get(row.about_seq)
        grants = [] if named is None or row.kind == "void" else [seq_of(m.grant_id) for m in named.read_allocations()]
        found = dict(past.rows)
        for seq in {seq for seq in grants if seq is not None}:
            found |= self._read_past(seq).rows
        for _, seq in roots_of(found.values()):
            found |= self._read_past(seq).rows
        return Past().with_rows(found[seq] for seq in sorted(found) if seq < row.seq)

    def _bring_back(self, row: Transaction) -> None:
        """A hold that is charged late was let go when it expired: it is read again, as it was then."""
        if row.about_seq is None or not row.read_detail().late:
            return
        for hold in self._stored([row.about_seq]).values():
            self._account.holds[hold.id] = msgspec.structs.replace(
                hold_from_document(hold.document), captured_late=False
            )

    def _let_go(self, row: Transaction) -> None:
        """Nothing comes after the end of a hold but a late charge."""
        hold = None if row.about_seq is None else self._account.holds.get(row.read_detail().about or "")
        if hold is None or hold.state == "open":
            return
        del self._account.holds[hold.id]
        self._ended.append(hold)
        if len(self._ended) >= HOLDS_AT_ONCE:
            self._compare(self._ended)
            self._ended = []

    def _compare(self, holds: list[Hold]) -> None:
        """Every hold stands in its row, as the ledger leaves it."""
        for first in range(0, len(holds), HOLDS_AT_ONCE):
            chunk = {hold.seq: hold for hold in holds[first : first + HOLDS_AT_ONCE]}
            stored = self._stored(chunk)
            for seq, hold in chunk.items():
                self._compare_one(hold, stored.get(seq))

    def _compare_one(self, hold: Hold, stored: HoldRow | None) -> None:
        if stored is None:
            raise BrokenLedgerError(f"hold {hold.seq} has no row")
        there = hold_from_document(stored.document)
        if there.captured_late and hold.state == "expired" and not hold.captured_late:
            # Compared at its expiry: the charge comes later, if it does.
            late = any(one.kind == "consume" for one in self._read_past(hold.seq).about(hold.seq))
            hold = msgspec.structs.replace(hold, captured_late=late)
        wanted = hold_to_row(self._account.account_no, hold)
        for field in ("id", "state", "amount", "expires_at"):
            if getattr(stored, field) != getattr(wanted, field):
                there_is, should_be = getattr(stored, field), getattr(wanted, field)
                raise BrokenLedgerError(f"hold {hold.seq}: {field} is {there_is!r:.60}, its ledger says {should_be!r}")
        if there != hold:
            raise BrokenLedgerError(f"hold {hold.seq}: its document is {there!r:.300}, its ledger says {hold!r:.300}")

    def _stored(self, seqs: Iterable[int]) -> dict[int, HoldRow]:
        columns = credit_holds.c
        query = select(credit_holds).where(columns.account_no == self._account.account_no, columns.seq.in_(list(seqs)))
        return {row.seq: HoldRow(**row._mapping) for row in self._connection.execute(query)}

    def _read_past(self, seq: int) -> Past:
        columns = credit_transactions.c
        here = select(credit_transactions).where(columns.account_no == self._account.account_no)
        found = [
            transaction_from_row(row)
            for query in (here.where(columns.seq == seq), here.where(columns.about_seq == seq, _IS_ABOUT))
            for row in self._connection.execute(query)
        ]
        return Past().with_rows(sorted(found, key=lambda row: row.seq))

    def _rows_between(self, above: int, below: int) -> Iterator[Transaction]:
        """The account's rows after the one and before the other, oldest first."""
        columns = credit_transactions.c
        query = select(credit_transactions).where(
            columns.account_no == self._account.account_no, columns.seq > above, columns.seq < below
        )
        found = self._connection.execute(query.order_by(columns.seq).execution_options(yield_per=ROWS_AT_ONCE))
        return map(transaction_from_row, found)


def _unequal(stored: Account, folded: Account) -> str | None:
    # Not in the ledger: they can be erased, or were never a change of credits.
    told_elsewhere = ("label", "metadata", "holds")
    for field in stored.__struct_fields__:
        there, wanted = getattr(stored, field), getattr(folded, field)
        if field not in told_elsewhere and there != wanted:
            return f"{field} is {there!r:.200}, its ledger says {wanted!r:.200}"
    return None


def _sums(account: Account) -> str | None:
    """remaining = what the grants have unheld − what is owed; held = the open holds = what the grants have held."""
    free = sum(grant.remaining - grant.held for grant in account.grants if not grant.pending)
    spendable = free - account.owed - account.overdraft_held
    if spendable != account.remaining:
        return f"remaining is {account.remaining}, its grants have {spendable}"
    held = {grant.id: grant.held for grant in account.grants} | {OVERDRAFT: account.overdraft_held}
    in_holds = dict.fromkeys(held, 0)
    for hold in account.holds.values():
        for name, part in hold.parts:
            in_holds[name] = in_holds.get(name, 0) + part
    if in_holds != held or sum(held.values()) != account.held:
        return f"held is {account.held}, its grants have {sum(held.values())}, its holds {sum(in_holds.values())}"
    return None
