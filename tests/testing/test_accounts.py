"""Accounts as a test has them: with the plan and the balance that it asked for."""

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


def test_what_is_not_given_is_as_the_catalog_has_it(credits: SyncCreditService) -> None:
    """Names follow one another, and each has the credits of a new account."""
    make = CreditAccounts(credits)

    made = [make(), make()]

    assert [(account.id, account.plan, account.remaining, account.held) for account in made] == [
        ("user_1", "free", 6, 0),
        ("user_2", "free", 6, 0),
    ]
    assert [account.kinds() for account in made] == [["signup"]] * 2


@pytest.mark.parametrize(
    ("balance", "kinds"), [(0, ["signup", "adjust"]), (6, ["signup"]), (1_000_000, ["signup", "adjust"])]
)
def test_a_balance_is_what_can_be_spent(credits: SyncCreditService, balance: int, kinds: list[str]) -> None:
    """As much as was asked for, no more and no less, whatever a new account has."""
    ada = CreditAccounts(credits)("ada@example.com", balance=balance)

    assert (ada.id, ada.remaining, ada.kinds()) == ("ada@example.com", balance, kinds)


def test_a_plan_is_the_one_it_is_on(credits: SyncCreditService) -> None:
    """With a balance, too."""
    ada = CreditAccounts(credits)(balance=2, plan="pro")

    assert (ada.plan, ada.remaining, ada.credits.unlimited) == ("pro", 2, True)


def test_an_id_that_is_not_given_is_a_free_one(credits: SyncCreditService) -> None:
    """An account that has such a name already, from whomever, is not given out again."""
    make = CreditAccounts(credits)
    make("user_1", balance=9)
    credits.initialize_user_credits("user_3")

    made = [make(), make()]

    assert [(account.id, account.remaining) for account in made] == [("user_2", 6), ("user_4", 6)]


@pytest.mark.parametrize("balance", [True, "5", 2.5, float("nan")])
def test_a_balance_that_is_no_whole_number_is_refused(credits: SyncCreditService, balance: Any) -> None:
    """And makes no account."""
    with pytest.raises(InvalidInputError) as refused:
        CreditAccounts(credits)("ada@example.com", balance=balance)

    assert str(refused.value) == f"balance: {balance!r} is not a whole number. Send an integer of the smallest unit."
    with pytest.raises(AccountNotFoundError):
        credits.get_user_credits("ada@example.com")


def test_what_cannot_be_is_refused_as_by_the_operations(credits: SyncCreditService) -> None:
    """A plan that is not sold, and a balance below what a plan allows."""
    make = CreditAccounts(credits)

    with pytest.raises(UnknownPlanError):
        make(plan="gold")
    with pytest.raises(AdjustLimitError):
        make(balance=-1)


def test_it_shows_what_the_app_did_since(credits: SyncCreditService) -> None:
    """Each look is a new one, and the history is whole, oldest first, however long."""
    ada = CreditAccounts(credits)(balance=250)

    for _ in range(250):
        credits.consume_credit(ada.id, "sketch")
    with pytest.raises(InsufficientCreditsError):
        credits.consume_credit(ada.id, "sketch")

    assert ada.remaining == 0
    assert ada.kinds() == ["signup", "adjust", *["consume"] * 250]
    assert repr(ada) == "CreditAccount('user_1')"
