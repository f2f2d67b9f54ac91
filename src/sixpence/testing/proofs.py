"""Assertions about a whole ledger: every balance follows from its rows, and no hold is open.

They read the database and block, also in a coroutine. They read a closed ledger, too. Not here: the proof
(`sixpence.ledger.verify`).
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
LedgerSource = CreditService | SyncCreditService | Ledger

_OPEN_HOLDS = (
    select(credit_accounts.c.account_id, credit_holds.c.document)
    .join(credit_accounts, credit_accounts.c.account_no == credit_holds.c.account_no)
    .where(credit_holds.c.state == "open")
    .order_by(credit_accounts.c.account_id, credit_holds.c.seq)
)


def assert_clean(credits: LedgerSource) -> None:
    """Fail unless the whole ledger is proved, as by `sixpence verify --decide`.

    Every account is rebuilt from its rows, every row is decided again, and the message lists each difference.
    """
    ledger = _ledger_of(credits)
    report = _read(ledger, lambda connection: verify(connection, decide=True))
    if not report.clean:
        counts = f"{report.accounts} accounts, {report.transactions} transactions"
        raise AssertionError("\n- ".join([f"the ledger is not clean ({counts}):", *report.differences]))


def assert_nothing_held(credits: LedgerSource) -> None:
    """Fail if any account has an open hold: its work has ended without a capture or a release.

    A hold past its expiry counts as ended, even if its account was not read since.
    """
    ledger = _ledger_of(credits)
    open_holds = _read(ledger, lambda connection: _list_open_holds(connection, now=ledger.now(connection)))
    if open_holds:
        count = "1 hold was" if len(open_holds) == 1 else f"{len(open_holds)} holds were"
        remedy = "Capture or release each, also when the work fails, is cancelled, or its client disconnects."
        raise AssertionError("\n- ".join([f"{count} left open. {remedy}", *open_holds]))


def _list_open_holds(connection: Connection, *, now: int) -> list[str]:
    found = [(account_id, hold_from_document(document)) for account_id, document in connection.execute(_OPEN_HOLDS)]
    return [_describe(account_id, hold) for account_id, hold in found if hold.terms.expires_at > now]


def _describe(account_id: str, hold: Hold) -> str:
    terms = hold.terms
    return f"account '{account_id}': {hold.amount} for '{terms.feature}' until {to_wire(terms.expires_at)} ({hold.id})"


def _ledger_of(credits: object) -> Ledger:
    if isinstance(credits, Ledger):
        return credits
    if isinstance(credits, (CreditService, SyncCreditService)):
        return credits.ledger
    remedy = "Give a CreditService, a SyncCreditService or a Ledger"
    raise TypeError(f"credits={shown(credits)} has no ledger. {remedy}, such as Ledger(Memory()).")


def _read(ledger: Ledger, job: Callable[[Connection], T]) -> T:
    """Read through the ledger, or from its database if the ledger is closed."""
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
