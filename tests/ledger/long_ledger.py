"""A long ledger written without the writer: rows decided by the core and inserted in bulk.

For tests of the time and memory that an account with many rows takes.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec
from sqlalchemy import Connection, insert

from sixpence.core.account.account import Account
from sixpence.core.account.commands import CaptureHold, Command, Consume, EnsureAccount, GrantCredits, PlaceHold
from sixpence.core.account.hold import Hold
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, PricedBy
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import SECOND
from sixpence.ledger.database.rows import account_to_row, hold_to_row
from sixpence.ledger.database.tables import credit_accounts, credit_holds, credit_transactions, outbox
from sixpence.ledger.ledger import Ledger
from tests.ledger.databases import raw_engine
from tests.ledger.moved_clock import MovedClock

CHUNK_SIZE = 5_000


def write_long_accounts(url: str, account_ids: Sequence[str], rows: int) -> None:
    """Fill the database at the URL with these accounts, each with this many rows: uses, and holds captured at once.

    One hold of each account stays open.
    """
    clock = MovedClock()
    ledger = Ledger(url, clock=clock)
    ledger.open()
    ledger.close()
    with raw_engine(url).begin() as connection:
        for account_id in account_ids:
            _write(connection, _LongAccount(account_id, clock()), rows)


def _write(connection: Connection, long_account: "_LongAccount", rows: int) -> None:
    lines = long_account.rows(rows)
    while chunk := [msgspec.structs.asdict(row) for row in islice(lines, CHUNK_SIZE)]:
        connection.execute(insert(credit_transactions), chunk)
    account = long_account.account
    holds = [hold_to_row(account.account_no, hold) for hold in (*long_account.ended, *account.holds.values())]
    connection.execute(insert(credit_holds), list(map(msgspec.structs.asdict, holds)))
    connection.execute(insert(credit_accounts), [msgspec.structs.asdict(account_to_row(account))])
    touched = msgspec.json.encode([[account.account_id, 1, account.seq]]).decode()
    connection.execute(insert(outbox), [{"touched": touched, "recorded_at": account.last_at}])


class _LongAccount:
    def __init__(self, account_id: str, now: int) -> None:
        self.account = Account(account_no=account_no(account_id), account_id=account_id)
        self.ended: list[Hold] = []
        self._now = now
        self._priced_by = PricedBy(1, DEFAULT_CATALOG, now)

    def rows(self, count: int) -> Iterator[Transaction]:
        """Yield `count` rows, oldest first."""
        for command in (
            EnsureAccount(),
            GrantCredits(amount=10_000_000),
            PlaceHold(feature="video", ttl_seconds=86_400),
        ):
            yield self._row(command)
        while self.account.seq + 3 <= count:
            yield self._row(Consume(feature="video", metadata='{"prompt":"a house by the sea, at dusk"}'))
            placed = self._row(PlaceHold(feature="video", ttl_seconds=86_400))
            yield placed
            yield self._row(CaptureHold(hold_id=placed.id))
            self.ended.append(self.account.holds.pop(placed.id))

    def _row(self, command: Command) -> Transaction:
        decision = decide(self.account, command, clock=self._now, priced_by=self._priced_by)
        self._now += SECOND // 100
        self.account = decision.account
        assert decision.row is not None, decision.refusal
        return decision.row
