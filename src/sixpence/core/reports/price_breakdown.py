"""How a price came about: the steps from what was used to the credits it costs, for somebody who wants to check them.

`price` says what a usage costs; here it is told why. Each reckoning is held against that price, so that what is told is
never another arithmetic than the one that charged. Not here: what an account then pays.
"""

from collections.abc import Iterator

import msgspec

from sixpence.core.catalog.catalog import Feature, Rounding
from sixpence.core.catalog.price import Unpriced, Usage, price_of
from sixpence.core.reports.labels import counted, credits

_ROUNDED = {"up": "rounded up", "down": "rounded down", "nearest": "rounded to the nearest, a half up"}


class Factor(msgspec.Struct, frozen=True):
    """A number of things and what each of them costs: `count` × `each` = `makes`."""

    count: int
    thing: str
    each: int
    makes: int


class Reckoning(msgspec.Struct, frozen=True, kw_only=True):
    """From what was used to its price.

    `used` things are blocks of `block` things, which the factors count and which add up; a price of tokens is for
    `divided_by` of them. `rounding` says what became of a part of a block, or of a credit, where there was one. All
    that comes to `comes_to`, and the price is more only where that is the least that a use costs.
    """

    used: int
    thing: str
    block: int = 1
    factors: tuple[Factor, ...]
    divided_by: int = 1
    rounding: Rounding | None = None
    comes_to: int
    price: int


def reckoned(feature: Feature, usage: Usage, price: int) -> Reckoning | None:
    """How the usage came to that price; None where this feature does not make it so, and somebody named the price."""
    if price_of(feature, usage) != price:
        return None
    comes_to = price_of(msgspec.structs.replace(feature, minimum=0), usage)
    assert isinstance(comes_to, int)
    reckoning = _of_tokens(feature, usage) if feature.models else _of_units(feature, usage)
    return msgspec.structs.replace(reckoning, comes_to=comes_to, price=price)


def steps(reckoning: Reckoning) -> tuple[str, ...]:
    """The reckoning in words, a step each: "15 seconds = 2 blocks of 10, rounded up", "2 blocks x 3 credits = 6"."""
    return tuple(_steps(reckoning))


def _of_units(feature: Feature, usage: Usage) -> Reckoning:
    units = 1 if usage == Usage() else usage.units or 0
    thing = feature.unit or "call"
    # What as many units of a feature cost at a credit a block.
    blocks = price_of(Feature(1, block=feature.block, rounding=feature.rounding), Usage(units=units))
    assert not isinstance(blocks, Unpriced)
    return Reckoning(
        used=units,
        thing=thing,
        block=feature.block,
        factors=tuple(_factors(feature, blocks, thing if feature.block == 1 else "block")),
        rounding=feature.rounding if units % feature.block else None,
        comes_to=0,
        price=0,
    )


def _factors(feature: Feature, blocks: int, thing: str) -> Iterator[Factor]:
    """The blocks at their price; of graduated prices those of each tier."""
    if not feature.tiers or blocks == 0:
        each = feature.tiers[0].credits if feature.tiers else feature.credits
        yield Factor(blocks, thing, each, blocks * each)
        return
    below = 0
    for tier in feature.tiers:
        top = blocks if tier.up_to is None else min(blocks, tier.up_to // feature.block)
        if top > below:
            yield Factor(top - below, thing, tier.credits, (top - below) * tier.credits)
            below = top


def _of_tokens(feature: Feature, usage: Usage) -> Reckoning:
    rates = feature.models[usage.model or ""]
    told = (
        (usage.input_tokens, "input token", rates.input),
        (usage.cached_input_tokens, "cached input token", rates.cached_input),
        (usage.output_tokens, "output token", rates.output),
    )
    factors = tuple(Factor(count, thing, each, count * each) for count, thing, each in told if count is not None)
    has_part = sum(factor.makes for factor in factors) % feature.tokens_block
    return Reckoning(
        used=sum(factor.count for factor in factors),
        thing="token",
        factors=factors,
        divided_by=feature.tokens_block,
        rounding=feature.rounding if has_part else None,
        comes_to=0,
        price=0,
    )


def _steps(reckoning: Reckoning) -> Iterator[str]:
    how = f", {_ROUNDED[reckoning.rounding]}" if reckoning.rounding else ""
    factors, divided_by = reckoning.factors, reckoning.divided_by
    if reckoning.block > 1:
        blocks = counted(sum(factor.count for factor in factors), "block")
        yield f"{counted(reckoning.used, reckoning.thing)} = {blocks} of {reckoning.block}{how}"
    for factor in factors:
        each = credits(factor.each) if divided_by == 1 else str(factor.each)
        yield f"{counted(factor.count, factor.thing)} x {each} = {factor.makes}"
    together = sum(factor.makes for factor in factors)
    if len(factors) > 1:
        yield f"{' + '.join(str(factor.makes) for factor in factors)} = {together}"
    if divided_by > 1:
        yield f"{together} / {divided_by} = {reckoning.comes_to}{how}"
    if reckoning.price != reckoning.comes_to:
        yield f"a use costs at least {reckoning.price}"
