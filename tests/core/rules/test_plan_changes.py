"""Changes of plan in a term: unspent credits are not lost, and no term gives more than its best plan.

The small changes, row by row, are stories (tests/core/cases/stories/plans.txt).
"""

from collections import defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixpence.core.account.account import Account
from sixpence.core.account.commands import CancelPlan, ChangePlan, Command, Consume, EnsureAccount, PlaceHold, Tick
from sixpence.core.account.fold import fold
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import GrantTerms, Transaction, grant_id, write_detail
from sixpence.core.audit.audit import Audit
from sixpence.core.audit.due import check_allowance
from sixpence.core.audit.replay import find_difference
from sixpence.core.catalog.catalog import Catalog, Feature, Period, Plan, PricedBy, Rollover, Trial
from sixpence.core.catalog.price import Usage
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import DAY, SECOND, from_wire

ADA = "ada@example.com"
START = from_wire("start", "2026-01-01T00:00:00Z")
HOUR = 3_600 * SECOND


def _monthly(allowance: int, rank: int, *, drip: bool = False, trial: Trial | None = None) -> Plan:
    return Plan(rank=rank, allowance=allowance, period="year" if drip else "month", drip=drip, trial=trial)


PLANS = {
    "free": _monthly(100, 0),
    "old": _monthly(100, 1),
    "new": _monthly(150, 2),
    "pro": Plan(rank=1, unlimited=True),
    "tried": _monthly(100, 1, trial=Trial(days=7, allowance=50)),
    "double": _monthly(200, 3),
    "half-thousand": _monthly(500, 4),
    "equal": _monthly(500, 5),
    "thousand": _monthly(1_000, 6),
    "drip": _monthly(1_200, 7, drip=True),
    "drip-more": _monthly(1_800, 8, drip=True),
    "week": Plan(rank=9, allowance=70, period="week"),
    "short": _monthly(30, 10),
    "rolling": Plan(rank=11, allowance=60, period="month", rollover=Rollover(cap=1_000, periods=2)),
    "top": Plan(rank=12, unlimited=True),
}


def _priced_by(default: str = "free") -> PricedBy:
    features = {"use": Feature(1, unit="credit")}
    return PricedBy(1, Catalog(features=features, plans=PLANS, default_plan=default), 0)


class Ada:
    """One account with its rows; each row is replayed and audited at once."""

    def __init__(self, default: str = "free") -> None:
        self.priced_by = _priced_by(default)
        self.account = self._new()
        self.rows: list[Transaction] = []
        self._audit = Audit(self.priced_by, lambda _seq: PriorTransactions().with_rows(self.rows))
        self.run(EnsureAccount())

    def run(self, command: Command, at: int = START) -> Account:
        """The account after the command, accepted or not."""
        decision = decide(self.account, command, clock=at, priced_by=self.priced_by)
        for row in decision.rows:
            assert find_difference(self.account, row, self.priced_by) is None
            self.audit(row)
            self.account = fold(self.account.copy(), [row])
            self.rows.append(row)
        return self.account

    def audit(self, row: Transaction) -> None:
        """Audit the next row."""
        self._audit.check(self.account, row, row.read_detail(), row.read_allocations())

    def change(self, plan: str, at: int = START) -> Account:
        """The account after a change of plan."""
        return self.run(ChangePlan(plan=plan), at)

    def use(self, credits: int, at: int = START) -> Account:
        """The account after a use."""
        return self.run(Consume(feature="use", usage=Usage(units=credits)), at)

    def parts(self) -> list[int]:
        """What is left of each grant, in the order in which they were made."""
        return [grant.remaining for grant in sorted(self.account.grants, key=lambda grant: (len(grant.id), grant.id))]

    def _new(self) -> Account:
        return Account(account_no=account_no(ADA), account_id=ADA)


@pytest.mark.parametrize(
    ("before", "spent", "after", "remaining"),
    [
        ("old", 0, "new", 150),
        ("old", 80, "thousand", 920),
        ("old", 40, "double", 160),
        ("half-thousand", 0, "equal", 500),
        ("drip", 0, "drip-more", 150),
        ("drip", 40, "drip-more", 110),
    ],
)
def test_upgrade_at_the_start_of_a_term_gives_all_that_was_not_spent(
    before: str, spent: int, after: str, remaining: int
) -> None:
    """At the start of a term the new plan gives its whole allowance less what was spent."""
    ada = Ada(before)
    if spent:
        ada.use(spent)

    account = ada.change(after)

    assert account.remaining == remaining


def test_cancelling_an_unlimited_plan_gives_the_rest_of_the_month() -> None:
    """The allowance by the time left, rounded down."""
    ada = Ada()
    ada.change("pro")

    account = ada.run(CancelPlan(), START + HOUR)

    assert (account.plan, account.remaining) == ("free", 99)


