"""docs/own-transaction.md: each of its examples stores a picture and charges for it, or does neither."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sixpence import InsufficientCreditsError, SyncCreditService
from tests.ledger.caller_transactions.ways import set_django_up
from tests.ledger.databases import migrated_database, proved, rows, run
from tests.support.postgres import PostgresDatabases

PAGE = (Path(__file__).parent.parent / "docs" / "own-transaction.md").read_text()
PICTURES = "CREATE TABLE pictures (owner text NOT NULL, prompt text NOT NULL)"
ADA = "ada@example.com"


@pytest.fixture(scope="module")
def shop_url(postgres_server: PostgresDatabases) -> Iterator[str]:
    """A PostgreSQL database with a table of pictures."""
    with migrated_database(postgres_server) as url:
        run(url, PICTURES)
        yield url


@pytest.fixture
def postgres_shop(shop_url: str) -> Iterator[str]:
    """The same with an account of six credits and no pictures; at the end its ledger is proved."""
    run(shop_url, "TRUNCATE pictures, credit_accounts, credit_transactions, outbox")
    with SyncCreditService(shop_url) as credits:
        credits.initialize_user_credits(ADA)
    yield shop_url
    proved(shop_url)


def example(number: int, url: str) -> dict[str, Any]:
    """The names that an example of the page defines, over this database."""
    source = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[number]
    for prefix in ("postgresql://", "postgresql+psycopg://", "postgresql+asyncpg://"):
        source = source.replace(f"{prefix}localhost/shop", url.replace("postgresql://", prefix))
    names: dict[str, Any] = {}
    exec(source, names)  # the example itself is what is tested
    return names


def pictures(url: str) -> int:
    """How many pictures are stored."""
    return int(rows(url, "SELECT count(*) FROM pictures")[0][0])


@pytest.mark.parametrize("number", [0, 2], ids=["sqlalchemy", "django"])
def test_the_blocking_examples(postgres_shop: str, number: int) -> None:
    """Six pictures are stored and paid for; of the seventh nothing stays."""
    set_django_up(postgres_shop)
    names = example(number, postgres_shop)

    with names["credits"]:
        left = [names["generate"](ADA, "a house") for _ in range(6)]
        with pytest.raises(InsufficientCreditsError):
            names["generate"](ADA, "a house")

    assert (left, pictures(postgres_shop)) == ([5, 4, 3, 2, 1, 0], 6)


async def test_the_example_without_blocking(postgres_shop: str) -> None:
    """The same on an event loop."""
    names = example(1, postgres_shop)

    async with names["credits"]:
        left = [await names["generate"](ADA, "a house") for _ in range(6)]
        with pytest.raises(InsufficientCreditsError):
            await names["generate"](ADA, "a house")
    await names["engine"].dispose()

    assert (left, pictures(postgres_shop)) == ([5, 4, 3, 2, 1, 0], 6)


def test_the_sqlite_example_and_the_shell_line(tmp_path: Path) -> None:
    """The same on a file, whose tables are made as the page says; then its ledger is proved by the command."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    with contextlib.chdir(tmp_path):  # where the example's file comes to lie
        names = example(3, url)
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

    assert (left, pictures(url)) == ([5, 4, 3, 2, 1, 0], 6)
    assert done.returncode == 0, done.stderr
    assert "1 accounts, 7 transactions" in done.stdout
