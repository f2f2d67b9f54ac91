"""`sixpence account`: through a server, without one, and on PostgreSQL."""

import json
from typing import Any

import pytest

from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def account_id(installation: ServerProcess) -> str:
    """An account that starts with six credits; the tests of an installation share it."""
    made = installation.run("user", "create", "--email", "ada@example.com", "--password", "correct horse")
    return made.stdout.split()[-1].rstrip(".")


def show_account(installation: ServerProcess, account_id: str) -> dict[str, Any]:
    """The account as JSON."""
    document: dict[str, Any] = json.loads(installation.run("account", "show", account_id, "--json").stdout)
    return document


def test_account_show_as_json(installation: ServerProcess, account_id: str) -> None:
    """`--json` prints credits, live grants and transactions."""
    document = show_account(installation, account_id)

    grant, transaction = document["credits"]["grants"][0], document["transactions"][-1]
    assert document["credits"]["account_id"] == account_id
    assert (grant["category"], grant["remaining"], grant["expires_at"]) == ("signup", 6, None)
    assert (transaction["kind"], transaction["amount"], transaction["id"]) == ("signup", 6, grant["id"])


def test_account_show_as_text(installation: ServerProcess, account_id: str) -> None:
    """Without `--json` the same is printed in plain columns."""
    lines = installation.run("account", "show", account_id).stdout.splitlines()

    assert lines[0] == account_id
    assert "  plan         free" in lines
    assert any(line.startswith("signup    6") for line in lines)
    assert any(line.startswith("1    20") and "+6" in line for line in lines)


def test_account_grant_prints_balances_and_records_actor(installation: ServerProcess, account_id: str) -> None:
    """The output has the balance before and after; the transaction records reason and actor."""
    had = show_account(installation, account_id)["credits"]["remaining"]

    done = installation.run("account", "grant", account_id, "10", "--reason", "an outage")

    newest = show_account(installation, account_id)["transactions"][0]
    before, after = done.stdout.splitlines()
    assert before == f"{account_id} has {had} credits; granting 10."
    assert after == f"Granted 10 credits: {had + 10} remaining (transaction {newest['id']})."
    assert (newest["reason"], newest["actor"]) == ("an outage", "local operator")


def test_account_grant_with_key_is_idempotent(installation: ServerProcess, account_id: str) -> None:
    """Repeated with its key, a grant changes nothing more."""
    until = "2999-01-01T00:00:00Z"
    grant = ("account", "grant", account_id, "10", "--reason", "spring", "--key", "spring", "--expires-at", until)
    first = installation.run(*grant)
    once = show_account(installation, account_id)

    again = installation.run(*grant)

    assert again.stdout.splitlines()[1] == first.stdout.splitlines()[1]
    assert show_account(installation, account_id) == once
    assert once["credits"]["next_expiry_at"] == until


def test_account_refund_refuses_adjustment(installation: ServerProcess, account_id: str) -> None:
    """An adjustment works on each installation; it is no use, so it cannot be refunded."""
    done = installation.run("account", "adjust", account_id, "-1", "--reason", "counted twice", "--yes")
    newest = show_account(installation, account_id)["transactions"][0]

    refused = installation.run("account", "refund", account_id, newest["id"], "--reason", "x", "--yes")

    assert (newest["kind"], newest["amount"], newest["actor"]) == ("adjust", -1, "local operator")
    assert done.stdout.splitlines()[1].startswith("Adjusted by -1: ")
    assert (refused.returncode, refused.stderr) == (
        1,
        f"Transaction '{newest['id']}' is of kind 'adjust'. Refund a consume or a capture.\n",
    )


def test_account_grant_refuses_unknown_account(installation: ServerProcess) -> None:
    """Granting creates no account."""
    done = installation.run("account", "grant", "nobody", "10", "--reason", "an outage")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("There is no account 'nobody'. Take the id from your app, or from `sixpence user create`.\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["grant", "ID", "0"], "amount: 0 is out of range. Send an integer from 1 to 9007199254740991."),
        (
            ["adjust", "ID", "0", "--yes"],
            "amount: 0 is out of range. Send an integer from -9007199254740991 to 9007199254740991, but not 0.",
        ),
        (
            ["refund", "ID", "some", "--amount", "-1", "--yes"],
            "amount: -1 is out of range. Send an integer from 1 to 9007199254740991.",
        ),
    ],
    ids=["grant", "adjust", "refund"],
)
def test_invalid_amount_is_refused_before_preview(
    installation: ServerProcess, account_id: str, arguments: list[str], problem: str
) -> None:
    """Nothing is printed about the account, and nothing is changed."""
    before = show_account(installation, account_id)

    done = installation.run("account", *[account_id if word == "ID" else word for word in arguments], "--reason", "x")

    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{problem}\n")
    assert show_account(installation, account_id) == before


def test_account_grant_refuses_time_without_zone(installation: ServerProcess, account_id: str) -> None:
    """The option is named, and the account is unchanged."""
    before = show_account(installation, account_id)

    done = installation.run("account", "grant", account_id, "1", "--reason", "x", "--expires-at", "2999-01-01T00:00:00")

    assert done.returncode == 1
    assert done.stderr.startswith("expires_at: 2999-01-01T00:00:00 has no time zone.")
    assert show_account(installation, account_id) == before