def test_cancelled_trial_gives_the_rest_of_the_month() -> None:
    """The trial's end gives the default plan's allowance by the 24 days left of 31."""
    ada = Ada()
    trial = ada.run(ChangePlan(plan="tried", trial=True))
    ada.run(CancelPlan())

    account = ada.run(Tick(), START + 7 * DAY)

    assert (trial.remaining, account.plan, account.remaining) == (50, "free", 77)


def test_upgrade_on_the_last_day_keeps_what_could_be_spent() -> None:
    """The rest of the month is 16; 84 of what there was come beside it, with the same expiry."""
    ada = Ada()

    account = ada.change("half-thousand", START + 30 * DAY)

    assert (account.remaining, ada.parts()) == (100, [16, 84])
    assert {grant.expires_at for grant in account.grants} == {START + 31 * DAY}


def test_upgrade_on_the_last_day_after_a_use_keeps_the_rest() -> None:
    """40 of 100 are spent: 16 come, and 44 stay."""
    ada = Ada()
    ada.use(40)

    account = ada.change("half-thousand", START + 30 * DAY)

    assert (account.remaining, ada.parts()) == (60, [16, 44])


def test_unlimited_plan_and_back_on_the_last_day_gives_the_last_day() -> None:
    """An unlimited plan has no use for credits, so nothing is kept: a day of the allowance comes."""
    ada = Ada()
    ada.change("pro", START + 30 * DAY)

    account = ada.run(CancelPlan(), START + 30 * DAY)

    assert account.remaining == 3


def test_credits_that_a_hold_has_count_as_spent() -> None:
    """Of 100, 30 are held: the new plan gives 150 less 30, and the hold keeps its credits."""
    ada = Ada("old")
    ada.run(PlaceHold(feature="use", ttl_seconds=600, usage=Usage(units=30)))

    account = ada.change("new")

    assert (account.remaining, account.held) == (120, 30)


def test_carried_credits_never_roll_over() -> None:
    """Where the new plan rolls over, its own rest does, and the carried credits expire."""
    ada = Ada()
    ada.change("rolling", START + 30 * DAY)

    account = ada.run(Tick(), START + 31 * DAY)

    assert [(grant.rolled, grant.remaining) for grant in account.grants] == [(False, 60), (True, 1)]
    assert [row.kind for row in ada.rows[2:]] == ["rollover", "expire", "allowance"]


def test_carried_credits_count_in_the_term_that_gave_them() -> None:
    """40 of a week stay beside a month's 30, and 25 of them are used: back in the week, it has 45 of 70 to give."""
    ada = Ada("week")
    ada.change("short")
    assert (ada.account.remaining, ada.parts()) == (70, [30, 40])
    ada.use(25)
    assert ada.parts() == [30, 15]
    ada.change("top")

    account = ada.change("week")

    assert account.remaining == 45


def test_credits_of_a_trial_are_carried_into_the_paid_plan() -> None:
    """A day is left of the month that the trial interrupted: its 3 come, and 47 of the trial stay until its end."""
    ada = Ada()
    at = START + 30 * DAY
    ada.run(ChangePlan(plan="tried", trial=True), at)

    account = ada.change("tried", at)

    assert (account.remaining, ada.parts()) == (50, [3, 47])
    assert ada.run(Tick(), at + 7 * DAY).remaining == 100


def _changed(rules: int) -> tuple[Ada, Transaction]:
    """Ada before an upgrade in the middle of a month, and its row as that version of the rules decides it."""
    ada = Ada()
    ada.use(40)
    decision = decide(ada.account, ChangePlan(plan="thousand"), clock=START + DAY, priced_by=ada.priced_by, rules=rules)
    assert decision.row is not None
    return ada, decision.row


@pytest.mark.parametrize(("rules", "granted", "given"), [(1, 900, 1_000), (2, 960, 1_000)])
def test_replay_decides_a_change_by_the_rules_it_names(rules: int, granted: int, given: int) -> None:
    """In version 1 the 60 that ended unspent counted as given; under the other version neither row is right."""
    ada, row = _changed(rules)
    detail = row.read_detail()
    renamed = msgspec.structs.replace(row, detail=write_detail(msgspec.structs.replace(detail, rules=3 - rules)))

    ada.audit(row)

    assert detail.rules == rules
    assert detail.subscription is not None
    assert ([terms.amount for terms in detail.grants], detail.subscription.given) == ([granted], given)
    assert find_difference(ada.account, row, ada.priced_by) is None
    assert find_difference(ada.account, renamed, ada.priced_by) is not None


def test_change_that_ends_nothing_unspent_names_no_version() -> None:
    """All versions decide it alike, and its text is that of an older row."""
    ada = Ada()
    ada.use(100)

    ada.change("thousand")

    assert "rules" not in ada.rows[-1].detail
    assert "counted_in" not in ada.rows[-1].detail


