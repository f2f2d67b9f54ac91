"""Random sequences of plan changes: none loses unspent credits, and none multiplies them."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from sixpence.core.account.account import Account
from sixpence.core.account.commands import CancelPlan, ChangePlan, PlaceHold, Tick
from sixpence.core.account.transaction import GrantTerms, Transaction, grant_id
from sixpence.core.catalog.catalog import Period
from sixpence.core.catalog.price import Usage
from sixpence.core.values.instant import DAY, SECOND
from tests.core.rules.plan_accounts import HOUR, PLANS, START, Ada

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
