"""Verification of usage by day: wrong sums are found, and pending rows are no difference."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from sixpence.ledger.ledger import Ledger
from sixpence.ledger.relay.relay import Relay
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import rows, run, run_verify, verify_clean
from tests.ledger.moved_clock import START, MovedClock

ADA, BOB = "ada@example.com", "bob@example.com"
DAY = "2026-01-01"
OF_BOB = f"account_no = (SELECT account_no FROM credit_accounts WHERE account_id = '{BOB}')"


@pytest.fixture
def counted(url: str, clock: MovedClock) -> str:
    """Two accounts with uses and a refund over two days, all of them counted but for the last use of Ada's."""
    ledger = Ledger(url, clock=clock)
    with SyncCreditService(ledger) as service:
        for name in (ADA, BOB):
            service.initialize_user_credits(name)
            service.consume_credit(name, "video")
        use = service.consume_credit(ADA, "sketch")
        service.refund(ADA, use.transaction.id)
        clock.move(seconds=86_400)
        service.consume_credit(ADA, "video")
        asyncio.run(Relay(ledger).run_once())
        service.consume_credit(ADA, "video")
    return url


def of_ada(column: str, change: str, day: int = 0) -> str:
    """A statement that changes what was counted of Ada's videos on a day."""
    first = (START + timedelta(days=day)).timestamp() // 86_400
    account = f"account_no = (SELECT account_no FROM credit_accounts WHERE account_id = '{ADA}')"
    return f"UPDATE usage_daily SET {column} = {change} WHERE {account} AND feature = 'video' AND day = {first:.0f}"


def test_correct_sums_are_no_difference(counted: str) -> None:
    """Days with uses and refunds, and rows that no relay has read, are no difference."""
    assert rows(counted, "SELECT sum(uses), sum(credits_refunded) FROM usage_daily") == [(4, 1)]
    assert verify_clean(counted).notes == []


@pytest.mark.parametrize("day", [0, 1])
@pytest.mark.parametrize(
    ("column", "difference"),
    [
        ("uses", "2 uses with 1 consumed and 0 refunded"),
        ("credits_consumed", "1 uses with 2 consumed and 0 refunded"),
        ("credits_refunded", "1 uses with 1 consumed and 1 refunded"),
    ],
)
def test_changed_sum_is_found(counted: str, column: str, difference: str, day: int) -> None:
    """The difference names the account, the feature, the day, the stored sums and those of the ledger."""
    assert run(counted, of_ada(column, f"{column} + 1", day)) == 1

    date = (START + timedelta(days=day)).date()
    should_be = "1 uses with 1 consumed and 0 refunded"
    assert run_verify(counted).differences == [
        f"account '{ADA}': usage of 'video' on {date} is {difference}, its ledger says {should_be}"
    ]


@pytest.mark.parametrize("feature", ["sketch", "video"])
def test_missing_day_is_found(counted: str, feature: str) -> None:
    """What was counted of Bob's, and what of Ada's first day."""
    assert run(counted, f"DELETE FROM usage_daily WHERE feature = '{feature}'") >= 1

    differences = run_verify(counted).differences

    assert [line for line in differences if f"usage of '{feature}' on" not in line] == []
    assert len(differences) == {"sketch": 1, "video": 2}[feature]


