"""Estimates: the price of a use, or, if that depends on usage, what past captures would cost now.

Pure arithmetic over captures. Not here: reading them (`operations.consumption`).
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from sixpence.core.catalog.catalog import Feature
from sixpence.core.catalog.price import Unpriced, Usage, price_of
from sixpence.core.refusals import UnpricedUsageError
from sixpence.core.values.wire_value import WireValue
from sixpence.ledger.reads.accounts import CaptureWithTerms

# An estimate uses the latest captures of a feature, over all accounts; older ones predict the next one less well.
CAPTURES_MAX = 1_000


class PastPrices(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """What `count` past captures would cost now: half of them at most `p50`, 95 % of them at most `p95`.

    `model` is None where the feature is not priced by a model's tokens.
    """

    model: str | None
    count: int
    p50: int
    p95: int


class CreditEstimate(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """The list price of a use: `price`, or `past` if the price depends on usage and none was sent.

    `past` has the model with the most captures first. It is empty without captures.
    """

    feature: str
    catalog_version: int
    price: int | None
    past: tuple[PastPrices, ...]


def is_priced_by_usage(feature: Feature) -> bool:
    """Whether the price of a use depends on how much is used."""
    return bool(feature.models or feature.tiers or feature.unit) or feature.block > 1


def current_price(feature: Feature, usage: Usage) -> int:
    """The list price of a usage; raises `UnpricedUsageError`."""
    price = price_of(feature, usage)
    if isinstance(price, Unpriced):
        raise UnpricedUsageError(price.field, price.problem)
    return price


def past_prices(feature: Feature, captures: Iterable[CaptureWithTerms]) -> tuple[PastPrices, ...]:
    """What the captures would cost by this feature's price, for each model; unpriced captures are omitted."""
    prices: dict[str | None, list[int]] = defaultdict(list)
    for capture in captures:
        usage = _used(capture)
        # A capture of an amount costs that amount, not a list price.
        price = capture.row.read_detail().price if usage is None else price_of(feature, usage)
        if isinstance(price, int):
            prices[None if usage is None else usage.model].append(price)
    by_count = sorted(prices.items(), key=lambda entry: (-len(entry[1]), entry[0] or ""))
    return tuple(
        PastPrices(model=model, count=len(paid), p50=percentile(paid, 50), p95=percentile(paid, 95))
        for model, paid in by_count
    )


def percentile(values: list[int], percent: int) -> int:
    """The least of the values that `percent` % of them do not exceed (nearest rank)."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def _used(capture: CaptureWithTerms) -> Usage | None:
    """The usage of a capture: its own, or that of its hold if it charges the whole hold and has no usage."""
    detail, terms = capture.row.read_detail(), capture.terms
    whole = detail.usage is None and terms is not None and detail.price == terms.price
    return terms.usage if whole and terms is not None else detail.usage
