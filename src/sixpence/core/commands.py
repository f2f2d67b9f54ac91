"""The commands that an account accepts. A command is a value; what it does stands in `decide`."""

import msgspec

from sixpence.core.grant import DEFAULT_PRIORITY, Category


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


class Consume(msgspec.Struct, frozen=True, kw_only=True):
    """Spend the price of one use of `feature`; `generation_id` is a label, never a key."""

    feature: str
    generation_id: str | None = None
    metadata: str | None = None


class ChangePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Put the account on `plan`, now."""

    plan: str
    reason: str | None = None
    actor: str | None = None
    metadata: str | None = None


class Tick(msgspec.Struct, frozen=True):
    """Let what is due by now happen; asks for nothing itself."""


Command = EnsureAccount | GrantCredits | Consume | ChangePlan | Tick


class Key(msgspec.Struct, frozen=True):
    """The caller's name for one intended change, and the fingerprint of what was asked under it."""

    value: str
    fingerprint: bytes
