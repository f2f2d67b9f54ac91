"""Prices: blocks, tiers, tokens and the minimum, by the table cases/price.txt and by what always holds."""

import re
from fractions import Fraction
from math import ceil, floor

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixpence.core.catalog.catalog import Feature, Rounding, Tier, TokenRates
from sixpence.core.catalog.price import Unpriced, Usage, beyond, price_of
from sixpence.core.values.bounds import AMOUNT_MAX
from tests.core.case_table import CASES, Case, read_cases

_CASES = read_cases(CASES / "price.txt")
_PRICE = re.compile(
    r"(?P<price>.+?)( per (?P<block>\d+))?( rounded (?P<rounding>up|down|nearest))?( at least (?P<minimum>\d+))?"
)
_FIELDS = {"input": "input_tokens", "cached": "cached_input_tokens", "output": "output_tokens"}

_roundings: st.SearchStrategy[Rounding] = st.sampled_from(["up", "down", "nearest"])
_small = st.integers(0, 60)
_tokens = st.builds(Usage, model=st.just("m"), input_tokens=_small, cached_input_tokens=_small, output_tokens=_small)
_usages = st.builds(
    Usage,
    units=st.none() | _small,
    model=st.sampled_from([None, "m", "n"]),
    input_tokens=st.none() | _small,
    cached_input_tokens=st.none() | _small,
    output_tokens=st.none() | _small,
)


@st.composite
def _by_unit(draw: st.DrawFn) -> Feature:
    """A feature with blocks, and perhaps tiers whose limits are multiples of the block."""
    block = draw(st.integers(1, 12))
    tops = sorted(draw(st.sets(st.integers(1, 9), max_size=3)))
    tiers = [Tier(draw(_small), top * block) for top in tops] + [Tier(draw(_small))]
    return Feature(
        credits=draw(_small),
        block=block,
        rounding=draw(_roundings),
        minimum=draw(_small),
        tiers=tuple(tiers) if draw(st.booleans()) else (),
    )


_by_tokens = st.builds(
    Feature,
    models=st.fixed_dictionaries({"m": st.builds(TokenRates, _small, _small, _small)}),
    tokens_block=st.integers(1, 50),
    rounding=_roundings,
    minimum=_small,
)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.place)
def test_case(case: Case) -> None:
    """The usage costs what the line states, or is refused for the field that it names."""
    price = price_of(_read_feature(case.state), _read_usage(case.command))

    assert (f"refused {price.field}" if isinstance(price, Unpriced) else str(price)) == case.outcome


@pytest.mark.parametrize(
    ("feature", "usage", "problem"),
    [
        ("5", "model s", "this feature is priced by the unit, for any model. Leave it out; send units."),
        ("5", "output 1", "this feature is priced by the unit. Leave it out; send units."),
        ("s 1/1/1, t 1/1/1", "nothing said", "is missing. Send one of: s, t."),
        ("s 1/1/1, t 1/1/1", "model u", "'u' has no price. Send one of: s, t."),
        (
            "gpt-5 1/1/1, gpt-5-mini 1/1/1",
            "model GPT-5-mini-2025",
            "'GPT-5-mini-2025' has no price. The nearest is gpt-5-mini. Send one of: gpt-5, gpt-5-mini.",
        ),
        (
            "s 1/1/1",
            "model s",
            "no tokens were given. Send at least one of: input_tokens, cached_input_tokens, output_tokens.",
        ),
        ("s 1/1/1", "units 1", "this feature is priced by tokens. Leave it out; send usage.model and its tokens."),
        (str(AMOUNT_MAX), "units 2", "would cost more than 9007199254740991 credits. Send a smaller usage."),
    ],
)
def test_price_of_an_unpriced_usage_says_what_to_send(feature: str, usage: str, problem: str) -> None:
    """The problem names the field and the remedy."""
    price = price_of(_read_feature(feature), _read_usage(usage))

    assert isinstance(price, Unpriced)
    assert price.problem == problem


@settings(deadline=None)
@given(_by_unit(), st.integers(0, 200))
def test_price_of_units_is_the_sum_of_the_blocks(feature: Feature, units: int) -> None:
    """Counted one block at a time, each in its tier, the price is the same."""
    blocks = _rounded(Fraction(units, feature.block), feature.rounding)
    tiers = feature.tiers or (Tier(feature.credits),)
    price = 0
    for block in range(1, blocks + 1):
        price += next(tier.credits for tier in tiers if tier.up_to is None or block * feature.block <= tier.up_to)

    assert price_of(feature, Usage(units)) == (max(feature.minimum, price) if units else 0)


@settings(deadline=None)
@given(_by_unit(), st.integers(0, 200), st.integers(0, 200))
def test_more_units_never_cost_less(feature: Feature, units: int, more: int) -> None:
    """The price rises with the units or stays, and any use costs the minimum at least."""
    price, higher = price_of(feature, Usage(units)), price_of(feature, Usage(units + more))

    assert isinstance(price, int)
    assert isinstance(higher, int)
    assert price <= higher
    assert price >= feature.minimum or units == 0


