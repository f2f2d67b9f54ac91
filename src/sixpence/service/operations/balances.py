"""Looking at an account: what it has, and what has happened on it."""

from datetime import datetime

from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.refusals import TransactionNotFoundError
from sixpence.ledger.reads import accounts
from sixpence.service.operations.base import Operations, nothing_more
from sixpence.service.requests import fields
from sixpence.service.requests.paging import PAGE_SIZE, checked_limit, seq_of_cursor
from sixpence.service.results.results import CreditHistory, CreditTransaction
from sixpence.service.results.user_credits import UserCredits


class Looking(Operations):
    """The operations that change nothing."""

    async def get_user_credits(self, account_id: str) -> UserCredits:
        """The account's credits now, with everything that has fallen due; raises `AccountNotFoundError`."""
        scene, _ = await self._standing(account_id, nothing_more)
        return UserCredits.of(scene)

    async def get_transaction(self, account_id: str, transaction_id: str) -> CreditTransaction:
        """One transaction of the account; raises `AccountNotFoundError` and `TransactionNotFoundError`."""
        transaction_id = fields.text("transaction_id", transaction_id, fields.ID_LENGTH_MAX)
        scene, row = await self._standing(
            account_id, lambda connection, account: accounts.find_transaction(connection, account, transaction_id)
        )
        if row is None:
            raise TransactionNotFoundError(scene.account.account_id, transaction_id)
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

        An unknown `kind` is refused. A `feature` may have left the catalog, so one that is unknown has no transactions.
        A filtered page looks at 1,000 transactions at most: it may come back short, with a cursor to go on.
        """
        limit = checked_limit(limit)
        below_seq = None if cursor is None else seq_of_cursor(cursor)
        matching = accounts.Filter(
            feature=fields.optional_text("feature", feature, fields.NAME_LENGTH_MAX),
            kind=fields.kind(kind),
            since=fields.instant("since", since),
            until=fields.instant("until", until),
        )
        _, page = await self._standing(
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
        """The catalog that prices now, with the number of its version."""
        return await self._read(self._catalogs.current)
