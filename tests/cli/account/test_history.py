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
from tests.cli.account.test_usage import database_url
from tests.support.server import ServerProcess


def consume_once(installation: ServerProcess, account_id: str) -> Receipt:
    """Create an account and consume once."""
    with SyncCreditService(database_url(installation)) as credits:
        credits.initialize_user_credits(account_id)
        return credits.consume_credit(account_id, "video")


def test_account_balance_at_time(installation: ServerProcess) -> None:
    """The balance at a time and since when; before it existed, a sentence."""
    use = consume_once(installation, "team/7 100%").transaction

    past = installation.run("account", "balance", "team/7 100%", "--at", f"{use.created_at.isoformat()}")
    before = installation.run("account", "balance", "team/7 100%", "--at", "2026-01-01")

    at = to_wire(int(use.created_at.timestamp()) * 1_000_000 + use.created_at.microsecond)
    assert past.stdout.startswith("team/7 100% had 5 remaining and 0 held at ")
    assert datetime.fromisoformat(past.stdout.split(" held at ")[1].split(",")[0]) == datetime.fromisoformat(at)
    assert past.stdout.endswith(f" (transaction {use.id}).\n")
    assert before.stdout == "The account did not exist then.\n"


def test_account_balance_as_json(installation: ServerProcess) -> None:
    """`--json` prints one JSON document."""
    consume_once(installation, "team 8")

    body = json.loads(installation.run("account", "balance", "team 8", "--json").stdout)

    assert (body["account_id"], body["remaining"], body["version"]) == ("team 8", 5, 2)


def test_account_statement_as_text(installation: ServerProcess) -> None:
    """A line for each movement, no wider than a terminal."""
    consume_once(installation, "team 9")

    lines = installation.run("account", "statement", "team 9").stdout.splitlines()

    assert lines[0] == "Statement of team 9"
    assert [line.split()[2:] for line in lines[6:9]] == [
        ["account", "opened", "on", "plan", "free", "+6", "6"],
        ["used", "video", "-1", "5"],
        ["closing", "balance", "5"],
    ]
    assert max(map(len, lines)) == 80


def test_account_statement_as_csv_and_json(installation: ServerProcess) -> None:
    """Only of the given period; a day means its midnight."""
    consume_once(installation, "team 10")
    period = ("--since", "2026-01-01", "--until", f"{datetime.now(UTC):%Y-%m-%d}")

    table = list(csv.reader(io.StringIO(installation.run("account", "statement", "team 10", "--csv").stdout)))
    body = json.loads(installation.run("account", "statement", "team 10", "--json", *period).stdout)

    assert [row[2] for row in table] == ["kind", "opening", "signup", "consume", "closing"]
    assert (body["since"], body["movements"], body["closing"]["version"]) == ("2026-01-01T00:00:00Z", [], 0)


def test_account_explain(installation: ServerProcess) -> None:
    """As text, or as JSON with more facts."""
    use = consume_once(installation, "team 11").transaction

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
def test_invalid_history_request_is_refused(
    installation: ServerProcess, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    """One sentence is printed on stderr, and nothing on stdout."""
    done = installation.run("account", *arguments)

    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_streamed_statement_without_server(idle: ServerProcess) -> None:
    """On a SQLite file without a server the command joins the pieces of the response."""
    consume_once(idle, "team 12")

    done = idle.run("account", "statement", "team 12", "--csv")

    assert (done.returncode, done.stdout.count("\n")) == (0, 5)


def test_streamed_statement_through_fast_path(server: ServerProcess) -> None:
    """A request without a query may take the fast path; it gets the complete response, and the next one its own."""
    use = consume_once(server, "team").transaction
    headers = {"Authorization": f"Bearer {server.create_key()}", "Accept": "text/csv"}

    with httpx.Client(base_url=f"{server.url}/v1/accounts/team", headers=headers) as client:
        first, second = client.get("/statement"), client.get(f"/transactions/{use.id}/explain")

    assert first.headers["content-type"] == "text/csv; charset=utf-8"
    assert [line.split(",")[2] for line in first.text.splitlines()] == [
        "kind",
        "opening",
        "signup",
        "consume",
        "closing",
    ]
    assert second.json()["id"] == use.id
