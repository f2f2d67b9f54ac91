"""The checks at the end of a run: the database has exactly the rows of the requests and answers.

Every account is folded from its first row, audited, and checked by the lockstep's invariants. The rules decide every
row again: a command's row from the request that was sent, a due row from the instant at which it was due.
"""

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.fold import fold, record
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.audit.audit import Audit
from sixpence.core.catalog.catalog import Plan
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.rules import due
from sixpence.core.rules.decide import NO_PRIOR, decide
from sixpence.ledger.database.rows import account_to_row, hold_to_row
from tests.lockstep.history import History
from tests.lockstep.invariants import check_account
from tests.simulation.database import Database
from tests.simulation.trace import InvariantBroken
from tests.simulation.witness import Intent, Witness


def run_final_checks(database: Database, witness: Witness) -> int:
    """Check everything; returns the number of rows, and raises `InvariantBroken` for the first fault."""
    if database.locked or database.sessions:
        raise InvariantBroken(f"{len(database.locked)} accounts are still locked")
    row_counts: dict[int, int] = {}
    for number, rows in database.rows.items():
        if number not in database.accounts:
            raise InvariantBroken(f"rows of account number {number} have no account")
        in_order = [rows[seq] for seq in sorted(rows)]
        _AccountCheck(database, witness, number).run(in_order)
        for row in in_order:
            intent = witness.wanted(row)
            if intent is not None:
                row_counts[intent.number] = row_counts.get(intent.number, 0) + 1
    for stored in database.accounts.values():
        if stored.seq == 0:
            raise InvariantBroken(f"account {stored.account_id} was made and left empty")
    for intent in witness.intents.values():
        _check_intent(database, intent, row_counts.get(intent.number, 0))
    _check_outbox(database)
    return sum(map(len, database.rows.values()))


def contents(database: Database) -> bytes:
    """Every byte that is durable."""
    tables = [database.accounts, database.rows, database.holds, database.outbox]
    return msgspec.msgpack.encode(tables)


class _AccountCheck:
    """Checks one account row by row."""

    def __init__(self, database: Database, witness: Witness, number: int) -> None:
        stored = database.accounts[number]
        self._database, self._witness, self._stored = database, witness, stored
        self._account = Account(number, stored.account_id)
        self._rows: dict[int, Transaction] = {}
        self._since: dict[int, tuple[Transaction, ...]] = {}
        self._history = History()
        self._audit = Audit(database.priced_by, self._read_past)

    def run(self, rows: list[Transaction]) -> None:
        """Check all rows, and then the account."""
        for row in rows:
            try:
                self._audit.check(self._account, row, row.read_detail(), row.read_allocations())
                self._history.take(row, self._allowance_of)
                self._decide_again(row)
                fold(self._account, [row])
            except (BrokenLedgerError, AssertionError) as error:
                raise InvariantBroken(f"transaction {row.seq} of {row.account_id} is wrong: {error!r}") from error
            self._rows[row.seq] = row
            if row.about_seq is not None:
                self._since[row.about_seq] = (*self._since.get(row.about_seq, ()), row)
        self._compare()

    def _decide_again(self, row: Transaction) -> None:
        before = self._account
        priced_by = self._database.version(self._database.decided_by[(row.account_no, row.seq)])
        if before.next_due_at is not None and before.next_due_at <= row.created_at:
            draft = before.copy()
            change = due.next_change(draft, before.next_due_at, priced_by)
            expected = record(draft, change, recorded_at=row.recorded_at)
            if expected != row:
                raise InvariantBroken(f"transaction {row.seq} of {row.account_id} is not what time does: {expected}")
            return
        intent = self._witness.wanted(row)
        if intent is None or intent.account_id != row.account_id:
            raise InvariantBroken(f"transaction {row.seq} of {row.account_id} was asked for by nobody")
        request = intent.request
        decision = decide(
            before,
            request.command,
            clock=row.recorded_at,
            priced_by=priced_by,
            key=request.key,
            prior=PriorTransactions(self._rows, self._since) if row.kind in ("refund", "void") else NO_PRIOR,
        )
        if decision.rows != (row,):
            raise InvariantBroken(
                f"transaction {row.seq} of {row.account_id} is not what {request.command} does: {decision}"
            )

    def _read_past(self, seq: int) -> PriorTransactions:
        rows = self._rows
        return PriorTransactions({seq: rows[seq]} if seq in rows else {}, {seq: self._since.get(seq, ())})

    def _allowance_of(self, version: int, plan: str) -> int:
        return self._database.version(version).catalog.plans.get(plan, Plan()).allowance

    def _compare(self) -> None:
        """Check that the stored account and holds are those of the ledger."""
        folded, stored = self._account, self._stored
        check_account(folded, self._history)
        wanted = account_to_row(msgspec.structs.replace(folded, label=stored.label, metadata=stored.metadata))
        if wanted != stored:
            raise InvariantBroken(f"the row of {stored.account_id} is {stored}, its ledger says {wanted}")
        holds = {hold.seq: hold_to_row(folded.account_no, hold) for hold in folded.holds.values()}
        if holds != self._database.holds.get(folded.account_no, {}):
            raise InvariantBroken(f"the holds of {stored.account_id} are not what its ledger says")


def _check_intent(database: Database, intent: Intent, row_counts: int) -> None:
    """Check that an acknowledged request has its row, a refused one has none, and none has two."""
    request = f"request {intent.number} of {intent.account_id}"
    if row_counts > 1:
        raise InvariantBroken(f"{request} is in the ledger {row_counts} times")
    row = intent.row
    if row is not None and row != database.rows.get(row.account_no, {}).get(row.seq):
        raise InvariantBroken(f"{request} was acknowledged as transaction {row.seq} and is lost")
    if row is None and row_counts and not intent.may_be_stored:
        raise InvariantBroken(f"{request} was never accepted, and it is in the ledger")


def _check_outbox(database: Database) -> None:
    """Check that the outbox names every row once, in its account's order."""
    reached: dict[str, int] = {}
    for document in database.outbox:
        for account_id, first, last in msgspec.json.decode(document, type=list[tuple[str, int, int]]):
            if first != reached.get(account_id, 0) + 1:
                raise InvariantBroken(f"the outbox goes from {reached.get(account_id, 0)} to {first} in {account_id}")
            reached[account_id] = last
    wanted = {stored.account_id: stored.seq for stored in database.accounts.values()}
    if reached != wanted:
        raise InvariantBroken("the outbox does not name all transactions")
