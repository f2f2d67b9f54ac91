"""Holds: credits set aside for running work, until they are captured, released or time out.

Values and plain arithmetic; what a command does with a hold stands in `rules.holds`, its movements in `movement`.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Literal

import msgspec

from sixpence.core.account.fair_use import Mark
from sixpence.core.catalog.price import Usage

HoldState = Literal["open", "captured", "released", "expired"]
Part = tuple[str, int]

_QUEUED_BEYOND = 100


class HoldTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a hold is for: the catalog version of its placing prices it, whatever comes later.

    `price` is what the use costs by the list; `covered` says that the plan pays for it and nothing is set aside.
    """

    feature: str
    expires_at: int
    catalog_version: int
    price: int
    usage: Usage | None = None
    covered: bool = False


class Beyond(msgspec.Struct, frozen=True, array_like=True):
    """What a capture cost beyond what its hold covered or had set aside, and the catalog that was in force then.

    By that catalog it was priced where a plan had covered the hold; and it says how much of it could be owed.
    """

    catalog_version: int
    price: int


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """One hold; its id is that of the transaction that placed it.

    `parts` are what is set aside of which grant, in burn-down order; `ended_at` is when it stopped being open;
    `mark` is the use it counts as under fair use.
    """

    id: str
    seq: int
    terms: HoldTerms
    plan: str
    parts: tuple[Part, ...]
    state: HoldState = "open"
    ended_at: int | None = None
    captured_late: bool = False
    mark: Mark | None = None

    @property
    def amount(self) -> int:
        """How many credits are set aside."""
        return sum(part for _, part in self.parts)


class Holds(dict[str, Hold]):
    """Holds by their ids, that also tell which open one is the next to time out, however many there are."""

    def __init__(self, holds: Iterable[Hold] = ()) -> None:
        super().__init__()
        # Ordered by whoever asks first: most accounts are read for a use, and nobody does.
        self._queue: list[tuple[int, str]] | None = None
        for hold in holds:
            self[hold.id] = hold

    def __setitem__(self, name: str, hold: Hold) -> None:
        super().__setitem__(name, hold)
        if hold.state == "open" and self._queue is not None:
            heappush(self._queue, (hold.terms.expires_at, name))

    def earliest(self) -> Hold | None:
        """The open hold that times out first, of several at one instant the one with the lowest id."""
        queue = self._queue
        if queue is None or len(queue) > 2 * len(self) + _QUEUED_BEYOND:
            # Ordered by whoever asks first; and anew, when most of it is of holds that are not here any more.
            queue = self._queue = [(hold.terms.expires_at, hold.id) for hold in self.values() if hold.state == "open"]
            heapify(queue)
        while queue:
            expires_at, name = queue[0]
            hold = self.get(name)
            if hold is not None and hold.state == "open" and hold.terms.expires_at == expires_at:
                return hold
            heappop(queue)  # it has ended since, or lives longer
        return None

    def copy(self) -> "Holds":
        """Holds of their own to work on."""
        twin = Holds()
        twin.update(self)
        twin._queue = None if self._queue is None else list(self._queue)
        return twin


def split(parts: tuple[Part, ...], amount: int) -> tuple[list[Part], list[Part]]:
    """The first `amount` credits of the parts, and the rest; both in the parts' order."""
    taken, left = [], []
    for grant_id, part in parts:
        now = min(part, amount)
        amount -= now
        if now:
            taken.append((grant_id, now))
        if part > now:
            left.append((grant_id, part - now))
    return taken, left
