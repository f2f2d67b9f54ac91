"""`check_catalog`: a catalog made in Python gets the checks of a file, and checks of its types."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from sixpence.core.catalog.catalog import (
    DEFAULT_CATALOG,
    Catalog,
    FairUse,
    Feature,
    Plan,
    Rollover,
    Tier,
    TokenRates,
    Trial,
)
from sixpence.core.catalog.from_python import check_catalog
from sixpence.core.catalog.toml import from_toml
from sixpence.core.errors import CatalogError

_FREE = {"free": Plan()}
_WHOLE = "is not a whole number from 0 to 9007199254740991."
_PERIODS = "Add period (one of: day, week, month, year), or"


def _problems(
    features: Any = DEFAULT_CATALOG.features, plans: Any = _FREE, default_plan: Any = "free", **settings: Any
) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        check_catalog(Catalog(features, plans, default_plan, **settings))
    return list(caught.value.problems)


def test_check_catalog_accepts_every_setting() -> None:
    """Every setting at once, prices of 0 and free models; and the same read from a file."""
    made = Catalog(
        features={
            "call": Feature(0, "A call"),
            "film": Feature(unit="s", block=24, rounding="nearest", minimum=2, tiers=(Tier(9, 48), Tier(0))),
            "chat": Feature(models={"gpt 4.1": TokenRates(2, 1, 8), "free": TokenRates()}, tokens_block=1_000),
        },
        plans={
            "trial": Plan(rank=1, signup_credits=2**53 - 1, title="Trial", overdraft=3),
            "year": Plan(allowance=12, period="year", drip=True, rollover=Rollover(1, 100), trial=Trial(1, 4)),
            "all": Plan(unlimited=True, fair_use=FairUse(0, "hour")),
        },
        default_plan="trial",
        decimals=2,
        grace_days=0,
    )

    check_catalog(made)
    check_catalog(DEFAULT_CATALOG)
    check_catalog(from_toml("[features.chat.models.m]\ninput = 0\n[plans.free]"))


def test_check_catalog_names_every_problem_at_once() -> None:
    """Each problem has the path that it would have in a file."""
    problems = _problems(
        {"Sketch": Feature(0.5), "video": Feature(-5, block=0), "film": Feature("6"), "chat": Feature(True)},  # type: ignore[arg-type]
        {"basic": Plan(signup_credits=-6, overdraft=-1), "pro": Plan(allowance=6, period="decade")},  # type: ignore[arg-type]
        "nope",
        decimals=13,
        grace_days=-1,
    )

    assert problems == [
        "features.Sketch: a name has 1 to 63 of a-z, 0-9, _ and -; a letter comes first.",
        f"features.Sketch.credits: 0.5 {_WHOLE}",
        f"features.video.credits: -5 {_WHOLE}",
        "features.video.block: 0 is not a whole number from 1 to 9007199254740991.",
        f"features.film.credits: '6' {_WHOLE}",
        f"features.chat.credits: True {_WHOLE}",
        f"plans.basic.signup_credits: -6 {_WHOLE}",
        f"plans.basic.overdraft: -1 {_WHOLE}",
        "plans.pro.period: 'decade' is not one of: day, week, month, year.",
        "default_plan: 'nope' is not one of the plans (basic, pro).",
        "decimals: 13 is not a whole number from 0 to 12.",
        "grace_days: -1 is not a whole number from 0 to 3650.",
    ]


_FEATURES: Mapping[str, tuple[Feature, str]] = {
    "last tier": (
        Feature(tiers=(Tier(5, 10), Tier(1, 20))),
        "tiers[2].up_to: the last tier has no end, so that every use has a price. Remove it here.",
    ),
    "open tier": (
        Feature(tiers=(Tier(5), Tier(1))),
        "tiers[1].up_to: is missing. Give a whole number from 1 to 9007199254740991.",
    ),
    "two prices": (Feature(3, tiers=(Tier(5),)), "credits: tiers price this feature. Remove credits, or remove tiers."),
    "tokens": (Feature(tokens_block=5), "tokens_block: nothing here is priced by tokens. Remove it, or add models."),
    "a rate": (Feature(models={"m": TokenRates(output=-1)}), f"models.m.output: -1 {_WHOLE}"),
    "no number": (Feature(minimum=None), f"minimum: is missing. Give {_WHOLE[7:]}"),  # type: ignore[arg-type]
    "false": (Feature(minimum=False), f"minimum: False {_WHOLE}"),
    "a float": (Feature(1.0), f"credits: 1.0 {_WHOLE}"),  # type: ignore[arg-type]
    "half a character": (Feature(title="\ud800"), "title: '\\ud800' is not text of at most 200 characters."),
    "rounding": (Feature(rounding=None), "rounding: None is not one of: up, down, nearest."),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", _FEATURES)
def test_check_catalog_refuses_invalid_features(case: str) -> None:
    """Prices without a gap, in one way, in whole numbers."""
    feature, problem = _FEATURES[case]

    assert _problems({"x": feature}) == [f"features.x.{problem}"]


_PLANS: Mapping[str, tuple[Plan, str]] = {
    "no period": (
        Plan(allowance=6),
        f"allowance: 6 credits come each period, and the plan has no period. {_PERIODS} use signup_credits.",
    ),
    "monthly drip": (
        Plan(allowance=6, period="month", drip=True),
        'drip: shares come month by month inside a year, and period is month. Write period = "year".',
    ),
    "rollover": (
        Plan(rollover=Rollover(5)),
        "rollover: only an allowance rolls over. Add allowance, or remove rollover.",
    ),
    "rollover's cap": (
        Plan(allowance=6, period="month", rollover=Rollover(0)),
        "rollover.cap: 0 is not a whole number from 1 to 9007199254740991.",
    ),
    "trial": (
        Plan(trial=Trial(7)),
        f"trial: a period begins where a trial ends, and the plan has no period. {_PERIODS} remove trial.",
    ),
    "fair use": (
        Plan(fair_use=FairUse(5, "day")),
        "fair_use: it limits an unlimited plan. Add unlimited = true, or remove fair_use.",
    ),
    "window": (
        Plan(unlimited=True, fair_use=FairUse(5, "week")),  # type: ignore[arg-type]
        "fair_use.per: 'week' is not one of: hour, day, month.",
    ),
    "flag": (Plan(unlimited=1), "unlimited: 1 is not true or false."),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", _PLANS)
def test_check_catalog_refuses_invalid_plans(case: str) -> None:
    """Settings that exclude each other, bounds and types."""
    plan, problem = _PLANS[case]

    assert _problems(plans={**_FREE, "pro": plan}) == [f"plans.pro.{problem}"]


def test_check_catalog_refuses_an_empty_catalog_and_a_default_plan_with_a_trial() -> None:
    """A catalog needs a feature, a plan, and a default plan on which accounts can start."""
    nothing = _problems({}, {})
    trial = _problems(plans={"free": Plan(period="day", trial=Trial(7))})

    assert nothing == [
        "features: at least one table [features.NAME] is needed.",
        "plans: at least one table [plans.NAME] is needed.",
        "default_plan: 'free' is not one of the plans (none).",
    ]
    assert trial == [
        "plans.free.trial: accounts start on the default plan itself, never on a trial of it. "
        "Remove the trial, or name another default_plan."
    ]


def test_check_catalog_names_every_wrong_type() -> None:
    """A plan is not a feature and a table not a plan; all wrong types are named at once."""
    problems = _problems(
        {
            "a": Plan(),
            "b": Feature(tiers=[Tier(1)]),  # type: ignore[arg-type]
            "c": Feature(tiers=(5,)),  # type: ignore[arg-type]
            "d": Feature(models={"gpt 4": 7}),  # type: ignore[dict-item]
            3: Feature(),
        },
        {"free": {"signup_credits": 6}, "pro": Plan(rollover=5, trial={"days": 3})},  # type: ignore[arg-type]
    )

    assert problems == [
        f"features.a: {repr(Plan())[:57]}... is not a Feature. Give one.",
        f"features.b.tiers: {[Tier(1)]!r} is not a tuple. Give one.",
        "features.c.tiers[1]: 5 is not a Tier. Give one.",
        "features.d.models.'gpt 4': 7 is not a TokenRates. Give one.",
        "features: 3 is not a name. Give text.",
        "plans.free: {'signup_credits': 6} is not a Plan. Give one.",
        "plans.pro.rollover: 5 is not a Rollover. Give one.",
        "plans.pro.trial: {'days': 3} is not a Trial. Give one.",
    ]


def test_check_catalog_refuses_other_values() -> None:
    """A file's name, or features that are a list."""
    with pytest.raises(CatalogError) as caught:
        check_catalog("sixpence.toml")  # type: ignore[arg-type]

    assert caught.value == CatalogError(("catalog: 'sixpence.toml' is not a Catalog. Give one.",))
    assert _problems(["sketch"]) == ["features: ['sketch'] is not a dict. Give one, with each entry by its name."]
    assert _problems(default_plan=None) == [
        "default_plan: None is not text of at most 200 characters.",
        "default_plan: '' is not one of the plans (free).",
    ]


def test_check_catalog_checks_a_changed_copy() -> None:
    """A copy without the default plan is refused."""
    changed = replace(DEFAULT_CATALOG, plans={"pro": DEFAULT_CATALOG.plans["pro"]})

    with pytest.raises(CatalogError) as caught:
        check_catalog(changed)

    assert caught.value == CatalogError(("default_plan: 'free' is not one of the plans (pro).",))
