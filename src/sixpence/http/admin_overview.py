"""An account as an operator sees it: its credits, the grants they lie in, and its latest transactions, in one read."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from sixpence.core.grant import Grant, burn_down_order
from sixpence.core.instant import to_wire
from sixpence.core.refusals import AccountNotFoundError
from sixpence.http import answers
from sixpence.ledger import reader
from sixpence.ledger.catalogs import CatalogReader
from sixpence.ledger.ledger import Ledger
from sixpence.service.answers import CreditTransaction, UserCredits
from sixpence.service.credits import CreditService

TRANSACTIONS_SHOWN = 20


class Overviews:
    """Gives overviews of accounts."""

    def __init__(self, ledger: Ledger, credits: CreditService) -> None:
        self._ledger = ledger
        self._credits = credits
        self._catalogs = CatalogReader()

    async def overview(self, account_id: str) -> dict[str, Any]:
        """The account's credits, grants in the order in which they are spent, and transactions, newest first.

        Raises `AccountNotFoundError` and `InvalidInputError`.
        """
        # Writes down what has fallen due, so that what is read next is what the account has now.
        await self._credits.get_user_credits(account_id)
        return await self._ledger.read(lambda connection: self._look(connection, account_id))

    def _look(self, connection: Connection, account_id: str) -> dict[str, Any]:
        account = reader.find_account(connection, account_id)
        if account is None:
            raise AccountNotFoundError(account_id)
        plan = self._catalogs.current(connection).catalog.plans.get(account.plan)
        page = reader.list_transactions(
            connection, account, below_seq=None, limit=TRANSACTIONS_SHOWN, matching=reader.Filter()
        )
        return {
            "credits": UserCredits.of(account, unlimited=plan is not None and plan.unlimited),
            "grants": [_grant(grant) for grant in sorted(account.grants, key=burn_down_order)],
            "transactions": [answers.transaction(CreditTransaction.of(row)) for row in page.transactions],
        }


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(grant),
        "effective_at": to_wire(grant.effective_at),
        "expires_at": None if grant.expires_at is None else to_wire(grant.expires_at),
    }
