"""The arithmetic of estimates, without a database: percentiles by the nearest rank."""

import pytest

from sixpence.core.catalog.catalog import Feature, Tier, TokenRates
from sixpence.service.results.estimates import percentile, told_by_usage


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([7], 50, 7),
        ([7], 95, 7),
        ([1, 2], 50, 1),
        ([2, 1], 95, 2),
        ([1, 2, 3], 50, 2),
        (list(range(1, 21)), 50, 10),
        (list(range(1, 21)), 95, 19),
        (list(range(1, 101)), 95, 95),
        (list(range(101, 0, -1)), 50, 51),
    ],
)
def test_a_percentile_is_one_of_the_values(values: list[int], percent: int, expected: int) -> None:
    """It is the least value that so many of a hundred do not exceed, whatever their order."""
    assert percentile(values, percent) == expected


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        (Feature(3), False),
        (Feature(3, minimum=1), False),
        (Feature(3, unit="second"), True),
        (Feature(3, block=10), True),
        (Feature(tiers=(Tier(1),)), True),
        (Feature(models={"m": TokenRates(1)}), True),
    ],
)
def test_which_prices_depend_on_what_is_used(feature: Feature, told: bool) -> None:
    """A price for a call does not; units, blocks, tiers and tokens do."""
    assert told_by_usage(feature) is told
