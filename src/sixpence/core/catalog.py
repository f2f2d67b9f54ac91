"""The catalog: what features cost and what plans give; read from `sixpence.toml` and checked whole.

A catalog here is a value. Which version prices a command is the ledger's business (`catalog_versions`).
A stored catalog omits what is default, so a default here never changes once it was released.
"""

import hashlib
import re
import tomllib
from typing import Any, Literal

import msgspec

from sixpence.core.bounds import AMOUNT_MAX, shown
from sixpence.core.errors import CatalogError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
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

    `allowance` comes each `period` (with `drip` in twelve shares inside a year); `overdraft` is how far below zero a use
    may take the account.
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
    """A catalog and the number of its version; `earlier` holds those before it with when each was applied, oldest first.

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
    """The catalog of a stored document."""
    return msgspec.json.decode(text, type=Catalog)


def from_toml(text: str) -> Catalog:
    """The catalog of a `sixpence.toml`; raises `CatalogError` with every problem in it."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, a number too long to read, tables too deep
        raise CatalogError((f"it is not valid TOML: {error}.",)) from None
    reader = _Reader()
    catalog = reader.catalog(table)
    if reader.problems:
        raise CatalogError(tuple(reader.problems))
    return catalog


class _Reader:
    """Reads tables into structs and collects what is wrong instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def catalog(self, table: dict[str, Any]) -> Catalog:
        self._known("", table, ("features", "plans", "default_plan", "decimals"))
        features = {name: self._feature(f"features.{name}", entry) for name, entry in self._tables(table, "features")}
        plans = {name: self._plan(f"plans.{name}", entry) for name, entry in self._tables(table, "plans")}
        default_plan = self._text("default_plan", table.get("default_plan", "free"))
        if default_plan not in plans:
            known = ", ".join(plans) or "none"
            self.problems.append(f"default_plan: '{default_plan}' is not one of the plans ({known}).")
        decimals = self._whole("decimals", table.get("decimals", 0), 12)
        return Catalog(features=features, plans=plans, default_plan=default_plan, decimals=decimals)

    def _feature(self, path: str, entry: dict[str, Any]) -> Feature:
        self._known(path, entry, ("credits", "title"))
        price = self._whole(f"{path}.credits", entry.get("credits", 1), AMOUNT_MAX)
        return Feature(credits=price, title=self._text(f"{path}.title", entry.get("title", "")))

    def _plan(self, path: str, entry: dict[str, Any]) -> Plan:
        self._known(path, entry, ("rank", "signup_credits", "unlimited", "title"))
        unlimited = entry.get("unlimited", False)
        if not isinstance(unlimited, bool):
            self.problems.append(f"{path}.unlimited: {shown(unlimited)} is not true or false.")
        return Plan(
            rank=self._whole(f"{path}.rank", entry.get("rank", 0), RANK_MAX),
            signup_credits=self._whole(f"{path}.signup_credits", entry.get("signup_credits", 0), AMOUNT_MAX),
            unlimited=unlimited is True,
            title=self._text(f"{path}.title", entry.get("title", "")),
        )

    def _tables(self, table: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
        entries = table.get(key)
        if not isinstance(entries, dict) or not entries:
            self.problems.append(f"{key}: at least one table [{key}.NAME] is needed.")
            return []
        for name, entry in entries.items():
            if not _NAME.match(name):
                self.problems.append(f"{key}.{name}: a name has 1 to 63 of a-z, 0-9, _ and -; a letter comes first.")
            if not isinstance(entry, dict):
                self.problems.append(f"{key}.{name}: {shown(entry)} is not a table. Write [{key}.{name}].")
        return [(name, entry) for name, entry in entries.items() if isinstance(entry, dict)]

    def _known(self, path: str, table: dict[str, Any], names: tuple[str, ...]) -> None:
        for name in table:
            if name not in names:
                where = f"{path}.{name}" if path else name
                self.problems.append(f"{where}: is not a setting of a catalog. Known here: {', '.join(names)}.")

    def _whole(self, path: str, value: object, most: int) -> int:
        if type(value) is not int or not 0 <= value <= most:
            self.problems.append(f"{path}: {shown(value)} is not a whole number from 0 to {most}.")
            return 0
        return value

    def _text(self, path: str, value: object) -> str:
        if not isinstance(value, str) or len(value) > 200:
            self.problems.append(f"{path}: {shown(value)} is not text of at most 200 characters.")
            return ""
        return value
