"""The clients' requests: drawn at random from what is known of an account, with a bias to concurrent edge cases.

Clients share accounts, so two of them capture one hold, refund one use, and spend the last credit at once. Times are
within seconds, so that holds time out and grants begin and expire under load.
"""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from sixpence.core.values.instant import to_wire
from tests.histories.history import Asked, Body
from tests.histories.wording import READ
from tests.lockstep.choices import Choose

_KINDS = {
    "consume": 40,
    READ: 12,
    "grant": 12,
    "place_hold": 14,
    "capture_hold": 10,
    "release_hold": 4,
    "extend_hold": 3,
    "refund": 6,
    "adjust": 2,
    "void_grant": 2,
    "ensure": 2,
    "change_plan": 2,
    "cancel_plan": 1,
    "freeze": 1,
    "unfreeze": 1,
}
# With a period and without, with an overdraft, and unlimited with a small fair use.
_PLANS = ("free", "weekly", "monthly", "team", "postpaid", "pro")
_WEIGHTED = [kind for kind, weight in _KINDS.items() for _ in range(weight)]
_USES: tuple[dict[str, Any], ...] = (
    {"feature": "sketch"},
    {"feature": "sketch"},
    {"feature": "sketch"},
    {"feature": "image", "units": 4},
    {"feature": "image", "units": 9},
    {"feature": "video", "units": 3},
    {"feature": "video", "units": 11},
    {"feature": "chat", "usage": {"model": "mini", "input_tokens": 3, "output_tokens": 1}},
    {"feature": "hello"},
)


@dataclass
class Known:
    """What all clients know of one account."""

    account: str
    asked: int = 0
    there: bool = False
    frozen: bool = False
    holds: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    grants: list[str] = field(default_factory=list)

    def learn(self, asked: Asked, body: Body) -> None:
        """Add the facts of an accepted answer."""
        match asked.kind:
            case "ensure":
                self.there = True
            case "freeze" | "unfreeze":
                self.frozen = asked.kind == "freeze"
            case "place_hold":
                self.holds.append(body["hold_id"])
            case "consume" | "capture_hold":
                self.spent.append(body["transaction_id"])
            case "grant":
                self.grants.append(body["transaction_id"])


class Accounts:
    """The accounts in use: after a number of requests each is replaced by a new one.

    The reference computes an account's state from all its rows each time, so accounts stay short.
    """

    def __init__(self, prefix: str, *, at_once: int, requests_max: int) -> None:
        self._names = (f"{prefix}-{number}" for number in itertools.count(1))
        self._requests_max = requests_max
        self._live = [Known(next(self._names)) for _ in range(at_once)]

    def take(self, choose: Choose) -> Known:
        """Take one of the accounts for one more request."""
        place = choose(range(len(self._live)))
        known = self._live[place]
        known.asked += 1
        if known.asked >= self._requests_max:
            self._live[place] = Known(next(self._names))
        return known


def draw(choose: Choose, known: Known, number: int) -> Asked:
    """The next request to an account; half of the changes have a key."""
    kind = choose(_WEIGHTED) if known.there or choose(range(4)) == 0 else "ensure"
    if known.frozen and choose(range(3)) == 0:
        kind = "unfreeze"
    fields = _draw_fields(choose, known, kind)
    if fields is None:
        kind, fields = "consume", choose(_USES)
    key = f"key {number}" if kind != READ and choose([True, False]) else None
    return Asked(number, known.account, kind, fields, key)


def _draw_fields(choose: Choose, known: Known, kind: str) -> dict[str, Any] | None:
    """The fields of a request of that kind, None if it needs an id and none is known."""
    match kind:
        case "consume":
            return choose(_USES)
        case "grant":
            return _draw_grant(choose)
        case "place_hold":
            about = choose([*_USES[:7], {"feature": "sketch", "amount": 4}])
            return {**about, "ttl_seconds": choose([1, 2, 600, 600, 600])}
        case "capture_hold" if known.holds:
            return {"hold_id": _recent(choose, known.holds), **_draw_capture(choose)}
        case "release_hold" if known.holds:
            return {"hold_id": _recent(choose, known.holds)}
        case "extend_hold" if known.holds:
            return {"hold_id": _recent(choose, known.holds), "ttl_seconds": choose([1, 3, 900])}
        case "refund" if known.spent:
            about = {"transaction_id": _recent(choose, known.spent)}
            return about if choose([True, False]) else {**about, "amount": choose([1, 1, 2, 5])}
        case "void_grant" if known.grants:
            about = {"grant_id": _recent(choose, known.grants)}
            return about if choose([True, False]) else {**about, "revoke_spent": True}
        case "adjust":
            return {"amount": choose([5, 2, -1, -3, -40]), "reason": "counted again"}
        case "change_plan":
            about = {"plan": choose(_PLANS)}
            return about if choose(range(3)) else {**about, "trial": True}
        case "ensure" | "read" | "cancel_plan" | "freeze" | "unfreeze":
            return {}
    return None


def _draw_grant(choose: Choose) -> dict[str, Any]:
    grant: dict[str, Any] = {"amount": choose([3, 8, 20, 40]), "reason": "enough"}
    if choose([True, False]):
        grant["category"] = choose(["paid", "promo", "admin"])
        grant["priority"] = choose([90, 100, 110])
    if choose(range(4)) == 0:
        grant["features"] = choose([["sketch"], ["video", "image"]])
    now = time.time_ns() // 1000
    if choose(range(6)) == 0:
        grant["effective_at"] = to_wire(now + choose([200_000, 1_000_000]))
    if choose(range(4)) == 0:
        grant["expires_at"] = to_wire(now + choose([1_500_000, 2_500_000, 3_600_000_000]))
    return grant


def _draw_capture(choose: Choose) -> dict[str, Any]:
    how: dict[str, Any] = choose([{}, {}, {"amount": 0}, {"amount": 1}, {"amount": 3}, {"amount": 12}])
    if choose(range(3)) == 0:
        how = {**how, "mode": "up_to_available"}
    return {**how, "late": True} if choose(range(3)) == 0 else how


def _recent(choose: Choose, ids: list[str]) -> str:
    """Mostly one of the last few, so that several clients use the same id."""
    return choose(ids[-4:] if choose(range(8)) else ids)
