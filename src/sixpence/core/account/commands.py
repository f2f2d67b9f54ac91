"""The commands that an account accepts. A command is a value; what it does stands in `decide`."""

from typing import Literal

import msgspec

from sixpence.core.account.grant import DEFAULT_PRIORITY, Category
from sixpence.core.catalog.price import Usage

CaptureMode = Literal["exact", "up_to_available"]


class EnsureAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Make the account if it is not there, with its plan's signup credits; otherwise change nothing."""

    label: str | None = None
    metadata: str | None = None


class GrantCredits(msgspec.Struct, frozen=True, kw_only=True):
    """Give `amount` credits; None for `effective_at` is now, None for `expires_at` is never."""

    amount: int
    category: Category = "admin"
    priority: int = DEFAULT_PRIORITY
    effective_at: int | None = None
    expires_at: int | None = None
    features: tuple[str, ...] | None = None
    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Consume(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Spend what `usage` of `feature` costs (one call, where nothing is said); `generation_id` is a label, no key."""

    feature: str
    usage: Usage = Usage()
    generation_id: str | None = None
    metadata: str | None = None


class PlaceHold(msgspec.Struct, frozen=True, kw_only=True):
    """Set credits aside for a use that is beginning: `amount`, or what `usage` costs where no amount is given."""

    feature: str
    ttl_seconds: int
    usage: Usage = Usage()
    amount: int | None = None
    generation_id: str | None = None
    metadata: str | None = None


class ExtendHold(msgspec.Struct, frozen=True, kw_only=True):
    """Let the hold live for `ttl_seconds` from now, never shorter than it would."""

    hold_id: str
    ttl_seconds: int
    metadata: str | None = None


class CaptureHold(msgspec.Struct, frozen=True, kw_only=True):
    """Charge what was really used (`amount`, or what `usage` costs, or all that is held) and give the rest back.

    `mode` says what happens when more was used than is there; `late` charges an expired hold by a use of its own.
    """

    hold_id: str
    usage: Usage | None = None
    amount: int | None = None
    mode: CaptureMode = "exact"
    late: bool = False
    generation_id: str | None = None
    metadata: str | None = None


class ReleaseHold(msgspec.Struct, frozen=True, kw_only=True):
    """Give back all that is held."""

    hold_id: str
    reason: str | None = None
    metadata: str | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Give back `amount` of what a transaction consumed, to the grants it came from; None is all that is left of it."""

    transaction_id: str
    amount: int | None = None
    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class VoidGrant(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel what remains of a grant; with `revoke_spent` what was spent of it is taken back as far as may be."""

    grant_id: str
    revoke_spent: bool = False
    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Adjust(msgspec.Struct, frozen=True, kw_only=True):
    """Correct the balance by hand, up or down, with who did it and why."""

    amount: int
    reason: str
    actor: str
    metadata: str | None = None


class ChangePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Put the account on `plan`: a higher one now, another at the end of the running term; `trial` tries it first."""

    plan: str
    trial: bool = False
    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class CancelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Let the plan run to the end of its term, and the account fall to the default plan then."""

    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """Let nothing more be spent or set aside; what is set aside can still be captured, and refunds go on."""

    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Unfreeze(msgspec.Struct, frozen=True, kw_only=True):
    """End a freeze."""

    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """End the account: what nothing has set aside is void, and nothing comes or goes any more."""

    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Tick(msgspec.Struct, frozen=True):
    """Let what is due by now happen; asks for nothing itself."""


Command = (
    EnsureAccount
    | GrantCredits
    | Consume
    | PlaceHold
    | ExtendHold
    | CaptureHold
    | ReleaseHold
    | Refund
    | VoidGrant
    | Adjust
    | ChangePlan
    | CancelPlan
    | Freeze
    | Unfreeze
    | Close
    | Tick
)


class Key(msgspec.Struct, frozen=True, gc=False):
    """The caller's name for one intended change, and the fingerprint of what was asked under it."""

    value: str
    fingerprint: bytes
