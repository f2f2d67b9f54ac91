"""The wording of a catalog: what a feature costs and what a plan gives, in text for people.

Not here: the differences between two catalogs (`diff`), which use this wording.
"""

from sixpence.core.catalog.catalog import FairUse, Feature, Plan, Rollover, Tier, TokenRates, Trial

_ROUNDED = {"up": "rounded up", "down": "rounded down", "nearest": "rounded to the nearest, a half up"}
_WINDOW = {"hour": "any hour", "day": "any day", "month": "any 30 days"}


def price(feature: Feature) -> str:
    """Return what the feature costs: "a call costs 2", with its tiers, its models and the minimum."""
    said = [f"{count_of(feature)} {_cost(feature)}"]
    if feature.models:
        said = [f"model {name}: {rates_of(rates, feature)}" for name, rates in feature.models.items()]
    if feature.block > 1 or feature.models:
        said.append(rounding(feature))
    if feature.minimum:
        said.append(f"at least {feature.minimum}")
    return "; ".join(said)


def count_of(feature: Feature) -> str:
    """Return what a price is for: "a call", "each second", "each block of 10 × second"."""
    if feature.block == 1:
        return f"each {feature.unit}" if feature.unit else "a call"
    return f"each block of {feature.block} × {feature.unit or 'call'}"


def rounding(feature: Feature) -> str:
    """Return how a fraction is rounded: "a part of a block is rounded up"."""
    part = "a part of a credit" if feature.models else "a part of a block"
    return f"{part} is {_ROUNDED[feature.rounding]}"


def tiers_of(tiers: tuple[Tier, ...]) -> str:
    """Return graduated prices: "5 up to 100, then 3"."""
    steps = [f"{tier.credits}" if tier.up_to is None else f"{tier.credits} up to {tier.up_to}" for tier in tiers]
    return ", then ".join(steps)


def rates_of(rates: TokenRates, feature: Feature) -> str:
    """Return the rates of a model: "1000000 tokens cost 2 as input, 1 as cached input, 8 as output"."""
    kinds = f"{rates.input} as input, {rates.cached_input} as cached input, {rates.output} as output"
    return f"{feature.tokens_block} tokens cost {kinds}"


def gifts(plan: Plan) -> str:
    """Return all that the plan gives, after its rank: "rank 10, 100 credits each month"."""
    said = [f"rank {plan.rank}"]
    if plan.signup_credits:
        said.append(f"{plan.signup_credits} credits at sign-up")
    if plan.unlimited:
        said.append("every use is free")
    if plan.fair_use:
        said.append(fair_use(plan.fair_use))
    if plan.allowance or plan.period:
        said.append(allowance(plan))
    if plan.rollover:
        said.append(f"at a period's end {rollover(plan.rollover)}")
    if plan.trial:
        said.append(f"can be tried {trial(plan.trial)}")
    if plan.overdraft:
        said.append(f"may fall {plan.overdraft} below zero")
    return ", ".join(said)


def allowance(plan: Plan) -> str:
    """Return what the plan gives each period: "1200 credits each year in twelve monthly shares"."""
    if plan.period is None:
        return "no allowance"
    shares = " in twelve monthly shares" if plan.drip else ""
    return f"{plan.allowance} credits each {plan.period}{shares}"


def rollover(rule: Rollover | None) -> str:
    """Return what stays of an allowance: "up to 500 unspent credits stay for 2 periods more"."""
    if rule is None:
        return "nothing stays"
    return f"up to {rule.cap} unspent credits stay for {_counted(rule.periods, 'period')} more"


def trial(offer: Trial | None) -> str:
    """Return how a plan may be tried: "for 14 days with 50 credits"."""
    return "not at all" if offer is None else f"for {_counted(offer.days, 'day')} with {offer.allowance} credits"


def fair_use(limit: FairUse | None) -> str:
    """Return how often an unlimited plan may be used: "at most 100 uses in any day"."""
    return "no limit on uses" if limit is None else f"at most {_counted(limit.uses, 'use')} in {_WINDOW[limit.per]}"


def _cost(feature: Feature) -> str:
    return f"costs {tiers_of(feature.tiers) if feature.tiers else feature.credits}"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
