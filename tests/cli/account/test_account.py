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


def shown(installation: ServerProcess, account_id: str) -> dict[str, Any]:
    """The account as JSON."""
    document: dict[str, Any] = json.loads(installation.run("account", "show", account_id, "--json").stdout)
    return document


def test_an_account_as_json(installation: ServerProcess, account_id: str) -> None:
    """`--json` gives credits, live grants and transactions to a program."""
    document = shown(installation, account_id)

    grant, transaction = document["credits"]["grants"][0], document["transactions"][-1]
    assert document["credits"]["account_id"] == account_id
    assert (grant["category"], grant["remaining"], grant["expires_at"]) == ("signup", 6, None)
    assert (transaction["kind"], transaction["amount"], transaction["id"]) == ("signup", 6, grant["id"])


def test_an_account_in_words(installation: ServerProcess, account_id: str) -> None:
    """Without `--json` a person reads the same in plain columns."""
    lines = installation.run("account", "show", account_id).stdout.splitlines()

    assert lines[0] == account_id
    assert "  plan         free" in lines
    assert any(line.startswith("signup    6") for line in lines)
    assert any(line.startswith("1    20") and "+6" in line for line in lines)


def test_a_grant_says_what_was_and_what_is(installation: ServerProcess, account_id: str) -> None:
    """The balance before, the grant and the balance after are told; who granted is recorded."""
    had = shown(installation, account_id)["credits"]["remaining"]

    done = installation.run("account", "grant", account_id, "10", "--reason", "an outage")

    newest = shown(installation, account_id)["transactions"][0]
    before, after = done.stdout.splitlines()
    assert before == f"{account_id} has {had} credits; granting 10."
    assert after == f"Granted 10 credits: {had + 10} remaining (transaction {newest['id']})."
    assert (newest["reason"], newest["actor"]) == ("an outage", "local operator")


def test_a_grant_with_a_key_is_given_once(installation: ServerProcess, account_id: str) -> None:
    """Repeated with its key, a grant changes nothing more."""
    until = "2999-01-01T00:00:00Z"
    grant = ("account", "grant", account_id, "10", "--reason", "spring", "--key", "spring", "--expires-at", until)
    first = installation.run(*grant)
    once = shown(installation, account_id)

    again = installation.run(*grant)

    assert again.stdout.splitlines()[1] == first.stdout.splitlines()[1]
    assert shown(installation, account_id) == once
    assert once["credits"]["next_expiry_at"] == until


def test_a_correction_cannot_be_refunded(installation: ServerProcess, account_id: str) -> None:
    """A correction is made through every way of reaching the data; what is no use is not refunded."""
    done = installation.run("account", "adjust", account_id, "-1", "--reason", "counted twice", "--yes")
    newest = shown(installation, account_id)["transactions"][0]

    refused = installation.run("account", "refund", account_id, newest["id"], "--reason", "x", "--yes")

    assert (newest["kind"], newest["amount"], newest["actor"]) == ("adjust", -1, "local operator")
    assert done.stdout.splitlines()[1].startswith("Adjusted by -1: ")
    assert (refused.returncode, refused.stderr) == (
        1,
        f"Transaction '{newest['id']}' is of kind 'adjust'. Refund a consume or a capture.\n",
    )


def test_an_unknown_account_is_refused(installation: ServerProcess) -> None:
    """No account is made by granting to it."""
    done = installation.run("account", "grant", "nobody", "10", "--reason", "an outage")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no account 'nobody'.")


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
def test_an_amount_that_is_none_is_refused_before_anything_is_told(
    installation: ServerProcess, account_id: str, arguments: list[str], problem: str
) -> None:
    """Nothing is said of the account and of what is about to be done, and nothing is."""
    before = shown(installation, account_id)

    done = installation.run("account", *[account_id if word == "ID" else word for word in arguments], "--reason", "x")

    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{problem}\n")
    assert shown(installation, account_id) == before


def test_a_refused_grant_changes_nothing(installation: ServerProcess, account_id: str) -> None:
    """A time without a zone is refused by name, and the account is as it was."""
    before = shown(installation, account_id)

    done = installation.run("account", "grant", account_id, "1", "--reason", "x", "--expires-at", "2999-01-01T00:00:00")

    assert done.returncode == 1
    assert done.stderr.startswith("expires_at: 2999-01-01T00:00:00 has no time zone.")
    assert shown(installation, account_id) == before
