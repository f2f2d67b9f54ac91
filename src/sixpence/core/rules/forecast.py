"""Looking ahead: what time alone will bring an account, found by letting it pass on a copy, under the catalog of now.

What is held is left out, since its hold decides. Nothing here is written down, and no decision rests on it.
"""

from collections.abc import Iterator

from sixpence.core.account.account import Account, next_due_at
from sixpence.core.account.fold import record
from sixpence.core.account.hold import Holds
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.rules.due import next_change
from sixpence.core.values.bounds import AMOUNT_MAX, LIVE_GRANTS_MAX

# A term may have given all it gives, and some of a year's months give nothing: after a trial, a change of plan and two
# years of months a plan that ever gives has given.
_TERMS_AHEAD_MAX = 2 + 24
# Beside them each grant takes effect and ends.
_CHANGES_AHEAD_MAX = 2 * LIVE_GRANTS_MAX + _TERMS_AHEAD_MAX


def next_allowance(account: Account, priced_by: PricedBy) -> tuple[int, int] | None:
    """When the plan next gives credits and how many; None where it will not. Costs nothing where no term is running."""
    if account.subscription is None or account.subscription.next_at is None:
        return None
    # What a term gives does not depend on what else the account has, so its grants need not be let pass as well,
    scheduled = sum(grant.remaining for grant in account.grants if grant.pending)
    alone = _twin(account)
    alone.grants, alone.total = [], account.total + scheduled
    alone.next_due_at = next_due_at(alone)
    coming = _first_allowance(alone, priced_by, _TERMS_AHEAD_MAX)
    if account.total + scheduled + (0 if coming is None else coming[1]) < AMOUNT_MAX:
        return coming
    # unless it is nearly full: what ends before the allowance makes room for it.
    return _first_allowance(_twin(account), priced_by, _CHANGES_AHEAD_MAX)


def next_expiry(account: Account, priced_by: PricedBy) -> tuple[int | None, int]:
    """The next instant at which credits that are there now end unspent, and how many then do.

    What rolls over does not end, and what a waiting change of plan ends does.
    """
    here = {grant.id for grant in account.grants if grant.free}
    ended_at, lost = None, 0
    for row in _passing(_twin(account), priced_by, _CHANGES_AHEAD_MAX):
        if not here or (ended_at is not None and row.created_at > ended_at):
            break
        for move in row.read_allocations():
            if move.grant_id in here and move.movement in ("expired", "trimmed") and move.amount:
                ended_at, lost = row.created_at, lost - move.amount
            elif move.grant_id in here and move.movement == "rolled":
                here.add(row.id)
    return ended_at, lost


def _first_allowance(twin: Account, priced_by: PricedBy, most: int) -> tuple[int, int] | None:
    for row in _passing(twin, priced_by, most):
        terms = row.read_detail().grant if row.kind == "allowance" else None
        if terms is not None:
            return row.created_at, terms.amount
    return None


def _twin(account: Account) -> Account:
    """A copy to let time pass on, without holds."""
    twin = account.copy()
    twin.holds, twin.holds_due_at = Holds(), None
    twin.next_due_at = next_due_at(twin)
    return twin


def _passing(twin: Account, priced_by: PricedBy, most: int) -> Iterator[Transaction]:
    """The rows that time alone leaves from here on, at most so many."""
    for _ in range(most):
        at = twin.next_due_at
        if at is None:
            return
        yield record(twin, next_change(twin, at, priced_by), recorded_at=at)
