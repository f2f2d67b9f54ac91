"""`SyncCreditService` is `CreditService` for threads: the same methods, arguments, results and errors."""

import inspect
import threading

import pytest

from sixpence.core.errors import ServiceClosedError
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import Receipt
from tests.ledger.databases import Database, verify_clean

ADA = "ada@example.com"
# Python has other names for these.
ENDS = {"__aenter__": "__enter__", "__aexit__": "__exit__"}
# Each has its own kind of connection: one that blocks, or one that is awaited.
DIFFERENT = "transaction"


def methods_of(service: type) -> dict[str, inspect.Signature]:
    """The methods with their signatures."""
    return {
        ENDS.get(name, name): inspect.signature(method)
        for name, method in inspect.getmembers(service, inspect.isfunction)
        if not name.startswith("_") or name in (*ENDS, *ENDS.values(), "__init__")
    }


def test_sync_service_has_same_methods_and_signatures() -> None:
    """No method is missing or extra, and each has the same signature."""
    blocking, looping = methods_of(SyncCreditService), methods_of(CreditService)
    own, other = blocking.pop(DIFFERENT), looping.pop(DIFFERENT)

    assert blocking == looping
    assert own.parameters == other.parameters


def test_sync_methods_have_same_docstrings() -> None:
    """Each method has the docstring of the async one."""
    for name in methods_of(CreditService).keys() - {"__init__", "close", DIFFERENT, *ENDS.values()}:
        assert getattr(SyncCreditService, name).__doc__ == getattr(CreditService, name).__doc__


def test_sync_service_returns_same_results(url: Database) -> None:
    """The same calls give the same results, without an event loop."""
    with SyncCreditService(url) as service:
        opened = service.initialize_user_credits(ADA)
        receipt = service.consume_credit(ADA, "interior", idempotency_key="k")
        again = service.consume_credit(ADA, "interior", idempotency_key="k")
        service.grant_credits(ADA, 4)
        status = service.update_subscription_status(ADA, "pro")
        credits = service.get_user_credits(ADA)
        check = service.validate_credit_usage(ADA, "interior")
        history = service.get_credit_history(ADA, limit=2)
        version = service.get_catalog().version

    assert (opened.created, type(receipt), receipt.remaining, again.replayed) == (True, Receipt, 5, True)
    assert (status.subscription_status, credits.remaining, credits.unlimited, check.required) == ("pro", 9, True, 0)
    assert ([row.kind for row in history.transactions], history.next_cursor, version) == (
        ["plan_change", "grant"],
        "3",
        1,
    )
    verify_clean(url)


def test_every_operation_runs_without_event_loop(url: Database) -> None:
    """Each operation runs once: none awaits more than the database."""
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)
        placed = service.place_hold(ADA, "interior")
        service.extend_hold(ADA, placed.hold_id)
        captured = service.capture_hold(ADA, placed.hold_id)
        released = service.release_hold(ADA, service.place_hold(ADA, "interior").hold_id)
        refunded = service.refund(ADA, captured.transaction.id)
        given = service.grant_credits(ADA, 5, source_key="invoice 7")
        voided = service.void_grant(ADA, given.transaction.id)
        adjusted = service.adjust(ADA, -1, reason="counted twice", actor="op@example.com")
        frozen, opened = service.freeze_account(ADA), service.unfreeze_account(ADA)
        cancelled = service.cancel_subscription(ADA)
        estimate = service.estimate("interior")
        reads = (service.list_holds(ADA), service.get_transaction(ADA, given.transaction.id))
        closed = service.close_account(ADA)

    receipts = (captured, released, refunded, given, voided, adjusted, closed)
    assert [receipt.remaining for receipt in receipts] == [5, 5, 6, 11, 6, 5, 0]
    assert (frozen.standing, opened.standing, cancelled.transaction) == ("frozen", "open", None)
    assert (estimate.price, reads) == (1, ([], given.transaction))
    verify_clean(url)


def test_sync_service_raises_same_errors(url: Database) -> None:
    """A refusal is raised with its data in the calling thread."""
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)
        for _ in range(6):
            service.consume_credit(ADA, "interior")

        with pytest.raises(InsufficientCreditsError) as refused:
            service.consume_credit(ADA, "interior")

    assert (refused.value.required, refused.value.remaining, refused.value.shortfall) == (1, 0, 1)
    with pytest.raises(ServiceClosedError):
        service.get_user_credits(ADA)


async def test_sync_service_works_beside_running_loop(sqlite_url: str) -> None:
    """Code on an event loop's thread may call it: it needs no loop."""
    with SyncCreditService(sqlite_url) as service:
        service.initialize_user_credits(ADA)

        assert service.consume_credit(ADA, "interior").remaining == 5
    assert threading.active_count() >= 1
