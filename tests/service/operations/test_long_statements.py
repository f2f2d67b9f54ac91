"""Statements with very many movements: refused as data, and streamed as text and CSV."""

import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cache

import msgspec
import pytest
from sqlalchemy import insert

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Command, Consume, EnsureAccount, GrantCredits
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, PricedBy
from sixpence.core.errors import InvalidInputError
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import from_wire, to_datetime
from sixpence.ledger.database.rows import TRANSACTION_COLUMNS, account_to_row, transaction_to_row
from sixpence.ledger.database.tables import credit_accounts, credit_transactions, outbox
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from sixpence.service.operations.history import MOVEMENTS_MAX
from tests.ledger.databases import Database, raw_connection, verify_clean
from tests.ledger.moved_clock import START, MovedClock

pytestmark = pytest.mark.slow
ADA = "ada@example.com"
LONG = MOVEMENTS_MAX + 50
PEAK_BYTES_MAX = 6_000_000


@pytest.fixture(scope="module")
async def long_ledger(module_url: Database) -> AsyncIterator[CreditService]:
    """Ada's account with more movements than a statement as data may have, one a second."""
    clock = MovedClock()
    account, ledger = _make_ledger()
    clock.move(seconds=len(ledger))
    async with CreditService(Ledger(module_url, clock=clock)) as service:
        await service.get_catalog()
        with raw_connection(module_url) as connection:
            connection.execute(insert(credit_accounts), msgspec.structs.asdict(account_to_row(account)))
            connection.execute(
                insert(credit_transactions),
                [dict(zip(TRANSACTION_COLUMNS, transaction_to_row(row), strict=True)) for row in ledger],
            )
            # As the writer does with each batch, for the relay that counts usage.
            touched = msgspec.json.encode([(ADA, 1, LONG)]).decode()
            connection.execute(insert(outbox), {"touched": touched, "recorded_at": clock.at})
        yield service
    verify_clean(module_url)


async def test_statement_refuses_more_than_10000_movements(long_ledger: CreditService) -> None:
    """The refusal has the earliest `since` that fits: that one succeeds."""
    with pytest.raises(InvalidInputError) as refused:
        await long_ledger.get_statement(ADA, since=START)

    since = to_datetime(from_wire("since", refused.value.problem.split("Send ")[1].split()[0]))
    statement = await long_ledger.get_statement(ADA, since=since)

    assert refused.value.problem.startswith(
        f"2026-03-01T12:00:00.000000Z is {LONG} movements before until, more than {MOVEMENTS_MAX}. Send "
    )
    assert (statement.opening.version, len(statement.movements)) == (LONG - MOVEMENTS_MAX, MOVEMENTS_MAX)


@pytest.mark.parametrize("form", ["text", "csv"])
async def test_stream_has_any_length_in_bounded_memory(long_ledger: CreditService, form: str) -> None:
    """Every movement comes once and in order, with few of them in memory."""
    lines, largest = 0, 0
    async for _ in long_ledger.stream_statement(ADA, since=START + timedelta(seconds=LONG - 50), form=form):
        pass  # the first use makes things that later ones reuse: do not measure them
    tracemalloc.start()

    async for chunk in long_ledger.stream_statement(ADA, since=START, form=form):
        lines += chunk.count("\n")
        largest = max(largest, len(chunk))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lines == LONG + (9 if form == "text" else 3)
    assert peak < PEAK_BYTES_MAX, (peak, largest)


@cache
def _make_ledger() -> tuple[Account, list[Transaction]]:
    clock = MovedClock()
    account = Account(account_no(ADA), ADA)
    commands: list[Command] = [EnsureAccount(), GrantCredits(amount=LONG)]
    commands += [Consume(feature="video") for _ in range(LONG - 2)]
    ledger: list[Transaction] = []
    for command in commands:
        decision = decide(account, command, clock=clock.at, priced_by=PricedBy(1, DEFAULT_CATALOG))
        account = decision.account
        ledger += decision.rows
        clock.move(seconds=1)
    return account, ledger
