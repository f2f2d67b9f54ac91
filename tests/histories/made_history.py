"""A made-up history: requests decided by the core, with answers as HTTP gives them.

The core makes the rows and the answers. A test changes one of them, and the checker must find it.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.responses import Response

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Tick
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.rules.decide import Decision, decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import SECOND
from sixpence.http.wire import problems, responses
from sixpence.ledger.writer.batch import Accepted
from sixpence.service.results.receipts import CapturedHold, OpenedAccount, PlacedHold, Receipt, Refund, ReleasedHold
from sixpence.service.results.results import balance_fields
from tests.histories.history import Asked, Call, History, Row
from tests.histories.wording import READ, to_command
from tests.lockstep.catalogs import FIRST
from tests.lockstep.commands import KeyedCommand as Keyed
from tests.lockstep.commands import with_ids
from tests.lockstep.comparing import ids_of
from tests.lockstep.pair import key_of

ACCOUNT = "ada@example.com"
BEGINNING = 1_790_000_000 * SECOND
PRICED_BY = PricedBy(1, FIRST, BEGINNING)


@dataclass
class MadeHistory:
    """One account. Each request takes two seconds, is decided in the middle, and begins a second after the last."""

    calls: list[Call] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    clock: int = BEGINNING
    _account: Account = field(default_factory=lambda: Account(account_no=account_no(ACCOUNT), account_id=ACCOUNT))
    _written: list[Transaction] = field(default_factory=list)

    def ask(self, kind: str, key: str | None = None, **fields: Any) -> Call:
        """Send a request, and record the answer."""
        self.clock += 3 * SECOND
        asked = Asked(len(self.calls) + 1, ACCOUNT, kind, fields, key)
        call = Call(asked, self.clock - SECOND, self.clock + SECOND)
        response = self._look() if kind == READ else self._decide(asked)
        text = bytes(response.body).decode()
        call = replace(call, status=response.status_code, text=text, body=json.loads(text))
        self.calls.append(call)
        return call

    def history(self) -> History:
        """The whole history."""
        return History(tuple(self.calls), tuple(self.rows), PRICED_BY)

    def _look(self) -> Response:
        if not self._account.exists:
            return problems.of_error(AccountNotFoundError(ACCOUNT))
        decided = decide(self._account, Tick(), clock=self.clock, priced_by=PRICED_BY)
        self._take(decided, None)
        account = decided.account
        grants = [{"id": one.id, "remaining": one.remaining, "held": one.held} for one in account.grants]
        return responses.json({**balance_fields(account), "grants": grants})

    def _decide(self, asked: Asked) -> Response:
        command = with_ids(to_command(asked), ids_of(self._written))
        past = PriorTransactions().with_rows(self._written)
        key = key_of(Keyed(command, asked.key))
        decided = decide(self._account, command, clock=self.clock, priced_by=PRICED_BY, key=key, prior=past)
        self._take(decided, asked)
        if decided.refusal is not None:
            return problems.of_error(decided.refusal)
        if asked.kind == "ensure":
            return responses.opened(OpenedAccount.of(Accepted(decided.account, decided.row)))
        assert decided.row is not None
        return _answer(asked.kind, decided.row)

    def _take(self, decided: Decision, asked: Asked | None) -> None:
        self._account = decided.account
        self._written += decided.rows
        for row in decided.rows:
            own = row is decided.row and asked is not None and row.kind != "ensure"
            self.rows.append(_row(row, asked.number if asked is not None and own else None))


def _answer(kind: str, row: Transaction) -> Response:
    match kind:
        case "consume":
            return responses.changed(Receipt.of(row, replayed=False))
        case "grant":
            return responses.changed(Receipt.of(row, replayed=False))
        case "place_hold":
            return responses.changed(PlacedHold.of(row, replayed=False))
        case "capture_hold":
            return responses.changed(CapturedHold.of(row, replayed=False))
        case "release_hold":
            return responses.changed(ReleasedHold.of(row, replayed=False))
        case "refund":
            return responses.changed(Refund.of(row, replayed=False))
    raise AssertionError(f"a made history has no answer for {kind}")


def _row(row: Transaction, number: int | None) -> Row:
    return Row(
        account=row.account_id,
        seq=row.seq,
        id=row.id,
        kind=row.kind,
        amount=row.amount,
        remaining=row.balance_after,
        total=row.total_after,
        held=row.held_after,
        plan=row.plan,
        feature=row.feature_used,
        consumed=row.credits_consumed,
        at=row.created_at,
        key=row.idempotency_key,
        number=number,
    )
