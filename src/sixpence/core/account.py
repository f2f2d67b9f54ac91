"""The live state of one account: what `decide` needs to know, all of it, and nothing else."""

import msgspec

from sixpence.core.grant import Grant, due_at
from sixpence.core.transaction import FIRST_HEAD


class Account(msgspec.Struct):
    """One customer of the app. `grants` holds the live ones in burn-down order; an account of `seq` 0 is not there yet.

    `remaining` can be spent now, `held` is set aside, `total` is remaining + held + consumed - refunded over its life,
    `owed` is an overdraft; all in the smallest unit. Instants are microseconds.
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
    label: str | None = None
    metadata: str | None = None

    @property
    def exists(self) -> bool:
        """Whether the account has been made: its first transaction makes it."""
        return self.seq > 0

    def copy(self) -> "Account":
        """An account of its own to work on; grants are immutable and shared."""
        twin = msgspec.structs.replace(self)
        twin.grants = list(self.grants)
        return twin


def next_due_at(grants: list[Grant]) -> int | None:
    """When time alone next changes one of the grants, None for never."""
    return min((at for grant in grants if (at := due_at(grant)) is not None), default=None)
