"""The ledger that judges a race: the account and its transactions, and setting the balance.

`RaceLedger` has two implementations: `ServiceLedger` here, and `ServedLedger` in `served_ledger`. Not here: the
judgement (`judging.judge`).
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


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an account that a race needs."""

    remaining: int
    held: int
    version: int
    overdraft: int
    unlimited: bool
    standing: str
    subscription_status: str


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a transaction that a race needs."""

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


class RaceLedger(Protocol):
    """The reads of a race, and its only write: the balance before a wave."""

    async def open(self, account_id: str) -> None:
        """Create the account if it does not exist."""

    async def state(self, account_id: str) -> AccountState:
        """The account's current state."""

    async def page(self, account_id: str, cursor: str | None) -> tuple[list[Transaction], str | None]:
        """A page of the account's transactions, newest first, and the cursor of the next page."""

    async def adjust(self, account_id: str, amount: int) -> None:
        """Add credits, or take them if the amount is below zero."""


class ServiceLedger:
    """The ledger of a service on the app's database."""

    def __init__(self, credits: CreditService | SyncCreditService) -> None:
        self._credits = CreditService(credits.ledger)

    async def open(self, account_id: str) -> None:
        """Create the account if it does not exist."""
        try:
            await self._credits.initialize_user_credits(account_id)
        except CreditSystemError as error:
            raise RaceError(f"The account {account_id!r} cannot be created in the ledger: {error}") from error

    async def state(self, account_id: str) -> AccountState:
        """The account's current state."""
        return msgspec.convert(await self._credits.get_user_credits(account_id), AccountState, from_attributes=True)

    async def page(self, account_id: str, cursor: str | None) -> tuple[list[Transaction], str | None]:
        """A page of the account's transactions, newest first, and the cursor of the next page."""
        page = await self._credits.get_credit_history(account_id, cursor=cursor, limit=PAGE_SIZE)
        return msgspec.convert(page.transactions, list[Transaction], from_attributes=True), page.next_cursor

    async def adjust(self, account_id: str, amount: int) -> None:
        """Add credits, or take them if the amount is below zero."""
        try:
            await self._credits.adjust(account_id, amount, reason=REASON, actor=ACTOR)
        except CreditSystemError as error:
            problem = f"The balance of the account {account_id!r} could not be changed by {amount:+d}: {error}"
            raise RaceError(f"{problem} Race with an account that nothing else changes at the same time.") from error


async def list_transactions_since(ledger: RaceLedger, account_id: str, seq: int) -> list[Transaction]:
    """List the account's transactions after the one with this `seq`, oldest first."""
    transactions: list[Transaction] = []
    cursor: str | None = None
    while True:
        page, cursor = await ledger.page(account_id, cursor)
        transactions += [each for each in page if each.seq > seq]
        if cursor is None or not page or page[-1].seq <= seq + 1:
            return sorted(transactions, key=lambda each: each.seq)


async def set_balance(ledger: RaceLedger, account_id: str, remaining: int) -> AccountState:
    """Adjust the account to this many remaining credits, and return its state."""
    state = await ledger.state(account_id)
    if state.remaining != remaining:
        await ledger.adjust(account_id, remaining - state.remaining)
    return await ledger.state(account_id)
