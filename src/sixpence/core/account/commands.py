"""The commands that an account accepts, as values. Not here: what a command does (`rules.decide`)."""

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
    """Spend what `usage` of `feature` costs (one call by default); `generation_id` is a label and not a key."""

    feature: str
    usage: Usage = Usage()
    generation_id: str | None = None
    metadata: str | None = None


class PlaceHold(msgspec.Struct, frozen=True, kw_only=True):
    """Set credits aside for a use that begins: `amount`, or without one what `usage` costs.

    Beside an amount the usage only names the model, which must have a price.
    """

    feature: str
    ttl_seconds: int
    usage: Usage = Usage()
    amount: int | None = None
    generation_id: str | None = None
    metadata: str | None = None


class ExtendHold(msgspec.Struct, frozen=True, kw_only=True):
    """Let the hold live for `ttl_seconds` from now; it never ends sooner than before."""

    hold_id: str
    ttl_seconds: int
    metadata: str | None = None


class CaptureHold(msgspec.Struct, frozen=True, kw_only=True):
    """Charge what was really used (`amount`, or what `usage` costs, or all that is held) and release the rest.

    `mode` says what happens when more was used than is available; `late` charges an expired hold as a new use.
    """

    hold_id: str
    usage: Usage | None = None
    amount: int | None = None
    mode: CaptureMode = "exact"
    late: bool = False
    generation_id: str | None = None
    metadata: str | None = None


class ReleaseHold(msgspec.Struct, frozen=True, kw_only=True):
    """Release all that is held."""

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
    """Cancel what remains of a grant; with `revoke_spent` what was spent of it becomes a debt, if the plan allows."""

    grant_id: str
    revoke_spent: bool = False
    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Adjust(msgspec.Struct, frozen=True, kw_only=True):
    """Correct the balance by hand, up or down; `actor` and `reason` say who did it and why."""

    amount: int
    reason: str
    actor: str
    metadata: str | None = None


class ChangePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Put the account on `plan`: a higher one now, another at the end of the running term; `trial` begins a trial."""

    plan: str
    trial: bool = False
    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class CancelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """End the plan at the end of its term; the account then has the default plan."""

    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """Stop spending and new holds; open holds can still be captured, and transactions refunded."""

    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Unfreeze(msgspec.Struct, frozen=True, kw_only=True):
    """End a freeze."""

    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """Close the account for good: unheld credits are voided, and nothing can be spent or granted afterwards."""

    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Tick(msgspec.Struct, frozen=True):
    """Apply the changes that are due, and nothing else."""


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
    """The caller's name for one intended change, and the fingerprint of the request."""

    value: str
    fingerprint: bytes
