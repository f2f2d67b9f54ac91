"""Credit grants and the burn-down: which grants pay for a use, and in which order.

Pure arithmetic over a list of grants; what a movement means for the account stands in `fold`.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from sixpence.core.instant import INSTANT_MAX

Category = Literal["plan", "signup", "promo", "refund", "admin", "paid"]

# At equal priority and expiry: what the customer paid for goes last.
CATEGORY_ORDER: dict[str, int] = {"plan": 0, "signup": 1, "promo": 2, "refund": 3, "admin": 4, "paid": 5}
DEFAULT_PRIORITY = 100


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """Credits received; `remaining` includes what is `held`, `pending` says that it has not taken effect yet."""

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


def burn_down_order(grant: Grant) -> tuple[int, int, int, int, str]:
    """The sort key: priority (lower first), expiry (none last), category, effective time, id."""
    expires_at = INSTANT_MAX + 1 if grant.expires_at is None else grant.expires_at
    return grant.priority, expires_at, CATEGORY_ORDER[grant.category], grant.effective_at, grant.id


def spendable(grant: Grant, feature: str) -> int:
    """How much of the grant can be spent on `feature` now."""
    if grant.pending or (grant.features is not None and feature not in grant.features):
        return 0
    return grant.remaining - grant.held


def available(grants: Iterable[Grant], feature: str) -> int:
    """How much of all the grants can be spent on `feature` now."""
    return sum(spendable(grant, feature) for grant in grants)


def burn_down(grants: Sequence[Grant], feature: str, amount: int) -> list[tuple[str, int]]:
    """What each grant pays towards `amount`, as (grant id, how much); `grants` are in burn-down order."""
    paid = []
    for grant in grants:
        if amount == 0:
            break
        part = min(spendable(grant, feature), amount)
        if part > 0:
            paid.append((grant.id, part))
            amount -= part
    return paid


def due_at(grant: Grant) -> int | None:
    """When time alone next changes the grant: it takes effect, or it expires; None for never."""
    return grant.effective_at if grant.pending else grant.expires_at
