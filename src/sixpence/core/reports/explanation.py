"""An explanation of a transaction as facts: its rules and catalog, its arithmetic, its grants, and what followed.

The facts come from the row and the rows around it. They are shown and never stored, so instants are datetimes here.
Not here: the text made of them (`explanation_text`, `sentences`).
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from sixpence.core.account.grant import Category
from sixpence.core.account.movement import Allocation, Movement
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.subscription import Subscription
from sixpence.core.account.transaction import Detail, Kind, Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.catalog.price import Usage
from sixpence.core.reports.deciding_rules import rules_of
from sixpence.core.reports.labels import kind_label
from sixpence.core.reports.price_breakdown import PriceBreakdown, break_down_price
from sixpence.core.rules.grants import terms_of
from sixpence.core.rules.refunds import REFUNDABLE, refundable
from sixpence.core.values.instant import to_datetime, to_optional_datetime
from sixpence.core.values.wire_value import WireValue


class GrantMove(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction did to one grant. The overdraft is not a grant: it has only the movement.

    `effective_at` is when the grant takes effect, `instead_of` the ended grant that it replaces.
    """

    grant_id: str
    movement: Movement
    amount: int
    category: Category | None = None
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    features: tuple[str, ...] | None = None
    rolled: bool = False
    instead_of: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Another transaction in brief; `refunded` is what a refund gave back."""

    id: str
    kind: Kind
    created_at: datetime
    amount: int
    balance_after: int
    feature: str | None
    plan: str
    refunded: int | None
    reason: str | None
    credits_consumed: int | None = None

    @classmethod
    def of(cls, row: Transaction) -> "Event":
        """Return a row in brief."""
        detail = row.read_detail()
        return cls(
            id=row.id,
            kind=row.kind,
            created_at=to_datetime(row.created_at),
            amount=row.amount,
            balance_after=row.balance_after,
            feature=row.feature_used,
            plan=row.plan,
            refunded=detail.refunded,
            reason=detail.reason,
            credits_consumed=row.credits_consumed,
        )

    def label(self) -> str:
        """Return what the transaction was, in a few words."""
        return kind_label(
            self.kind,
            feature=self.feature,
            plan=self.plan,
            amount=self.amount,
            credits_consumed=self.credits_consumed,
        )


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """The term of a plan that a transaction began or changed; `running`: something happens at its end."""

    ends_at: datetime
    running: bool
    trial: bool
    next_plan: str | None
    cancelled: bool

    @classmethod
    def of(cls, subscription: Subscription | None) -> "Term | None":
        """Return the term of a subscription, None without one."""
        if subscription is None:
            return None
        return cls(
            ends_at=to_datetime(subscription.ends_at),
            running=subscription.running,
            trial=subscription.trial,
            next_plan=subscription.next_plan,
            cancelled=subscription.cancelled,
        )


class Explanation(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """All facts about a transaction; amounts are in the smallest unit.

    `catalog_version` priced it (for a capture: its hold); `beyond_price` is the price of the part beyond the hold, by
    the catalog `beyond_catalog_version`. `about` is the transaction that it is about, or that made the grant that it is
    about. `since` are the later transactions about it, oldest first; `is_cut` says that older ones are left out.
    `left_to_refund` is what was consumed and not refunded, None also where `since` is cut.
    """

    account_id: str
    id: str
    seq: int
    kind: Kind
    created_at: datetime
    rules: tuple[str, ...]
    catalog_version: int | None
    plan: str
    feature: str | None
    usage: Usage | None
    price: int | None
    reckoning: PriceBreakdown | None
    credits_consumed: int | None
    balance_before: int
    amount: int
    balance_after: int
    held_after: int
    moves: tuple[GrantMove, ...]
    about_id: str | None
    about: Event | None
    since: tuple[Event, ...]
    is_cut: bool
    left_to_refund: int | None
    reason: str | None
    actor: str | None
    generation_id: str | None
    shortfall: int | None
    refunded: int | None
    late: bool
    covered: bool
    beyond_catalog_version: int | None
    beyond_price: int | None
    hold_expires_at: datetime | None
    previous_plan: str | None
    term: Term | None


def explain_row(
    row: Transaction, prior: PriorTransactions, priced_by: PricedBy, *, is_cut: bool = False
) -> Explanation:
    """Explain a row; `prior` has the rows that it names, the rows about it, and the row itself."""
    detail, moves = row.read_detail(), row.read_allocations()
    hold, beyond = detail.hold, detail.beyond
    origin = None if row.about_seq is None else prior.rows.get(row.about_seq)
    since = tuple(map(Event.of, prior.about(row.seq)))
    return Explanation(
        account_id=row.account_id,
        id=row.id,
        seq=row.seq,
        kind=row.kind,
        created_at=to_datetime(row.created_at),
        rules=rules_of(row, detail, moves),
        catalog_version=detail.catalog_version if hold is None else hold.catalog_version,
        plan=row.plan,
        feature=row.feature_used,
        usage=detail.usage if hold is None else hold.usage,
        price=detail.price if hold is None else hold.price,
        reckoning=_break_down_price(row, detail, origin, priced_by),
        credits_consumed=row.credits_consumed,
        balance_before=row.balance_after - row.amount,
        amount=row.amount,
        balance_after=row.balance_after,
        held_after=row.held_after,
        moves=tuple(_move(prior, move) for move in moves),
        about_id=detail.about,
        about=None if origin is None else Event.of(origin),
        since=since,
        is_cut=is_cut,
        left_to_refund=None if is_cut or row.kind not in REFUNDABLE else refundable(prior, row),
        reason=detail.reason,
        actor=detail.actor,
        generation_id=row.generation_id,
        shortfall=detail.shortfall,
        refunded=detail.refunded,
        late=detail.late,
        covered=hold is not None and hold.covered,
        beyond_catalog_version=None if beyond is None else beyond.catalog_version,
        beyond_price=None if beyond is None else beyond.price,
        hold_expires_at=to_optional_datetime(detail.hold_expires_at if hold is None else hold.expires_at),
        previous_plan=detail.previous_plan,
        term=Term.of(detail.subscription),
    )


def _move(prior: PriorTransactions, move: Allocation) -> GrantMove:
    terms = terms_of(prior, move.grant_id)
    if terms is None:
        return GrantMove(grant_id=move.grant_id, movement=move.movement, amount=move.amount)
    return GrantMove(
        grant_id=move.grant_id,
        movement=move.movement,
        amount=move.amount,
        category=terms.category,
        effective_at=to_datetime(terms.effective_at),
        expires_at=to_optional_datetime(terms.expires_at),
        features=terms.features,
        rolled=terms.rolled,
        instead_of=terms.instead_of,
    )


def _break_down_price(
    row: Transaction, detail: Detail, origin: Transaction | None, priced_by: PricedBy
) -> PriceBreakdown | None:
    """Break down the price of the usage, or of the hold's usage where the row names none; None for a named price."""
    price = detail.price if detail.hold is None else detail.hold.price
    if price is None or row.feature_used is None:
        return None
    for version, usage in _find_usages(row, detail, origin):
        try:
            feature = priced_by.of_version(version).catalog.features.get(row.feature_used)
        except LookupError:
            continue
        found = None if feature is None else break_down_price(feature, usage, price)
        if found is not None:
            return found
    return None


def _find_usages(row: Transaction, detail: Detail, origin: Transaction | None) -> Iterator[tuple[int, Usage]]:
    """Yield the usages that may explain the price, each with the catalog version that prices it."""
    if detail.hold is not None and detail.hold.usage is not None:
        yield detail.hold.catalog_version, detail.hold.usage
    if detail.catalog_version is not None and detail.usage is not None:
        yield detail.catalog_version, detail.usage
    elif detail.catalog_version is not None and row.kind == "consume" and not detail.late:
        yield detail.catalog_version, Usage()
    elif origin is not None and (placed := origin.read_detail().hold) is not None and placed.usage is not None:
        yield placed.catalog_version, placed.usage
