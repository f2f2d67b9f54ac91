"""`differences`: every field of every struct of a catalog has its sentence."""

from typing import Any

import msgspec
import pytest

from sixpence.core.catalog.catalog import Catalog, FairUse, Feature, Plan, Rollover, Tier, TokenRates, Trial
from sixpence.core.catalog.diff import differences, list_affected_plans

_CALL = Feature(1)
_TIERED = Feature(tiers=(Tier(5, up_to=100), Tier(3)), unit="page")
_TOKENS = Feature(models={"gpt-4.1": TokenRates(2, 1, 8)})
_PRO = Plan(rank=10, allowance=500, period="month", rollover=Rollover(100), trial=Trial(7))
_LAVISH = Plan(unlimited=True, fair_use=FairUse(100, "day"))
_BASE = Catalog(
    features={"interior": _CALL, "scan": _TIERED, "chat": _TOKENS},
    plans={"free": Plan(), "pro": _PRO, "lavish": _LAVISH},
    default_plan="free",
)

_TWELFTHS = msgspec.structs.replace(_PRO, period="year")

# Struct and field, its path, the entry before, the field's new value, and the sentence.
_FIELDS: list[tuple[str, str, Any, Any, str]] = [
    ("Feature.credits", "features.interior", _CALL, 2, "feature interior: a call costs 2 instead of 1"),
    ("Feature.title", "features.interior", _CALL, "Room", "feature interior: its title is 'Room' instead of ''"),
    (
        "Feature.unit",
        "features.interior",
        _CALL,
        "second",
        "feature interior: the price is for each second, before for a call",
    ),
    (
        "Feature.block",
        "features.scan",
        _TIERED,
        10,
        "feature scan: the price is for each block of 10 × page, before for each page",
    ),
    (
        "Feature.rounding",
        "features.scan",
        _TIERED,
        "down",
        "feature scan: a part of a block is rounded down; before, a part of a block is rounded up",
    ),
    ("Feature.minimum", "features.scan", _TIERED, 4, "feature scan: any use costs at least 4 instead of 0"),
    (
        "Feature.tiers",
        "features.scan",
        _TIERED,
        (Tier(5, up_to=50), Tier(3)),
        "feature scan: each page costs 5 up to 50, then 3; before, 5 up to 100, then 3",
    ),
    (
        "Feature.models",
        "features.chat",
        _TOKENS,
        {**_TOKENS.models, "o9": TokenRates(1, 0, 2)},
        "feature chat: model o9 is new: 1000000 tokens cost 1 as input, 0 as cached input, 2 as output",
    ),
    (
        "Feature.tokens_block",
        "features.chat",
        _TOKENS,
        1000,
        "feature chat: the rates of all models are for 1000 tokens instead of 1000000",
    ),
    (
        "Plan.rank",
        "plans.pro",
        _PRO,
        5,
        "plan pro: its rank is 5 instead of 10; a change to a plan of a higher rank is an upgrade",
    ),
    ("Plan.title", "plans.pro", _PRO, "Pro", "plan pro: its title is 'Pro' instead of ''"),
    (
        "Plan.signup_credits",
        "plans.free",
        Plan(),
        6,
        "plan free: a new account on it gets 6 credits at sign-up instead of 0",
    ),
    (
        "Plan.unlimited",
        "plans.free",
        Plan(),
        True,
        "plan free: a use by an account on it is free from now on",
    ),
    (
        "Plan.allowance",
        "plans.pro",
        _PRO,
        1000,
        "plan pro: an account on it gets 1000 credits each month instead of 500, from its next period on",
    ),
    (
        "Plan.period",
        "plans.pro",
        _PRO,
        "week",
        "plan pro: an account on it gets 500 credits each week instead of 500 credits each month, "
        "from its next period on",
    ),
    (
        "Plan.drip",
        "plans.pro",
        _TWELFTHS,
        True,
        "plan pro: an account on it gets 500 credits each year in twelve monthly shares instead of "
        "500 credits each year, from its next period on",
    ),
    (
        "Plan.rollover",
        "plans.pro",
        _PRO,
        None,
        "plan pro: at the end of a period of an account on it nothing stays; before, "
        "up to 100 unspent credits stay for 1 period more",
    ),
    (
        "Plan.trial",
        "plans.pro",
        _PRO,
        None,
        "plan pro: an account that has not tried it may try it not at all; before, for 7 days with 0 credits",
    ),
    (
        "Plan.fair_use",
        "plans.lavish",
        _LAVISH,
        None,
        "plan lavish: an account on it has no limit on uses; before, at most 100 uses in any day",
    ),
    (
        "Plan.overdraft",
        "plans.pro",
        _PRO,
        50,
        "plan pro: an account on it may fall 50 below zero instead of 0; what is owed stays owed",
    ),
    (
        "Catalog.default_plan",
        "",
        _BASE,
        "pro",
        "new accounts start on pro instead of free, and so do accounts that cancelled a plan, at its end",
    ),
    ("Catalog.decimals", "", _BASE, 2, "screens show amounts with 2 decimals instead of 0; no amount changes"),
    (
        "Catalog.grace_days",
        "",
        _BASE,
        9,
        "credits that are refunded after their grant has expired can be spent for 9 days instead of 30",
    ),
    ("Catalog.features", "", _BASE, {**_BASE.features, "new": _CALL}, "feature new is new: a call costs 1"),
    ("Catalog.plans", "", _BASE, {**_BASE.plans, "team": Plan(rank=7)}, "plan team is new: rank 7"),
]

