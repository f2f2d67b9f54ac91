"""Assertions about a whole ledger, in words: every account is what its rows make of it, and no hold was left open.

They read the database themselves and block, also in a test that is a coroutine. A ledger that was closed is read, too.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, select

from sixpence.core.account.hold import Hold
from sixpence.core.errors import ServiceClosedError
from sixpence.core.values.bounds import shown
from sixpence.core.values.instant import to_wire
from sixpence.ledger.database.engines import reading_engine
from sixpence.ledger.database.rows import hold_from_document
from sixpence.ledger.database.tables import credit_accounts, credit_holds
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.verify.verify import verify
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService

T = TypeVar("T")
Kept = CreditService | SyncCreditService | Ledger

_OPEN_HOLDS = (
    select(credit_accounts.c.account_id, credit_holds.c.document)
    .join(credit_accounts, credit_accounts.c.account_no == credit_holds.c.account_no)
    .where(credit_holds.c.state == "open")
    .order_by(credit_accounts.c.account_id, credit_holds.c.seq)
)


def assert_clean(credits: Kept) -> None:
    """Fail unless the whole ledger is proved, as `sixpence verify --decide` does.

    Every account is rebuilt from its first row, every row decided anew, and each difference is named.
    """
    ledger = _ledger_of(credits)
    report = _read(ledger, lambda connection: verify(connection, decide=True))
    if not report.clean:
        looked_at = f"{report.accounts} accounts, {report.transactions} transactions"
        raise AssertionError("\n- ".join([f"the ledger is not clean ({looked_at}):", *report.differences]))


def assert_nothing_held(credits: Kept) -> None:
    """Fail if a hold of any account is open: work has ended, and what was set aside for it neither charged nor freed.

    A hold whose time is over is none, though nobody has looked at its account since.
    """
    ledger = _ledger_of(credits)
    left = _read(ledger, lambda connection: _open_holds(connection, now=ledger.now(connection)))
    if left:
        count = "1 hold was" if len(left) == 1 else f"{len(left)} holds were"
        remedy = "Capture or release each, also when the work fails, is cancelled, or its client goes away."
        raise AssertionError("\n- ".join([f"{count} left open. {remedy}", *left]))


def _open_holds(connection: Connection, *, now: int) -> list[str]:
    found = [(account_id, hold_from_document(document)) for account_id, document in connection.execute(_OPEN_HOLDS)]
    return [_in_words(account_id, hold) for account_id, hold in found if hold.terms.expires_at > now]


def _in_words(account_id: str, hold: Hold) -> str:
    terms = hold.terms
    return f"account '{account_id}': {hold.amount} for '{terms.feature}' until {to_wire(terms.expires_at)} ({hold.id})"


def _ledger_of(credits: object) -> Ledger:
    if isinstance(credits, Ledger):
        return credits
    if isinstance(credits, (CreditService, SyncCreditService)):
        return credits.ledger
    remedy = "Give a CreditService, a SyncCreditService or a Ledger"
    raise TypeError(f"credits={shown(credits)} is nothing that keeps credits. {remedy}, such as Ledger(Memory()).")


def _read(ledger: Ledger, job: Callable[[Connection], T]) -> T:
    """Read through the ledger, or past it once an app has closed it."""
    try:
        return ledger.read_and_wait(job)
    except ServiceClosedError:
        place = ledger.address
    reads = place if isinstance(place, Memory) else reading_engine(place)
    try:
        with reads.connect() as connection:
            return job(connection)
    finally:
        if not isinstance(reads, Memory):
            reads.dispose()
