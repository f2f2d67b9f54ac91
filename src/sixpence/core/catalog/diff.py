"""The differences between two catalogs: a sentence for each change and the accounts that it affects.

Every field of every struct of a catalog has its sentence here. Not here: how a single price or allowance is worded
(`wording`).
"""

from collections.abc import Iterator

from sixpence.core.catalog import wording as words
from sixpence.core.catalog.catalog import Catalog, Feature, Plan


def differences(old: Catalog, new: Catalog) -> list[str]:
    """Return a sentence for each change when the new catalog replaces the old one."""
    return [*_features(old, new), *_plans(old, new), *_settings(old, new)]


def list_affected_plans(old: Catalog, new: Catalog) -> list[str]:
    """List the old catalog's plans that the new one changes or removes."""
    return [name for name, plan in old.plans.items() if new.plans.get(name) != plan]


def _features(old: Catalog, new: Catalog) -> Iterator[str]:
    for name in old.features:
        if name not in new.features:
            yield f"feature {name} is removed: it can no longer be used; a hold that was placed for it can be captured"
    for name, feature in new.features.items():
        if name not in old.features:
            yield f"feature {name} is new: {words.price(feature)}"
        else:
            yield from (f"feature {name}: {change}" for change in _feature(old.features[name], feature))


def _feature(old: Feature, new: Feature) -> Iterator[str]:
    if _way_to_price(old) != _way_to_price(new):
        yield f"{words.price(new)}; before, {words.price(old)}"
    else:
        yield from _price(old, new)
    if old.title != new.title:
        yield _named("title", old.title, new.title)


def _way_to_price(feature: Feature) -> str:
    return "models" if feature.models else "tiers" if feature.tiers else "credits"


def _price(old: Feature, new: Feature) -> Iterator[str]:
    if (old.unit, old.block) != (new.unit, new.block):
        yield f"the price is for {words.count_of(new)}, before for {words.count_of(old)}"
    if old.credits != new.credits:
        yield f"{words.count_of(new)} costs {new.credits} instead of {old.credits}"
    if old.tiers != new.tiers:
        yield f"{words.count_of(new)} costs {words.tiers_of(new.tiers)}; before, {words.tiers_of(old.tiers)}"
    if old.rounding != new.rounding:
        yield f"{words.rounding(new)}; before, {words.rounding(old)}"
    if old.minimum != new.minimum:
        yield f"any use costs at least {new.minimum} instead of {old.minimum}"
    if old.tokens_block != new.tokens_block:
        yield f"the rates of all models are for {new.tokens_block} tokens instead of {old.tokens_block}"
    yield from _models(old, new)


def _models(old: Feature, new: Feature) -> Iterator[str]:
    for name in old.models:
        if name not in new.models:
            yield f"model {name} is removed: a use that names it is refused"
    for name, rates in new.models.items():
        before = old.models.get(name)
        if before is None:
            yield f"model {name} is new: {words.rates_of(rates, new)}"
        elif before != rates:
            yield f"model {name}: {words.rates_of(rates, new)}; before, {words.rates_of(before, old)}"


def _plans(old: Catalog, new: Catalog) -> Iterator[str]:
    for name in old.plans:
        if name not in new.plans:
            yield f"plan {name} is removed: accounts on it cannot use anything until they are put on another plan"
    for name, plan in new.plans.items():
        if name not in old.plans:
            yield f"plan {name} is new: {words.gifts(plan)}"
        else:
            yield from (f"plan {name}: {change}" for change in _plan(old.plans[name], plan))


def _plan(old: Plan, new: Plan) -> Iterator[str]:
    if old.rank != new.rank:
        yield f"its rank is {new.rank} instead of {old.rank}; a change to a plan of a higher rank is an upgrade"
    if old.signup_credits != new.signup_credits:
        yield f"a new account on it gets {new.signup_credits} credits at sign-up instead of {old.signup_credits}"
    if old.unlimited != new.unlimited:
        yield f"a use by an account on it {'is free' if new.unlimited else 'costs the listed price'} from now on"
    if old.title != new.title:
        yield _named("title", old.title, new.title)
    if (old.allowance, old.period, old.drip) != (new.allowance, new.period, new.drip):
        yield _allowance(old, new)
    if old.rollover != new.rollover:
        said = f"{words.rollover(new.rollover)}; before, {words.rollover(old.rollover)}"
        yield f"at the end of a period of an account on it {said}"
    if old.trial != new.trial:
        yield f"an account that has not tried it may try it {words.trial(new.trial)}; before, {words.trial(old.trial)}"
    if old.fair_use != new.fair_use:
        yield f"an account on it has {words.fair_use(new.fair_use)}; before, {words.fair_use(old.fair_use)}"
    if old.overdraft != new.overdraft:
        said = f"may fall {new.overdraft} below zero instead of {old.overdraft}"
        yield f"an account on it {said}; what is owed stays owed"


def _allowance(old: Plan, new: Plan) -> str:
    before = words.allowance(old)
    if old.period and (old.period, old.drip) == (new.period, new.drip):
        before = f"{old.allowance}"
    when = "from its next period on" if old.period else "once it is put on it again: no period of it is running"
    return f"an account on it gets {words.allowance(new)} instead of {before}, {when}"


def _settings(old: Catalog, new: Catalog) -> Iterator[str]:
    if old.default_plan != new.default_plan:
        said = f"new accounts start on {new.default_plan} instead of {old.default_plan}"
        yield f"{said}, and so do accounts that cancelled a plan, at its end"
    if old.decimals != new.decimals:
        yield f"screens show amounts with {new.decimals} decimals instead of {old.decimals}; no amount changes"
    if old.grace_days != new.grace_days:
        said = f"for {new.grace_days} days instead of {old.grace_days}"
        yield f"credits that are refunded after their grant has expired can be spent {said}"


def _named(setting: str, old: str, new: str) -> str:
    return f"its {setting} is {new!r} instead of {old!r}"
