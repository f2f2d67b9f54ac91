"""Small catalogs with many edge cases: every kind of price, and everything that a plan can give."""

from msgspec.structs import replace

from sixpence.core.catalog.catalog import Catalog, FairUse, Feature, Plan, Rollover, Tier, TokenRates, Trial
from sixpence.core.catalog.price import Usage

_FEATURES = {
    "hello": Feature(0),
    "sketch": Feature(1),
    "image": Feature(2, block=3, rounding="nearest", minimum=1),
    "video": Feature(block=2, tiers=(Tier(2, up_to=4), Tier(1))),
    "chat": Feature(models={"mini": TokenRates(1, 0, 3), "large": TokenRates(2, 1, 5)}, tokens_block=2, minimum=1),
}
_PLANS = {
    "free": Plan(signup_credits=3, overdraft=4),
    "daily": Plan(rank=1, allowance=2, period="day", overdraft=3),
    "weekly": Plan(rank=2, overdraft=4, allowance=5, period="week", trial=Trial(3, 1), rollover=Rollover(3)),
    "monthly": Plan(rank=3, overdraft=9, allowance=10, period="month", rollover=Rollover(6, 2), trial=Trial(7, 2)),
    "lite": Plan(rank=3, allowance=8, period="month"),
    "team": Plan(rank=4, allowance=31, period="month", rollover=Rollover(12), overdraft=5),
    "postpaid": Plan(rank=4, overdraft=16),
    "annual": Plan(rank=4, overdraft=4, allowance=60, period="year", rollover=Rollover(20)),
    "drip": Plan(rank=5, overdraft=7, allowance=100, period="year", drip=True, rollover=Rollover(8)),
    "gold": Plan(rank=6, allowance=250, period="year", drip=True, trial=Trial(40, 4)),
    "club": Plan(rank=6, unlimited=True, allowance=4, period="month", fair_use=FairUse(3, "day")),
    "pro": Plan(rank=7, unlimited=True, fair_use=FairUse(2, "hour")),
    "max": Plan(rank=8, unlimited=True),
}

FIRST = Catalog(features=_FEATURES, plans=_PLANS, default_plan="free", grace_days=2)
# Prices rise, plans give more or less, and some things are not sold any more.
_DEARER = Catalog(
    features={
        "hello": Feature(0),
        "sketch": Feature(3),
        "image": Feature(3, block=2, rounding="down"),
        "chat": Feature(models={"mini": TokenRates(2, 1, 4)}, tokens_block=3, rounding="nearest"),
    },
    plans={
        **{name: plan for name, plan in _PLANS.items() if name not in ("weekly", "max")},
        "monthly": replace(_PLANS["monthly"], allowance=14, rollover=Rollover(4)),
        "drip": replace(_PLANS["drip"], allowance=130),
        "club": replace(_PLANS["club"], fair_use=FairUse(2, "month")),
        "postpaid": Plan(rank=4, overdraft=2),
    },
    default_plan="free",
    grace_days=1,
)
# Every plan has an allowance, and periods change while terms run.
_GENEROUS = Catalog(
    features=_FEATURES,
    plans={
        **_PLANS,
        "free": Plan(signup_credits=2, allowance=7, period="month", overdraft=1),
        "lite": replace(_PLANS["lite"], period="week"),
        "annual": replace(_PLANS["annual"], drip=True),
        "gold": replace(_PLANS["gold"], drip=False),
    },
    default_plan="free",
    grace_days=45,
)
CATALOGS = (FIRST, _DEARER, _GENEROUS)

FEATURES = ("sketch", "sketch", "sketch", "image", "image", "image", "video", "video", "chat", "chat", "hello", "magic")
PLANS = (*_PLANS, "club", "pro", "pro", "drip", "gold", "platinum")
USAGES: dict[str, tuple[Usage, ...]] = {
    "image": tuple(Usage(units=units) for units in (0, 1, 2, 4, 5, 9, 20)),
    "video": tuple(Usage(units=units) for units in (1, 3, 4, 5, 11)),
    "chat": (
        Usage(model="mini", input_tokens=3, output_tokens=1),
        Usage(model="mini", input_tokens=1, cached_input_tokens=5, output_tokens=2),
        Usage(model="large", input_tokens=4),
        Usage(model="large", cached_input_tokens=0),
        Usage(model="huge", input_tokens=1),
    ),
}
