"""`CreditService`: all operations on credits. Each has one definition, in a module of `operations`.

Not here: the rules that decide what a command does to an account (`sixpence.core.rules`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from sixpence.core.account.commands import EnsureAccount
from sixpence.core.values import metadata as metadata_text
from sixpence.core.values.bounds import LABEL_LENGTH_MAX
from sixpence.service.operations.balances import BalanceOperations
from sixpence.service.operations.consumption import ConsumptionOperations
from sixpence.service.operations.grants import GrantOperations
from sixpence.service.operations.history import HistoryOperations
from sixpence.service.operations.holds import HoldOperations
from sixpence.service.operations.plans import PlanOperations
from sixpence.service.operations.proof import ProofOperations
from sixpence.service.operations.transaction_guard import transaction_block
from sixpence.service.operations.usage import UsageOperations
from sixpence.service.requests import fields
from sixpence.service.requests.requests import build_request
from sixpence.service.results.receipts import OpenedAccount

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class CreditService(
    BalanceOperations,
    HistoryOperations,
    UsageOperations,
    ConsumptionOperations,
    HoldOperations,
    GrantOperations,
    PlanOperations,
    ProofOperations,
):
    """Usage credits in a SQLite file or a PostgreSQL database: `CreditService("sqlite:///credits.db")`.

    The database is opened at the first use. End the service with `await close()` or `async with`. Every method raises
    `InvalidInputError` for an invalid value and an `UnavailableError` if a retry may succeed; each method names its
    other errors. Send an `idempotency_key` wherever a call may be retried: the same key with the same arguments changes
    the account once and always gives the same result.

    Send a `connection` to make a change inside your own transaction, so that it commits or rolls back with your rows: a
    SQLAlchemy `AsyncConnection`, or on SQLite the connection of `transaction()` (docs/own-transaction.md).
    """

    async def initialize_user_credits(
        self,
        account_id: str,
        *,
        label: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> OpenedAccount:
        """Creates the account with its signup credits unless it exists; safe to repeat and to call concurrently."""
        command = EnsureAccount(
            label=fields.optional_text("label", label, LABEL_LENGTH_MAX), metadata=metadata_text.canonical(metadata)
        )
        sent = {"label": label, "metadata": metadata}
        request = build_request("ensure", account_id, command, sent, idempotency_key)
        return OpenedAccount.of(await self._submit(request, connection))

    @asynccontextmanager
    async def transaction(self) -> "AsyncIterator[AsyncConnection]":
        """Begins your own transaction: `async with credits.transaction() as connection`, an `AsyncConnection`.

        It commits at the end of the block and rolls back if the block raises. On SQLite every other change waits for
        it: it raises `TransactionEndedError` if it takes longer than a command may wait, and needs `aiosqlite`.
        """
        caller_transactions = await self._ledger.caller_transactions()
        async with caller_transactions.transaction_async() as connection:
            with transaction_block(self._ledger):
                yield connection

    async def close(self) -> None:
        """Finishes pending commands and closes the database; later calls raise `ServiceClosedError`."""
        await asyncio.to_thread(self._ledger.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
