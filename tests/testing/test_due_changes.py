"""Due changes after a move of the clock, on every database: expiries, allowances, drips, rollovers, holds."""

import pytest

from sixpence import Catalog, Feature, Plan, Rollover, SyncCreditService
from sixpence.testing import CreditAccounts, CreditClock, Ledger, assert_clean, assert_nothing_held
from tests.ledger.databases import Database

CATALOG = Catalog(
    features={"picture": Feature(1)},
    plans={
        "free": Plan(signup_credits=3),
        "pro": Plan(rank=10, allowance=100, period="month", rollover=Rollover(cap=20)),
        "studio": Plan(rank=20, allowance=1200, period="year", drip=True),
    },
    default_plan="free",
)


def test_move_of_forty_days_applies_every_due_change(database: Database) -> None:
    """One move and one read apply all due changes in order, each at its own instant."""
    clock = CreditClock()
    with SyncCreditService(Ledger(database, catalog=CATALOG, clock=clock)) as credits:
        ada = CreditAccounts(credits)(plan="pro")
        credits.grant_credits(ada.id, 7, expires_at=clock.now().replace(day=11))
        credits.consume_credit(ada.id, "picture")

        clock.move(days=40)
        left = ada.remaining
        came = [(row.kind, row.amount, row.balance_after, f"{row.created_at:%d %B}") for row in ada.history()]
        assert_clean(credits)

    # The use was paid by what ends first. Of the allowance 20 roll over and 80 end before 100 come.
    assert came == [
        ("signup", 3, 3, "01 March"),
        ("plan_change", 100, 103, "01 March"),
        ("grant", 7, 110, "01 March"),
        ("consume", -1, 109, "01 March"),
        ("expire", -6, 103, "11 March"),
        ("rollover", -80, 23, "01 April"),
        ("allowance", 100, 123, "01 April"),
    ]
    assert left == 123


def test_yearly_plan_drips_monthly(database: Database) -> None:
    """A hundred credits at once, and a hundred at the instant of each next allowance."""
    clock = CreditClock()
    with SyncCreditService(Ledger(database, catalog=CATALOG, clock=clock)) as credits:
        ada = CreditAccounts(credits)(plan="studio")

        seen = [ada.remaining]
        for _ in range(3):
            coming = ada.credits.next_allowance_at
            assert coming is not None
            clock.move_to(coming)
            seen.append(ada.remaining)
        assert_clean(credits)

    assert seen == [103, 203, 303, 403]


def test_hold_expires_after_move(database: Database) -> None:
    """An hour later its credits are back, and no hold is open."""
    clock = CreditClock()
    with SyncCreditService(Ledger(database, catalog=CATALOG, clock=clock)) as credits:
        ada = CreditAccounts(credits)()
        credits.place_hold(ada.id, "picture", ttl_seconds=3_600)
        with pytest.raises(AssertionError, match="1 hold was left open"):
            assert_nothing_held(credits)

        clock.move(hours=1)
        assert_nothing_held(credits)
        seen = (ada.remaining, ada.held)

    assert seen == (3, 0)


def test_set_back_does_not_change_order_of_rows(database: Database) -> None:
    """The next row is no earlier than the one before."""
    clock = CreditClock()
    with SyncCreditService(Ledger(database, catalog=CATALOG, clock=clock)) as credits:
        ada = CreditAccounts(credits)()
        clock.move(hours=2)
        credits.consume_credit(ada.id, "picture")

        clock.set_back(hours=1)
        credits.consume_credit(ada.id, "picture")
        hours = [row.created_at.hour for row in ada.history()]
        assert_clean(credits)

    assert hours == [12, 14, 14]
