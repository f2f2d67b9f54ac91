"""`CreditService`: the operations on credits, one definition each. What they do to an account stands in `core`.

Every coroutine here awaits only `_submit` and `_read`, so that `SyncCreditService` can be derived from it.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from sixpence.core import grant as grants
from sixpence.core.account import Account
from sixpence.core.catalog import DEFAULT_CATALOG, Catalog, PricedBy
from sixpence.core.commands import Tick
from sixpence.core.errors import InternalError, InvalidInputError
from sixpence.core.refusals import AccountNotFoundError, UnknownFeatureError, UnknownPlanError
from sixpence.core.transaction import Transaction
from sixpence.ledger import reader
from sixpence.ledger.batch import Accepted, Request
from sixpence.ledger.catalogs import CatalogReader
from sixpence.ledger.ledger import Ledger
from sixpence.service import asking
from sixpence.service.answers import (
    CreditCheck,
    CreditHistory,
    CreditTransaction,
    OpenedAccount,
    PlanStatus,
    Receipt,
    UserCredits,
    balance_at,
    balance_of,
)

T = TypeVar("T")
PAGE_SIZE = 50


class CreditService:
    """Usage credits kept in a SQLite file or a PostgreSQL database: `CreditService("sqlite:///credits.db")`.

    Nothing is opened before the first use. End it with `await close()` or `async with`. Every method raises
    `InvalidInputError` for a value it cannot accept and an `UnavailableError` when it is worth trying again; what a
    method refuses beside that is named with it. Give an `idempotency_key` wherever a call may be repeated: the same key
    and the same arguments change the account once and always answer the same.
    """

    def __init__(self, database: str | Ledger, *, catalog: Catalog = DEFAULT_CATALOG) -> None:
        self._ledger = database if isinstance(database, Ledger) else Ledger(database, catalog=catalog)
        self._catalogs = CatalogReader()

    async def initialize_user_credits(
        self,
        account_id: str,
        *,
        label: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> OpenedAccount:
        """Make the account with its signup credits if it is not there yet; safe to call again and at once."""
        request = asking.ensure(account_id, label=label, metadata=metadata, key=idempotency_key)
        accepted = await self._submit(request)
        if accepted.row is None:
            return OpenedAccount(**balance_of(accepted.account), created=False)
        row = accepted.row
        return OpenedAccount(**balance_at(row), created=row.kind == "signup", replayed=accepted.replayed)

    async def get_user_credits(self, account_id: str) -> UserCredits:
        """The account's credits now, with everything that has fallen due; raises `AccountNotFoundError`."""
        account, priced_by, _ = await self._standing(account_id, _nothing_more)
        plan = priced_by.catalog.plans.get(account.plan)
        return UserCredits.of(account, unlimited=plan is not None and plan.unlimited)

    async def validate_credit_usage(self, account_id: str, feature: str) -> CreditCheck:
        """Whether a use of `feature` would be paid for now: a preview, never the decision.

        Raises `AccountNotFoundError` and `UnknownFeatureError`.
        """
        feature = asking.checked_text("feature", feature, asking.NAME_LENGTH_MAX)
        account, priced_by, _ = await self._standing(account_id, _nothing_more)
        sold = priced_by.catalog.features.get(feature)
        plan = priced_by.catalog.plans.get(account.plan)
        if sold is None:
            raise UnknownFeatureError(feature, tuple(priced_by.catalog.features))
        if plan is None:
            raise UnknownPlanError(account.plan, tuple(priced_by.catalog.plans))
        required = 0 if plan.unlimited else sold.credits
        available = grants.available(account.grants, feature)
        return CreditCheck(
            allowed=available >= required,
            feature=feature,
            required=required,
            remaining=account.remaining,
            available=available,
            unlimited=plan.unlimited,
        )

    async def consume_credit(
        self,
        account_id: str,
        feature: str,
        *,
        generation_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Spend the price of one use of `feature`.

        Raises `InsufficientCreditsError` (with `feature`, `required`, `remaining`, `available`, `shortfall`),
        `AccountNotFoundError`, `UnknownFeatureError` and `IdempotencyConflictError`; then nothing was spent.
        """
        request = asking.consume(
            account_id, feature, generation_id=generation_id, metadata=metadata, key=idempotency_key
        )
        return _receipt(await self._submit(request))

    async def grant_credits(
        self,
        account_id: str,
        amount: int,
        *,
        reason: str | None = None,
        category: str | None = None,
        priority: int | None = None,
        effective_at: datetime | None = None,
        expires_at: datetime | None = None,
        features: Sequence[str] | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Give `amount` credits, from `effective_at` (now) until `expires_at` (never), for `features` (all).

        `category` is one of plan, signup, promo, paid, refund, admin (the default); a lower `priority` (0 to 1000, 100
        by default) is spent first. Raises `AccountNotFoundError`, `GrantPeriodError`, `BalanceLimitError`,
        `GrantLimitError`, `UnknownFeatureError` and `IdempotencyConflictError`.
        """
        request = asking.grant(
            account_id,
            amount,
            reason=reason,
            category=category,
            priority=priority,
            effective_at=effective_at,
            expires_at=expires_at,
            features=features,
            actor=actor,
            metadata=metadata,
            key=idempotency_key,
        )
        return _receipt(await self._submit(request))

    async def update_subscription_status(
        self,
        account_id: str,
        plan: str,
        *,
        reason: str | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> PlanStatus:
        """Put the account on `plan` now; its credits stay. Raises `AccountNotFoundError` and `UnknownPlanError`."""
        request = asking.change_plan(
            account_id, plan, reason=reason, actor=actor, metadata=metadata, key=idempotency_key
        )
        accepted = await self._submit(request)
        if accepted.row is None:
            return PlanStatus(**balance_of(accepted.account), transaction=None)
        row = accepted.row
        return PlanStatus(**balance_at(row), transaction=CreditTransaction.of(row), replayed=accepted.replayed)

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

        A filtered page looks at 1,000 transactions at most: it may come back short, with a cursor to go on.
        """
        if type(limit) is not int or not 1 <= limit <= reader.PAGE_MAX:
            raise InvalidInputError("limit", f"{limit!r:.60} is not a whole number from 1 to {reader.PAGE_MAX}.")
        below_seq = None if cursor is None else _seq_of_cursor(cursor)
        matching = reader.Filter(
            feature=None if feature is None else asking.checked_text("feature", feature, asking.NAME_LENGTH_MAX),
            kind=None if kind is None else asking.checked_text("kind", kind, asking.NAME_LENGTH_MAX),
            since=asking.instant("since", since),
            until=asking.instant("until", until),
        )
        _, _, page = await self._standing(
            account_id,
            lambda connection, account: reader.list_transactions(
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

    async def close(self) -> None:
        """Finish what was asked and give the database back; later calls raise `ServiceClosedError`."""
        await asyncio.to_thread(self._ledger.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _standing(self, account_id: str, look: Callable[[Connection, Account], T]) -> tuple[Account, PricedBy, T]:
        """The account with what is due applied, the catalog, and what `look` sees in the same read."""
        account_id = asking.checked_account_id(account_id)
        while True:
            found = await self._read(lambda connection: self._look(connection, account_id, look))
            if found is not None:
                return found
            # Something has fallen due: it is written down first, so that one version means one balance.
            await self._submit(Request(account_id, Tick()))

    def _look(
        self, connection: Connection, account_id: str, look: Callable[[Connection, Account], T]
    ) -> tuple[Account, PricedBy, T] | None:
        account = reader.find_account(connection, account_id)
        if account is None:
            raise AccountNotFoundError(account_id)
        if account.next_due_at is not None and account.next_due_at <= self._ledger.now(connection):
            return None
        return account, self._catalogs.current(connection), look(connection, account)

    async def _submit(self, request: Request) -> Accepted:
        return await self._ledger.submit(request)

    async def _read(self, job: Callable[[Connection], T]) -> T:
        return await self._ledger.read(job)


def _nothing_more(_connection: Connection, _account: Account) -> None:
    """Look at nothing beside the account."""


def _receipt(accepted: Accepted) -> Receipt:
    return Receipt.of(_row_of(accepted), replayed=accepted.replayed)


def _row_of(accepted: Accepted) -> Transaction:
    if accepted.row is None:
        raise InternalError
    return accepted.row


def _seq_of_cursor(cursor: object) -> int:
    if not (isinstance(cursor, str) and cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise InvalidInputError("cursor", f"{cursor!r:.60} is not a cursor. Send next_cursor of the page before.")
    return int(cursor)
