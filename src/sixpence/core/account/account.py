"""The live state of one account: all that `decide` needs to know, and nothing else."""

from typing import Literal

import msgspec

from sixpence.core.account.fair_use import Window
from sixpence.core.account.grant import Grant, due_at
from sixpence.core.account.hold import Holds
from sixpence.core.account.subscription import Subscription
from sixpence.core.account.transaction import FIRST_HEAD

Standing = Literal["open", "frozen", "closed"]


class Account(msgspec.Struct):
    """One customer of the app. `grants` has the live grants in burn-down order; an account of `seq` 0 does not exist.

    `remaining` can be spent now, `held` is set aside, `total` is remaining + held + consumed - refunded over its life,
    `owed` is the overdraft that was used and `overdraft_held` the part of it that is set aside; all in the smallest
    unit. Instants are microseconds. `holds` has the open holds that a command names or that are due, and enough others
    to compute `holds_due_at`, the earliest expiry of all open holds, after some of them end.
    """

    account_no: int
    account_id: str
    plan: str = ""
    remaining: int = 0
    held: int = 0
    total: int = 0
    owed: int = 0
    granted_at: int | None = None
    seq: int = 0
    head: bytes = FIRST_HEAD
    last_at: int = 0
    next_due_at: int | None = None
    grants: list[Grant] = []
    overdraft_held: int = 0
    standing: Standing = "open"
    subscription: Subscription | None = None
    windows: tuple[Window, ...] = ()
    holds_due_at: int | None = None
    holds: Holds = msgspec.field(default_factory=Holds)
    label: str | None = None
    metadata: str | None = None

    @property
    def exists(self) -> bool:
        """Whether the account exists: its first transaction makes it."""
        return self.seq > 0

    def copy(self) -> "Account":
        """Return a copy to change; grants and holds are immutable and shared."""
        twin = msgspec.structs.replace(self)
        twin.grants = list(self.grants)
        twin.holds = self.holds.copy()
        return twin


def next_due_at(account: Account) -> int | None:
    """When time alone next changes the account: a hold, a grant or the plan's term; None for never."""
    first = account.holds_due_at
    term_at = None if account.subscription is None else account.subscription.next_at
    if term_at is not None and (first is None or term_at < first):
        first = term_at
    for grant in account.grants:
        at = due_at(grant)
        if at is not None and (first is None or at < first):
            first = at
    return first