@pytest.mark.parametrize(("days", "feature"), [(-1, "video"), (0, "aaa"), (0, "zzz"), (1, "zzz"), (9, "video")])
def test_day_without_uses_is_found(counted: str, days: int, feature: str) -> None:
    """A day before, among and after those on which something was used, and a feature that was not."""
    day = int((START + timedelta(days=days)).timestamp() // 86_400)
    insert = "INSERT INTO usage_daily SELECT account_no, :day, :feature, 3, 3, 0 FROM credit_accounts"
    assert run(counted, f"{insert} WHERE account_id = :id", {"day": day, "feature": feature, "id": BOB}) == 1

    (difference,) = run_verify(counted).differences
    assert difference.startswith(f"account '{BOB}': usage of '{feature}' on ")
    assert difference.endswith(
        "is 3 uses with 3 consumed and 0 refunded, its ledger says 0 uses with 0 consumed and 0 refunded"
    )


def test_usage_of_unknown_account_is_found(counted: str) -> None:
    """Sums of an account that does not exist."""
    run(counted, "INSERT INTO usage_daily VALUES (7, 20454, 'video', 1, 1, 0)")

    assert run_verify(counted).differences == ["usage by day of account number 7 has no account"]


def test_pending_rows_in_sums_are_found(counted: str) -> None:
    """Sums that include pending rows of the outbox: the next relay would add them again."""
    run(counted, of_ada("uses", "2", 1))
    run(counted, of_ada("credits_consumed", "2", 1))

    (difference,) = run_verify(counted).differences

    assert "is 2 uses with 2 consumed and 0 refunded, its ledger says 1 uses with 1 consumed" in difference


@pytest.mark.parametrize("day", [-1, 0, 9])
def test_day_of_zeros_is_found(counted: str, day: int) -> None:
    """A row of zeros without any use."""
    at = int((START + timedelta(days=day)).timestamp() // 86_400)
    insert = "INSERT INTO usage_daily SELECT account_no, :day, 'zzz', 0, 0, 0 FROM credit_accounts"
    run(counted, f"{insert} WHERE account_id = :id", {"day": at, "id": BOB})

    (difference,) = run_verify(counted).differences

    assert difference.startswith(f"account '{BOB}': usage of 'zzz' on ")
    assert difference.endswith(" is counted, its ledger has no usage")


@pytest.mark.parametrize(
    ("touched", "difference"),
    [
        ([(BOB, 1, 1)], "transactions 1 to 1, its ledger ends with 2"),
        ([(BOB, 1, 3)], "transactions 1 to 3, its ledger ends with 2"),
        ([(BOB, 0, 2)], "transactions 0 to 2, its ledger ends with 2"),
        ([(BOB, 2, 1)], "transactions 2 to 1, its ledger ends with 2"),
        ([(BOB, 1, 1), (BOB, 1, 2)], "transactions 1 to 2 after those up to 1"),
        ([(BOB, 2, 2), (BOB, 1, 1)], "transactions 1 to 1 after those up to 2"),
        ([(BOB, 0, 0), (BOB, 2, 2)], "transactions 2 to 2 after those up to 0"),
    ],
)
def test_outbox_that_does_not_end_the_ledger_is_found(
    counted: str, touched: list[tuple[str, int, int]], difference: str
) -> None:
    """Pending rows must be the last rows of the account, once each. Other ranges are differences."""
    run(counted, f"DELETE FROM usage_daily WHERE {OF_BOB}")
    forge_outbox(counted, touched)

    assert run_verify(counted).differences == [f"account '{BOB}': the outbox has {difference}"]


def test_pending_rows_are_no_difference(counted: str) -> None:
    """The next relay counts it."""
    run(counted, f"DELETE FROM usage_daily WHERE {OF_BOB}")
    forge_outbox(counted, [(BOB, 1, 1), (BOB, 2, 2)])
    assert run_verify(counted).differences == []

    asyncio.run(Relay(Ledger(counted)).run_once())

    assert run_verify(counted).differences == []
    assert rows(counted, f"SELECT sum(uses) FROM usage_daily WHERE {OF_BOB}") == [(1,)]


def forge_outbox(url: str, touched: list[tuple[str, int, int]]) -> None:
    """A row of the outbox for each of these, behind those that are there."""
    for span in touched:
        document = msgspec.json.encode([span]).decode()
        run(url, "INSERT INTO outbox (touched, recorded_at) VALUES (:touched, 1)", {"touched": document})


def test_unreadable_outbox_is_found(counted: str) -> None:
    """Usage by day cannot be compared, and the accounts are still verified."""
    run(counted, "UPDATE outbox SET touched = '[7]'")

    report = run_verify(counted)

    assert report.accounts == 2
    assert [line[:27] for line in report.differences] == ["the outbox cannot be read: "]
