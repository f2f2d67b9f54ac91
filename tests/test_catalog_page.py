"""docs/catalog.md: its example is a valid catalog, and it describes every setting."""

import re
from typing import Any

import msgspec
import pytest

from sixpence.core.catalog.catalog import Catalog, FairUse, Feature, Plan, Rollover, Tier, TokenRates, Trial
from sixpence.core.catalog.toml import from_toml
from tests.documents import code_blocks, read_document

PAGE = read_document("docs/catalog.md")
EXAMPLE = code_blocks(PAGE, "toml")[0]
TOP_LEVEL = tuple(name for name in Catalog.__struct_fields__ if name not in ("features", "plans"))


def test_example_is_the_described_catalog() -> None:
    """The example is read as the catalog that its comments describe."""
    assert from_toml(EXAMPLE) == Catalog(
        features={
            "interior": Feature(title="Interior design"),
            "video": Feature(3, "Video", unit="second", block=10, minimum=6),
            "scan": Feature(unit="page", tiers=(Tier(5, up_to=100), Tier(3))),
            "chat": Feature(
                title="Assistant",
                minimum=1,
                models={"gpt-4.1": TokenRates(2000, 500, 8000), "small": TokenRates(input=100, output=400)},
            ),
        },
        plans={
            "free": Plan(title="Free", signup_credits=6),
            "pro": Plan(
                title="Pro",
                rank=10,
                allowance=1000,
                period="month",
                rollover=Rollover(500, periods=2),
                trial=Trial(14, allowance=100),
            ),
            "team": Plan(title="Team", rank=20, allowance=24000, period="year", drip=True, overdraft=2000),
            "unlimited": Plan(title="Unlimited", rank=30, unlimited=True, fair_use=FairUse(500, "day")),
        },
        default_plan="free",
    )


def test_example_uses_every_setting() -> None:
    """No setting is missing from the example."""
    settings = {*TOP_LEVEL, *Feature.__struct_fields__, *Plan.__struct_fields__}
    settings |= {name for struct in (Tier, TokenRates, Rollover, Trial, FairUse) for name in struct.__struct_fields__}

    absent = [name for name in sorted(settings) if not re.search(rf"\b{name}\b( = |[].])", EXAMPLE)]

    assert absent == []


@pytest.mark.parametrize(
    ("heading", "names", "defaults"),
    [
        ("## At the top", TOP_LEVEL, {"default_plan": "free", "decimals": 0, "grace_days": 30}),
        ("## `[features.NAME]`", Feature.__struct_fields__, msgspec.structs.asdict(Feature())),
        ("## `[plans.NAME]`", Plan.__struct_fields__, msgspec.structs.asdict(Plan())),
    ],
)
def test_every_setting_is_described(heading: str, names: tuple[str, ...], defaults: dict[str, Any]) -> None:
    """The table of each section has every setting with its default."""
    section = PAGE.split(heading + "\n")[1].split("\n## ")[0]

    described = re.findall(r"^\| `(\w+)` \| ([^|]+) \|.*\|$", section, re.MULTILINE)

    documented = {name: default.strip("`") for name, default in described if name in names}
    assert documented == {
        name: f'"{value}"' if isinstance(value, str) else "none" if value in (None, (), {}) else str(value).lower()
        for name, value in defaults.items()
        if name in names
    }
