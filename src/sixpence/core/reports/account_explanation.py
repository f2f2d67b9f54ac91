"""What explains an account: why its balance is what it is, as facts; and as at most twelve lines of words.

Read off the account's live state and its latest few rows, so that it costs the same whatever the account's length.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from sixpence.core.account.account import Standing
from sixpence.core.account.grant import CATEGORY_ORDER, Category
from sixpence.core.account.transaction import Transaction
from sixpence.core.reports.explanation import Event
from sixpence.core.reports.labels import counted, credits, of_kind, when
from sixpence.core.rules.context import Scene
from sixpence.core.rules.forecast import next_allowance, next_expiry
from sixpence.core.values.instant import moment, to_datetime

LINES_MAX = 12
LATEST_MAX = 3


class CategorySum(msgspec.Struct, frozen=True):
    """How many credits of a category can be spent now, all grants of it together."""

    category: Category
    amount: int


class AccountExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account has what it has; amounts are in the smallest unit.

    `total` is what was ever given and neither expired nor was cancelled; `used` of it was consumed and not refunded, so
    that total - used - held = remaining. By grants the same is: the sum of `by_category` - owed - `overdraft_held` =
    remaining. `restricted` is what of it is for some features only.
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


def explained_account(scene: Scene, latest: Sequence[Transaction]) -> AccountExplanation:
    """The explanation of an account as it stands; `latest` are its newest rows, newest first."""
    account, plan, subscription = scene.account, scene.plan, scene.account.subscription
    free: Counter[Category] = Counter()
    for grant in account.grants:
        free[grant.category] += grant.free
    scheduled = [grant for grant in account.grants if grant.pending]
    expiry_at, expiring = next_expiry(account, scene.priced_by)
    coming = next_allowance(account, scene.priced_by)
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
        scheduled_at=moment(min((grant.effective_at for grant in scheduled), default=None)),
        next_hold_expires_at=moment(account.holds_due_at),
        next_expiry_at=moment(expiry_at),
        next_expiry_amount=expiring,
        next_allowance_at=None if coming is None else to_datetime(coming[0]),
        next_allowance_amount=0 if coming is None else coming[1],
        term_ends_at=None if running is None else to_datetime(running.ends_at),
        next_plan=_next_plan(scene) if running is not None and running.waiting else None,
        latest=tuple(Event.of(row) for row in latest[:LATEST_MAX]),
    )


def account_words(told: AccountExplanation) -> tuple[str, ...]:
    """Why the balance is what it is, in twelve lines at most."""
    return tuple(_lines(told))


def _next_plan(scene: Scene) -> str:
    """The plan to which the account goes at its term's end: one that has left the catalog falls to the default one."""
    subscription, catalog = scene.account.subscription, scene.priced_by.catalog
    named = None if subscription is None or subscription.cancelled else subscription.next_plan
    return named if named is not None and named in catalog.plans else catalog.default_plan


def _lines(told: AccountExplanation) -> Iterator[str]:
    """Nine lines at most, and the latest changes."""
    plan = f"plan {told.plan}{', unlimited' if told.unlimited else ''}"
    yield f"{told.account_id} has {credits(told.remaining)} to spend ({plan}, version {told.version})."
    if told.standing != "open":
        yield f"The account is {told.standing}: nothing can be spent now."
    kept = f"{told.total} given and neither expired nor cancelled"
    yield f"{kept} - {told.used} used and not refunded - {told.held} held = {told.remaining}."
    yield _by_grants(told)
    if told.held:
        until = f"; the first hold ends by {when(told.next_hold_expires_at)}" if told.next_hold_expires_at else ""
        yield f"Held for running work: {told.held}{until}."
    if told.scheduled and told.scheduled_at is not None:
        yield f"Granted for later beside that: {told.scheduled}, the first from {when(told.scheduled_at)} on."
    if told.next_expiry_at is None:
        yield "None of it expires."
    else:
        yield f"On {when(told.next_expiry_at)} {told.next_expiry_amount} of it will expire unless spent before."
    yield from _coming(told)
    yield f"The latest {counted(len(told.latest), 'change')} of {told.version}:"
    for movement in told.latest:
        what = of_kind(movement.kind, feature=movement.feature, plan=movement.plan)
        yield f"  {when(movement.created_at)} {what}: {movement.amount:+}, balance {movement.balance_after}"


def _by_grants(told: AccountExplanation) -> str:
    parts = [f"{each.amount} {each.category}" for each in told.by_category] or ["0"]
    owed = f" - {told.owed} owed of {told.overdraft} allowed" if told.owed else ""
    aside = f" - {told.overdraft_held} of the overdraft held" if told.overdraft_held else ""
    some = f"; {told.restricted} of it are for some features only" if told.restricted else ""
    return f"By grants: {' + '.join(parts)}{owed}{aside} = {told.remaining}{some}."


def _coming(told: AccountExplanation) -> Iterator[str]:
    """What the plan does next, in a line."""
    said = []
    if told.next_allowance_at is not None:
        said.append(f"the plan brings {credits(told.next_allowance_amount)} on {when(told.next_allowance_at)}")
    if told.next_plan is not None and told.term_ends_at is not None:
        said.append(f"plan {told.next_plan} follows on {when(told.term_ends_at)}")
    if said:
        yield f"Next: {'; '.join(said)}."
