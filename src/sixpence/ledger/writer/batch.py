"""A batch: commands for many accounts, decided in memory one after another on the state read under the locks.

Pure except for the log. A batch equals its commands run one by one (invariant 15), and a bad command fails alone.
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
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import BrokenLedgerError, CreditSystemError, InternalError, NotPermittedError
from sixpence.core.refusals import AccountNotFoundError, IdempotencyConflictError
from sixpence.core.rules.decide import NO_PRIOR, decide
from sixpence.ledger.database.rows import HoldRow, hold_to_row
from sixpence.ledger.writer.store import Append, BatchNeeds, Loaded

_log = logging.getLogger(__name__)


class Request(msgspec.Struct, frozen=True, gc=False):
    """A command for an account, with its idempotency key, if any.

    `api_key_hash` is the hash of an API key that must still be active when the batch is decided; None if the caller is
    already authorized.
    """

    account_id: str
    command: Command
    key: Key | None = None
    api_key_hash: bytes | None = None


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """An accepted command: the account after it, its row, if any, and whether the row is a replay."""

    account: Account
    row: Transaction | None = None
    replayed: bool = False


Outcome = Accepted | CreditSystemError


def accepted_or_raise(outcome: Outcome) -> Accepted:
    """The accepted command; raises a refusal."""
    if isinstance(outcome, CreditSystemError):
        # One outcome may answer several requests, and each raise adds its own traceback.
        raise type(outcome)(*outcome.args)
    return outcome


class Decided(msgspec.Struct, frozen=True):
    """The outcomes in the order of the requests (None where the account is busy), and the rows to write."""

    outcomes: list[Outcome | None]
    append: Append


def collect_needs(requests: Sequence[Request], *, wait: bool) -> BatchNeeds:
    """What a batch of these requests has to load; `wait` is whether it waits for locked accounts."""
    commands: dict[str, int] = {}
    create_ids: dict[str, None] = {}
    keys: dict[tuple[str, str], None] = {}
    api_key_hashes: set[bytes] = set()
    holds: list[tuple[str, str]] = []
    refunded: list[tuple[str, str]] = []
    voided: list[tuple[str, str]] = []
    revoked: dict[tuple[str, str], None] = {}
    for request in requests:
        name, command = request.account_id, request.command
        commands[name] = commands.get(name, 0) + 1
        if request.key is not None:
            keys[(name, request.key.value)] = None
        if request.api_key_hash is not None:
            api_key_hashes.add(request.api_key_hash)
        match command:
            case EnsureAccount():
                create_ids[name] = None
            case CaptureHold() | ReleaseHold() | ExtendHold():
                holds.append((name, command.hold_id))
            case Refund():
                refunded.append((name, command.transaction_id))
            case VoidGrant():
                voided.append((name, command.grant_id))
                if command.revoke_spent:
                    revoked[(name, command.grant_id)] = None
    return BatchNeeds(
        account_ids=tuple(commands),
        create_ids=tuple(create_ids),
        keys=tuple(keys),
        wait=wait,
        commands=commands,
        holds=tuple(holds),
        refunded=tuple(refunded),
        voided=tuple(voided),
        revoked=tuple(revoked),
        api_key_hashes=tuple(api_key_hashes),
    )


def decide_batch(loaded: Loaded, requests: Sequence[Request]) -> Decided:
    """Decide the requests in order, each on the state that the one before it left."""
    batch = _Batch(loaded)
    outcomes = [None if request.account_id in loaded.busy else batch.decide(request) for request in requests]
    return Decided(outcomes, batch.append())


class _Batch:
    """The loaded state, changed by the commands decided so far."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._accounts = dict(loaded.accounts)
        self._past: dict[str, PriorTransactions] = dict(loaded.past)
        self._replays = dict(loaded.replays)
        self._rows: list[Transaction] = []
        self._touched: dict[str, None] = {}

    def decide(self, request: Request) -> Outcome:
        """Decide the next request."""
        loaded, name = self._loaded, request.account_id
        if request.api_key_hash is not None and request.api_key_hash not in loaded.active_api_keys:
            return NotPermittedError()
        if name in loaded.broken:
            return InternalError()
        account = self._accounts.get(name)
        if account is None or (isinstance(request.command, Tick) and not account.exists):
            return AccountNotFoundError(name)
        if request.key is not None:
            replay = self._replays.get((name, request.key.value))
            if replay is not None and replay.fingerprint == request.key.fingerprint:
                return Accepted(account, replay, replayed=True)
            if replay is not None:
                return IdempotencyConflictError(request.key.value)
        try:
            decision = decide(
                account,
                request.command,
                clock=loaded.clock,
                priced_by=loaded.priced_by,
                key=request.key,
                prior=self._past.get(name, NO_PRIOR),
            )
        except (BrokenLedgerError, msgspec.MsgspecError, ArithmeticError, LookupError, TypeError, ValueError):
            # A defect or a broken account: only this command fails, and the batch continues.
            _log.exception("a command could not be decided", extra={"account_id": name})
            return InternalError()
        self._accounts[name] = decision.account
        if decision.row is not None and request.key is not None:
            self._replays[(name, request.key.value)] = decision.row
        if decision.rows:
            self._rows.extend(decision.rows)
            self._touched[name] = None
            if name in self._past:
                self._past[name] = self._past[name].with_rows(decision.rows)
        return decision.refusal or Accepted(decision.account, decision.row)

    def append(self) -> Append:
        """The rows to write, and the accounts and holds after them."""
        return Append(
            rows=self._rows,
            accounts=[self._accounts[name] for name in self._touched],
            unused_account_nos=[account.account_no for account in self._accounts.values() if not account.exists],
            clock=self._loaded.clock,
            holds=[row for name in self._touched for row in self._changed_holds(name)],
        )

    def _changed_holds(self, name: str) -> list[HoldRow]:
        account, before = self._accounts[name], self._loaded.accounts[name].holds
        return [hold_to_row(account.account_no, hold) for hold in account.holds.values() if before.get(hold.id) != hold]
