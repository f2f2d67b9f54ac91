"""The catalog: what features cost and what plans give, as a value.

A stored catalog omits defaults, so a default here never changes once it was released. Not here: which settings are
valid (`validation`), what a usage costs (`price`), and which version prices a command (`ledger.database.catalogs`).
"""

import hashlib
from typing import Any, Literal

import msgspec

from sixpence.core.values.stored_document import decoder_of
from sixpence.core.values.wire_value import WireValue

RANK_MAX = 1_000_000

Rounding = Literal["up", "down", "nearest"]
Period = Literal["day", "week", "month", "year"]
FairUsePer = Literal["hour", "day", "month"]


class Tier(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a graduated price: `credits` a block for units up to `up_to`, which is None in the last tier."""

    credits: int
    up_to: int | None = None


class TokenRates(msgspec.Struct, frozen=True, omit_defaults=True):
    """The price of `tokens_block` tokens of one model, in the smallest unit."""

    input: int = 0
    cached_input: int = 0
    output: int = 0


class Feature(msgspec.Struct, frozen=True, omit_defaults=True):
    """A feature that is sold: `credits` is the price of a block of units (one call by default).

    `tiers` or `models` replace `credits` where they are given; `minimum` is the least that any use costs.
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
    """How many unspent credits of an allowance roll over in total, and for how many periods they stay."""

    cap: int
    periods: int = 1


class Trial(msgspec.Struct, frozen=True):
    """For how many days a plan may be tried, once, and the credits for that time."""

    days: int
    allowance: int = 0


class FairUse(msgspec.Struct, frozen=True):
    """The most uses of an unlimited plan in any hour, day or 30 days."""

    uses: int
    per: FairUsePer


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a subscription gives; a higher `rank` is an upgrade, `signup_credits` are given once with the account.

    `allowance` is given each `period` (with `drip` in twelve shares inside a year); `overdraft` is how far below zero a
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
    """The versioned set of features and plans; `decimals` is only for screens: where they set the point.

    `grace_days` is for how many days refunded credits can be spent whose own grant has expired since.
    """

    features: dict[str, Feature]
    plans: dict[str, Plan]
    default_plan: str
    decimals: int = 0
    grace_days: int = 30

    def document(self) -> str:
        """Return the JSON text to store; features and plans stay in the order in which they were written."""
        return msgspec.json.encode(self).decode()

    def offers(self) -> list[dict[str, Any]]:
        """Return what to offer an account without credits: the plans that rank above the default one, lowest first."""
        least = self.plans[self.default_plan].rank
        better = sorted((plan.rank, name) for name, plan in self.plans.items() if plan.rank > least)
        return [
            {
                "plan": name,
                "title": self.plans[name].title or name.capitalize(),
                "unlimited": self.plans[name].unlimited,
            }
            for _, name in better
        ]

    def digest(self) -> str:
        """Return SHA-256 of the catalog's content, as hex; the order of its entries does not matter."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class PricedBy(WireValue, msgspec.Struct, frozen=True):
    """A catalog with the number of its version; `earlier` has the versions before it, oldest first.

    They are needed since a due change is decided by the catalog of its instant, and a hold by that of its placing.
    """

    version: int
    catalog: Catalog
    applied_at: int = 0
    earlier: tuple["PricedBy", ...] = ()

    def wire_fields(self) -> dict[str, Any]:
        """Return the version and the catalog with all defaults, without the earlier ones."""
        catalog = self.catalog
        return {
            "version": self.version,
            "features": {name: msgspec.structs.asdict(feature) for name, feature in catalog.features.items()},
            "plans": {name: msgspec.structs.asdict(plan) for name, plan in catalog.plans.items()},
            "default_plan": catalog.default_plan,
            "decimals": catalog.decimals,
            "grace_days": catalog.grace_days,
        }

    def at(self, instant: int) -> "PricedBy":
        """Return the catalog that was in force at the instant; the first one for any instant before it."""
        if self.applied_at <= instant or not self.earlier:
            return self
        return next((one for one in reversed(self.earlier) if one.applied_at <= instant), self.earlier[0])

    def of_version(self, version: int) -> "PricedBy":
        """Return the catalog of that version; raises `LookupError` where it is neither this one nor an earlier one."""
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
    """Decode a stored catalog; raises `MsgspecError` for any other text."""
    return _decode(text)


_decode = decoder_of(Catalog)
