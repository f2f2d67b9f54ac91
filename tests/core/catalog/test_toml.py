"""`from_toml`: which settings are valid, and every problem named at once."""

import pytest

from sixpence.core.catalog.catalog import (
    Catalog,
    FairUse,
    Feature,
    Plan,
    Rollover,
    Tier,
    TokenRates,
    Trial,
)
from sixpence.core.catalog.toml import from_toml
from sixpence.core.errors import CatalogError


def _problems(text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        from_toml(text)
    return list(caught.value.problems)


def test_from_toml_reads_every_setting() -> None:
    """Prices, titles, ranks, signup credits, the default plan, the decimals and the days of grace."""
    catalog = from_toml(
        """
        default_plan = "trial"
        decimals = 2
        grace_days = 0
        [features.upscale-4x]
        credits = 250
        title = "Upscale ×4"
        [plans.trial]
        rank = 1
        signup_credits = 9007199254740991
        title = "Trial"
        overdraft = 3
        [plans.day]
        allowance = 5
        period = "day"
        rollover = {cap = 9}
        trial = {days = 3650}
        [plans.year]
        allowance = 12
        period = "year"
        drip = true
        rollover = {cap = 1, periods = 100}
        trial = {days = 1, allowance = 4}
        [plans.all]
        unlimited = true
        fair_use = {uses = 0, per = "hour"}
        [features.film]
        unit = "frame"
        block = 24
        rounding = "nearest"
        minimum = 2
        tiers = [{up_to = 48, credits = 9}, {up_to = 96, credits = 0}, {credits = 1}]
        [features.chat]
        rounding = "down"
        tokens_block = 1000
        [features.chat.models."gpt-4.1"]
        input = 2
        cached_input = 1
        output = 8
        [features.chat.models."vendor/größer 2"]
        output = 1
        """
    )

    assert catalog == Catalog(
        features={
            "upscale-4x": Feature(250, "Upscale ×4"),
            "film": Feature(
                unit="frame", block=24, rounding="nearest", minimum=2, tiers=(Tier(9, 48), Tier(0, 96), Tier(1))
            ),
            "chat": Feature(
                rounding="down",
                models={"gpt-4.1": TokenRates(2, 1, 8), "vendor/größer 2": TokenRates(output=1)},
                tokens_block=1000,
            ),
        },
        plans={
            "trial": Plan(rank=1, signup_credits=2**53 - 1, title="Trial", overdraft=3),
            "day": Plan(allowance=5, period="day", rollover=Rollover(9), trial=Trial(3650)),
            "year": Plan(allowance=12, period="year", drip=True, rollover=Rollover(1, 100), trial=Trial(1, 4)),
            "all": Plan(unlimited=True, fair_use=FairUse(0, "hour")),
        },
        default_plan="trial",
        decimals=2,
        grace_days=0,
    )


def test_from_toml_names_every_problem_at_once() -> None:
    """Each problem has its path, its value and what is allowed."""
    problems = _problems(
        """
        default_plan = "gold"
        decimals = 13
        currency = "EUR"
        [features.Video]
        credits = 1.5
        [features.sketch]
        credit = 2
        credits = -1
        title = 7
        [features.furnish]
        credits = '3'
        [plans.free]
        rank = true
        signup_credits = 9007199254740992
        unlimited = "yes"
        """
    )

    assert problems == [
        "currency: is not a setting of a catalog. Known here: features, plans, default_plan, decimals, grace_days.",
        "features.Video: a name has 1 to 63 of a-z, 0-9, _ and -; a letter comes first.",
        "features.Video.credits: 1.5 is not a whole number from 0 to 9007199254740991.",
        "features.sketch.credit: is not a setting of a catalog. Known here: "
        + ", ".join(Feature.__struct_fields__)
        + ".",
        "features.sketch.credits: -1 is not a whole number from 0 to 9007199254740991.",
        "features.sketch.title: 7 is not text of at most 200 characters.",
        "features.furnish.credits: '3' is not a whole number from 0 to 9007199254740991.",
        "plans.free.rank: True is not a whole number from 0 to 1000000.",
        "plans.free.signup_credits: 9007199254740992 is not a whole number from 0 to 9007199254740991.",
        "plans.free.unlimited: 'yes' is not true or false.",
        "default_plan: 'gold' is not one of the plans (free).",
        "decimals: 13 is not a whole number from 0 to 12.",
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "",
            [
                "features: at least one table [features.NAME] is needed.",
                "plans: at least one table [plans.NAME] is needed.",
                "default_plan: 'free' is not one of the plans (none).",
            ],
        ),
        (
            "features = 1\n[plans.free]",
            ["features: at least one table [features.NAME] is needed."],
        ),
        (
            "[features]\nsketch = 2\n[plans.free]",
            ["features.sketch: 2 is not a table. Write [features.sketch]."],
        ),
        (
            "[features.sketch]\ntitle = '" + "a" * 201 + "'\n[plans.free]",
            ["features.sketch.title: '" + "a" * 56 + "... is not text of at most 200 characters."],
        ),
        (
            f"decimals = 0x{'f' * 4000}\n[features.a]\n[plans.free]",
            ["decimals: a number of thousands of digits is not a whole number from 0 to 12."],
        ),
    ],
    ids=["empty", "no-table", "no-settings", "long-text", "long-number"],
)
def test_problem_names_the_setting_and_what_to_write(text: str, problems: list[str]) -> None:
    """Each message has the path of the setting, the value and what is allowed there."""
    assert _problems(text) == problems


