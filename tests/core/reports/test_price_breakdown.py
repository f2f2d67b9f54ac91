"""Price breakdowns: their steps, and that they lead to the price that was charged."""

import random

import pytest

from sixpence.core.catalog.catalog import Feature, Rounding, Tier, TokenRates
from sixpence.core.catalog.price import Usage, price_of
from sixpence.core.reports.price_breakdown import Factor, PriceBreakdown, break_down_price, price_steps

CALL = Feature(3)
IMAGES = Feature(2, unit="image")
RENDER = Feature(2, unit="second", block=10)
DOWN = Feature(2, unit="second", block=10, rounding="down")
SCAN = Feature(unit="page", tiers=(Tier(5, up_to=100), Tier(3)))
SPEECH = Feature(3, unit="character", block=1000, minimum=5)
CHAT = Feature(models={"small": TokenRates(10, 5, 40)}, tokens_block=1000, rounding="nearest", minimum=2)
RAW = Feature(models={"small": TokenRates(1, 0, 4)}, tokens_block=1)

CASES = [
    (CALL, Usage(), 3, ["1 call x 3 credits = 3"]),
    (CALL, Usage(units=0), 0, ["0 calls x 3 credits = 0"]),
    (Feature(1), Usage(units=1), 1, ["1 call x 1 credit = 1"]),
    (IMAGES, Usage(units=3), 6, ["3 images x 2 credits = 6"]),
    (RENDER, Usage(units=15), 4, ["15 seconds = 2 blocks of 10, rounded up", "2 blocks x 2 credits = 4"]),
    (RENDER, Usage(units=20), 4, ["20 seconds = 2 blocks of 10", "2 blocks x 2 credits = 4"]),
    (DOWN, Usage(units=15), 2, ["15 seconds = 1 block of 10, rounded down", "1 block x 2 credits = 2"]),
    (SCAN, Usage(units=100), 500, ["100 pages x 5 credits = 500"]),
    (SCAN, Usage(units=120), 560, ["100 pages x 5 credits = 500", "20 pages x 3 credits = 60", "500 + 60 = 560"]),
    (
        SPEECH,
        Usage(units=1),
        5,
        ["1 character = 1 block of 1000, rounded up", "1 block x 3 credits = 3", "a use costs at least 5"],
    ),
    (
        CHAT,
        Usage(model="small", input_tokens=200, output_tokens=30),
        3,
        [
            "200 input tokens x 10 = 2000",
            "30 output tokens x 40 = 1200",
            "2000 + 1200 = 3200",
            "3200 / 1000 = 3, rounded to the nearest, a half up",
        ],
    ),
    (
        CHAT,
        Usage(model="small", cached_input_tokens=200),
        2,
        ["200 cached input tokens x 5 = 1000", "1000 / 1000 = 1", "a use costs at least 2"],
    ),
    (RAW, Usage(model="small", output_tokens=2), 8, ["2 output tokens x 4 credits = 8"]),
]


@pytest.mark.parametrize(("feature", "usage", "price", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_price_steps(feature: Feature, usage: Usage, price: int, expected: list[str]) -> None:
    """From the usage, step by step, to its price."""
    breakdown = break_down_price(feature, usage, price)

    assert breakdown is not None
    assert list(price_steps(breakdown)) == expected


def test_break_down_price_as_facts() -> None:
    """The numbers behind the text."""
    assert break_down_price(SPEECH, Usage(units=1), 5) == PriceBreakdown(
        used=1,
        thing="character",
        block=1000,
        factors=(Factor(1, "block", 3, 3),),
        rounding="up",
        comes_to=3,
        price=5,
    )


@pytest.mark.parametrize(
    ("feature", "usage", "price"),
    [(IMAGES, Usage(units=3), 7), (CHAT, Usage(units=3), 6), (IMAGES, Usage(model="small", input_tokens=1), 2)],
)
def test_break_down_price_of_a_named_price_returns_none(feature: Feature, usage: Usage, price: int) -> None:
    """A price that does not follow from the usage was named by the caller, and gets no arithmetic."""
    assert break_down_price(feature, usage, price) is None


def test_break_down_price_adds_up_to_the_charged_price() -> None:
    """Over features and usages drawn at random, the steps lead to the price of `price_of`."""
    dice = random.Random(20)
    for _ in range(2_000):
        feature, usage = _drawn(dice)
        price = price_of(feature, usage)
        assert isinstance(price, int)

        breakdown = break_down_price(feature, usage, price)

        assert breakdown is not None
        together = sum(factor.makes for factor in breakdown.factors)
        assert all(factor.count * factor.each == factor.makes for factor in breakdown.factors)
        assert abs(breakdown.comes_to * breakdown.divided_by - together) < breakdown.divided_by
        assert (breakdown.comes_to * breakdown.divided_by != together) == (
            breakdown.rounding is not None and breakdown.divided_by > 1
        )
        assert price in (breakdown.comes_to, max(feature.minimum, breakdown.comes_to))


def _drawn(dice: random.Random) -> tuple[Feature, Usage]:
    rounding: Rounding = dice.choice(("up", "down", "nearest"))
    minimum = dice.choice((0, 0, 3))
    if dice.random() < 0.4:
        rates = TokenRates(dice.randint(0, 9), dice.randint(0, 9), dice.randint(0, 9))
        feature = Feature(
            models={"m": rates}, tokens_block=dice.choice((1, 7, 1000)), rounding=rounding, minimum=minimum
        )
        plain, cached = (dice.choice((None, 0, dice.randint(0, 5_000))) for _ in range(2))
        return feature, Usage(None, "m", plain, cached, dice.randint(0, 5_000))
    block = dice.choice((1, 1, 10))
    tiers = dice.choice(((), (Tier(5, up_to=20), Tier(3, up_to=40), Tier(1))))
    feature = Feature(dice.randint(0, 4), block=block, tiers=tiers, rounding=rounding, minimum=minimum)
    return feature, Usage(units=dice.choice((None, 0, dice.randint(0, 99))))
