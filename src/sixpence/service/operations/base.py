"""What every operation stands on: a request through the writer, a read, and an account with all that is due applied.

Every coroutine of the service awaits in the end only `_submit`, `_read_plainly` and `_write`, so that
`SyncCreditService` can be derived.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Tick
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog
from sixpence.core.errors import InternalError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.rules.context import Scene
from sixpence.ledger.database.catalogs import CatalogReader
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads import accounts
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.service.operations.transaction_guard import check_outside
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
        self._permit: bytes | None = None

    @property
    def ledger(self) -> Ledger:
        """What keeps the credits, for what works beside the operations, such as a relay (`sixpence.Relay`)."""
        return self._ledger

    async def _submit(self, request: Request, connection: object | None = None) -> Accepted:
        """Run a command through the writer, or inside the transaction of this connection; raises its refusal."""
        if self._permit is not None:
            request = msgspec.structs.replace(request, permit=self._permit)
        if connection is None:
            check_outside(self._ledger)
            return await self._ledger.submit(request)
        own = await self._ledger.own()
        return await own.submit(connection, request)

    async def _read(self, job: Callable[[Connection], T]) -> T:
        permit = self._permit
        if permit is None:
            return await self._read_plainly(job)

        def permitted_job(connection: Connection) -> T:
            accounts.check_permit(connection, permit)
            return job(connection)

        return await self._read_plainly(permitted_job)

    async def _read_plainly(self, job: Callable[[Connection], T]) -> T:
        """Read without looking at the permit."""
        return await self._ledger.read(job)

    async def _write(self, job: Callable[[Connection], T]) -> T:
        """Run the job in a transaction of its own, beside the writer's."""
        return await self._ledger.write(job)

    async def _standing(self, account_id: str, look: Callable[[Connection, Account], T]) -> tuple[Scene, T]:
        """The account with what is due applied, the time and the catalog, and what `look` sees in the same read."""
        account_id = fields.account_id(account_id)
        while True:
            # The permit, if one was shown, is looked up in the same statement as the account.
            found = await self._read_plainly(lambda connection: self._look(connection, account_id, look))
            if found is not None:
                return found
            # Something has fallen due: it is written down first, so that one version means one balance.
            await self._submit(Request(account_id, Tick()))

    def _look(
        self, connection: Connection, account_id: str, look: Callable[[Connection, Account], T]
    ) -> tuple[Scene, T] | None:
        seen = accounts.see_account(connection, account_id, self._permit)
        account = seen.account
        if account is None:
            raise AccountNotFoundError(account_id)
        now = max(self._ledger.clock_of(seen.clock), account.last_at)
        if account.next_due_at is not None and account.next_due_at <= now:
            return None
        priced_by = self._catalogs.of_version(connection, seen.catalog_version)
        return Scene(account, now, priced_by, Past()), look(connection, account)


def permitted(operations: S, permit: bytes) -> S:
    """The same operations for whoever shows the API key with this hash, looked up with each of them and not before.

    Each raises `NotPermittedError` where the key is unknown or was revoked.
    """
    twin = object.__new__(type(operations))
    twin.__dict__ = {**operations.__dict__, "_permit": permit}
    return twin


def nothing_more(_connection: Connection, _account: Account) -> None:
    """Look at nothing beside the account."""


def receipt(kind: type[R], accepted: Accepted) -> R:
    """The receipt of a command that always leaves a row."""
    row: Transaction | None = accepted.row
    if row is None:
        raise InternalError
    return kind.of(row, replayed=accepted.replayed)
