"""An account with 100,000 transactions answers as fast as one with ten, over real HTTP on both databases."""

import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import insert

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Command, Consume, EnsureAccount, GrantCredits
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, PricedBy
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import DAY
from sixpence.ledger.database.rows import TRANSACTION_COLUMNS, account_to_row, transaction_to_row
from sixpence.ledger.database.tables import credit_accounts, usage_daily
from sixpence.ledger.sqlite.store import system_clock
from tests.http.installation import delete_account
from tests.ledger.databases import raw_engine, verify_clean
from tests.races.served import Served
from tests.races.wire import Connection

pytestmark = pytest.mark.slow

LONG, SHORT = "long", "short"
LENGTHS = {LONG: 100_000, SHORT: 10}
ROUNDS = 60
RATIO_MAX = 3.0

Made = tuple[Account, list[Transaction]]

REQUESTS = {
    "balance": "",
    "history": "/transactions",
    "filtered history": "/transactions?feature=video&limit=10",
    "balance at an instant": "/balance",
    "explanation": "/explain",
}


@pytest.fixture(scope="module")
def made() -> list[Made]:
    """Accounts of the two lengths, decided one command after another as a server does."""
    return [made_account(account_id, length) for account_id, length in LENGTHS.items()]


@pytest.fixture(scope="module", params=["served_by_sqlite", "served_by_postgres"])
def long_served(request: pytest.FixtureRequest, made: list[Made]) -> Iterator[Served]:
    """Servers over a database with both accounts, which are verified and then removed."""
    served: Served = request.getfixturevalue(request.param)
    for account, ledger in made:
        put(served.database_url, account, ledger)
    yield served
    verify_clean(served.database_url)
    for account_id in LENGTHS:
        delete_account(served.database_url, account_id)


async def test_length_does_not_slow_an_answer(long_served: Served, tell: Callable[[str], None]) -> None:
    """The medians of balance, history and looking back, asked in turn, differ by less than three times."""
    connection = await long_served.connect()
    seconds: dict[tuple[str, str], list[float]] = {(name, kind): [] for name in LENGTHS for kind in REQUESTS}

    for _ in range(ROUNDS):
        for name, kind in seconds:
            seconds[name, kind].append(await timed(connection, f"/v1/accounts/{name}{REQUESTS[kind]}"))

    await connection.close()
    medians = {case: statistics.median(took) * 1000 for case, took in seconds.items()}
    for kind in REQUESTS:
        short, long = medians[SHORT, kind], medians[LONG, kind]
        tell(f"{kind}: {short:.2f} ms with 10 transactions, {long:.2f} ms with 100,000")
    ratios = {kind: medians[LONG, kind] / medians[SHORT, kind] for kind in REQUESTS}
    assert max(ratios.values()) < RATIO_MAX, ratios


async def test_filtered_page_scans_a_thousand_rows(long_served: Served) -> None:
    """A filter with few matches returns a short page with a cursor, instead of reading everything."""
    connection = await long_served.connect()
    path = f"/v1/accounts/{LONG}/transactions?kind=signup"

    first = (await connection.ask("GET", path)).json()
    last = (await connection.ask("GET", f"{path}&cursor=900")).json()

    await connection.close()
    assert first == {"transactions": [], "next_cursor": "99001"}
    assert ([row["seq"] for row in last["transactions"]], last["next_cursor"]) == ([1], None)


async def timed(connection: Connection, path: str) -> float:
    """How long a request took that was answered."""
    began = time.perf_counter()
    reply = await connection.ask("GET", path)
    assert reply.status == 200
    return time.perf_counter() - began


def made_account(account_id: str, length: int) -> Made:
    """An account with this many transactions: made, given enough, and used."""
    account = Account(account_no(account_id), account_id)
    ledger: list[Transaction] = []
    commands: list[Command] = [EnsureAccount(), GrantCredits(amount=length)]
    commands += [Consume(feature="video", generation_id=f"gen {number}") for number in range(length - 2)]
    now, priced_by = system_clock(), PricedBy(1, DEFAULT_CATALOG)
    for number, command in enumerate(commands):
        decision = decide(account, command, clock=now - length + number, priced_by=priced_by)
        account = decision.account
        ledger += decision.rows
    return account, ledger


def put(url: str, account: Account, ledger: list[Transaction]) -> None:
    """Insert an account with its whole ledger, its uses counted by day as a relay does."""
    days = Counter(row.created_at // DAY for row in ledger if row.kind == "consume")
    used = [
        {
            "account_no": account.account_no,
            "day": day,
            "feature": "video",
            "uses": uses,
            "credits_consumed": uses,
            "credits_refunded": 0,
        }
        for day, uses in days.items()
    ]
    with raw_engine(url).begin() as connection:
        connection.execute(insert(credit_accounts), msgspec.structs.asdict(account_to_row(account)))
        connection.execute(insert(usage_daily), used)
    columns = ", ".join(TRANSACTION_COLUMNS)
    if url.startswith("postgresql"):
        copying = sql.SQL(f"COPY credit_transactions ({columns}) FROM STDIN")
        with psycopg.connect(url) as session, session.cursor() as cursor, cursor.copy(copying) as copy:
            for row in ledger:
                copy.write_row(transaction_to_row(row))
        # As autovacuum does within a minute: statistics of a nearly empty table give scans of all rows.
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("ANALYZE credit_transactions")
    else:
        inserting = f"INSERT INTO credit_transactions ({columns}) VALUES ({', '.join('?' * len(TRANSACTION_COLUMNS))})"
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.executemany(inserting, map(transaction_to_row, ledger))
