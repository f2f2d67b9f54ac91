"""The audit of time: due changes come first and in order, and a term gives its allowance once (invariants 11 and 18).

A term may give its allowance at once or in shares, also after it was suspended. Not here: what a due change does
(`rules.due`), how much a plan gives, and when its terms begin (`rules.terms`).
"""

from sixpence.core.account.account import Account
from sixpence.core.account.grant import CountedIn, Grant
from sixpence.core.account.hold import Hold
from sixpence.core.account.movement import Allocation
from sixpence.core.account.subscription import Subscription
from sixpence.core.account.transaction import Detail, Transaction
from sixpence.core.audit.movements import raise_broken
from sixpence.core.rules import versions
from sixpence.core.rules.due import first_due

_BY_TIME = frozenset(("hold_expire", "expire", "rollover", "allowance", "take_effect"))
_WHEN_DUE = _BY_TIME | {"plan_change"}


def check_due(before: Account, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
    """Raise `BrokenLedgerError` for a row that comes before a due change, or for a due change at a wrong instant."""
    due_at = before.next_due_at
    if due_at is None or row.created_at < due_at:
        if row.kind in _BY_TIME:
            raise_broken(row, f"is of the kind '{row.kind}' at an instant at which nothing was due")
        return
    if due_at < row.created_at:
        raise_broken(row, f"passes over what was due at {due_at}")
    if row.kind not in _WHEN_DUE or row.idempotency_key is not None:
        raise_broken(row, f"comes before what was due at {due_at}")
    due = first_due(before, due_at)
    if not _matches(due, row, detail, moves):
        raise_broken(row, f"comes before {_name_of(due)}, which was due first at {due_at}")


def check_allowance(before: Account, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
    """Raise `BrokenLedgerError` for an allowance that a term gives twice or outside its time.

    What the row ends unspent may be given again, or carried over (version 2 of the rules).
    """
    if detail.subscription is None and detail.grant is None:
        return
    by_plan = [terms for terms in detail.grants if terms.by_plan is not None and not terms.rolled]
    came = sum(terms.amount for terms in by_plan if terms.counted_in is None)
    ended = _ended_unspent(before, detail, moves)
    for terms in by_plan:
        if terms.counted_in is not None:
            ended[terms.counted_in] = ended.get(terms.counted_in, 0) - terms.amount
            if ended[terms.counted_in] < 0:
                raise_broken(row, f"carries over {terms.amount} unspent credits, more than it ends")
    earlier, after = before.subscription, detail.subscription
    if after is not None and after.given > after.best:
        raise_broken(row, f"gives {after.given} in a term whose best plan gives {after.best}")
    if came == 0:
        return
    if after is None:
        raise_broken(row, "gives an allowance and no term")
    given = None if earlier is None else _given_before(earlier, after)
    if given is not None:
        counted = after.given - given + ended.get(after.term_name, 0)
        if came > counted:
            raise_broken(row, f"gives {came} of an allowance and counts {counted}")
        return
    begins_at = earlier.ends_at if earlier is not None and row.kind == "allowance" else after.anchor
    if came > after.given or begins_at != row.created_at:
        raise_broken(row, "gives an allowance outside its term's beginning")


def _matches(due: Hold | Grant | Subscription, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> bool:
    if isinstance(due, Subscription):
        waited = due.waiting and row.created_at >= due.ends_at
        return row.kind == ("plan_change" if waited else "allowance")
    # Older expiries name their grant only in their movements; `take_effect` still does.
    about = detail.about if detail.about is not None or not moves else moves[0].grant_id
    if about != due.id:
        return False
    if isinstance(due, Hold):
        return row.kind == "hold_expire"
    return row.kind == "take_effect" if due.pending else row.kind in ("expire", "rollover")


def _name_of(due: Hold | Grant | Subscription) -> str:
    if isinstance(due, Subscription):
        return "the plan's term"
    return f"hold '{due.id}'" if isinstance(due, Hold) else f"grant '{due.id}'"


def _given_before(earlier: Subscription, after: Subscription) -> int | None:
    """Return what the continued or resumed term had given; None for a term that begins."""
    if _term_key(earlier) == _term_key(after):
        return earlier.given
    same = [term.given for term in earlier.aside if (term.period, term.anchor, term.ends_at) == _term_place(after)]
    return same[0] if same and not after.trial else None


def _ended_unspent(before: Account, detail: Detail, moves: tuple[Allocation, ...]) -> dict[CountedIn, int]:
    """Return what the row ends unspent, for each term that had given it; in version 1 it still counted as given."""
    ended: dict[CountedIn, int] = {}
    if detail.rules < versions.UNSPENT_CREDITS_RETURN or before.subscription is None:
        return ended
    unrolled = {grant.id: grant for grant in before.grants if grant.by_plan is not None and not grant.rolled}
    for move in moves:
        if move.movement == "expired" and move.grant_id in unrolled:
            name = unrolled[move.grant_id].counted_in or before.subscription.term_name
            ended[name] = ended.get(name, 0) - move.amount
    return ended


def _term_place(subscription: Subscription) -> tuple[str, int, int]:
    return subscription.period, subscription.anchor, subscription.ends_at


def _term_key(subscription: Subscription) -> tuple[int, int, bool, tuple[str, ...]]:
    """Return what identifies a term; trials of two plans may begin and end together."""
    return subscription.anchor, subscription.ends_at, subscription.trial, subscription.tried