@settings(deadline=None)
@given(_by_tokens, _tokens, _tokens)
def test_more_tokens_never_cost_less(feature: Feature, usage: Usage, more: Usage) -> None:
    """Of whatever kind they are; the price is the exact cost, rounded once, and the minimum at least."""
    tokens, added = _counts(usage)[1:], _counts(more)[1:]
    rates = feature.models["m"]
    cost = sum(
        count * rate for count, rate in zip(tokens, (rates.input, rates.cached_input, rates.output), strict=True)
    )

    price = price_of(feature, usage)
    higher = price_of(feature, Usage(None, "m", *(count + extra for count, extra in zip(tokens, added, strict=True))))

    rounded = _rounded(Fraction(cost, feature.tokens_block), feature.rounding)
    assert price == (max(feature.minimum, rounded) if any(tokens) else 0)
    assert isinstance(higher, int)
    assert price <= higher


@pytest.mark.parametrize(
    ("usage", "covered", "rest"),
    [
        (Usage(), Usage(), None),
        (Usage(5), Usage(5), None),
        (Usage(4), Usage(5), None),
        (Usage(7), Usage(5), Usage(2)),
        (Usage(3), Usage(), Usage(2)),
        (Usage(), Usage(1), None),
        (Usage(), Usage(0), Usage(1)),
        (Usage(0), Usage(), None),
        (Usage(None, "m", 9, 9, 9), Usage(None, "m", 9, 9, 9), None),
        (Usage(None, "m", 9, 5, 30), Usage(None, "m", 10, 5, 20), Usage(None, "m", None, None, 10)),
        (Usage(None, "m", 9, 5, 30), Usage(None, "m", output_tokens=20), Usage(None, "m", 9, 5, 10)),
        (Usage(None, "m", 9, None, 3), Usage(None, "n", 100, 100, 100), Usage(None, "m", 9, None, 3)),
        (Usage(None, "m", 0), Usage(None, "n", 100), None),
        (Usage(2), Usage(None, "m", 9), Usage(2)),
        (Usage(), Usage(None, "m", 9), Usage(1)),
        (Usage(None, "m", 9), Usage(), Usage(None, "m", 9)),
    ],
)
def test_beyond(usage: Usage, covered: Usage, rest: Usage | None) -> None:
    """Component by component; of another model all of it."""
    assert beyond(usage, covered) == rest


@settings(deadline=None)
@given(_usages, _usages)
def test_beyond_is_what_the_cover_lacks(usage: Usage, covered: Usage) -> None:
    """With the cover it makes up the usage at least, and nothing of it was covered."""
    rest = beyond(usage, covered)

    cover = _counts(covered) if covered.model == usage.model else (0, 0, 0, 0)
    lacking = tuple(max(used - free, 0) for used, free in zip(_counts(usage), cover, strict=True))
    assert (_counts(rest) if rest else (0, 0, 0, 0)) == lacking
    assert rest is None or rest.model == usage.model


def _read_feature(text: str) -> Feature:
    """The feature of a line's first column."""
    found = _PRICE.fullmatch(text)
    assert found, text
    rounding, minimum = msgspec.convert(found["rounding"] or "up", Rounding), int(found["minimum"] or 0)
    block = int(found["block"] or 1)
    if "/" in found["price"]:
        models = {}
        for words in found["price"].split(", "):
            name, rates = words.split()
            models[name] = TokenRates(*(int(rate) for rate in rates.split("/")))
        return Feature(models=models, tokens_block=block, rounding=rounding, minimum=minimum)
    if "after" not in found["price"]:
        return Feature(credits=int(found["price"]), block=block, rounding=rounding, minimum=minimum)
    tiers = []
    for words in found["price"].split(", "):
        price, *up_to = words.removesuffix(" after").split(" to ")
        tiers.append(Tier(int(price), *(int(units) for units in up_to)))
    return Feature(tiers=tuple(tiers), block=block, rounding=rounding, minimum=minimum)


def _read_usage(text: str) -> Usage:
    """The usage of a line's second column."""
    if text == "nothing said":
        return Usage()
    words = text.split()
    said = {_FIELDS.get(name, name): value for name, value in zip(words[::2], words[1::2], strict=True)}
    return msgspec.convert(said, Usage, strict=False)


def _counts(usage: Usage) -> tuple[int, ...]:
    """Units, input, cached input and output tokens, as they count."""
    said = (usage.units, usage.input_tokens, usage.cached_input_tokens, usage.output_tokens)
    return (1, 0, 0, 0) if said == (None,) * 4 and usage.model is None else tuple(count or 0 for count in said)


def _rounded(number: Fraction, rounding: Rounding) -> int:
    """The whole number for an exact one."""
    if rounding == "up":
        return ceil(number)
    return floor(number + Fraction(1, 2)) if rounding == "nearest" else floor(number)
