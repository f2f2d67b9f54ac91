"""`sixpence account balance`, `statement` and `explain`: through a server, and on PostgreSQL without one."""

import csv
import io
import json
from datetime import UTC, datetime

import httpx
import pytest

from sixpence.core.values.instant import to_wire
from sixpence.service.blocking import SyncCreditService
from sixpence.service.results.receipts import Receipt
from tests.cli.account.test_usage import database_of
from tests.support.server import ServerProcess


def used(installation: ServerProcess, account_id: str) -> Receipt:
    """An account that was made, and used once."""
    with SyncCreditService(database_of(installation)) as credits:
        credits.initialize_user_credits(account_id)
        return credits.consume_credit(account_id, "video")


def test_a_balance_of_then(installation: ServerProcess) -> None:
    """What there was, and since when; before the account was there, nothing."""
    use = used(installation, "team/7 100%").transaction

    then = installation.run("account", "balance", "team/7 100%", "--at", f"{use.created_at.isoformat()}")
    before = installation.run("account", "balance", "team/7 100%", "--at", "2026-01-01")

    at = to_wire(int(use.created_at.timestamp()) * 1_000_000 + use.created_at.microsecond)
    assert then.stdout.startswith("team/7 100% had 5 remaining and 0 held at ")
    assert datetime.fromisoformat(then.stdout.split(" held at ")[1].split(",")[0]) == datetime.fromisoformat(at)
    assert then.stdout.endswith(f" (transaction {use.id}).\n")
    assert before.stdout == "team/7 100% had 0 remaining and 0 held at 2026-01-01T00:00:00Z, not there yet.\n"


def test_a_balance_as_json(installation: ServerProcess) -> None:
    """`--json` gives it to a program."""
    used(installation, "team 8")

    body = json.loads(installation.run("account", "balance", "team 8", "--json").stdout)

    assert (body["account_id"], body["remaining"], body["version"]) == ("team 8", 5, 2)


def test_a_statement_as_text(installation: ServerProcess) -> None:
    """A line for each movement, no wider than a terminal."""
    used(installation, "team 9")

    lines = installation.run("account", "statement", "team 9").stdout.splitlines()

    assert lines[0] == "Statement of team 9"
    assert [line.split()[2:] for line in lines[6:9]] == [
        ["account", "opened", "on", "plan", "free", "+6", "6"],
        ["used", "video", "-1", "5"],
        ["closing", "balance", "5"],
    ]
    assert max(map(len, lines)) == 80


def test_a_statement_as_csv_and_as_json(installation: ServerProcess) -> None:
    """Of the period that is asked for; a day stands for its midnight."""
    used(installation, "team 10")
    period = ("--since", "2026-01-01", "--until", f"{datetime.now(UTC):%Y-%m-%d}")

    table = list(csv.reader(io.StringIO(installation.run("account", "statement", "team 10", "--csv").stdout)))
    body = json.loads(installation.run("account", "statement", "team 10", "--json", *period).stdout)

    assert [row[2] for row in table] == ["kind", "opening", "signup", "consume", "closing"]
    assert (body["since"], body["movements"], body["closing"]["version"]) == ("2026-01-01T00:00:00Z", [], 0)


def test_an_account_and_a_transaction_are_explained(installation: ServerProcess) -> None:
    """In words, or as JSON with more facts."""
    use = used(installation, "team 11").transaction

    account = installation.run("account", "explain", "team 11").stdout.splitlines()
    transaction = installation.run("account", "explain", "team 11", use.id).stdout.splitlines()
    facts = json.loads(installation.run("account", "explain", "team 11", use.id, "--json").stdout)

    assert account[0] == "team 11 has 5 credits to spend (plan free, version 2)."
    assert transaction[2] == "Price: 1 call x 1 credit = 1."
    assert (facts["words"], facts["price"]) == (transaction, 1)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("balance", "nobody"), 1, "There is no account 'nobody'."),
        (("statement", "nobody"), 1, "There is no account 'nobody'."),
        (("statement", "nobody", "--since", "yesterday"), 1, "since: 'yesterday' is not a time."),
        (("balance", "nobody", "--at", "2026-02-30"), 1, "at: '2026-02-30' is not a time."),
        (("explain", "nobody", "nothing"), 1, "There is no account 'nobody'."),
        (("statement", "nobody", "--csv", "--json"), 2, "--csv and --json were both given. Choose one."),
    ],
)
def test_what_cannot_be_shown(
    installation: ServerProcess, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    """It is said in one sentence, and nothing is printed."""
    done = installation.run("account", *arguments)

    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_without_a_server_pieces_are_put_together(idle: ServerProcess) -> None:
    """On a SQLite file that nobody serves the command makes the whole answer itself."""
    used(idle, "team 12")

    done = idle.run("account", "statement", "team 12", "--csv")

    assert (done.returncode, done.stdout.count("\n")) == (0, 5)


def test_a_server_gives_pieces_to_a_plain_request(server: ServerProcess) -> None:
    """A request without a query, which may go the direct way, gets an answer in pieces whole, and the next its own."""
    use = used(server, "team").transaction
    headers = {"Authorization": f"Bearer {server.create_key()}", "Accept": "text/csv"}

    with httpx.Client(base_url=f"{server.url}/v1/accounts/team", headers=headers) as client:
        first, then = client.get("/statement"), client.get(f"/transactions/{use.id}/explain")

    assert first.headers["content-type"] == "text/csv; charset=utf-8"
    assert [line.split(",")[2] for line in first.text.splitlines()] == [
        "kind",
        "opening",
        "signup",
        "consume",
        "closing",
    ]
    assert then.json()["id"] == use.id
