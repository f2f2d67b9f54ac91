"""What a usage costs, worked out with fractions and block by block."""

from fractions import Fraction

from sixpence.core.catalog.catalog import Feature
from sixpence.core.catalog.price import Usage

LARGEST = 9_007_199_254_740_991
_TOKENS = ("input_tokens", "cached_input_tokens", "output_tokens")
_RATES = ("input", "cached_input", "output")


def price(feature: Feature, usage: Usage) -> int | None:
    """The credits that a usage costs; None where it has no price."""
    parts = amounts(usage)
    if feature.models:
        if usage.units is not None or usage.model not in feature.models:
            return None
        rates = feature.models[usage.model]
        tokens = sum(parts[name] * getattr(rates, rate) for name, rate in zip(_TOKENS, _RATES, strict=True))
        credits = _whole(Fraction(tokens, feature.tokens_block), feature.rounding)
    else:
        if usage.model is not None or any(getattr(usage, name) is not None for name in _TOKENS):
            return None
        blocks = _whole(Fraction(parts["units"], feature.block), feature.rounding)
        credits = (
            sum(_of_block(feature, block) for block in range(blocks)) if feature.tiers else blocks * feature.credits
        )
    if not any(parts.values()):
        return 0
    credits = max(credits, feature.minimum)
    return credits if credits <= LARGEST else None


def amounts(usage: Usage) -> dict[str, int]:
    """Units and tokens as numbers; where nothing is said, it is one unit."""
    said = {name: getattr(usage, name) for name in ("units", *_TOKENS)}
    if usage.model is None and all(value is None for value in said.values()):
        said["units"] = 1
    return {name: value or 0 for name, value in said.items()}


def beyond(usage: Usage, covered: Usage) -> Usage | None:
    """What of a usage goes beyond what was covered; None if nothing does. Another model was not covered at all."""
    was = amounts(covered) if usage.model == covered.model else {}
    rest = {name: max(0, value - was.get(name, 0)) for name, value in amounts(usage).items()}
    if not any(rest.values()):
        return None
    if usage.model is None and not any(rest[name] for name in _TOKENS):
        return Usage(units=rest["units"])
    return Usage(model=usage.model, **{name: rest[name] for name in _TOKENS})


def _of_block(feature: Feature, block: int) -> int:
    for tier in feature.tiers:
        if tier.up_to is None or block * feature.block < tier.up_to:
            return tier.credits
    raise AssertionError("the last tier has no end")


def _whole(number: Fraction, rounding: str) -> int:
    down = number.numerator // number.denominator
    if rounding == "up":
        return down + (number > down)
    if rounding == "nearest":
        return down + (number - down >= Fraction(1, 2))
    return down
