"""A batch: commands for many accounts, decided in memory one after another on what was loaded under the locks.

Pure but for the log: a batch equals its commands run one by one (invariant 15), and a bad one fails alone.
"""

import logging
from collections.abc import Sequence

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.commands import (
    CaptureHold,
    Command,
    EnsureAccount,
    ExtendHold,
    Key,
    Refund,
    ReleaseHold,
    Tick,
    VoidGrant,
)
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import BrokenLedgerError, CreditSystemError, InternalError, NotPermittedError
from sixpence.core.refusals import AccountNotFoundError, IdempotencyConflictError
from sixpence.core.rules.decide import NO_PAST, decide
from sixpence.ledger.database.rows import HoldRow, hold_to_row
from sixpence.ledger.writer.store import Append, Asked, Loaded

_log = logging.getLogger(__name__)


class Request(msgspec.Struct, frozen=True, gc=False):
    """A command for an account, with the key it may carry.

    `permit` is the hash of an API key that must still let in when the batch is decided; None for whom that is known of.
    """

    account_id: str
    command: Command
    key: Key | None = None
    permit: bytes | None = None


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A command that was accepted: the account after it, its row if it has one, and whether that was written before."""

    account: Account
    row: Transaction | None = None
    replayed: bool = False


Outcome = Accepted | CreditSystemError


class Decided(msgspec.Struct, frozen=True):
    """The outcomes in the order of the requests (None where the account is busy), and what has to be written."""

    outcomes: list[Outcome | None]
    append: Append


def asked_for(requests: Sequence[Request], *, wait: bool) -> Asked:
    """What a batch of these requests has to load."""
    commands: dict[str, int] = {}
    making: dict[str, None] = {}
    keys: dict[tuple[str, str], None] = {}
    permits: set[bytes] = set()
    holds: list[tuple[str, str]] = []
    refunded: list[tuple[str, str]] = []
    voided: list[tuple[str, str]] = []
    revoked: dict[tuple[str, str], None] = {}
    for request in requests:
        name, command = request.account_id, request.command
        commands[name] = commands.get(name, 0) + 1
        if request.key is not None:
            keys[(name, request.key.value)] = None
        if request.permit is not None:
            permits.add(request.permit)
        match command:
            case EnsureAccount():
                making[name] = None
            case CaptureHold() | ReleaseHold() | ExtendHold():
                holds.append((name, command.hold_id))
            case Refund():
                refunded.append((name, command.transaction_id))
            case VoidGrant():
                voided.append((name, command.grant_id))
                if command.revoke_spent:
                    revoked[(name, command.grant_id)] = None
    return Asked(
        account_ids=tuple(commands),
        making=tuple(making),
        keys=tuple(keys),
        wait=wait,
        commands=commands,
        holds=tuple(holds),
        refunded=tuple(refunded),
        voided=tuple(voided),
        revoked=tuple(revoked),
        permits=tuple(permits),
    )


def decide_batch(loaded: Loaded, requests: Sequence[Request]) -> Decided:
    """Decide the requests in order, each on the account, its holds and its past as the one before left them."""
    batch = _Batch(loaded)
    outcomes = [None if request.account_id in loaded.busy else batch.decide(request) for request in requests]
    return Decided(outcomes, batch.append())


class _Batch:
    """What the commands decided so far have made of what was loaded."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._accounts = dict(loaded.accounts)
        self._past: dict[str, Past] = dict(loaded.past)
        self._remembered = dict(loaded.replays)
        self._rows: list[Transaction] = []
        self._touched: dict[str, None] = {}

    def decide(self, request: Request) -> Outcome:
        """The outcome of the next request."""
        loaded, name = self._loaded, request.account_id
        if request.permit is not None and request.permit not in loaded.permitted:
            return NotPermittedError()
        if name in loaded.broken:
            return InternalError()
        account = self._accounts.get(name)
        if account is None or (isinstance(request.command, Tick) and not account.exists):
            return AccountNotFoundError(name)
        if request.key is not None:
            before = self._remembered.get((name, request.key.value))
            if before is not None and before.fingerprint == request.key.fingerprint:
                return Accepted(account, before, replayed=True)
            if before is not None:
                return IdempotencyConflictError(request.key.value)
        try:
            decision = decide(
                account,
                request.command,
                clock=loaded.clock,
                priced_by=loaded.priced_by,
                key=request.key,
                past=self._past.get(name, NO_PAST),
            )
        except (BrokenLedgerError, msgspec.MsgspecError, ArithmeticError, LookupError, TypeError, ValueError):
            # A defect or a broken account: its command stops here and its neighbours go on.
            _log.exception("a command could not be decided", extra={"account_id": name})
            return InternalError()
        self._accounts[name] = decision.account
        if decision.row is not None and request.key is not None:
            self._remembered[(name, request.key.value)] = decision.row
        if decision.rows:
            self._rows.extend(decision.rows)
            self._touched[name] = None
            if name in self._past:
                self._past[name] = self._past[name].with_rows(decision.rows)
        return decision.refusal or Accepted(decision.account, decision.row)

    def append(self) -> Append:
        """What has to be written."""
        return Append(
            rows=self._rows,
            accounts=[self._accounts[name] for name in self._touched],
            unmade=[account.account_no for account in self._accounts.values() if not account.exists],
            clock=self._loaded.clock,
            holds=[row for name in self._touched for row in self._changed_holds(name)],
        )

    def _changed_holds(self, name: str) -> list[HoldRow]:
        account, before = self._accounts[name], self._loaded.accounts[name].holds
        return [hold_to_row(account.account_no, hold) for hold in account.holds.values() if before.get(hold.id) != hold]
