"""The arithmetic of estimates, without a database: percentiles by nearest rank."""

import pytest

from sixpence.core.catalog.catalog import Feature, Tier, TokenRates
from sixpence.service.results.estimates import is_priced_by_usage, percentile


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
def test_percentile_by_nearest_rank(values: list[int], percent: int, expected: int) -> None:
    """It is the least value that `percent` of the values do not exceed, in any order."""
    assert percentile(values, percent) == expected


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (Feature(3), False),
        (Feature(3, minimum=1), False),
        (Feature(3, unit="second"), True),
        (Feature(3, block=10), True),
        (Feature(tiers=(Tier(1),)), True),
        (Feature(models={"m": TokenRates(1)}), True),
    ],
)
def test_is_priced_by_usage(feature: Feature, expected: bool) -> None:
    """A price for a call does not depend on usage; units, blocks, tiers and tokens do."""
    assert is_priced_by_usage(feature) is expected
