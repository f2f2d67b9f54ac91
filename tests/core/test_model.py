"""`decide` against the reference, through any commands and any jumps of the clock; the invariants after each step."""

import hashlib
from collections.abc import Sequence

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sixpence.core.account import Account, next_due_at
from sixpence.core.bounds import AMOUNT_MAX, account_no
from sixpence.core.catalog import Catalog, Feature, Plan, PricedBy
from sixpence.core.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Key, Tick
from sixpence.core.decide import Decision, decide
from sixpence.core.fold import fold
from sixpence.core.grant import CATEGORY_ORDER, burn_down_order
from sixpence.core.transaction import FIRST_HEAD, Transaction, hashed_fields, row_hash, seq_of
from tests.core.reference import Reference, Row

_START = 1_767_225_600_000_000  # 2026-01-01
_STEP = 400  # Microseconds: many instants meet, and milliseconds end between them.

_PLANS = {"free": Plan(signup_credits=3), "pro": Plan(rank=10, unlimited=True)}
_CATALOGS = (
    PricedBy(
        1,
        Catalog(
            features={"hello": Feature(0), "sketch": Feature(1), "interior": Feature(2), "video": Feature(5)},
            plans={**_PLANS, "team": Plan(rank=5)},
            default_plan="free",
        ),
    ),
    # A feature and a plan have gone, a price has risen, and signing up gives nothing.
    PricedBy(
        2,
        Catalog(
            features={"hello": Feature(0), "sketch": Feature(3), "interior": Feature(2)},
            plans={"free": Plan(), "pro": _PLANS["pro"]},
            default_plan="free",
        ),
    ),
)

_steps = st.sampled_from([-1, 0, 1, 2, 2, 3, 4, 6]).map(lambda steps: steps * _STEP)
_grants = st.builds(
    GrantCredits,
    amount=st.sampled_from([1, 2, 3, 5, 8] * 4 + [AMOUNT_MAX - 12, AMOUNT_MAX]),
    category=st.sampled_from(sorted(CATEGORY_ORDER)),
    priority=st.sampled_from([100, 100, 100, 99, 101]),
    effective_at=st.none() | _steps,
    expires_at=st.none() | _steps | _steps,
    features=st.sampled_from([None, None, ("sketch",), ("video",), ("sketch", "interior"), ("video", "magic")]),
)
_uses = st.builds(Consume, feature=st.sampled_from(["sketch", "interior", "video"] * 3 + ["hello", "magic"]))
_plans = st.builds(ChangePlan, plan=st.sampled_from(["free", "pro", "team", "gold"]))
_others = st.one_of(st.just(EnsureAccount()), _plans, st.just(Tick()))


class Asked(msgspec.Struct, frozen=True):
    """A command as a caller sends it, and the catalog of the day."""

    command: Command
    keyed: bool = False
    version: int = 1

    @property
    def priced_by(self) -> PricedBy:
        """The catalog of that version."""
        return _CATALOGS[self.version - 1]


# How long after the last thing the next one comes.
_STEPS = {"at once": 0, "a step": 1, "three steps": 3, "set back": -2}
_DRIFTS = {"when it is due": 0, "just before it is due": -1, "just after it is due": 1}
_pauses = st.sampled_from([*_STEPS, *_DRIFTS])
_versions = st.sampled_from([1, 1, 1, 1, 2])
_batches = st.lists(
    st.builds(Asked, _grants | _uses | _others, st.booleans(), _versions),
    min_size=2,
    max_size=4,
)


