"""The catalog: what features cost and what plans give. What it may say: `catalog_checks.py`.

A catalog here is a value. Which version prices a command is the ledger's business (`catalog_versions`).
A stored catalog omits what is default, so a default here never changes once it was released.
"""

import hashlib
from typing import Literal

import msgspec

from sixpence.core.values.stored_document import decoder_of

RANK_MAX = 1_000_000

Rounding = Literal["up", "down", "nearest"]
Period = Literal["day", "week", "month", "year"]
FairUsePer = Literal["hour", "day", "month"]


class Tier(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a graduated price: `credits` a block for units up to `up_to`; None in the last tier."""

    credits: int
    up_to: int | None = None


class TokenRates(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `tokens_block` tokens of one model cost, in the smallest unit."""

    input: int = 0
    cached_input: int = 0
    output: int = 0


class Feature(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sold: `credits` is the price of a block of units (one call, unless `block` says more).

    `tiers` or `models` take the place of `credits` where they are given; `minimum` is what any use costs at least.
    """

    credits: int = 1
    title: str = ""
    unit: str = ""
    block: int = 1
    rounding: Rounding = "up"
    minimum: int = 0
    tiers: tuple[Tier, ...] = ()
    models: dict[str, TokenRates] = {}
    tokens_block: int = 1_000_000


class Rollover(msgspec.Struct, frozen=True):
    """How many unspent credits of an allowance stay for later, all together, and for how many periods."""

    cap: int
    periods: int = 1


class Trial(msgspec.Struct, frozen=True):
    """How long a plan may be tried, once, and the credits for that time."""

    days: int
    allowance: int = 0


class FairUse(msgspec.Struct, frozen=True):
    """How many uses of an unlimited plan there may be in any hour, day or 30 days."""

    uses: int
    per: FairUsePer


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a subscription gives; a higher `rank` is an upgrade, `signup_credits` come once with the account.

    `allowance` comes each `period` (with `drip` in twelve shares inside a year); `overdraft` is how far below zero a
    use may take the account.
    """

    rank: int = 0
    signup_credits: int = 0
    unlimited: bool = False
    title: str = ""
    allowance: int = 0
    period: Period | None = None
    drip: bool = False
    rollover: Rollover | None = None
    trial: Trial | None = None
    fair_use: FairUse | None = None
    overdraft: int = 0


class Catalog(msgspec.Struct, frozen=True, omit_defaults=True):
    """The versioned set of features and plans; `decimals` only tells a screen where the point goes.

    `grace_days` is how long refunded credits live whose own grant has expired since.
    """

    features: dict[str, Feature]
    plans: dict[str, Plan]
    default_plan: str
    decimals: int = 0
    grace_days: int = 30

    def document(self) -> str:
        """The JSON text that is stored; features and plans stay in the order in which they were written."""
        return msgspec.json.encode(self).decode()

    def digest(self) -> str:
        """SHA-256 of what the catalog says, as hex; the order of its entries says nothing."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class PricedBy(msgspec.Struct, frozen=True):
    """A catalog and the number of its version; `earlier` holds those before it, oldest first.

    What time alone does happens under the catalog of its instant, and a hold keeps the prices of its placing.
    """

    version: int
    catalog: Catalog
    applied_at: int = 0
    earlier: tuple["PricedBy", ...] = ()

    def at(self, instant: int) -> "PricedBy":
        """The catalog that was in force at the instant; the first one for what was before it."""
        if self.applied_at <= instant or not self.earlier:
            return self
        return next((one for one in reversed(self.earlier) if one.applied_at <= instant), self.earlier[0])

    def of_version(self, version: int) -> "PricedBy":
        """The catalog of that version; raises `LookupError` where it is neither this one nor an earlier one."""
        for one in (self, *self.earlier):
            if one.version == version:
                return one
        raise LookupError(f"catalog version {version} is not at hand")


DEFAULT_CATALOG = Catalog(
    features={name: Feature(1) for name in ("interior", "exterior", "sketch", "furnish", "remove", "video")},
    plans={"free": Plan(rank=0, signup_credits=6), "pro": Plan(rank=10, unlimited=True)},
    default_plan="free",
)


def from_document(text: str) -> Catalog:
    """The catalog of a stored document; raises `MsgspecError` where it is none."""
    return _decode(text)


_decode = decoder_of(Catalog)
