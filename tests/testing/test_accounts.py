"""`CreditAccounts`: accounts with a given plan and balance."""

from collections.abc import Iterator
from typing import Any

import pytest

from sixpence import (
    AccountNotFoundError,
    AdjustLimitError,
    InsufficientCreditsError,
    InvalidInputError,
    SyncCreditService,
    UnknownPlanError,
)
from sixpence.testing import CreditAccounts, CreditClock, Ledger, Memory


@pytest.fixture
def credits() -> Iterator[SyncCreditService]:
    """A service in memory."""
    with SyncCreditService(Ledger(Memory(), clock=CreditClock())) as service:
        yield service


def test_account_defaults_come_from_catalog(credits: SyncCreditService) -> None:
    """Ids are numbered, and each account has the credits of a new one."""
    create = CreditAccounts(credits)

    created = [create(), create()]

    assert [(account.id, account.plan, account.remaining, account.held) for account in created] == [
        ("user_1", "free", 6, 0),
        ("user_2", "free", 6, 0),
    ]
    assert [account.kinds() for account in created] == [["signup"]] * 2


@pytest.mark.parametrize(
    ("balance", "kinds"), [(0, ["signup", "adjust"]), (6, ["signup"]), (1_000_000, ["signup", "adjust"])]
)
def test_account_with_balance(credits: SyncCreditService, balance: int, kinds: list[str]) -> None:
    """Exactly this many credits remain, whatever the signup credits are."""
    ada = CreditAccounts(credits)("ada@example.com", balance=balance)

    assert (ada.id, ada.remaining, ada.kinds()) == ("ada@example.com", balance, kinds)


def test_account_with_plan(credits: SyncCreditService) -> None:
    """With a balance, too."""
    ada = CreditAccounts(credits)(balance=2, plan="pro")

    assert (ada.plan, ada.remaining, ada.credits.unlimited) == ("pro", 2, True)


def test_default_id_is_free(credits: SyncCreditService) -> None:
    """The id of an existing account is not used again."""
    create = CreditAccounts(credits)
    create("user_1", balance=9)
    credits.initialize_user_credits("user_3")

    created = [create(), create()]

    assert [(account.id, account.remaining) for account in created] == [("user_2", 6), ("user_4", 6)]


@pytest.mark.parametrize("balance", [True, "5", 2.5, float("nan")])
def test_invalid_balance_is_refused(credits: SyncCreditService, balance: Any) -> None:
    """And no account is created."""
    with pytest.raises(InvalidInputError) as refused:
        CreditAccounts(credits)("ada@example.com", balance=balance)

    assert str(refused.value) == f"balance: {balance!r} is not a whole number. Send an integer of the smallest unit."
    with pytest.raises(AccountNotFoundError):
        credits.get_user_credits("ada@example.com")


def test_unknown_plan_and_balance_below_limit_are_refused(credits: SyncCreditService) -> None:
    """With the errors of the operations."""
    create = CreditAccounts(credits)

    with pytest.raises(UnknownPlanError):
        create(plan="gold")
    with pytest.raises(AdjustLimitError):
        create(balance=-1)


def test_account_shows_later_changes(credits: SyncCreditService) -> None:
    """Each property reads the account again, and the history is complete, oldest first, at any length."""
    ada = CreditAccounts(credits)(balance=250)

    for _ in range(250):
        credits.consume_credit(ada.id, "sketch")
    with pytest.raises(InsufficientCreditsError):
        credits.consume_credit(ada.id, "sketch")

    assert ada.remaining == 0
    assert ada.kinds() == ["signup", "adjust", *["consume"] * 250]
    assert repr(ada) == "CreditAccount('user_1')"
