"""The steps from a usage to its price, for people who want to check them.

`catalog.price` says what a usage costs; a breakdown shows why. Each breakdown is compared with that price, so that it
never shows another arithmetic than the one that charged. Not here: what an account then pays.
"""

from collections.abc import Iterator

import msgspec

from sixpence.core.catalog.catalog import Feature, Rounding
from sixpence.core.catalog.price import Unpriced, Usage, price_of
from sixpence.core.reports.labels import credits, format_count

_ROUNDED = {"up": "rounded up", "down": "rounded down", "nearest": "rounded to the nearest, a half up"}


class Factor(msgspec.Struct, frozen=True):
    """A number of things and the price of each: `count` × `each` = `makes`."""

    count: int
    thing: str
    each: int
    makes: int


class PriceBreakdown(msgspec.Struct, frozen=True, kw_only=True):
    """The steps from a usage to its price.

    `used` things are counted in blocks of `block`; each factor prices some of the blocks, and the factors add up. A
    price of tokens is for `divided_by` of them. `rounding` says how a part of a block, or of a credit, was rounded, if
    there was one. The result is `comes_to`; `price` is more only where the feature has a higher minimum.
    """

    used: int
    thing: str
    block: int = 1
    factors: tuple[Factor, ...]
    divided_by: int = 1
    rounding: Rounding | None = None
    comes_to: int
    price: int


def break_down_price(feature: Feature, usage: Usage, price: int) -> PriceBreakdown | None:
    """Break down the price of a usage; None where the feature gives the usage another price, so the caller named it."""
    if price_of(feature, usage) != price:
        return None
    comes_to = price_of(msgspec.structs.replace(feature, minimum=0), usage)
    assert isinstance(comes_to, int)
    breakdown = _break_down_tokens(feature, usage) if feature.models else _break_down_units(feature, usage)
    return msgspec.structs.replace(breakdown, comes_to=comes_to, price=price)


def price_steps(breakdown: PriceBreakdown) -> tuple[str, ...]:
    """Return the steps as text: "15 seconds = 2 blocks of 10, rounded up", "2 blocks x 3 credits = 6"."""
    return tuple(_steps(breakdown))


def _break_down_units(feature: Feature, usage: Usage) -> PriceBreakdown:
    units = 1 if usage == Usage() else usage.units or 0
    thing = feature.unit or "call"
    # At one credit a block the price is the number of blocks.
    blocks = price_of(Feature(1, block=feature.block, rounding=feature.rounding), Usage(units=units))
    assert not isinstance(blocks, Unpriced)
    return PriceBreakdown(
        used=units,
        thing=thing,
        block=feature.block,
        factors=tuple(_factors(feature, blocks, thing if feature.block == 1 else "block")),
        rounding=feature.rounding if units % feature.block else None,
        comes_to=0,
        price=0,
    )


def _factors(feature: Feature, blocks: int, thing: str) -> Iterator[Factor]:
    """Yield the blocks with their price; graduated prices have a factor for each tier."""
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


def _break_down_tokens(feature: Feature, usage: Usage) -> PriceBreakdown:
    rates = feature.models[usage.model or ""]
    counts = (
        (usage.input_tokens, "input token", rates.input),
        (usage.cached_input_tokens, "cached input token", rates.cached_input),
        (usage.output_tokens, "output token", rates.output),
    )
    factors = tuple(Factor(count, thing, each, count * each) for count, thing, each in counts if count is not None)
    has_part = sum(factor.makes for factor in factors) % feature.tokens_block
    return PriceBreakdown(
        used=sum(factor.count for factor in factors),
        thing="token",
        factors=factors,
        divided_by=feature.tokens_block,
        rounding=feature.rounding if has_part else None,
        comes_to=0,
        price=0,
    )


def _steps(breakdown: PriceBreakdown) -> Iterator[str]:
    how = f", {_ROUNDED[breakdown.rounding]}" if breakdown.rounding else ""
    factors, divided_by = breakdown.factors, breakdown.divided_by
    if breakdown.block > 1:
        blocks = format_count(sum(factor.count for factor in factors), "block")
        yield f"{format_count(breakdown.used, breakdown.thing)} = {blocks} of {breakdown.block}{how}"
    for factor in factors:
        each = credits(factor.each) if divided_by == 1 else str(factor.each)
        yield f"{format_count(factor.count, factor.thing)} x {each} = {factor.makes}"
    together = sum(factor.makes for factor in factors)
    if len(factors) > 1:
        yield f"{' + '.join(str(factor.makes) for factor in factors)} = {together}"
    if divided_by > 1:
        yield f"{together} / {divided_by} = {breakdown.comes_to}{how}"
    if breakdown.price != breakdown.comes_to:
        yield f"a use costs at least {breakdown.price}"
