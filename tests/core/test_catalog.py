"""Reading a catalog: what may be in it, and every problem named at once."""

import pytest

from sixpence.core.catalog import DEFAULT_CATALOG, Catalog, Feature, Plan, from_document
from sixpence.core.catalog_toml import from_toml
from sixpence.core.errors import CatalogError

_ORIGINAL = """
[features]
interior = {}
exterior = {}
sketch = {}
furnish = {}
remove = {}
video = {}

[plans.free]
signup_credits = 6

[plans.pro]
rank = 10
unlimited = true
"""


def _problems(text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        from_toml(text)
    return list(caught.value.problems)


def test_the_default_catalog_is_the_original() -> None:
    """Six features at one credit each, six credits for a new account, a paid plan without a limit."""
    assert DEFAULT_CATALOG.features == {
        name: Feature(credits=1) for name in ("interior", "exterior", "sketch", "furnish", "remove", "video")
    }
    assert DEFAULT_CATALOG.plans["free"] == Plan(rank=0, signup_credits=6, unlimited=False)
    assert DEFAULT_CATALOG.plans["pro"].unlimited
    assert DEFAULT_CATALOG.plans["pro"].rank > DEFAULT_CATALOG.plans["free"].rank
    assert (DEFAULT_CATALOG.default_plan, DEFAULT_CATALOG.decimals) == ("free", 0)


def test_the_default_catalog_can_be_written_as_toml() -> None:
    """The same catalog, read from a file, has the same digest."""
    catalog = from_toml(_ORIGINAL)

    assert catalog == DEFAULT_CATALOG
    assert catalog.digest() == DEFAULT_CATALOG.digest()


def test_every_setting_is_read() -> None:
    """Prices, titles, ranks, gifts, the default plan and the decimals."""
    catalog = from_toml(
        """
        default_plan = "trial"
        decimals = 2
        [features.upscale-4x]
        credits = 250
        title = "Upscale ×4"
        [plans.trial]
        rank = 1
        signup_credits = 9007199254740991
        title = "Trial"
        """
    )

    assert catalog == Catalog(
        features={"upscale-4x": Feature(250, "Upscale ×4")},
        plans={"trial": Plan(rank=1, signup_credits=2**53 - 1, title="Trial")},
        default_plan="trial",
        decimals=2,
    )


@pytest.mark.parametrize(
    "catalog", [DEFAULT_CATALOG, from_toml("decimals = 3\n" + _ORIGINAL)], ids=["default", "other"]
)
def test_a_stored_document_gives_the_catalog_back(catalog: Catalog) -> None:
    """A document read again is the same catalog with the same document."""
    again = from_document(catalog.document())

    assert again == catalog
    assert again.document() == catalog.document()


def test_the_order_of_a_file_does_not_matter_to_the_digest() -> None:
    """Two files that say the same in another order are one catalog."""
    turned = """
    [plans.pro]
    unlimited = true
    rank = 10
    [plans.free]
    signup_credits = 6
    [features]
    video = {}
    remove = {}
    furnish = {credits = 1}
    sketch = {}
    exterior = {}
    interior = {title = ""}
    """

    assert from_toml(turned).digest() == DEFAULT_CATALOG.digest()


def test_every_change_of_a_catalog_changes_its_digest() -> None:
    """A price, a plan's gift, the default plan: each is another catalog."""
    changes = [("interior = {}", "interior = {credits = 2}"), ("signup_credits = 6", "signup_credits = 7")]
    changes += [
        ("rank = 10", "rank = 11"),
        ("unlimited = true", ""),
        ("[features]", 'default_plan = "pro"\n[features]'),
    ]

    digests = {from_toml(_ORIGINAL.replace(old, new)).digest() for old, new in changes}

    assert len(digests | {DEFAULT_CATALOG.digest()}) == len(changes) + 1


def test_every_problem_is_named_at_once() -> None:
    """One reading names all that is wrong, each with its place, its value and what is allowed."""
    problems = _problems(
        """
        default_plan = "gold"
        decimals = 13
        currency = "EUR"
        [features.Video]
        credits = 1.5
        [features.sketch]
        credit = 2
        credits = -1
        title = 7
        [features.furnish]
        credits = '3'
        [plans.free]
        rank = true
        signup_credits = 9007199254740992
        unlimited = "yes"
        """
    )

    assert problems == [
        "currency: is not a setting of a catalog. Known here: features, plans, default_plan, decimals, grace_days.",
        "features.Video: a name has 1 to 63 of a-z, 0-9, _ and -; a letter comes first.",
        "features.Video.credits: 1.5 is not a whole number from 0 to 9007199254740991.",
        "features.sketch.credit: is not a setting of a catalog. Known here: "
        + ", ".join(Feature.__struct_fields__)
        + ".",
        "features.sketch.credits: -1 is not a whole number from 0 to 9007199254740991.",
        "features.sketch.title: 7 is not text of at most 200 characters.",
        "features.furnish.credits: '3' is not a whole number from 0 to 9007199254740991.",
        "plans.free.rank: True is not a whole number from 0 to 1000000.",
        "plans.free.signup_credits: 9007199254740992 is not a whole number from 0 to 9007199254740991.",
        "plans.free.unlimited: 'yes' is not true or false.",
        "default_plan: 'gold' is not one of the plans (free).",
        "decimals: 13 is not a whole number from 0 to 12.",
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "",
            [
                "features: at least one table [features.NAME] is needed.",
                "plans: at least one table [plans.NAME] is needed.",
                "default_plan: 'free' is not one of the plans (none).",
            ],
        ),
        (
            "features = 1\n[plans.free]",
            ["features: at least one table [features.NAME] is needed."],
        ),
        (
            "[features]\nsketch = 2\n[plans.free]",
            ["features.sketch: 2 is not a table. Write [features.sketch]."],
        ),
        (
            "[features.sketch]\ntitle = '" + "a" * 201 + "'\n[plans.free]",
            ["features.sketch.title: '" + "a" * 56 + "... is not text of at most 200 characters."],
        ),
        (
            f"decimals = 0x{'f' * 4000}\n[features.a]\n[plans.free]",
            ["decimals: a number of thousands of digits is not a whole number from 0 to 12."],
        ),
    ],
    ids=["empty", "no-table", "no-settings", "long-text", "long-number"],
)
def test_a_problem_says_where_it_is_and_what_to_write(text: str, problems: list[str]) -> None:
    """Each message has the path of the setting, the value and what is allowed there."""
    assert _problems(text) == problems


@pytest.mark.parametrize("name", ["a" * 64, "", "1up", "Sketch", "in terior", "-a", "a.b", "é", "a\\n"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    """Names are plain: they stand in paths, messages and tables."""
    problems = _problems(f'[features."{name}"]\n[plans.free]')

    assert [problem.partition(": ")[2] for problem in problems] == [
        "a name has 1 to 63 of a-z, 0-9, _ and -; a letter comes first."
    ]


@pytest.mark.parametrize("text", ["[features", "a = 1\na = 2", f"a = {'1' * 5000}", f"a = {'[' * 5000}"])
def test_what_is_not_toml_is_refused_as_a_catalog(text: str) -> None:
    """Broken, contradictory, or beyond what the reader can take: one problem that says so."""
    problems = _problems(text)

    assert len(problems) == 1
    assert problems[0].startswith("it is not valid TOML: ")
