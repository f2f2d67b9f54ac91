"""`sixpence account usage`: through a server, which counts usage, and on PostgreSQL without one."""

import asyncio
import json
from datetime import UTC, datetime

from sixpence.ledger.ledger import Ledger
from sixpence.ledger.relay.relay import Relay
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import run
from tests.ledger.relay.usage_by_hand import read_all
from tests.support.server import ServerProcess


def database_url(installation: ServerProcess) -> str:
    """The URL of its database."""
    return installation.environment.get("SIXPENCE_DATABASE_URL", f"sqlite:///{installation.home / 'credits.db'}")


def consume_and_count(installation: ServerProcess, account_id: str, features: tuple[str, ...]) -> None:
    """Create an account, consume these features, and count them with a relay."""
    url = database_url(installation)
    with SyncCreditService(url) as credits:
        credits.initialize_user_credits(account_id)
        for feature in features:
            credits.consume_credit(account_id, feature)
    ledger = Ledger(url)
    asyncio.run(read_all(Relay(ledger), url))
    ledger.close()


def test_account_usage_as_text(installation: ServerProcess) -> None:
    """A line for each day and feature, and the time until which the counts are complete."""
    consume_and_count(installation, "team/7 100%", ("video", "sketch", "video"))

    done = installation.run("account", "usage", "team/7 100%")

    today = datetime.now(UTC).date().isoformat()
    *lines, last = done.stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["day", "feature", "uses", "consumed", "refunded"],
        [today, "sketch", "1", "1", "0"],
        [today, "video", "2", "2", "0"],
    ]
    assert last.startswith(f"Complete until {today}T")


def test_account_usage_as_json(installation: ServerProcess) -> None:
    """`--json` prints the same, for the given days."""
    consume_and_count(installation, "team 8", ("video",))
    day = "UPDATE usage_daily SET day = 20758 WHERE account_no = (SELECT account_no FROM credit_accounts WHERE {})"
    run(database_url(installation), day.format("account_id = 'team 8'"))

    command = ("account", "usage", "team 8", "--json", "--since", "2026-11-01")
    done = installation.run(*command, "--until", "2026-11-02")

    body = json.loads(done.stdout)
    assert (body["account_id"], body["since"], body["until"]) == ("team 8", "2026-11-01", "2026-11-02")
    assert body["days"] == [
        {"day": "2026-11-01", "feature": "video", "uses": 1, "credits_consumed": 1, "credits_refunded": 0}
    ]


def test_account_usage_without_uses(installation: ServerProcess) -> None:
    """One sentence with the period."""
    consume_and_count(installation, "team 9", ())

    done = installation.run("account", "usage", "team 9", "--since", "2026-01-01", "--until", "2026-02-01")

    assert done.stdout.splitlines()[0] == "team 9 used nothing from 2026-01-01 until 2026-02-01."


def test_invalid_usage_request_is_refused(installation: ServerProcess) -> None:
    """An unknown account and an invalid day, each in one sentence."""
    nobody = installation.run("account", "usage", "nobody")
    never = installation.run("account", "usage", "nobody", "--since", "yesterday")

    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert nobody.stderr.startswith("There is no account 'nobody'.")
    assert (never.returncode, never.stdout) == (2, "")
    assert never.stderr.startswith("Invalid value for '--since': 'yesterday'")
