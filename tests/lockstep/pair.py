"""One account on the pure core and on the reference, with every invariant checked after each command."""

import hashlib

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Command, Consume, GrantCredits, Key, Tick
from sixpence.core.account.fold import fold
from sixpence.core.account.hold import Hold, Holds
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import Plan, PricedBy
from sixpence.core.rules.decide import Decision, decide
from sixpence.core.values.bounds import account_no
from tests.core.reference import Reference
from tests.lockstep.commands import KeyedCommand, with_ids, with_known
from tests.lockstep.comparing import compare_refusals, compare_rows, ids_of
from tests.lockstep.history import History
from tests.lockstep.invariants import check_account, check_not_stuck, check_overdraft

ALWAYS_WRITTEN = (GrantCredits, Consume)


class Pair:
    """An account's state and rows as decided by the core, and its reference."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.account = self.new_account()
        self.folded = self.new_account()
        self.rows: list[Transaction] = []
        self.history = History()
        self.past = PriorTransactions()
        self.ids: dict[str, str] = {}
        self.keys: dict[str, KeyedCommand] = {}
        self.reference = Reference()
        self.priced_by: PricedBy | None = None

    def new_account(self) -> Account:
        """The account before anything happened."""
        return Account(account_no=account_no(self.account_id), account_id=self.account_id)

    def command_of(self, asked: KeyedCommand) -> Command:
        """The command with the ids of this account's rows."""
        return with_ids(asked.command, self.ids)

    def ask(self, asked: KeyedCommand, *, clock: int, priced_by: PricedBy) -> Decision:
        """Run the command on both sides, compare them, check the invariants, and apply the decision."""
        decision = self.decide(asked, clock=clock, priced_by=priced_by)
        command = with_known(asked.command, self.ids)
        rows, refused = self.reference.run(command, clock=clock, priced_by=priced_by, keyed=asked.key is not None)
        compare_rows(decision.rows, rows)
        compare_refusals(decision.refusal, refused)
        self._check_its_own_row(asked, decision, clock=clock, priced_by=priced_by)
        self._take(decision, asked, priced_by)
        return decision

    def decide(self, asked: KeyedCommand, *, clock: int, priced_by: PricedBy) -> Decision:
        """The core's decision; it may not change the given account."""
        before = to_bytes(self.account)
        key = key_of(asked)
        command = self.command_of(asked)
        decision = decide(self.account, command, clock=clock, priced_by=priced_by, key=key, prior=self.past)
        assert to_bytes(self.account) == before
        return decision

    def check_in_full(self) -> None:
        """The expensive checks: the account is not stuck, and the fold from empty gives the same account."""
        if self.priced_by is not None:
            check_not_stuck(self.account, self.account.last_at, self._decided_later)
        assert to_bytes(fold(self.new_account(), self.rows)) == to_bytes(unlabelled(self.account))

    def _check_its_own_row(self, asked: KeyedCommand, decision: Decision, *, clock: int, priced_by: PricedBy) -> None:
        """Invariants 4 and 12: the rows of what fell due, then at most one row, at `now`."""
        due = decide(self.account, Tick(), clock=clock, priced_by=priced_by)
        own = decision.rows[len(due.rows) :]
        assert decision.rows[: len(due.rows)] == due.rows
        assert own == (() if decision.row is None else (decision.row,))
        if decision.refusal is not None or isinstance(asked.command, Tick):
            assert decision.row is None
            assert to_bytes(decision.account) == to_bytes(due.account)
        elif asked.key is not None or isinstance(asked.command, ALWAYS_WRITTEN):
            assert decision.row is not None
        if decision.row is not None:
            assert decision.row.created_at == max(clock, self.account.last_at)
            assert decision.row.idempotency_key == asked.key

    def _allowance_of(self, version: int, plan: str) -> int:
        assert self.priced_by is not None
        return self.priced_by.of_version(version).catalog.plans.get(plan, Plan()).allowance

    def _decided_later(self, account: Account, command: Command, clock: int) -> Decision:
        assert self.priced_by is not None
        return decide(account, command, clock=clock, priced_by=self.priced_by)

    def _take(self, decision: Decision, asked: KeyedCommand, priced_by: PricedBy) -> None:
        if decision.row is not None and asked.key is not None:
            self.keys[asked.key] = asked
        check_overdraft(self.account, decision.account, priced_by.catalog)
        self.account, self.priced_by = decision.account, priced_by
        self.rows.extend(decision.rows)
        self.past = self.past.with_rows(decision.rows)
        self.ids = {**self.ids, **ids_of(list(decision.rows))}
        self.folded = fold(self.folded, decision.rows)
        assert to_bytes(self.folded) == to_bytes(unlabelled(self.account))
        for row in decision.rows:
            self.history.take(row, self._allowance_of)
        check_account(self.account, self.history)


def key_of(asked: KeyedCommand) -> Key | None:
    """The key of a command, with a fingerprint of the command."""
    if asked.key is None:
        return None
    return Key(asked.key, hashlib.sha256(repr(asked.command).encode()).digest())


def to_bytes(account: Account) -> bytes:
    """Every byte of an account's state."""
    return msgspec.msgpack.encode(account)


def reread(account: Account) -> Account:
    """The account decoded from its bytes."""

    def holds(_kind: type, value: object) -> Holds:
        return Holds(msgspec.convert(value, dict[str, Hold]).values())

    return msgspec.msgpack.decode(to_bytes(account), type=Account, dec_hook=holds)


def unlabelled(account: Account) -> Account:
    """The account without the fields that the fold does not rebuild."""
    return msgspec.structs.replace(account, label=None, metadata=None)
