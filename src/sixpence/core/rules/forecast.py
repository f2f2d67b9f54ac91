"""The forecast: an account's next allowance and next expiry, found by applying due changes to a copy of it.

The forecast uses the current catalog. It ignores held credits, since their hold decides. Nothing here is stored, and no
decision depends on it.
"""

from collections.abc import Iterator

from sixpence.core.account.account import Account, next_due_at
from sixpence.core.account.fold import record
from sixpence.core.account.hold import Holds
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.rules.due import next_change
from sixpence.core.values.bounds import AMOUNT_MAX, LIVE_GRANTS_MAX

# Some months of a term may give nothing. After a trial, a change of plan and 24 months, every plan that gives an
# allowance at all has given one.
_TERMS_MAX = 2 + 24
# Each grant takes effect and ends, too.
_CHANGES_MAX = 2 * LIVE_GRANTS_MAX + _TERMS_MAX


def next_allowance(account: Account, priced_by: PricedBy) -> tuple[int, int] | None:
    """Return when the plan next gives credits, and how many; None where it will not. Cheap where no term is running."""
    if account.subscription is None or account.subscription.next_at is None:
        return None
    # What a term gives depends on the account's grants only where a change of plan may end carried ones. Otherwise they
    # can be left out of the forecast,
    if any(grant.counted_in is not None for grant in account.grants):
        return _first_allowance(_copy_without_holds(account), priced_by, _CHANGES_MAX)
    scheduled = sum(grant.remaining for grant in account.grants if grant.pending)
    emptied = _copy_without_holds(account)
    emptied.grants, emptied.total = [], account.total + scheduled
    emptied.next_due_at = next_due_at(emptied)
    upcoming = _first_allowance(emptied, priced_by, _TERMS_MAX)
    if account.total + scheduled + (0 if upcoming is None else upcoming[1]) < AMOUNT_MAX:
        return upcoming
    # unless the balance is nearly at its limit: grants that end before the allowance make room for it.
    return _first_allowance(_copy_without_holds(account), priced_by, _CHANGES_MAX)


def next_expiry(account: Account, priced_by: PricedBy) -> tuple[int | None, int]:
    """Return the next instant at which current credits end unspent, and how many do.

    Credits that roll over do not end; credits that a waiting change of plan ends do.
    """
    current = {grant.id for grant in account.grants if grant.free}
    ended_at, lost = None, 0
    for row in _due_rows(_copy_without_holds(account), priced_by, _CHANGES_MAX):
        if not current or (ended_at is not None and row.created_at > ended_at):
            break
        for move in row.read_allocations():
            if move.grant_id in current and move.movement in ("expired", "trimmed") and move.amount:
                ended_at, lost = row.created_at, lost - move.amount
            elif move.grant_id in current and move.movement == "rolled":
                current.add(row.id)
    return ended_at, lost


def _first_allowance(twin: Account, priced_by: PricedBy, most: int) -> tuple[int, int] | None:
    for row in _due_rows(twin, priced_by, most):
        terms = row.read_detail().grant if row.kind == "allowance" else None
        if terms is not None:
            return row.created_at, terms.amount
    return None


def _copy_without_holds(account: Account) -> Account:
    """Return a copy without holds, to apply due changes to."""
    twin = account.copy()
    twin.holds, twin.holds_due_at = Holds(), None
    twin.next_due_at = next_due_at(twin)
    return twin


def _due_rows(twin: Account, priced_by: PricedBy, most: int) -> Iterator[Transaction]:
    """Yield the rows of the next due changes, at most so many; each is applied to the twin."""
    for _ in range(most):
        at = twin.next_due_at
        if at is None:
            return
        yield record(twin, next_change(twin, at, priced_by), recorded_at=at)