@pytest.mark.parametrize("name", ["a" * 64, "", "1up", "Sketch", "in terior", "-a", "a.b", "é", "a\\n"])
def test_from_toml_refuses_invalid_names(name: str) -> None:
    """Names are plain: they are part of paths, messages and tables."""
    problems = _problems(f'[features."{name}"]\n[plans.free]')

    assert [problem.partition(": ")[2] for problem in problems] == [
        "a name has 1 to 63 of a-z, 0-9, _ and -; a letter comes first."
    ]


_PLAN_PROBLEMS = {
    "allowance = 100": [
        "allowance: 100 credits come each period, and the plan has no period. "
        "Add period (one of: day, week, month, year), or use signup_credits."
    ],
    "period = 'fortnight'": ["period: 'fortnight' is not one of: day, week, month, year."],
    "period = 12": ["period: 12 is not one of: day, week, month, year."],
    "allowance = 5\nperiod = 'month'\ndrip = true": [
        'drip: shares come month by month inside a year, and period is month. Write period = "year".'
    ],
    "period = 'year'\ndrip = true": ["drip: there is nothing to share out. Add allowance, or remove drip."],
    "drip = 'yes'": ["drip: 'yes' is not true or false."],
    "period = 'month'\nrollover = {cap = 5}": [
        "rollover: only an allowance rolls over. Add allowance, or remove rollover."
    ],
    "allowance = 5\nperiod = 'month'\nrollover = {periods = 101, most = 2}": [
        "rollover.most: is not a setting of a catalog. Known here: cap, periods.",
        "rollover.cap: is missing. Give a whole number from 1 to 9007199254740991.",
        "rollover.periods: 101 is not a whole number from 1 to 100.",
    ],
    "allowance = 5\nperiod = 'month'\nrollover = 500": [
        "rollover: 500 is not a table. Write rollover = {cap = 1000, periods = 1}."
    ],
    "trial = {days = 7}": [
        "trial: a period begins where a trial ends, and the plan has no period. "
        "Add period (one of: day, week, month, year), or remove trial."
    ],
    "period = 'week'\ntrial = {allowance = -1}": [
        "trial.days: is missing. Give a whole number from 1 to 3650.",
        "trial.allowance: -1 is not a whole number from 0 to 9007199254740991.",
    ],
    "period = 'week'\ntrial = {days = 3651}": ["trial.days: 3651 is not a whole number from 1 to 3650."],
    "fair_use = {uses = 5, per = 'day'}": [
        "fair_use: it limits an unlimited plan. Add unlimited = true, or remove fair_use."
    ],
    "unlimited = true\nfair_use = {}": [
        "fair_use.per: is missing. Give one of: hour, day, month.",
        "fair_use.uses: is missing. Give a whole number from 0 to 9007199254740991.",
    ],
    "unlimited = true\nfair_use = {uses = 1, per = 'week'}": ["fair_use.per: 'week' is not one of: hour, day, month."],
    "overdraft = -1": ["overdraft: -1 is not a whole number from 0 to 9007199254740991."],
}


@pytest.mark.parametrize("settings", _PLAN_PROBLEMS)
def test_from_toml_refuses_plan_settings_without_what_they_need(settings: str) -> None:
    """Each setting that needs another names it, and says what to write."""
    problems = _problems(f"[features.a]\n[plans.free]\n[plans.pro]\n{settings}")

    assert problems == [f"plans.pro.{problem}" for problem in _PLAN_PROBLEMS[settings]]


