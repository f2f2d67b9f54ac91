"""Validating a catalog: the bounds of every setting, the settings that need or exclude another, all problems at once.

It reads plain tables, so that a `sixpence.toml` (`toml`) and a catalog made in Python (`from_python`) get the same
checks. Not here: what a setting means (`catalog`).
"""

import re
from typing import Any, get_args

from msgspec import structs

from sixpence.core.catalog.catalog import (
    RANK_MAX,
    Catalog,
    FairUse,
    FairUsePer,
    Feature,
    Period,
    Plan,
    Rollover,
    Rounding,
    Tier,
    TokenRates,
    Trial,
)
from sixpence.core.catalog.toml_section import Section
from sixpence.core.errors import CatalogError
from sixpence.core.values.bounds import AMOUNT_MAX

DAYS_MAX = 3_650
DECIMALS_MAX = 12
ROLLOVER_PERIODS_MAX = 100

_SETTINGS = ("features", "plans", "default_plan", "decimals", "grace_days")
_FEATURE = Feature.__struct_fields__
_PLAN = Plan.__struct_fields__
_RATES = TokenRates.__struct_fields__
_PERIODS: tuple[Period, ...] = get_args(Period)
_ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)
_WINDOWS: tuple[FairUsePer, ...] = get_args(FairUsePer)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
_NAME_PROBLEM = "a name has 1 to 63 of a-z, 0-9, _ and -; a letter comes first."
_MODEL = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,63}\Z")
_MODEL_PROBLEM = "a model's name has 1 to 63 printable characters."


def from_table(table: dict[str, Any]) -> Catalog:
    """Return the catalog in the table; raises `CatalogError` with every problem in it."""
    problems: list[str] = []
    catalog = _catalog(Section("", table, problems, known=_SETTINGS))
    if problems:
        raise CatalogError(tuple(problems))
    return catalog


def _catalog(file: Section) -> Catalog:
    features = {
        name: _feature(entry)
        for name, entry in file.named_tables("features", _FEATURE, rule=_NAME, problem=_NAME_PROBLEM)
    }
    entries = dict(file.named_tables("plans", _PLAN, rule=_NAME, problem=_NAME_PROBLEM))
    plans = {name: _plan(entry) for name, entry in entries.items()}
    default_plan = file.text("default_plan", "free")
    if default_plan not in plans:
        file.add_problem("default_plan", f"'{default_plan}' is not one of the plans ({', '.join(plans) or 'none'}).")
    elif "trial" in entries[default_plan]:
        problem = "accounts start on the default plan itself, never on a trial of it."
        entries[default_plan].add_problem("trial", f"{problem} Remove the trial, or name another default_plan.")
    return Catalog(
        features=features,
        plans=plans,
        default_plan=default_plan,
        decimals=file.integer("decimals", 0, most=DECIMALS_MAX),
        grace_days=file.integer("grace_days", 30, most=DAYS_MAX),
    )


def _feature(entry: Section) -> Feature:
    feature = Feature(
        credits=entry.integer("credits", 1, most=AMOUNT_MAX),
        title=entry.text("title"),
        unit=entry.text("unit"),
        block=entry.integer("block", 1, least=1, most=AMOUNT_MAX),
        rounding=entry.choice("rounding", _ROUNDINGS) or "up",
        minimum=entry.integer("minimum", 0, most=AMOUNT_MAX),
        models=_models(entry),
        tokens_block=entry.integer("tokens_block", Feature().tokens_block, least=1, most=AMOUNT_MAX),
    )
    _one_way_to_price(entry)
    return structs.replace(feature, tiers=_tiers(entry, feature.block))


def _one_way_to_price(entry: Section) -> None:
    if "models" in entry:
        for name in ("credits", "unit", "block", "tiers"):
            if name in entry:
                entry.add_problem(name, f"models price this feature by tokens. Remove {name}, or remove models.")
        return
    if "tiers" in entry and "credits" in entry:
        entry.add_problem("credits", "tiers price this feature. Remove credits, or remove tiers.")
    if "tokens_block" in entry:
        entry.add_problem("tokens_block", "nothing here is priced by tokens. Remove it, or add models.")


