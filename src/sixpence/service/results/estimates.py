"""Estimates: what a use costs, or, where that depends on what is used, what past uses of it would cost now.

Pure arithmetic over captures; reading them is the service's business.
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from sixpence.core.catalog.catalog import Feature
from sixpence.core.catalog.price import Unpriced, Usage, price_of
from sixpence.core.refusals import UnpricedUsageError
from sixpence.ledger.reads.accounts import Captured

# The latest captures of a feature, over all accounts; older ones say less about the next.
CAPTURES_LOOKED_AT = 1_000


class PastPrices(msgspec.Struct, frozen=True, kw_only=True):
    """What `count` past captures would cost now: half of them at most `p50`, 95 of a hundred at most `p95`.

    `model` is None where the feature is not priced by a model's tokens.
    """

    model: str | None
    count: int
    p50: int
    p95: int


class CreditEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a use costs by the list: `price`, or `past` where nothing was said of what is used.

    `past` has the model with the most captures first; it is empty where there are none.
    """

    feature: str
    catalog_version: int
    price: int | None
    past: tuple[PastPrices, ...]


def told_by_usage(feature: Feature) -> bool:
    """Whether what a use costs depends on how much is used, so that a bare use says nothing."""
    return bool(feature.models or feature.tiers or feature.unit) or feature.block > 1


def price_now(feature: Feature, usage: Usage) -> int:
    """The list price of a usage; raises `UnpricedUsageError`."""
    price = price_of(feature, usage)
    if isinstance(price, Unpriced):
        raise UnpricedUsageError(price.field, price.problem)
    return price


def past_prices(feature: Feature, captures: Iterable[Captured]) -> tuple[PastPrices, ...]:
    """What the captures would cost by this feature's price, for each model; what it no longer prices is left out."""
    prices: dict[str | None, list[int]] = defaultdict(list)
    for capture in captures:
        usage = _used(capture)
        # A capture of an amount says what it cost, whatever the list says.
        price = capture.row.read_detail().price if usage is None else price_of(feature, usage)
        if isinstance(price, int):
            prices[None if usage is None else usage.model].append(price)
    by_count = sorted(prices.items(), key=lambda entry: (-len(entry[1]), entry[0] or ""))
    return tuple(
        PastPrices(model=model, count=len(known), p50=percentile(known, 50), p95=percentile(known, 95))
        for model, known in by_count
    )


def percentile(values: list[int], percent: int) -> int:
    """The least of the values that `percent` of a hundred of them do not exceed (nearest rank)."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def _used(capture: Captured) -> Usage | None:
    """What a capture says was used; all that its hold was placed for, where it charges that and says nothing else."""
    detail, terms = capture.row.read_detail(), capture.terms
    whole = detail.usage is None and terms is not None and detail.price == terms.price
    return terms.usage if whole and terms is not None else detail.usage
