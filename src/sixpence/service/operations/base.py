"""What every operation is built on: submitting a request, reading, and reading an account with everything due applied.

Every coroutine of the service awaits in the end only `_submit`, `_read_plainly` and `_write`. That is why
`SyncCreditService` can be derived.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Tick
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog
from sixpence.core.errors import InternalError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.rules.context import DecisionContext
from sixpence.ledger.database.catalogs import CatalogReader
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads import accounts
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.service.operations.transaction_guard import refuse_in_transaction
from sixpence.service.requests import fields
from sixpence.service.results.receipts import Receipt

T = TypeVar("T")
R = TypeVar("R", bound=Receipt)
S = TypeVar("S", bound="Operations")


class Operations:
    """The ledger that the operations of a service use."""

    def __init__(self, database: str | Memory | Ledger, *, catalog: Catalog = DEFAULT_CATALOG) -> None:
        self._ledger = database if isinstance(database, Ledger) else Ledger(database, catalog=catalog)
        self._catalogs = CatalogReader()
        self._api_key_hash: bytes | None = None

    @property
    def ledger(self) -> Ledger:
        """The ledger that stores the credits, for what works beside the operations, such as `sixpence.Relay`."""
        return self._ledger

    async def _submit(self, request: Request, connection: object | None = None) -> Accepted:
        """Runs a command through the writer, or inside the transaction of `connection`; raises its refusal."""
        if self._api_key_hash is not None:
            request = msgspec.structs.replace(request, api_key_hash=self._api_key_hash)
        if connection is None:
            refuse_in_transaction(self._ledger)
            return await self._ledger.submit(request)
        caller_transactions = await self._ledger.caller_transactions()
        return await caller_transactions.submit(connection, request)

    async def _read(self, job: Callable[[Connection], T]) -> T:
        """Reads, after a check of the API key on the same connection."""
        api_key_hash = self._api_key_hash
        if api_key_hash is None:
            return await self._read_plainly(job)

        def checked_job(connection: Connection) -> T:
            accounts.check_permit(connection, api_key_hash)
            return job(connection)

        return await self._read_plainly(checked_job)

    async def _read_plainly(self, job: Callable[[Connection], T]) -> T:
        """Reads without a check of the API key."""
        return await self._ledger.read(job)

    async def _write(self, job: Callable[[Connection], T]) -> T:
        """Runs the job in a transaction of its own, beside the writer's."""
        return await self._ledger.write(job)

    async def _read_account(self, account_id: str) -> DecisionContext:
        """The account with everything due applied, the time and the catalog."""
        context, _ = await self._read_account_with(account_id, lambda _connection, _account: None)
        return context

    async def _read_account_with(
        self, account_id: str, read: Callable[[Connection, Account], T]
    ) -> tuple[DecisionContext, T]:
        """The account as `_read_account` gives it, and what `read` gives right after it on the same connection."""
        account_id = fields.account_id(account_id)
        while True:
            # The API key, if there is one, is checked in the statement that reads the account.
            found = await self._read_plainly(lambda connection: self._read_unless_due(connection, account_id, read))
            if found is not None:
                return found
            # Something is due: record it first, so that one version means one balance.
            await self._submit(Request(account_id, Tick()))

    def _read_unless_due(
        self, connection: Connection, account_id: str, read: Callable[[Connection, Account], T]
    ) -> tuple[DecisionContext, T] | None:
        seen = accounts.read_account_snapshot(connection, account_id, self._api_key_hash)
        account = seen.account
        if account is None:
            raise AccountNotFoundError(account_id)
        now = max(self._ledger.choose_now(seen.clock), account.last_at)
        if account.next_due_at is not None and account.next_due_at <= now:
            return None
        priced_by = self._catalogs.of_version(connection, seen.catalog_version)
        return DecisionContext(account, now, priced_by, PriorTransactions()), read(connection, account)


def with_api_key(operations: S, api_key_hash: bytes) -> S:
    """The same operations for the holder of an API key, by the key's hash. Each operation checks the key when it runs.

    Each raises `NotPermittedError` if the key is unknown or revoked.
    """
    twin = object.__new__(type(operations))
    twin.__dict__ = {**operations.__dict__, "_api_key_hash": api_key_hash}
    return twin


def receipt(kind: type[R], accepted: Accepted) -> R:
    """The receipt of a command that always writes a row."""
    row: Transaction | None = accepted.row
    if row is None:
        raise InternalError
    return kind.of(row, replayed=accepted.replayed)