_FEATURE_PROBLEMS = {
    "credits = 2\ntiers = [{credits = 1}]": [
        "credits: tiers price this feature. Remove credits, or remove tiers.",
    ],
    "credits = 2\nunit = 'x'\nblock = 3\ntiers = [{credits = 1}]\nmodels = {m = {input = 1}}": [
        "credits: models price this feature by tokens. Remove credits, or remove models.",
        "unit: models price this feature by tokens. Remove unit, or remove models.",
        "block: models price this feature by tokens. Remove block, or remove models.",
        "tiers: models price this feature by tokens. Remove tiers, or remove models.",
    ],
    "tokens_block = 5": ["tokens_block: nothing here is priced by tokens. Remove it, or add models."],
    "tokens_block = 0\nmodels = {m = {input = 1}}": [
        "tokens_block: 0 is not a whole number from 1 to 9007199254740991."
    ],
    "block = 0": ["block: 0 is not a whole number from 1 to 9007199254740991."],
    "rounding = 'even'": ["rounding: 'even' is not one of: up, down, nearest."],
    "unit = 3": ["unit: 3 is not text of at most 200 characters."],
    "minimum = 0.5": ["minimum: 0.5 is not a whole number from 0 to 9007199254740991."],
    "tiers = []": ["tiers: [] is not one table or more. Write tiers = [{up_to = 100, credits = 5}, {credits = 3}]."],
    "tiers = [5]": ["tiers: [5] is not one table or more. Write tiers = [{up_to = 100, credits = 5}, {credits = 3}]."],
    "tiers = [{up_to = 5, credits = 1}]": [
        "tiers[1].up_to: the last tier has no end, so that every use has a price. Remove it here."
    ],
    "tiers = [{credits = 1}, {credits = 1}]": [
        "tiers[1].up_to: is missing. Give a whole number from 1 to 9007199254740991."
    ],
    "tiers = [{up_to = 0, credits = 1}, {}]": [
        "tiers[1].up_to: 0 is not a whole number from 1 to 9007199254740991.",
        "tiers[2].credits: is missing. Give a whole number from 0 to 9007199254740991.",
    ],
    "tiers = [{up_to = 5, credits = 2}, {up_to = 5, credits = 1}, {credits = 0, price = 2}]": [
        "tiers[3].price: is not a setting of a catalog. Known here: credits, up_to.",
        "tiers[2].up_to: 5 is not above 5, where the tier before ends. Make it more.",
    ],
    "block = 10\ntiers = [{up_to = 25, credits = 2}, {credits = 1}]": [
        "tiers[1].up_to: 25 is not a multiple of the block (10). End a tier with a block."
    ],
    "models = {}": ["models: at least one table [features.x.models.NAME] is needed."],
    "models = 7": ["models: at least one table [features.x.models.NAME] is needed."],
    "models = {m = 7}": ["models.m: 7 is not a table. Write [features.x.models.m]."],
    "models = {m = {}}": ["models.m.input: no rate is given. Give input, cached_input or output (0 for a free model)."],
    "models = {'gpt 4.1' = {input = -1, price = 2}}": [
        "models.'gpt 4.1'.price: is not a setting of a catalog. Known here: input, cached_input, output.",
        "models.'gpt 4.1'.input: -1 is not a whole number from 0 to 9007199254740991.",
    ],
    "models = {'' = {input = 1}}": ["models.'': a model's name has 1 to 63 printable characters."],
    'models = {"a\\tb" = {input = 1}}': ["models.'a\\tb': a model's name has 1 to 63 printable characters."],
    "models = {" + "m" * 64 + " = {input = 1}}": [
        f"models.{'m' * 64}: a model's name has 1 to 63 printable characters."
    ],
}


@pytest.mark.parametrize("settings", _FEATURE_PROBLEMS)
def test_from_toml_refuses_feature_settings_that_exclude_each_other(settings: str) -> None:
    """A feature is priced in one way, and its price has no gap."""
    problems = _problems(f"[features.x]\n{settings}\n[plans.free]")

    assert problems == [f"features.x.{problem}" for problem in _FEATURE_PROBLEMS[settings]]


def test_from_toml_refuses_a_trial_of_the_default_plan() -> None:
    """The default plan may have an allowance, and no trial."""
    plan = "[features.x]\n[plans.free]\nallowance = 5\nperiod = 'month'\n"

    assert from_toml(plan).plans["free"] == Plan(allowance=5, period="month")
    assert _problems(plan + "trial = {days = 7}") == [
        "plans.free.trial: accounts start on the default plan itself, never on a trial of it. "
        "Remove the trial, or name another default_plan."
    ]


@pytest.mark.parametrize("days", [-1, 3651])
def test_from_toml_bounds_grace_days(days: int) -> None:
    """From zero to ten years."""
    assert _problems(f"grace_days = {days}\n[features.x]\n[plans.free]") == [
        f"grace_days: {days} is not a whole number from 0 to 3650."
    ]


@pytest.mark.parametrize("text", ["[features", "a = 1\na = 2", f"a = {'1' * 5000}", f"a = {'[' * 5000}"])
def test_from_toml_refuses_invalid_toml(text: str) -> None:
    """Broken, contradictory, or too large for the decoder: one problem."""
    problems = _problems(text)

    assert len(problems) == 1
    assert problems[0].startswith("it is not valid TOML: ")
