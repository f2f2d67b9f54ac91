"""Holds: credits set aside for running work, until they are captured, released or time out.

Values and plain arithmetic. Not here: what a command does with a hold (`rules.holds`), and its movements (`movement`).
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
    """What a hold is for; the catalog version in force when it was placed prices it, whatever comes later.

    `price` is the list price of the use; `covered` says that the plan pays for it and nothing is set aside.
    """

    feature: str
    expires_at: int
    catalog_version: int
    price: int
    usage: Usage | None = None
    covered: bool = False


class Beyond(msgspec.Struct, frozen=True, array_like=True):
    """The price of a capture beyond what its hold covered or had set aside, and the catalog in force at that time.

    That catalog priced it where a plan had covered the hold; and it limits how much of it could be owed.
    """

    catalog_version: int
    price: int


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """One hold; its id is that of the transaction that placed it.

    `parts` are the credits set aside of each grant, in burn-down order; `ended_at` is when it was captured, released or
    expired; `mark` is the use that it counts as under fair use.
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
    """Holds by their ids, with a queue that finds the next open one to time out."""

    def __init__(self, holds: Iterable[Hold] = ()) -> None:
        super().__init__()
        # Built on the first request: most accounts are read for a use, which never needs it.
        self._queue: list[tuple[int, str]] | None = None
        for hold in holds:
            self[hold.id] = hold

    def __setitem__(self, name: str, hold: Hold) -> None:
        super().__setitem__(name, hold)
        if hold.state == "open" and self._queue is not None:
            heappush(self._queue, (hold.terms.expires_at, name))

    def earliest(self) -> Hold | None:
        """Return the open hold that times out first; of several at one instant the one with the lowest id."""
        queue = self._queue
        if queue is None or len(queue) > 2 * len(self) + _QUEUED_BEYOND:
            # Built on the first request, and again when most of it is about holds that have ended or are gone.
            queue = self._queue = [(hold.terms.expires_at, hold.id) for hold in self.values() if hold.state == "open"]
            heapify(queue)
        while queue:
            expires_at, name = queue[0]
            hold = self.get(name)
            if hold is not None and hold.state == "open" and hold.terms.expires_at == expires_at:
                return hold
            heappop(queue)  # the hold has ended since, or was extended
        return None

    def copy(self) -> "Holds":
        """Return a copy to change."""
        twin = Holds()
        twin.update(self)
        twin._queue = None if self._queue is None else list(self._queue)
        return twin


def split(parts: tuple[Part, ...], amount: int) -> tuple[list[Part], list[Part]]:
    """Return the first `amount` credits of the parts, and the rest; both in the parts' order."""
    taken, left = [], []
    for grant_id, part in parts:
        now = min(part, amount)
        amount -= now
        if now:
            taken.append((grant_id, now))
        if part > now:
            left.append((grant_id, part - now))
    return taken, left
