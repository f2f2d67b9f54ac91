"""An account as a test has it: made with the balance and the plan that it needs, and looked at in one word.

All here block, which in memory takes a millisecond, so that a test that is a coroutine may use them, too. Not here:
what an app does to the account, which goes through `CreditService` as ever.
"""

from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.values.bounds import shown
from sixpence.service.blocking import SyncCreditService
from sixpence.service.results.results import CreditTransaction
from sixpence.service.results.user_credits import UserCredits

ACTOR = "a test"


class CreditAccount:
    """One account, looked at as it stands when it is asked, with everything that has fallen due."""

    def __init__(self, credits: SyncCreditService, account_id: str) -> None:
        self._credits = credits
        self.id = account_id

    def __repr__(self) -> str:
        return f"CreditAccount({self.id!r})"

    @property
    def credits(self) -> UserCredits:
        """Everything the account has, has set aside, owes and will get."""
        return self._credits.get_user_credits(self.id)

    @property
    def remaining(self) -> int:
        """What can be spent now."""
        return self.credits.remaining

    @property
    def held(self) -> int:
        """What is set aside for running work."""
        return self.credits.held

    @property
    def plan(self) -> str:
        """The plan it is on."""
        return self.credits.subscription_status

    def history(self) -> list[CreditTransaction]:
        """Every transaction, oldest first."""
        found: list[CreditTransaction] = []
        cursor = None
        while True:
            page = self._credits.get_credit_history(self.id, limit=200, cursor=cursor)
            found += page.transactions
            cursor = page.next_cursor
            if cursor is None:
                return found[::-1]

    def kinds(self) -> list[str]:
        """What kinds of transactions those are, oldest first: `["signup", "consume", "refund"]`."""
        return [transaction.kind for transaction in self.history()]


class CreditAccounts:
    """Makes accounts: `ada = credit_account(balance=3, plan="pro")`."""

    def __init__(self, credits: SyncCreditService) -> None:
        self._credits = credits
        self._made = 0

    def __call__(
        self, account_id: str | None = None, *, balance: int | None = None, plan: str | None = None
    ) -> CreditAccount:
        """An account of this id (`user_1`, `user_2` and so on), on this plan, with exactly this balance to spend.

        What is not given is as the catalog has it for a new account; an id that is not given is a free one. Raises what
        the operations do: `UnknownPlanError`, `InvalidInputError`, and `AdjustLimitError` for a balance below what the
        plan allows.
        """
        if balance is not None and type(balance) is not int:
            raise InvalidInputError(
                "balance", f"{shown(balance)} is not a whole number. Send an integer of the smallest unit."
            )
        if account_id is None:
            account_id = self._free_id()
        credits = self._credits
        credits.initialize_user_credits(account_id)
        if plan is not None:
            credits.update_subscription_status(account_id, plan, actor=ACTOR)
        if balance is not None:
            difference = balance - credits.get_user_credits(account_id).remaining
            if difference:
                credits.adjust(account_id, difference, reason="the balance to begin with", actor=ACTOR)
        return CreditAccount(credits, account_id)

    def _free_id(self) -> str:
        """The next of `user_1`, `user_2` and so on that no account has."""
        while True:
            self._made += 1
            account_id = f"user_{self._made}"
            try:
                self._credits.get_user_credits(account_id)
            except AccountNotFoundError:
                return account_id
