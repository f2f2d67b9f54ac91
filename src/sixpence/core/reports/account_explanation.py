"""An explanation of an account: why its balance is what it is, as facts and as at most twelve lines of text.

It is made from the account's live state and its latest few rows, so its cost does not grow with the account's history.
Not here: the explanation of one transaction (`explanation`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from sixpence.core.account.account import Standing
from sixpence.core.account.grant import CATEGORY_ORDER, Category
from sixpence.core.account.transaction import Transaction
from sixpence.core.reports.explanation import Event
from sixpence.core.reports.labels import credits, format_count, format_time
from sixpence.core.rules.context import DecisionContext
from sixpence.core.rules.forecast import next_allowance, next_expiry
from sixpence.core.values.instant import to_datetime, to_optional_datetime
from sixpence.core.values.wire_value import WireValue

LINES_MAX = 12
LATEST_MAX = 3


class CategorySum(msgspec.Struct, frozen=True):
    """How many credits of a category can be spent now, over all its grants."""

    category: Category
    amount: int


class AccountExplanation(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """Why an account has its balance; amounts are in the smallest unit.

    `total` counts all credits ever given that neither expired nor were cancelled; `used` were consumed and not
    refunded: total - used - held = remaining. Counted by grants: the sum of `by_category` - owed - `overdraft_held` =
    remaining. `restricted` credits are for some features only.
    """

    account_id: str
    version: int
    plan: str
    standing: Standing
    unlimited: bool
    remaining: int
    held: int
    total: int
    used: int
    by_category: tuple[CategorySum, ...]
    restricted: int
    owed: int
    overdraft: int
    overdraft_held: int
    scheduled: int
    scheduled_at: datetime | None
    next_hold_expires_at: datetime | None
    next_expiry_at: datetime | None
    next_expiry_amount: int
    next_allowance_at: datetime | None
    next_allowance_amount: int
    term_ends_at: datetime | None
    next_plan: str | None
    latest: tuple[Event, ...]


def explain_balance(context: DecisionContext, latest: Sequence[Transaction]) -> AccountExplanation:
    """Explain the account in its current state; `latest` are its newest rows, newest first."""
    account, plan, subscription = context.account, context.plan, context.account.subscription
    free: Counter[Category] = Counter()
    for grant in account.grants:
        free[grant.category] += grant.free
    scheduled = [grant for grant in account.grants if grant.pending]
    expiry_at, expiring = next_expiry(account, context.priced_by)
    coming = next_allowance(account, context.priced_by)
    running = subscription if subscription is not None and subscription.running else None
    return AccountExplanation(
        account_id=account.account_id,
        version=account.seq,
        plan=account.plan,
        standing=account.standing,
        unlimited=plan is not None and plan.unlimited,
        remaining=account.remaining,
        held=account.held,
        total=account.total,
        used=account.total - account.remaining - account.held,
        by_category=tuple(
            CategorySum(category, free[category])
            for category in sorted(free, key=lambda each: CATEGORY_ORDER[each])
            if free[category]
        ),
        restricted=sum(grant.free for grant in account.grants if grant.features is not None),
        owed=account.owed,
        overdraft=0 if plan is None else plan.overdraft,
        overdraft_held=account.overdraft_held,
        scheduled=sum(grant.remaining for grant in scheduled),
        scheduled_at=to_optional_datetime(min((grant.effective_at for grant in scheduled), default=None)),
        next_hold_expires_at=to_optional_datetime(account.holds_due_at),
        next_expiry_at=to_optional_datetime(expiry_at),
        next_expiry_amount=expiring,
        next_allowance_at=None if coming is None else to_datetime(coming[0]),
        next_allowance_amount=0 if coming is None else coming[1],
        term_ends_at=None if running is None else to_datetime(running.ends_at),
        next_plan=_next_plan(context) if running is not None and running.waiting else None,
        latest=tuple(Event.of(row) for row in latest[:LATEST_MAX]),
    )


def write_balance_explanation(explanation: AccountExplanation) -> tuple[str, ...]:
    """Return why the balance is what it is, in `LINES_MAX` lines at most."""
    return tuple(_lines(explanation))


def _next_plan(context: DecisionContext) -> str:
    """Return the plan that follows at the term's end; in the place of one that left the catalog, the default plan."""
    subscription, catalog = context.account.subscription, context.priced_by.catalog
    named = None if subscription is None or subscription.cancelled else subscription.next_plan
    return named if named is not None and named in catalog.plans else catalog.default_plan


def _lines(explanation: AccountExplanation) -> Iterator[str]:
    """Yield nine lines at most, then the latest changes."""
    yield _balance(explanation)
    if explanation.standing != "open":
        yield f"The account is {explanation.standing}: nothing can be spent now."
    lasting = f"{explanation.total} given and neither expired nor cancelled"
    used = f"{explanation.used} used and not refunded"
    yield f"{lasting} - {used} - {explanation.held} held = {explanation.remaining}."
    if explanation.by_category or explanation.owed or explanation.overdraft_held:
        yield _by_grants(explanation)
    if explanation.held:
        yield _held(explanation)
    if explanation.scheduled and explanation.scheduled_at is not None:
        first = format_time(explanation.scheduled_at)
        yield f"Granted for later: {explanation.scheduled} more, the first from {first} on."
    yield _next_expiry(explanation)
    yield from _next_of_plan(explanation)
    yield f"The latest {format_count(len(explanation.latest), 'change')} of {explanation.version}:"
    for event in explanation.latest:
        reason = f" ({event.reason})" if event.reason else ""
        change = f": {event.amount:+}" if event.amount else ""
        yield f"  {format_time(event.created_at)} {event.label()}{reason}{change}, balance {event.balance_after}"


def _balance(explanation: AccountExplanation) -> str:
    plan = f"plan {explanation.plan}{', unlimited' if explanation.unlimited else ''}"
    to_spend = f"{explanation.account_id} has {credits(explanation.remaining)} to spend"
    return f"{to_spend} ({plan}, version {explanation.version})."


def _by_grants(explanation: AccountExplanation) -> str:
    parts = [f"{each.amount} {each.category}" for each in explanation.by_category] or ["0"]
    owed = f" - {explanation.owed} owed of {explanation.overdraft} allowed" if explanation.owed else ""
    held = f" - {explanation.overdraft_held} of the overdraft held" if explanation.overdraft_held else ""
    some = f"; {explanation.restricted} of it are for some features only" if explanation.restricted else ""
    return f"By grants: {' + '.join(parts)}{owed}{held} = {explanation.remaining}{some}."


def _held(explanation: AccountExplanation) -> str:
    first = explanation.next_hold_expires_at
    until = f"; the first hold ends by {format_time(first)}" if first else ""
    return f"Held for running work: {explanation.held}{until}."


def _next_expiry(explanation: AccountExplanation) -> str:
    if explanation.next_expiry_at is None:
        return "None of it expires."
    at = format_time(explanation.next_expiry_at)
    return f"On {at} {explanation.next_expiry_amount} of it will expire unless spent before."


def _next_of_plan(explanation: AccountExplanation) -> Iterator[str]:
    """Yield a line with what the plan does next, if anything."""
    steps = []
    if explanation.next_allowance_at is not None:
        at = format_time(explanation.next_allowance_at)
        steps.append(f"the plan brings {credits(explanation.next_allowance_amount)} on {at}")
    if explanation.next_plan is not None and explanation.term_ends_at is not None:
        steps.append(f"plan {explanation.next_plan} follows on {format_time(explanation.term_ends_at)}")
    if steps:
        yield f"Next: {'; '.join(steps)}."
