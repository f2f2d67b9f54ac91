"""docs/own-transaction.md: each example stores a picture and charges for it in one transaction, or does neither."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sixpence import InsufficientCreditsError, SyncCreditService
from tests.documents import code_blocks, read_document
from tests.ledger.caller_transactions.interfaces import set_django_up
from tests.ledger.databases import migrated_database, rows, run, verify_clean
from tests.support.postgres import PostgresDatabases

PAGE = read_document("docs/own-transaction.md")
PICTURES = "CREATE TABLE pictures (owner text NOT NULL, prompt text NOT NULL)"
ADA = "ada@example.com"


@pytest.fixture(scope="module")
def shop_url(postgres_server: PostgresDatabases) -> Iterator[str]:
    """A PostgreSQL database with Sixpence's tables and a table of pictures."""
    with migrated_database(postgres_server) as url:
        run(url, PICTURES)
        yield url


@pytest.fixture
def postgres_shop(shop_url: str) -> Iterator[str]:
    """The database with one account of six credits and no pictures; at the end its ledger is verified."""
    run(shop_url, "TRUNCATE pictures, credit_accounts, credit_transactions, outbox")
    with SyncCreditService(shop_url) as credits:
        credits.initialize_user_credits(ADA)
    yield shop_url
    verify_clean(shop_url)


def run_example(number: int, url: str) -> dict[str, Any]:
    """Run a Python example of the page over this database, and return the names that it defines."""
    source = code_blocks(PAGE, "python")[number]
    for prefix in ("postgresql://", "postgresql+psycopg://", "postgresql+asyncpg://"):
        source = source.replace(f"{prefix}localhost/shop", url.replace("postgresql://", prefix))
    names: dict[str, Any] = {}
    exec(source, names)  # the example itself is what is tested
    return names


def count_pictures(url: str) -> int:
    """The number of stored pictures."""
    return int(rows(url, "SELECT count(*) FROM pictures")[0][0])


@pytest.mark.parametrize("number", [0, 2], ids=["sqlalchemy", "django"])
def test_blocking_examples(postgres_shop: str, number: int) -> None:
    """Six pictures are stored and charged; the seventh is refused and not stored."""
    set_django_up(postgres_shop)
    names = run_example(number, postgres_shop)

    with names["credits"]:
        left = [names["generate"](ADA, "a house") for _ in range(6)]
        with pytest.raises(InsufficientCreditsError):
            names["generate"](ADA, "a house")

    assert (left, count_pictures(postgres_shop)) == ([5, 4, 3, 2, 1, 0], 6)


async def test_async_example(postgres_shop: str) -> None:
    """On an event loop, six pictures are stored and charged, and the seventh is refused."""
    names = run_example(1, postgres_shop)

    async with names["credits"]:
        left = [await names["generate"](ADA, "a house") for _ in range(6)]
        with pytest.raises(InsufficientCreditsError):
            await names["generate"](ADA, "a house")
    await names["engine"].dispose()

    assert (left, count_pictures(postgres_shop)) == ([5, 4, 3, 2, 1, 0], 6)


def test_sqlite_example_and_shell_line(tmp_path: Path) -> None:
    """The same over a SQLite file, whose table is made as on the page; then the shell line verifies the ledger."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    with contextlib.chdir(tmp_path):  # the example writes its file here
        names = run_example(3, url)
        with names["credits"] as credits:
            credits.initialize_user_credits(ADA)
            with credits.transaction() as connection:
                connection.exec_driver_sql(PICTURES)
            left = [names["generate"](ADA, "a house") for _ in range(6)]
            with pytest.raises(InsufficientCreditsError):
                names["generate"](ADA, "a house")
    line = re.findall(r"^```sh\nsixpence (.*?)\n```", PAGE, re.MULTILINE)[0]
    done = subprocess.run(
        [sys.executable, "-m", "sixpence.cli", *line.split()], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert (left, count_pictures(url)) == ([5, 4, 3, 2, 1, 0], 6)
    assert done.returncode == 0, done.stderr
    assert "1 accounts, 7 transactions" in done.stdout
