"""Accounts in tests: created with a balance and a plan, and read by short properties.

Everything here blocks, for about a millisecond in memory, so that coroutine tests may use it, too. Not here: the
changes that an app makes, which go through `CreditService`.
"""

from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.values.bounds import shown
from sixpence.service.blocking import SyncCreditService
from sixpence.service.results.results import CreditTransaction
from sixpence.service.results.user_credits import UserCredits

ACTOR = "a test"


class CreditAccount:
    """One account. Every property reads it again, with all due changes applied."""

    def __init__(self, credits: SyncCreditService, account_id: str) -> None:
        self._credits = credits
        self.id = account_id

    def __repr__(self) -> str:
        return f"CreditAccount({self.id!r})"

    @property
    def credits(self) -> UserCredits:
        """All credits of the account: remaining, held, owed and scheduled."""
        return self._credits.get_user_credits(self.id)

    @property
    def remaining(self) -> int:
        """The credits that can be spent now."""
        return self.credits.remaining

    @property
    def held(self) -> int:
        """The credits that open holds have reserved."""
        return self.credits.held

    @property
    def plan(self) -> str:
        """The name of its plan."""
        return self.credits.subscription_status

    def history(self) -> list[CreditTransaction]:
        """List every transaction, oldest first."""
        newest_first: list[CreditTransaction] = []
        cursor = None
        while True:
            page = self._credits.get_credit_history(self.id, limit=200, cursor=cursor)
            newest_first += page.transactions
            cursor = page.next_cursor
            if cursor is None:
                return newest_first[::-1]

    def kinds(self) -> list[str]:
        """List the kinds of its transactions, oldest first: `["signup", "consume", "refund"]`."""
        return [transaction.kind for transaction in self.history()]


class CreditAccounts:
    """Creates accounts: `ada = credit_account(balance=3, plan="pro")`."""

    def __init__(self, credits: SyncCreditService) -> None:
        self._credits = credits
        self._last_number = 0

    def __call__(
        self, account_id: str | None = None, *, balance: int | None = None, plan: str | None = None
    ) -> CreditAccount:
        """Create an account with this id, this plan, and exactly this balance to spend.

        The default id is the next free one of `user_1`, `user_2` and so on; the default plan and balance are those of a
        new account in the catalog. Raises the errors of the operations: `UnknownPlanError`, `InvalidInputError`, and
        `AdjustLimitError` for a balance below the limit of the plan.
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
        """The next of `user_1`, `user_2` and so on that is free."""
        while True:
            self._last_number += 1
            account_id = f"user_{self._last_number}"
            try:
                self._credits.get_user_credits(account_id)
            except AccountNotFoundError:
                return account_id
