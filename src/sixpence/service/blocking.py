"""`SyncCreditService`: the same service for code without an event loop, derived from `CreditService`.

A coroutine of `CreditService` awaits only `_submit`, `_read_plainly` and `_write`. Here these block the thread and
never suspend, so one step runs the coroutine to its end.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection

from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.service.credits import CreditService
from sixpence.service.operations.transaction_guard import refuse_in_transaction, transaction_block

P = ParamSpec("P")
T = TypeVar("T")


class _BlockingCredits(CreditService):
    """A service whose coroutines never suspend."""

    async def _submit(self, request: Request, connection: object | None = None) -> Accepted:
        if connection is not None:
            return self._ledger.caller_transactions_and_wait().submit_and_wait(connection, request)
        refuse_in_transaction(self._ledger)
        return self._ledger.submit_and_wait(request)

    async def _read_plainly(self, job: Callable[[Connection], T]) -> T:
        return self._ledger.read_and_wait(job)

    async def _write(self, job: Callable[[Connection], T]) -> T:
        return self._ledger.write_and_wait(job)


def _run(awaitable: Awaitable[T]) -> T:
    """Runs an awaitable that never suspends, and returns its result."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError(f"{awaitable!r} suspends: it awaits more than the database")


def _blocking(
    method: Callable[Concatenate[CreditService, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["SyncCreditService", P], T]:
    def run(self: "SyncCreditService", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return _run(method(self._credits, *args, **kwargs))

    update_wrapper(run, method)
    return run


def _blocking_stream(
    method: Callable[Concatenate[CreditService, P], AsyncIterator[T]],
) -> Callable[Concatenate["SyncCreditService", P], Iterator[T]]:
    def run(self: "SyncCreditService", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        chunks = method(self._credits, *args, **kwargs)
        while True:
            try:
                yield _run(anext(chunks))
            except StopAsyncIteration:
                return

    update_wrapper(run, method)
    return run


class SyncCreditService:
    """`CreditService` for threads: the same constructor, methods, results and errors; `close()` or `with` ends it."""

    def __init__(self, database: str | Memory | Ledger, *, catalog: Catalog = DEFAULT_CATALOG) -> None:
        self._credits = _BlockingCredits(database, catalog=catalog)

    @property
    def ledger(self) -> Ledger:
        """The ledger that stores the credits, for what works beside the operations, such as `sixpence.Relay`."""
        return self._credits.ledger

    initialize_user_credits = _blocking(CreditService.initialize_user_credits)
    get_user_credits = _blocking(CreditService.get_user_credits)
    get_transaction = _blocking(CreditService.get_transaction)
    get_credit_history = _blocking(CreditService.get_credit_history)
    get_usage = _blocking(CreditService.get_usage)
    balance_at = _blocking(CreditService.balance_at)
    get_statement = _blocking(CreditService.get_statement)
    stream_statement = _blocking_stream(CreditService.stream_statement)
    explain_transaction = _blocking(CreditService.explain_transaction)
    explain_account = _blocking(CreditService.explain_account)
    get_catalog = _blocking(CreditService.get_catalog)
    validate_credit_usage = _blocking(CreditService.validate_credit_usage)
    estimate = _blocking(CreditService.estimate)
    consume_credit = _blocking(CreditService.consume_credit)
    place_hold = _blocking(CreditService.place_hold)
    extend_hold = _blocking(CreditService.extend_hold)
    capture_hold = _blocking(CreditService.capture_hold)
    release_hold = _blocking(CreditService.release_hold)
    list_holds = _blocking(CreditService.list_holds)
    grant_credits = _blocking(CreditService.grant_credits)
    refund = _blocking(CreditService.refund)
    void_grant = _blocking(CreditService.void_grant)
    adjust = _blocking(CreditService.adjust)
    update_subscription_status = _blocking(CreditService.update_subscription_status)
    cancel_subscription = _blocking(CreditService.cancel_subscription)
    freeze_account = _blocking(CreditService.freeze_account)
    unfreeze_account = _blocking(CreditService.unfreeze_account)
    close_account = _blocking(CreditService.close_account)
    make_checkpoint = _blocking(CreditService.make_checkpoint)
    get_checkpoint = _blocking(CreditService.get_checkpoint)
    verify = _blocking(CreditService.verify)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Begins your own transaction: `with credits.transaction() as connection`, a SQLAlchemy `Connection`.

        It commits at the end of the block and rolls back if the block raises. On SQLite every other change waits for
        it, and it raises `TransactionEndedError` if it takes longer than a command may wait.
        """
        ledger = self._credits.ledger
        with ledger.caller_transactions_and_wait().transaction() as connection, transaction_block(ledger):
            yield connection

    def close(self) -> None:
        """Finishes pending commands and closes the database; later calls raise `ServiceClosedError`."""
        self._credits._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
