"""The view of grants, for people and reports: every grant of a row, with its state."""

from sixpence.core.account.commands import Consume, GrantCredits, PlaceHold, Refund, VoidGrant
from sixpence.core.values.instant import DAY
from tests.ledger.databases import rows, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import open_driver

SHOWN = (
    "SELECT id, kind, amount, remaining, held, category, state FROM credit_grants WHERE kind <> 'signup' ORDER BY id"
)


def test_view_shows_each_grant_of_a_row(url: str, clock: MovedClock) -> None:
    """A refund to two expired grants makes two grace grants, each like its original."""
    driver = open_driver(url, clock)
    gift = driver.row(GrantCredits(amount=1, category="promo", priority=1, expires_at=clock() + DAY))
    paid = driver.row(GrantCredits(amount=5, category="paid", priority=1, expires_at=clock() + DAY))
    use = driver.row(Consume(feature="video"))
    clock.move(days=1)
    back = driver.row(Refund(transaction_id=use.id))
    driver.store.close()

    assert rows(url, SHOWN) == [
        (gift.id, "grant", 1, 0, 0, "promo", "ended"),
        (paid.id, "grant", 5, 0, 0, "paid", "ended"),
        (back.id, "refund", 2, 2, 0, "paid", "live"),
        (f"{back.id}.2", "refund", 1, 1, 0, "promo", "live"),
    ]
    verify_clean(url)


def test_view_shows_voided_held_and_pending_grants(url: str, clock: MovedClock) -> None:
    """A voided grant with held credits, and a grant that takes effect later."""
    driver = open_driver(url, clock)
    given = driver.row(GrantCredits(amount=5, priority=1))
    later = driver.row(GrantCredits(amount=4, effective_at=clock() + DAY))
    driver.row(PlaceHold(feature="sketch", ttl_seconds=60, amount=2))
    driver.row(VoidGrant(grant_id=given.id))
    driver.store.close()

    assert rows(url, SHOWN) == [
        (given.id, "grant", 5, 2, 2, "admin", "voided"),
        (later.id, "grant", 4, 4, 0, "admin", "pending"),
    ]
    verify_clean(url)
