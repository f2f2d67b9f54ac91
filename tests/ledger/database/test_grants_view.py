"""The view of grants, for people and reports: every grant of a row, and what has become of each."""

from sixpence.core.account.commands import Consume, GrantCredits, PlaceHold, Refund, VoidGrant
from sixpence.core.values.instant import DAY
from tests.ledger.databases import proved, rows
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.lane_driver import open_till

SHOWN = (
    "SELECT id, kind, amount, remaining, held, category, state FROM credit_grants WHERE kind <> 'signup' ORDER BY id"
)


def test_each_grant_of_a_row_is_shown(url: str, clock: MovedClock) -> None:
    """A refund to two grants that have expired since makes two grace grants, each like the one it stands for."""
    till = open_till(url, clock)
    gift = till.row(GrantCredits(amount=1, category="promo", priority=1, expires_at=clock() + DAY))
    paid = till.row(GrantCredits(amount=5, category="paid", priority=1, expires_at=clock() + DAY))
    use = till.row(Consume(feature="video"))
    clock.move(days=1)
    back = till.row(Refund(transaction_id=use.id))
    till.store.close()

    assert rows(url, SHOWN) == [
        (gift.id, "grant", 1, 0, 0, "promo", "ended"),
        (paid.id, "grant", 5, 0, 0, "paid", "ended"),
        (back.id, "refund", 2, 2, 0, "paid", "live"),
        (f"{back.id}.2", "refund", 1, 1, 0, "promo", "live"),
    ]
    proved(url)


def test_what_is_over_and_held_is_shown(url: str, clock: MovedClock) -> None:
    """A voided grant of which a hold still has some, and a grant to come."""
    till = open_till(url, clock)
    given = till.row(GrantCredits(amount=5, priority=1))
    later = till.row(GrantCredits(amount=4, effective_at=clock() + DAY))
    till.row(PlaceHold(feature="sketch", ttl_seconds=60, amount=2))
    till.row(VoidGrant(grant_id=given.id))
    till.store.close()

    assert rows(url, SHOWN) == [
        (given.id, "grant", 5, 2, 2, "admin", "voided"),
        (later.id, "grant", 4, 4, 0, "admin", "pending"),
    ]
    proved(url)