def _models(entry: Section) -> dict[str, TokenRates]:
    if "models" not in entry:
        return {}
    models = {}
    for name, rates in entry.named_tables("models", _RATES, rule=_MODEL, problem=_MODEL_PROBLEM):
        if not any(rate in rates for rate in _RATES):
            rates.add_problem("input", "no rate is given. Give input, cached_input or output (0 for a free model).")
        models[name] = TokenRates(*(rates.integer(rate, 0, most=AMOUNT_MAX) for rate in _RATES))
    return models


def _tiers(entry: Section, block: int) -> tuple[Tier, ...]:
    steps = entry.tables("tiers", Tier.__struct_fields__, example="[{up_to = 100, credits = 5}, {credits = 3}]")
    tiers: list[Tier] = []
    below = 0
    for step in steps:
        credits, up_to = step.integer("credits", None, most=AMOUNT_MAX), None
        if step is steps[-1]:
            if "up_to" in step:
                step.add_problem("up_to", "the last tier has no end, so that every use has a price. Remove it here.")
        else:
            up_to = step.integer("up_to", None, least=1, most=AMOUNT_MAX)
            if up_to <= below:
                step.add_problem("up_to", f"{up_to} is not above {below}, where the tier before ends. Make it more.")
            if up_to % block:
                step.add_problem("up_to", f"{up_to} is not a multiple of the block ({block}). End a tier with a block.")
            below = up_to
        tiers.append(Tier(credits=credits, up_to=up_to))
    return tuple(tiers)


def _plan(entry: Section) -> Plan:
    plan = Plan(
        rank=entry.integer("rank", 0, most=RANK_MAX),
        signup_credits=entry.integer("signup_credits", 0, most=AMOUNT_MAX),
        unlimited=entry.boolean("unlimited"),
        title=entry.text("title"),
        allowance=entry.integer("allowance", 0, most=AMOUNT_MAX),
        period=entry.choice("period", _PERIODS),
        drip=entry.boolean("drip"),
        rollover=_rollover(entry),
        trial=_trial(entry),
        fair_use=_fair_use(entry),
        overdraft=entry.integer("overdraft", 0, most=AMOUNT_MAX),
    )
    _what_goes_together(entry, plan)
    return plan


def _what_goes_together(entry: Section, plan: Plan) -> None:
    periods = ", ".join(_PERIODS)
    if plan.allowance and "period" not in entry:
        problem = f"{plan.allowance} credits come each period, and the plan has no period."
        entry.add_problem("allowance", f"{problem} Add period (one of: {periods}), or use signup_credits.")
    if plan.drip and plan.period != "year":
        given = f"period is {plan.period}" if plan.period else "the plan has no period"
        entry.add_problem("drip", f'shares come month by month inside a year, and {given}. Write period = "year".')
    if plan.drip and not plan.allowance:
        entry.add_problem("drip", "there is nothing to share out. Add allowance, or remove drip.")
    if "rollover" in entry and not plan.allowance:
        entry.add_problem("rollover", "only an allowance rolls over. Add allowance, or remove rollover.")
    if "trial" in entry and "period" not in entry:
        problem = "a period begins where a trial ends, and the plan has no period."
        entry.add_problem("trial", f"{problem} Add period (one of: {periods}), or remove trial.")
    if "fair_use" in entry and not plan.unlimited:
        entry.add_problem("fair_use", "it limits an unlimited plan. Add unlimited = true, or remove fair_use.")


def _rollover(entry: Section) -> Rollover | None:
    table = entry.table("rollover", Rollover.__struct_fields__, example="{cap = 1000, periods = 1}")
    if table is None:
        return None
    return Rollover(
        cap=table.integer("cap", None, least=1, most=AMOUNT_MAX),
        periods=table.integer("periods", 1, least=1, most=ROLLOVER_PERIODS_MAX),
    )


def _trial(entry: Section) -> Trial | None:
    table = entry.table("trial", Trial.__struct_fields__, example="{days = 14, allowance = 100}")
    if table is None:
        return None
    return Trial(
        days=table.integer("days", None, least=1, most=DAYS_MAX),
        allowance=table.integer("allowance", 0, most=AMOUNT_MAX),
    )


def _fair_use(entry: Section) -> FairUse | None:
    table = entry.table("fair_use", FairUse.__struct_fields__, example='{uses = 100, per = "day"}')
    if table is None:
        return None
    if "per" not in table:
        table.add_problem("per", f"is missing. Give one of: {', '.join(_WINDOWS)}.")
    return FairUse(uses=table.integer("uses", None, most=AMOUNT_MAX), per=table.choice("per", _WINDOWS) or _WINDOWS[0])
