"""Credit grants and the burn-down order: which grants pay for a use first.

Not here: the burn-down of a command (`rules.context`), and what a movement does to a grant (`movement`).
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from sixpence.core.catalog.catalog import Period
from sixpence.core.values.instant import INSTANT_MAX

Category = Literal["plan", "signup", "promo", "refund", "admin", "paid"]
CountedIn = Period | Literal["trial"]
Over = Literal["expired", "voided"]

# At equal priority and expiry: what the customer paid for goes last.
CATEGORY_ORDER: dict[str, int] = {"plan": 0, "signup": 1, "promo": 2, "refund": 3, "admin": 4, "paid": 5}
DEFAULT_PRIORITY = 100


class Grant(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Credits received; `remaining` includes what is `held`, `pending` says that it has not taken effect yet.

    A grant that is `over` exists only for its held credits, which may still be captured. `by_plan` is the plan whose
    allowance it is; `rolled` says that it was carried over from an earlier term. `instead_of` is the ended grant that
    it replaces: it received a refund of what that grant had paid. `counted_in` marks credits that a plan change carried
    over unspent, and is the period of the earlier term that gave them, or "trial".
    """

    id: str
    amount: int
    remaining: int
    category: Category
    effective_at: int
    expires_at: int | None = None
    priority: int = DEFAULT_PRIORITY
    features: tuple[str, ...] | None = None
    held: int = 0
    pending: bool = False
    over: Over | None = None
    by_plan: str | None = None
    rolled: bool = False
    instead_of: str | None = None
    counted_in: CountedIn | None = None

    @property
    def free(self) -> int:
        """What can be spent of it now on its features: nothing while it is pending or over."""
        return 0 if self.pending or self.over is not None else self.remaining - self.held


def burn_down_order(grant: Grant) -> tuple[int, int, int, int, str]:
    """The sort key: priority (lower first), expiry (none last), category, effective time, id."""
    expires_at = INSTANT_MAX + 1 if grant.expires_at is None else grant.expires_at
    return grant.priority, expires_at, CATEGORY_ORDER[grant.category], grant.effective_at, grant.id


def spendable(grant: Grant, feature: str) -> int:
    """Return how much of the grant can be spent on `feature` now."""
    return 0 if grant.features is not None and feature not in grant.features else grant.free


def available(grants: Iterable[Grant], feature: str) -> int:
    """Return how much of all the grants can be spent on `feature` now."""
    return sum(spendable(grant, feature) for grant in grants)


def take_in_order(sources: Iterable[tuple[str, int]], amount: int) -> list[tuple[str, int]]:
    """Return what each source pays towards `amount`, the first sources first; both are (grant id, credits)."""
    paid = []
    for name, credits in sources:
        if amount == 0:
            break
        part = min(credits, amount)
        if part > 0:
            paid.append((name, part))
            amount -= part
    return paid


def due_at(grant: Grant) -> int | None:
    """Return when the grant takes effect or expires, whichever comes next; None for never."""
    if grant.pending:
        return grant.effective_at
    return None if grant.over is not None else grant.expires_at
