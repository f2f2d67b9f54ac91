"""A batch: commands for many accounts, decided in memory one after another on what was loaded under the locks.

Pure but for the log: a batch equals its commands run one by one (invariant 15), and a bad one fails alone.
"""

import logging
from collections.abc import Sequence

import msgspec

from sixpence.core.account import Account
from sixpence.core.commands import Command, EnsureAccount, Key
from sixpence.core.decide import decide
from sixpence.core.errors import BrokenLedgerError, CreditSystemError, InternalError
from sixpence.core.refusals import AccountNotFoundError, IdempotencyConflictError
from sixpence.core.transaction import Transaction
from sixpence.ledger.store import Append, Asked, Loaded

_log = logging.getLogger(__name__)


class Request(msgspec.Struct, frozen=True):
    """A command for an account, with the key it may carry."""

    account_id: str
    command: Command
    key: Key | None = None

    @property
    def makes(self) -> bool:
        """Whether the command may make the account."""
        return isinstance(self.command, EnsureAccount)


class Accepted(msgspec.Struct, frozen=True):
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
    return Asked(
        account_ids=tuple(dict.fromkeys(request.account_id for request in requests)),
        making=tuple(dict.fromkeys(request.account_id for request in requests if request.makes)),
        keys=tuple(dict.fromkeys((r.account_id, r.key.value) for r in requests if r.key is not None)),
        wait=wait,
    )


def decide_batch(loaded: Loaded, requests: Sequence[Request]) -> Decided:
    """Decide the requests in order, each on the account as the one before left it."""
    accounts = dict(loaded.accounts)
    remembered = dict(loaded.replays)
    rows: list[Transaction] = []
    touched: dict[str, Account] = {}
    outcomes: list[Outcome | None] = []
    for request in requests:
        if request.account_id in loaded.busy:
            outcomes.append(None)
            continue
        outcome, new_rows = _decide_one(request, loaded, accounts, remembered)
        outcomes.append(outcome)
        if new_rows:
            rows.extend(new_rows)
            touched[request.account_id] = accounts[request.account_id]
    unmade = [account.account_no for account in accounts.values() if not account.exists]
    return Decided(outcomes, Append(rows, list(touched.values()), unmade, loaded.clock))


def _decide_one(
    request: Request,
    loaded: Loaded,
    accounts: dict[str, Account],
    remembered: dict[tuple[str, str], Transaction],
) -> tuple[Outcome, tuple[Transaction, ...]]:
    if request.account_id in loaded.broken:
        return InternalError(), ()
    account = accounts.get(request.account_id)
    if account is None:
        return AccountNotFoundError(request.account_id), ()
    if request.key is not None:
        before = remembered.get((request.account_id, request.key.value))
        if before is not None and before.fingerprint == request.key.fingerprint:
            return Accepted(account, before, replayed=True), ()
        if before is not None:
            return IdempotencyConflictError(request.key.value), ()
    try:
        decision = decide(account, request.command, clock=loaded.clock, priced_by=loaded.priced_by, key=request.key)
    except (BrokenLedgerError, ArithmeticError, LookupError, TypeError, ValueError):
        # A defect or a broken account: its command stops here and its neighbours go on.
        _log.exception("a command could not be decided", extra={"account_id": request.account_id})
        return InternalError(), ()
    accounts[request.account_id] = decision.account
    if decision.row is not None and request.key is not None:
        remembered[(request.account_id, request.key.value)] = decision.row
    outcome = decision.refusal or Accepted(decision.account, decision.row)
    return outcome, decision.rows
