"""The proof at the end of a run: what stands in the database is what was asked and answered, and nothing else.

Every account is folded from its first row, audited, looked at by the lockstep's own history, and every row is decided
anew: what a command left from the very request that was sent, what time did from the instant at which it was due.
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
from tests.simulation.trace import Wrong
from tests.simulation.witness import Intent, Witness


def prove(database: Database, witness: Witness) -> int:
    """How many rows were proved; raises `Wrong` for the first thing that is not as it has to be."""
    if database.locked or database.sessions:
        raise Wrong(f"{len(database.locked)} accounts are still locked")
    stands: dict[int, int] = {}
    for number, rows in database.rows.items():
        if number not in database.accounts:
            raise Wrong(f"rows of account number {number} have no account")
        in_order = [rows[seq] for seq in sorted(rows)]
        _Proof(database, witness, number).run(in_order)
        for row in in_order:
            intent = witness.wanted(row)
            if intent is not None:
                stands[intent.number] = stands.get(intent.number, 0) + 1
    for stored in database.accounts.values():
        if stored.seq == 0:
            raise Wrong(f"account {stored.account_id} was made and left empty")
    for intent in witness.intents.values():
        _check_intent(database, intent, stands.get(intent.number, 0))
    _check_outbox(database)
    return sum(map(len, database.rows.values()))


def contents(database: Database) -> bytes:
    """Every byte that is durable."""
    tables = [database.accounts, database.rows, database.holds, database.outbox]
    return msgspec.msgpack.encode(tables)


class _Proof:
    """An account being proved row by row."""

    def __init__(self, database: Database, witness: Witness, number: int) -> None:
        stored = database.accounts[number]
        self._database, self._witness, self._stored = database, witness, stored
        self._account = Account(number, stored.account_id)
        self._rows: dict[int, Transaction] = {}
        self._since: dict[int, tuple[Transaction, ...]] = {}
        self._history = History()
        self._audit = Audit(database.priced_by, self._read_past)

    def run(self, rows: list[Transaction]) -> None:
        """All of it."""
        for row in rows:
            try:
                self._audit.check(self._account, row, row.read_detail(), row.read_allocations())
                self._history.take(row, self._allowance_of)
                self._decide_again(row)
                fold(self._account, [row])
            except (BrokenLedgerError, AssertionError) as error:
                raise Wrong(f"transaction {row.seq} of {row.account_id} does not stand: {error!r}") from error
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
                raise Wrong(f"transaction {row.seq} of {row.account_id} is not what time does: {expected}")
            return
        intent = self._witness.wanted(row)
        if intent is None or intent.account_id != row.account_id:
            raise Wrong(f"transaction {row.seq} of {row.account_id} was asked for by nobody")
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
            raise Wrong(f"transaction {row.seq} of {row.account_id} is not what {request.command} does: {decision}")

    def _read_past(self, seq: int) -> PriorTransactions:
        rows = self._rows
        return PriorTransactions({seq: rows[seq]} if seq in rows else {}, {seq: self._since.get(seq, ())})

    def _allowance_of(self, version: int, plan: str) -> int:
        return self._database.version(version).catalog.plans.get(plan, Plan()).allowance

    def _compare(self) -> None:
        """The account and its holds stand in their rows as the ledger leaves them."""
        folded, stored = self._account, self._stored
        check_account(folded, self._history)
        wanted = account_to_row(msgspec.structs.replace(folded, label=stored.label, metadata=stored.metadata))
        if wanted != stored:
            raise Wrong(f"the row of {stored.account_id} is {stored}, its ledger says {wanted}")
        holds = {hold.seq: hold_to_row(folded.account_no, hold) for hold in folded.holds.values()}
        if holds != self._database.holds.get(folded.account_no, {}):
            raise Wrong(f"the holds of {stored.account_id} are not what its ledger says")


def _check_intent(database: Database, intent: Intent, stands: int) -> None:
    """What was acknowledged is there, what was refused is not, and nothing is there twice."""
    told = f"request {intent.number} of {intent.account_id}"
    if stands > 1:
        raise Wrong(f"{told} stands {stands} times in the ledger")
    row = intent.row
    if row is not None and row != database.rows.get(row.account_no, {}).get(row.seq):
        raise Wrong(f"{told} was acknowledged as transaction {row.seq} and is lost")
    if row is None and stands and not intent.may_stand:
        raise Wrong(f"{told} was never accepted, and it stands in the ledger")


def _check_outbox(database: Database) -> None:
    """Whoever reads the outbox is told of every row once, in its account's order."""
    reached: dict[str, int] = {}
    for document in database.outbox:
        for account_id, first, last in msgspec.json.decode(document, type=list[tuple[str, int, int]]):
            if first != reached.get(account_id, 0) + 1:
                raise Wrong(f"the outbox goes from {reached.get(account_id, 0)} to {first} in {account_id}")
            reached[account_id] = last
    wanted = {stored.account_id: stored.seq for stored in database.accounts.values()}
    if reached != wanted:
        raise Wrong("the outbox does not tell of all transactions")
