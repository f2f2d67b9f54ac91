"""What a plan's term may give: its allowance once, in one piece or in shares, also when it was pushed aside.

From the rows alone (invariant 11): how much a plan gives, and when its terms begin, is decided in `rules.terms`.
"""

from sixpence.core.account.account import Account
from sixpence.core.account.subscription import Subscription
from sixpence.core.account.transaction import Detail, Transaction
from sixpence.core.audit.movements import broken


def check_allowance(before: Account, row: Transaction, detail: Detail) -> None:
    """A term gives its allowance once, in one piece or in shares, also when it was pushed aside (invariant 11)."""
    if detail.subscription is None and detail.grant is None:
        return
    came = sum(terms.amount for terms in detail.grants if terms.by_plan is not None and not terms.rolled)
    then, after = before.subscription, detail.subscription
    if after is not None and after.given > after.best:
        broken(row, f"gives {after.given} in a term whose best plan gives {after.best}")
    if came == 0:
        return
    if after is None:
        broken(row, "gives an allowance and no term")
    given = None if then is None else _given_before(then, after)
    if given is not None:
        if came > after.given - given:
            broken(row, f"gives {came} of an allowance and counts {after.given - given}")
        return
    begins_at = then.ends_at if then is not None and row.kind == "allowance" else after.anchor
    if came > after.given or begins_at != row.created_at:
        broken(row, "gives an allowance outside its term's beginning")


def _given_before(then: Subscription, after: Subscription) -> int | None:
    """What the term had given that goes on or is taken up again; None for one that begins."""
    if _term(then) == _term(after):
        return then.given
    same = [term.given for term in then.aside if (term.period, term.anchor, term.ends_at) == _place(after)]
    return same[0] if same and not after.trial else None


def _place(subscription: Subscription) -> tuple[str, int, int]:
    return subscription.period, subscription.anchor, subscription.ends_at


def _term(subscription: Subscription) -> tuple[int, int, bool, tuple[str, ...]]:
    """What tells one term from another; trials of two plans may begin and end together."""
    return subscription.anchor, subscription.ends_at, subscription.trial, subscription.tried
