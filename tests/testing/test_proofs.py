"""The assertions of the kit: their findings and messages, for open and closed ledgers."""

from typing import Any

import pytest

from sixpence import CreditService, SyncCreditService
from sixpence.testing import CreditAccounts, CreditClock, Ledger, Memory, assert_clean, assert_nothing_held
from tests.ledger.databases import Database, run

FORGED = "UPDATE credit_accounts SET credits_remaining = credits_remaining + 1, credits_total = credits_total + 1"


def test_assertions_pass_for_clean_ledger(database: Database) -> None:
    """With each service and with the ledger, open or closed."""
    ledger = Ledger(database, clock=CreditClock())
    credits = SyncCreditService(ledger)
    ada = CreditAccounts(credits)()
    credits.consume_credit(ada.id, "video")

    for kept in (credits, CreditService(ledger), ledger):
        assert_clean(kept)
        assert_nothing_held(kept)
    ledger.close()
    for kept in (credits, CreditService(ledger), ledger):
        assert_clean(kept)
        assert_nothing_held(kept)


def test_assert_clean_names_account_with_forged_balance(database: Database) -> None:
    """A credit without a transaction is a difference, in an open and in a closed ledger."""
    ledger = Ledger(database, clock=CreditClock())
    CreditAccounts(SyncCreditService(ledger))("ada@example.com")
    run(database, FORGED)

    with pytest.raises(AssertionError) as found:
        assert_clean(ledger)
    ledger.close()
    with pytest.raises(AssertionError) as found_later:
        assert_clean(ledger)

    first, difference = str(found.value).splitlines()
    assert first == "the ledger is not clean (1 accounts, 1 transactions):"
    assert "ada@example.com" in difference
    assert "remaining" in difference
    assert str(found_later.value) == str(found.value)


def test_assert_nothing_held_lists_open_holds(database: Database) -> None:
    """With account, amount, feature and expiry; captured and expired holds are not listed."""
    clock = CreditClock()
    with SyncCreditService(Ledger(database, clock=clock)) as credits:
        make = CreditAccounts(credits)
        make("ada@example.com")
        make("brook@example.com")
        credits.place_hold("ada@example.com", "video", ttl_seconds=60)
        done = credits.place_hold("ada@example.com", "video", ttl_seconds=600)
        credits.capture_hold("ada@example.com", done.hold_id)
        left = [
            credits.place_hold(name, "sketch", ttl_seconds=600) for name in ("brook@example.com", "ada@example.com")
        ]
        clock.move(minutes=1)

        with pytest.raises(AssertionError) as found:
            assert_nothing_held(credits)

    assert str(found.value).splitlines() == [
        "2 holds were left open. Capture or release each, also when the work fails, is cancelled, or its client"
        " disconnects.",
        f"- account 'ada@example.com': 1 for 'sketch' until 2026-03-01T12:10:00.000000Z ({left[1].hold_id})",
        f"- account 'brook@example.com': 1 for 'sketch' until 2026-03-01T12:10:00.000000Z ({left[0].hold_id})",
    ]


@pytest.mark.parametrize("kept", [Memory(), "sqlite:///credits.db", None])
def test_assertions_refuse_other_objects(kept: Any) -> None:
    """A memory is the database, not the ledger; the message has the remedy."""
    for proof in (assert_clean, assert_nothing_held):
        with pytest.raises(TypeError, match=r"has no ledger\. Give a CreditService, a SyncCreditService or a Ledger"):
            proof(kept)