# The structs below a feature or a plan: the field that holds one, the one before, and the field that becomes another.
_BELOW: list[tuple[str, str, Any, Any, Any, str]] = [
    ("Tier.credits", "scan", _TIERED.tiers[0], 6, lambda tier: {"tiers": (tier, Tier(3))}, "costs 6 up to 100"),
    ("Tier.up_to", "scan", _TIERED.tiers[0], 20, lambda tier: {"tiers": (tier, Tier(3))}, "costs 5 up to 20"),
    ("TokenRates.input", "chat", TokenRates(2, 1, 8), 3, lambda rates: {"models": {"gpt-4.1": rates}}, "3 as input"),
    (
        "TokenRates.cached_input",
        "chat",
        TokenRates(2, 1, 8),
        5,
        lambda rates: {"models": {"gpt-4.1": rates}},
        "5 as cached input",
    ),
    ("TokenRates.output", "chat", TokenRates(2, 1, 8), 9, lambda rates: {"models": {"gpt-4.1": rates}}, "9 as output"),
    ("Rollover.cap", "pro", Rollover(100), 70, lambda rule: {"rollover": rule}, "up to 70 unspent credits"),
    ("Rollover.periods", "pro", Rollover(100), 3, lambda rule: {"rollover": rule}, "stay for 3 periods more"),
    ("Trial.days", "pro", Trial(7), 30, lambda offer: {"trial": offer}, "for 30 days"),
    ("Trial.allowance", "pro", Trial(7), 20, lambda offer: {"trial": offer}, "with 20 credits"),
    ("FairUse.uses", "lavish", FairUse(100, "day"), 60, lambda limit: {"fair_use": limit}, "at most 60 uses"),
    ("FairUse.per", "lavish", FairUse(100, "day"), "hour", lambda limit: {"fair_use": limit}, "uses in any hour"),
]


def _with(path: str, entry: Any) -> Catalog:
    """The base catalog with this entry at the path; with the entry itself where the path is empty."""
    if not path:
        assert isinstance(entry, Catalog)
        return entry
    kind, name = path.split(".")
    return msgspec.structs.replace(_BASE, **{kind: {**getattr(_BASE, kind), name: entry}})


@pytest.mark.parametrize(("field", "path", "before", "value", "said"), _FIELDS, ids=[case[0] for case in _FIELDS])
def test_differences_has_a_sentence_for_each_field(field: str, path: str, before: Any, value: Any, said: str) -> None:
    """One changed field gives one sentence, and nothing else."""
    after = msgspec.structs.replace(before, **{field.split(".")[1]: value})

    assert differences(_with(path, before), _with(path, after)) == [said]