class Ledger(RuleBasedStateMachine):
    """One account with its rows, driven beside the reference."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = _START
        self.account = _new_account()
        self.folded = _new_account()
        self.rows: list[Transaction] = []
        self.reference = Reference()

    @initialize(
        first=st.sampled_from([Asked(EnsureAccount())] * 4 + [Asked(EnsureAccount(), version=2), Asked(Tick())])
    )
    def the_account_is_made(self, first: Asked) -> None:
        """Most accounts are made first; some are asked for before they are there."""
        self._one(first)

    @rule(pause=_pauses, command=_grants, keyed=st.booleans(), version=_versions)
    def credits_are_given(self, pause: str, command: Command, keyed: bool, version: int) -> None:
        """Credits are given, now or later, for ever or for a while."""
        self._pass(pause)
        self._one(Asked(command, keyed, version))

    @rule(pause=_pauses, command=_uses, keyed=st.booleans(), version=_versions)
    def a_feature_is_used(self, pause: str, command: Command, keyed: bool, version: int) -> None:
        """A feature is used."""
        self._pass(pause)
        self._one(Asked(command, keyed, version))

    @rule(pause=_pauses, command=_others, keyed=st.booleans(), version=_versions)
    def something_else_is_asked(self, pause: str, command: Command, keyed: bool, version: int) -> None:
        """The account is ensured, its plan changes, or it is only brought up to date."""
        self._pass(pause)
        self._one(Asked(command, keyed, version))

    @rule(pause=_pauses, batch=_batches)
    def a_batch(self, pause: str, batch: list[Asked]) -> None:
        """A batch leaves what its commands leave one by one, and what it leaves without those that are refused."""
        self._pass(pause)
        asked = [self._at_this_time(one) for one in batch]

        together = self._run(self.account, asked)
        apart, kept, account = [], [], self.account
        for one in asked:
            decision = self._decide(msgspec.msgpack.decode(_bytes(account), type=Account), one)
            account = fold(account.copy(), decision.rows)
            account.label, account.metadata = decision.account.label, decision.account.metadata
            apart.append(decision)
            kept += [one] if decision.refusal is None else []

        assert [_bytes(one.account) for one in together] == [_bytes(one.account) for one in apart]
        assert _all_rows(together) == _all_rows(apart)
        if kept:
            assert _all_rows(self._run(self.account, kept)) == _all_rows(together)

    @rule(first=st.integers(0, 6), second=st.integers(0, 6))
    def two_ticks_or_one(self, first: int, second: int) -> None:
        """Tick(t1) then Tick(t2) leaves the rows of Tick(t2); only when they were written differs (invariant 18)."""
        sooner, later = self.clock + first * _STEP, self.clock + (first + second) * _STEP

        halfway = decide(self.account, Tick(), clock=sooner, priced_by=_CATALOGS[0])
        twice = decide(halfway.account, Tick(), clock=later, priced_by=_CATALOGS[0])
        once = decide(self.account, Tick(), clock=later, priced_by=_CATALOGS[0])

        assert [_unwritten(row) for row in (*halfway.rows, *twice.rows)] == [_unwritten(row) for row in once.rows]
        assert _without_head(twice.account) == _without_head(once.account)

    @invariant()
    def figures_add_up(self) -> None:
        """Invariants 1 to 3: the account's figures follow from its grants and from its ledger."""
        account = self.account
        consumed = sum(row.credits_consumed or 0 for row in self.rows)

        assert account.remaining == sum(grant.remaining - grant.held for grant in account.grants if not grant.pending)
        assert account.remaining == sum(row.amount for row in self.rows)
        assert account.total == account.remaining + account.held + consumed
        assert (account.held, account.owed) == (0, 0)
        assert all(0 <= grant.held <= grant.remaining <= grant.amount for grant in account.grants)
        assert all(grant.remaining for grant in account.grants)
        assert account.total + sum(grant.remaining for grant in account.grants if grant.pending) <= AMOUNT_MAX
        assert account.grants == sorted(account.grants, key=burn_down_order)
        assert account.next_due_at == next_due_at(account.grants)

    @invariant()
    def the_fold_gives_it_back(self) -> None:
        """Invariant 2: the rows alone rebuild the account."""
        self.folded = fold(self.folded, self.rows[self.folded.seq :])

        assert _bytes(self.folded) == _bytes(self.account)

    def teardown(self) -> None:
        """Invariants 5, 10, 12: the whole chain, from the beginning, and no grant spent out of its time."""
        assert fold(_new_account(), self.rows) == self.account
        balance, head, last_at = 0, FIRST_HEAD, 0
        terms = {row.id: row.read_detail().grant for row in self.rows}
        for seq, row in enumerate(self.rows, start=1):
            assert (row.seq, seq_of(row.id), row.balance_after) == (seq, seq, balance + row.amount)
            assert row.hash == row_hash(head, hashed_fields(row))
            assert row.created_at >= last_at
            balance, head, last_at = row.balance_after, row.hash, row.created_at
            for move in row.read_allocations():
                grant = terms[move.grant_id]
                assert grant is not None
                if move.movement == "consumed":
                    assert move.amount < 0
                    assert grant.effective_at <= row.created_at
                    assert grant.expires_at is None or row.created_at < grant.expires_at
                    assert grant.features is None or row.feature_used in grant.features

    def _pass(self, pause: str) -> None:
        due_at = self.account.next_due_at
        if pause in _STEPS:
            self.clock += _STEPS[pause] * _STEP
        elif due_at is not None:
            self.clock = due_at + _DRIFTS[pause]

    def _one(self, drawn: Asked) -> None:
        """A command comes: the decision is what the reference says, and leaves what it was given as it was."""
        asked = self._at_this_time(drawn)
        command, catalog = asked.command, asked.priced_by.catalog
        before = _bytes(self.account)

        decision = self._decide(self.account, asked)
        rows, refused = self.reference.run(command, clock=self.clock, catalog=catalog, keyed=asked.keyed)

        assert _bytes(self.account) == before
        assert [_plain(row) for row in decision.rows] == rows
        assert (None if decision.refusal is None else decision.refusal.code) == refused
        self._check_its_own_row(command, decision, asked.keyed)
        self._check_terms(command, decision)
        self._take(decision)

    def _at_this_time(self, asked: Asked) -> Asked:
        """The command with the instants that were drawn as distances from now."""
        command = asked.command
        if isinstance(command, GrantCredits):
            now = max(self.clock, self.account.last_at)
            effective_at = None if command.effective_at is None else now + command.effective_at
            expires_at = None if command.expires_at is None else now + command.expires_at
            command = msgspec.structs.replace(command, effective_at=effective_at, expires_at=expires_at)
        return msgspec.structs.replace(asked, command=command)

    def _decide(self, account: Account, asked: Asked) -> Decision:
        key = Key("key", hashlib.sha256(b"asked").digest()) if asked.keyed else None
        return decide(account, asked.command, clock=self.clock, priced_by=asked.priced_by, key=key)

    def _run(self, account: Account, batch: Sequence[Asked]) -> list[Decision]:
        decisions = []
        for asked in batch:
            decision = self._decide(account, asked)
            account = decision.account
            decisions.append(decision)
        return decisions

    def _check_its_own_row(self, command: Command, decision: Decision, keyed: bool) -> None:
        """Invariants 4 and 12: what fell due, then exactly one row at `now`, or none."""
        due = decide(self.account, Tick(), clock=self.clock, priced_by=_CATALOGS[0])
        own = decision.rows[len(due.rows) :]
        assert decision.rows[: len(due.rows)] == due.rows
        assert own == (() if decision.row is None else (decision.row,))
        if decision.refusal is not None or isinstance(command, Tick):
            assert decision.row is None
            assert _bytes(decision.account) == _bytes(due.account)
        elif keyed or isinstance(command, GrantCredits | Consume):
            assert decision.row is not None
        if decision.row is not None:
            assert decision.row.created_at == max(self.clock, self.account.last_at)
            assert (decision.row.idempotency_key is not None) == keyed

    def _check_terms(self, command: Command, decision: Decision) -> None:
        if isinstance(command, GrantCredits) and decision.row is not None:
            terms = decision.row.read_detail().grant
            assert terms is not None
            given = (terms.amount, terms.category, terms.priority, terms.expires_at, terms.features)
            assert given == (command.amount, command.category, command.priority, command.expires_at, command.features)

    def _take(self, decision: Decision) -> None:
        self.account = decision.account
        self.rows.extend(decision.rows)


TestLedger = Ledger.TestCase
# The same examples at every run, so that a failure is never a matter of luck.
TestLedger.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def _new_account() -> Account:
    account_id = "ada@example.com"
    return Account(account_no=account_no(account_id), account_id=account_id)


def _bytes(account: Account) -> bytes:
    return msgspec.msgpack.encode(account)


def _all_rows(decisions: Sequence[Decision]) -> list[Transaction]:
    return [row for decision in decisions for row in decision.rows]


def _plain(row: Transaction) -> Row:
    moves = tuple((seq_of(move.grant_id) or 0, move.movement, move.amount) for move in row.read_allocations())
    figures = (row.amount, row.balance_after, row.total_after)
    return Row(row.kind, row.created_at, *figures, row.plan, moves, row.feature_used, row.credits_consumed)


def _unwritten(row: Transaction) -> Transaction:
    return msgspec.structs.replace(row, recorded_at=0, hash=b"")


def _without_head(account: Account) -> bytes:
    return _bytes(msgspec.structs.replace(account, head=b""))
