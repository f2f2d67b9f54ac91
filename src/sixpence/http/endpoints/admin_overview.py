"""The operator's overview of an account: its credits, its open holds and its latest transactions, in one read."""

from typing import Any

from sqlalchemy import Connection

from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.rules.context import DecisionContext
from sixpence.ledger.database.catalogs import CatalogReader
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads import accounts
from sixpence.service.credits import CreditService
from sixpence.service.results.results import CreditHold, CreditTransaction
from sixpence.service.results.user_credits import UserCredits

TRANSACTIONS_SHOWN = 20
HOLDS_SHOWN = 20


class Overviews:
    """Reads overviews of accounts."""

    def __init__(self, ledger: Ledger, credits: CreditService) -> None:
        self._ledger = ledger
        self._credits = credits
        self._catalogs = CatalogReader()

    async def overview(self, account_id: str) -> dict[str, Any]:
        """The account's credits, open holds, and transactions, newest first.

        Raises `AccountNotFoundError` and `InvalidInputError`.
        """
        # Records what is due, so that the read below shows the current state.
        await self._credits.get_user_credits(account_id)
        return await self._ledger.read(lambda connection: self._read(connection, account_id))

    def _read(self, connection: Connection, account_id: str) -> dict[str, Any]:
        account = accounts.find_account(connection, account_id)
        if account is None:
            raise AccountNotFoundError(account_id)
        now = max(self._ledger.now(connection), account.last_at)
        scene = DecisionContext(account, now, self._catalogs.current(connection), PriorTransactions())
        page = accounts.list_transactions(
            connection, account, below_seq=None, limit=TRANSACTIONS_SHOWN, matching=accounts.Filter()
        )
        return {
            "credits": UserCredits.of(scene),
            "holds": [CreditHold.of(hold) for hold in accounts.list_open_holds(connection, account, HOLDS_SHOWN)],
            "transactions": [CreditTransaction.of(row).wire_fields() for row in page.transactions],
        }
