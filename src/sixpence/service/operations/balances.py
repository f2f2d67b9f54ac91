"""Reads of an account: its credits, its transactions, and the catalog that prices them."""

from datetime import datetime

from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.refusals import TransactionNotFoundError
from sixpence.ledger.reads import accounts
from sixpence.service.operations.base import Operations
from sixpence.service.requests import fields
from sixpence.service.requests.paging import PAGE_SIZE, checked_limit, seq_of_cursor
from sixpence.service.results.results import CreditHistory, CreditTransaction
from sixpence.service.results.user_credits import UserCredits


class BalanceOperations(Operations):
    """The reads of an account's current state."""

    async def get_user_credits(self, account_id: str) -> UserCredits:
        """The account's credits now, with everything due applied; raises `AccountNotFoundError`."""
        return UserCredits.of(await self._read_account(account_id))

    async def get_transaction(self, account_id: str, transaction_id: str) -> CreditTransaction:
        """One transaction of the account; raises `AccountNotFoundError` and `TransactionNotFoundError`."""
        transaction_id = fields.text("transaction_id", transaction_id, fields.ID_LENGTH_MAX)
        context, row = await self._read_account_with(
            account_id, lambda connection, account: accounts.find_transaction(connection, account, transaction_id)
        )
        if row is None:
            raise TransactionNotFoundError(context.account.account_id, transaction_id)
        return CreditTransaction.of(row)

    async def get_credit_history(
        self,
        account_id: str,
        *,
        limit: int = PAGE_SIZE,
        cursor: str | None = None,
        feature: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> CreditHistory:
        """A page of the account's transactions, newest first; raises `AccountNotFoundError`.

        An unknown `kind` is refused. An unknown `feature` may be one of an earlier catalog: it has no transactions.
        A filtered page reads 1,000 transactions at most. It may be short and still have a cursor for the next page.
        """
        limit = checked_limit(limit)
        below_seq = None if cursor is None else seq_of_cursor(cursor)
        matching = accounts.Filter(
            feature=fields.optional_text("feature", feature, fields.NAME_LENGTH_MAX),
            kind=fields.kind(kind),
            since=fields.instant("since", since),
            until=fields.instant("until", until),
        )
        _, page = await self._read_account_with(
            account_id,
            lambda connection, account: accounts.list_transactions(
                connection, account, below_seq=below_seq, limit=limit, matching=matching
            ),
        )
        return CreditHistory(
            transactions=[CreditTransaction.of(row) for row in page.transactions],
            next_cursor=None if page.next_seq is None else str(page.next_seq),
        )

    async def get_catalog(self) -> PricedBy:
        """The current catalog, with the number of its version."""
        return await self._read(self._catalogs.current)
