"""A subscription: the term an account is in, what its plan gave in it, and what happens at its end.

The state only. Not here: what a change of plan or the end of a term does (`rules.plans`, `rules.terms`).
"""

import msgspec

from sixpence.core.account.grant import CountedIn
from sixpence.core.catalog.catalog import Period


class SuspendedTerm(msgspec.Struct, frozen=True, array_like=True):
    """A term that another one suspended; a plan of its period resumes it if it has not ended."""

    period: Period
    anchor: int
    ends_at: int
    given: int
    best: int


class Subscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """The running term of a plan with a period, anchored at `anchor`; instants are microseconds.

    `given` is what the term gave so far and `best` the largest allowance of a plan in it. `next_at` is the next share
    of the allowance, or the term's end; None while the account is on a plan without a period, where the last term is
    only remembered. `aside` has the suspended terms of other periods that have not ended. Plan credits of transactions
    before `since_seq` ended with their plan.
    """

    period: Period
    anchor: int
    ends_at: int
    next_at: int | None = None
    given: int = 0
    best: int = 0
    trial: bool = False
    next_plan: str | None = None
    cancelled: bool = False
    tried: tuple[str, ...] = ()
    since_seq: int = 0
    aside: tuple[SuspendedTerm, ...] = ()

    @property
    def running(self) -> bool:
        """Whether a term is running."""
        return self.next_at is not None

    @property
    def term_name(self) -> CountedIn:
        """The name under which credits are counted in the term: its period, or "trial"."""
        return "trial" if self.trial else self.period

    @property
    def waiting(self) -> bool:
        """Whether a change of plan waits for the term's end."""
        return self.cancelled or self.next_plan is not None