def test_text_of_a_change_with_carried_credits_is_pinned() -> None:
    """The version comes last in the row, and the term of carried credits last in their terms."""
    ada = Ada()

    ada.change("half-thousand", START + 30 * DAY)

    text = ada.rows[-1].detail
    assert text.endswith(',"rules":2}')
    assert '"by_plan":"free","counted_in":"month"}]' in text


@pytest.mark.parametrize("rules", [0, 3])
def test_audit_finds_unknown_version_of_the_rules(rules: int) -> None:
    """A row of rules that are not known here is refused."""
    ada, row = _changed(2)
    detail = msgspec.structs.replace(row.read_detail(), rules=rules)

    with pytest.raises(BrokenLedgerError, match=f"is decided by version {rules} of the rules, which is unknown"):
        ada.audit(msgspec.structs.replace(row, detail=write_detail(detail)))


@pytest.mark.parametrize(
    ("amount", "rules", "found"),
    [
        (84, 2, None),
        (85, 2, "carries over 85 unspent credits, more than it ends"),
        (1, 1, "carries over 1 unspent credits, more than it ends"),
    ],
)
def test_audit_finds_carried_credits_that_did_not_end(amount: int, rules: int, found: str | None) -> None:
    """A row carries over at most what it ends; in version 1 nothing."""
    ada = Ada()
    ada.use(16)
    before = ada.account
    ada.change("half-thousand", START + 30 * DAY)
    row = ada.rows[-1]
    detail = row.read_detail()
    carried = msgspec.structs.replace(detail.more_grants[0], amount=amount)
    forged = msgspec.structs.replace(detail, more_grants=(carried,), rules=rules)

    def check() -> None:
        check_allowance(before, row, forged, row.read_allocations())

    if found is None:
        with pytest.raises(BrokenLedgerError, match="gives 16 of an allowance and counts 0"):
            check()
    else:
        with pytest.raises(BrokenLedgerError, match=found):
            check()


_MOVES = st.lists(
    st.tuples(
        st.sampled_from([*PLANS, "trial", "cancel", "use", "use", "hold"]),
        st.sampled_from([0, 0, SECOND, HOUR, DAY, 3 * DAY, 7 * DAY, 23 * DAY, 31 * DAY]),
        st.integers(1, 120),
    ),
    max_size=14,
)


def _is_upgrade(before: Account, after: Account) -> bool:
    """Whether a command put the account on a plan with a period, without a trial."""
    old, new = PLANS[before.plan], PLANS[after.plan]
    started = after.subscription is not None and after.subscription.trial
    return new.rank > old.rank and new.period is not None and not started


@settings(max_examples=400, deadline=None, derandomize=True)
@given(default=st.sampled_from(["free", "week", "drip", "pro"]), moves=_MOVES)
def test_no_sequence_of_changes_loses_or_multiplies_credits(default: str, moves: list[tuple[str, int, int]]) -> None:
    """An upgrade never lowers what can be spent, and what a term gives, less what it took back, is its best plan's."""
    ada, at = Ada(default), START
    for move, later, credits in moves:
        at += later
        before = ada.run(Tick(), at)
        if move == "use":
            ada.use(credits, at)
        elif move == "hold":
            ada.run(PlaceHold(feature="use", ttl_seconds=3_600, usage=Usage(units=credits)), at)
        elif move == "cancel":
            ada.run(CancelPlan(), at)
        elif move == "trial":
            ada.run(ChangePlan(plan="tried", trial=True), at)
        else:
            after = ada.change(move, at)
            if _is_upgrade(before, after):
                lost = sum(grant.free for grant in before.grants if grant.rolled)
                assert after.remaining >= before.remaining - lost
        _check_terms(ada.rows)


def _check_terms(rows: list[Transaction]) -> None:
    """Count from the rows alone what each term gave and what was not spent of it when a change ended it."""
    gave: dict[tuple[Period, int], int] = defaultdict(int)
    best: dict[tuple[Period, int], int] = defaultdict(int)
    counted: dict[str, tuple[Period, int]] = {}
    for row in rows:
        detail = row.read_detail()
        for move in row.read_allocations():
            if move.movement == "expired" and row.kind == "plan_change" and move.grant_id in counted:
                gave[counted[move.grant_id]] += move.amount
        term = detail.subscription
        if term is not None and not term.trial:
            name = (term.period, term.ends_at)
            best[name] = max(best[name], PLANS[row.plan].allowance)
        for place, terms in enumerate(detail.grants):
            named = _term_of(terms, row)
            if named is not None:
                counted[grant_id(row.id, place)] = named
                gave[named] += terms.amount
    assert all(amount <= best[name] for name, amount in gave.items()), (gave, best)


def _term_of(terms: GrantTerms, row: Transaction) -> tuple[Period, int] | None:
    term = row.read_detail().subscription
    if terms.by_plan is None or terms.rolled or terms.expires_at is None or term is None:
        return None
    if terms.counted_in is not None:
        return None if terms.counted_in == "trial" else (terms.counted_in, terms.expires_at)
    return None if term.trial else (term.period, term.ends_at)