@pytest.mark.parametrize(
    ("field", "name", "before", "value", "fields", "said"), _BELOW, ids=[case[0] for case in _BELOW]
)
def test_differences_has_a_sentence_for_each_inner_field(
    field: str, name: str, before: Any, value: Any, fields: Any, said: str
) -> None:
    """One sentence with the new value in it."""
    kind = "features" if name in _BASE.features else "plans"
    whole = getattr(_BASE, kind)[name]
    inner = msgspec.structs.replace(before, **{field.split(".")[1]: value})

    old = _with(f"{kind}.{name}", msgspec.structs.replace(whole, **fields(before)))
    new = _with(f"{kind}.{name}", msgspec.structs.replace(whole, **fields(inner)))

    assert old == _BASE
    (sentence,) = differences(old, new)
    assert said in sentence.partition("; before, ")[0]


def test_every_field_of_a_catalog_is_tried() -> None:
    """Every field of every struct that a catalog is made of is among those tried above."""
    structs: set[Any] = {Catalog}
    found: set[Any] = set()
    while structs - found:
        struct = (structs - found).pop()
        found.add(struct)
        kind = msgspec.inspect.type_info(struct)
        assert isinstance(kind, msgspec.inspect.StructType)
        below = [part for field in kind.fields for part in _flat(field.type)]
        structs |= {part.cls for part in below if isinstance(part, msgspec.inspect.StructType)}

    fields = {f"{struct.__name__}.{name}" for struct in found for name in struct.__struct_fields__}

    assert {case[0] for case in _FIELDS} | {case[0] for case in _BELOW} == fields


def test_differences_of_equal_catalogs_is_empty() -> None:
    """Two catalogs with the same content have no differences, in whatever order."""
    turned = msgspec.structs.replace(_BASE, features=dict(reversed(_BASE.features.items())))

    assert differences(_BASE, turned) == []
    assert list_affected_plans(_BASE, turned) == []


def test_differences_names_removed_and_new_entries() -> None:
    """Removed features, models and plans name the effect; new ones say what they cost and give."""
    new = Catalog(
        features={"chat": Feature(models={"o9": TokenRates(input=1)}), "scan": Feature(2, minimum=3), "film": _TIERED},
        plans={"free": Plan(), "team": Plan(3, 5, True, allowance=120, period="year", drip=True, overdraft=9)},
        default_plan="free",
    )

    said = differences(_BASE, new)

    assert said == [
        "feature interior is removed: it can no longer be used; a hold that was placed for it can be captured",
        "feature chat: model gpt-4.1 is removed: a use that names it is refused",
        "feature chat: model o9 is new: 1000000 tokens cost 1 as input, 0 as cached input, 0 as output",
        "feature scan: a call costs 2; at least 3; before, each page costs 5 up to 100, then 3",
        "feature film is new: each page costs 5 up to 100, then 3",
        "plan pro is removed: accounts on it cannot use anything until they are put on another plan",
        "plan lavish is removed: accounts on it cannot use anything until they are put on another plan",
        "plan team is new: rank 3, 5 credits at sign-up, every use is free, 120 credits each year in twelve "
        "monthly shares, may fall 9 below zero",
    ]
    assert list_affected_plans(_BASE, new) == ["pro", "lavish"]


def _flat(kind: Any) -> list[Any]:
    """The type and all that it is made of."""
    parts = [getattr(kind, name) for name in ("item_type", "key_type", "value_type") if hasattr(kind, name)]
    parts += getattr(kind, "types", ())
    return [kind, *(found for part in parts for found in _flat(part))]


def test_differences_says_that_a_new_period_needs_a_change_of_plan() -> None:
    """No term of it runs, so its accounts have to be put on it again, and the sentence says so."""
    features = {"sketch": Feature(1)}
    old = Catalog(features=features, plans={"free": Plan()}, default_plan="free")
    new = Catalog(features=features, plans={"free": Plan(allowance=50, period="month")}, default_plan="free")

    assert differences(old, new) == [
        "plan free: an account on it gets 50 credits each month instead of no allowance, "
        "once it is put on it again: no period of it is running"
    ]
