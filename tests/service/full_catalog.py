"""A catalog with every kind of price (by call, unit and token) and of plan."""

from sixpence.core.catalog.catalog import Catalog, FairUse, Feature, Plan, Rollover, TokenRates, Trial

CATALOG = Catalog(
    features={
        "draw": Feature(1),
        "render": Feature(2, unit="second", block=10),
        "chat": Feature(
            models={"small": TokenRates(input=1, output=4), "large": TokenRates(input=10, output=40)},
            tokens_block=1_000,
        ),
    },
    plans={
        "free": Plan(signup_credits=6),
        "postpaid": Plan(rank=5, overdraft=10),
        "basic": Plan(rank=10, allowance=100, period="month", rollover=Rollover(cap=30)),
        "team": Plan(rank=20, allowance=300, period="month", trial=Trial(days=7, allowance=20)),
        "max": Plan(rank=30, unlimited=True, fair_use=FairUse(3, "hour")),
    },
    default_plan="free",
)
