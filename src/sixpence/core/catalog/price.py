"""Prices: from a feature of the catalog and a usage to a number of credits, in integers throughout.

Units and tokens are whole and not negative; the callers have checked that. Not here: which catalog prices a command,
and what an account then pays (`rules.consume`).
"""

from difflib import get_close_matches

import msgspec

from sixpence.core.catalog.catalog import Feature, Rounding, TokenRates
from sixpence.core.values.bounds import AMOUNT_MAX, shown

_TOKENS = ("input_tokens", "cached_input_tokens", "output_tokens")


class Usage(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What was used: units, or tokens of a model (cached input is not part of input); by default one unit."""

    units: int | None = None
    model: str | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None


class Unpriced(msgspec.Struct, frozen=True):
    """Why a usage has no price: the wrong field, what is wrong with it, and what to send."""

    field: str
    problem: str


def price_of(feature: Feature, usage: Usage) -> int | Unpriced:
    """Return what a usage of the feature costs: at least its minimum, but nothing where nothing was used."""
    price = _price_of_tokens(feature, usage) if feature.models else _price_of_units(feature, usage)
    if isinstance(price, Unpriced):
        return price
    if not any(_components(usage)):
        return 0
    price = max(feature.minimum, price)
    if price > AMOUNT_MAX:
        field = "usage" if feature.models else "units"
        return Unpriced(field, f"would cost more than {AMOUNT_MAX} credits. Send a smaller usage.")
    return price


def find_model_fault(feature: Feature, model: str) -> Unpriced | None:
    """Return why this model has no price, whatever its usage will be; None where it has one."""
    if not feature.models:
        return _price_by_units_only()
    return None if model in feature.models else _unknown_model(feature, model)


def beyond(usage: Usage, covered: Usage) -> Usage | None:
    """Return the part of a usage that exceeds the covered one, each component by itself; None where none does.

    A usage of another model than the covered one is not covered at all.
    """
    cover = _components(covered) if usage.model == covered.model else (0, 0, 0, 0)
    rest = [max(0, used - free) for used, free in zip(_components(usage), cover, strict=True)]
    if not any(rest):
        return None
    units, *tokens = (count or None for count in rest)
    return Usage(units, usage.model, *tokens)


def _price_of_units(feature: Feature, usage: Usage) -> int | Unpriced:
    if usage.model is not None:
        return _price_by_units_only()
    for name in _TOKENS:
        if getattr(usage, name) is not None:
            return Unpriced(f"usage.{name}", "this feature is priced by the unit. Leave it out; send units.")
    units, *_ = _components(usage)
    blocks = _quotient(units, feature.block, feature.rounding)
    return _price_of_blocks(feature, blocks) if feature.tiers else blocks * feature.credits


def _price_of_blocks(feature: Feature, blocks: int) -> int:
    """Return the graduated price: each block costs what its tier says."""
    price = below = 0
    for tier in feature.tiers:
        top = blocks if tier.up_to is None else min(blocks, tier.up_to // feature.block)
        price += (top - below) * tier.credits
        below = top
    return price


def _price_of_tokens(feature: Feature, usage: Usage) -> int | Unpriced:
    if usage.units is not None:
        return Unpriced("units", "this feature is priced by tokens. Leave it out; send usage.model and its tokens.")
    rates = None if usage.model is None else feature.models.get(usage.model)
    if rates is None:
        return _unknown_model(feature, usage.model)
    if all(getattr(usage, name) is None for name in _TOKENS):
        return Unpriced("usage.input_tokens", f"no tokens were given. Send at least one of: {', '.join(_TOKENS)}.")
    return _quotient(_cost(rates, usage), feature.tokens_block, feature.rounding)


def _price_by_units_only() -> Unpriced:
    return Unpriced("usage.model", "this feature is priced by the unit, for any model. Leave it out; send units.")


def _unknown_model(feature: Feature, model: str | None) -> Unpriced:
    """Return the refusal of a model without a price, with the one of the most similar name."""
    if model is None:
        return Unpriced("usage.model", f"is missing. Send one of: {', '.join(feature.models)}.")
    names = {name.lower(): name for name in feature.models}
    nearest = [f" The nearest is {names[name]}." for name in get_close_matches(model.lower(), names, n=1)]
    problem = f"{shown(model)} has no price.{''.join(nearest)} Send one of: {', '.join(feature.models)}."
    return Unpriced("usage.model", problem)


def _cost(rates: TokenRates, usage: Usage) -> int:
    """Return the exact cost times `tokens_block`, so that all components together are rounded once."""
    _, input_tokens, cached_input_tokens, output_tokens = _components(usage)
    return input_tokens * rates.input + cached_input_tokens * rates.cached_input + output_tokens * rates.output


def _components(usage: Usage) -> tuple[int, int, int, int]:
    """Return units, input, cached input and output tokens; an empty usage is one unit."""
    units = 1 if usage == Usage() else usage.units or 0
    return units, usage.input_tokens or 0, usage.cached_input_tokens or 0, usage.output_tokens or 0


def _quotient(count: int, size: int, rounding: Rounding) -> int:
    """Divide the count by the size; `nearest` rounds a half up."""
    match rounding:
        case "up":
            return -(-count // size)
        case "down":
            return count // size
        case "nearest":
            return (2 * count + size) // (2 * size)
