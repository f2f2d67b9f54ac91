"""The books: the ledger by which a race is judged, read through a service or over HTTP.

Two things answer as `Books`: `ServiceBooks` here, and `ServedLedger` in `served_ledger`. Not here: any judgement.
"""

from typing import Any, Protocol

import msgspec

from sixpence.core.errors import CreditSystemError
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.service.requests.paging import PAGE_SIZE
from sixpence.testing.races.errors import RaceError

REASON = "a race sets the balance"
ACTOR = "race"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """An account as a race looks at it."""

    remaining: int
    held: int
    version: int
    overdraft: int
    unlimited: bool
    standing: str
    subscription_status: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction as a race looks at it."""

    id: str
    seq: int
    kind: str
    amount: int
    about: str | None
    feature_used: str | None
    credits_consumed: int | None
    generation_id: str | None
    metadata: dict[str, Any] | None
    reason: str | None
    actor: str | None

    def __str__(self) -> str:
        named = self.feature_used or self.reason or ""
        about = f" of {self.about}" if self.about else ""
        return f"{self.kind} {self.amount:+d} {named}".rstrip() + f"{about}: {self.id}"


class Books(Protocol):
    """What a race reads, and the one thing that it writes: the balance it begins with."""

    async def open(self, account_id: str) -> None:
        """Make the account if it is not there yet."""

    async def state(self, account_id: str) -> State:
        """The account now."""

    async def page(self, account_id: str, cursor: str | None) -> tuple[list[Entry], str | None]:
        """A page of its transactions, newest first, and where the next one begins."""

    async def adjust(self, account_id: str, amount: int) -> None:
        """Give or take credits."""


class ServiceBooks:
    """The books of a service on the app's own database."""

    def __init__(self, credits: CreditService | SyncCreditService) -> None:
        self._credits = CreditService(credits.ledger)

    async def open(self, account_id: str) -> None:
        """Make the account if it is not there yet."""
        try:
            await self._credits.initialize_user_credits(account_id)
        except CreditSystemError as error:
            raise RaceError(f"The account {account_id!r} cannot be had from the ledger: {error}") from error

    async def state(self, account_id: str) -> State:
        """The account now."""
        return msgspec.convert(await self._credits.get_user_credits(account_id), State, from_attributes=True)

    async def page(self, account_id: str, cursor: str | None) -> tuple[list[Entry], str | None]:
        """A page of its transactions, newest first, and where the next one begins."""
        page = await self._credits.get_credit_history(account_id, cursor=cursor, limit=PAGE_SIZE)
        return msgspec.convert(page.transactions, list[Entry], from_attributes=True), page.next_cursor

    async def adjust(self, account_id: str, amount: int) -> None:
        """Give or take credits."""
        try:
            await self._credits.adjust(account_id, amount, reason=REASON, actor=ACTOR)
        except CreditSystemError as error:
            problem = f"The balance of the account {account_id!r} could not be changed by {amount:+d}: {error}"
            raise RaceError(f"{problem} Race with an account that nothing else changes meanwhile.") from error


async def entries_since(books: Books, account_id: str, seq: int) -> list[Entry]:
    """The account's transactions after the one of that `seq`, oldest first."""
    entries: list[Entry] = []
    cursor: str | None = None
    while True:
        page, cursor = await books.page(account_id, cursor)
        entries += [entry for entry in page if entry.seq > seq]
        if cursor is None or not page or page[-1].seq <= seq + 1:
            return sorted(entries, key=lambda entry: entry.seq)


async def set_balance(books: Books, account_id: str, remaining: int) -> State:
    """Give or take credits until this many remain."""
    state = await books.state(account_id)
    if state.remaining != remaining:
        await books.adjust(account_id, remaining - state.remaining)
    return await books.state(account_id)
