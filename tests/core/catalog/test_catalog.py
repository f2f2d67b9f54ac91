"""A catalog as a value: the default one, the document that is stored, and the digest that tells two apart."""

import pytest

from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog, Feature, Plan, from_document
from sixpence.core.catalog.toml import from_toml

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


@pytest.mark.parametrize(
    "catalog", [DEFAULT_CATALOG, from_toml("decimals = 3\n" + _ORIGINAL)], ids=["default", "other"]
)
def test_from_document_restores_the_catalog(catalog: Catalog) -> None:
    """A document read again is the same catalog with the same document."""
    again = from_document(catalog.document())

    assert again == catalog
    assert again.document() == catalog.document()


def test_digest_ignores_the_order_of_a_file() -> None:
    """Two files with the same content in another order are one catalog."""
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


def test_digest_differs_for_every_change() -> None:
    """A price, a plan's signup credits, the default plan: each is another catalog."""
    changes = [("interior = {}", "interior = {credits = 2}"), ("signup_credits = 6", "signup_credits = 7")]
    changes += [
        ("rank = 10", "rank = 11"),
        ("unlimited = true", ""),
        ("[features]", 'default_plan = "pro"\n[features]'),
    ]

    digests = {from_toml(_ORIGINAL.replace(old, new)).digest() for old, new in changes}

    assert len(digests | {DEFAULT_CATALOG.digest()}) == len(changes) + 1


def test_digest_ignores_defaults_that_are_written_out() -> None:
    """A file that names every default is the catalog that names none, to the digest."""
    short = "[features.a]\n[features.b.models.m]\ninput = 1\n[plans.free]\n"
    long = """
        default_plan = "free"
        decimals = 0
        grace_days = 30
        [features.a]
        credits = 1
        title = ""
        unit = ""
        block = 1
        rounding = "up"
        minimum = 0
        [features.b]
        tokens_block = 1_000_000
        [features.b.models.m]
        input = 1
        cached_input = 0
        output = 0
        [plans.free]
        rank = 0
        signup_credits = 0
        unlimited = false
        title = ""
        allowance = 0
        drip = false
        overdraft = 0
    """

    assert from_toml(long).document() == from_toml(short).document()
    assert from_toml(long).digest() == from_toml(short).digest()
