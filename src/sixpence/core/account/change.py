"""A change that a rule decided: the facts of the row to write.

Not here: how the row is made (`fold`) and applied (`apply`).
"""

import msgspec

from sixpence.core.account.commands import Key
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import Detail, Kind


class Change(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The facts of a row that do not follow from the account."""

    kind: Kind
    at: int
    allocations: tuple[Allocation, ...] = ()
    detail: Detail = Detail()
    plan: str | None = None
    feature_used: str | None = None
    credits_consumed: int | None = None
    generation_id: str | None = None
    metadata: str | None = None
    key: Key | None = None
