"""`sixpence account`: through a server, without one, and on PostgreSQL."""

import json
import secrets

from tests.support.server import ServerProcess


def made_account(installation: ServerProcess) -> str:
    """The id of a new account with six credits."""
    email = f"user-{secrets.token_hex(4)}@example.com"
    made = installation.run("user", "create", "--email", email, "--password", "correct horse")
    return made.stdout.split()[-1].rstrip(".")


def test_an_account_as_json(installation: ServerProcess) -> None:
    """`--json` gives credits, live grants and transactions to a program."""
    account_id = made_account(installation)

    shown = json.loads(installation.run("account", "show", account_id, "--json").stdout)

    (grant,), (transaction,) = shown["grants"], shown["transactions"]
    assert (shown["credits"]["account_id"], shown["credits"]["remaining"]) == (account_id, 6)
    assert (grant["category"], grant["remaining"], grant["expires_at"]) == ("signup", 6, None)
    assert (transaction["kind"], transaction["amount"], transaction["id"]) == ("signup", 6, grant["id"])


def test_an_account_in_words(installation: ServerProcess) -> None:
    """Without `--json` a person reads the same in plain columns."""
    account_id = made_account(installation)

    lines = installation.run("account", "show", account_id).stdout.splitlines()

    assert lines[0] == account_id
    assert "  plan         free" in lines
    assert any(line.startswith("signup    6") for line in lines)
    assert any(line.startswith("1    20") and "+6" in line for line in lines)


def test_a_grant_says_what_was_and_what_is(installation: ServerProcess) -> None:
    """The balance before, the grant and the balance after are told; who granted is recorded."""
    account_id = made_account(installation)

    done = installation.run("account", "grant", account_id, "10", "--reason", "an outage")

    shown = json.loads(installation.run("account", "show", account_id, "--json").stdout)
    before, after = done.stdout.splitlines()
    assert before == f"{account_id} has 6 credits; granting 10."
    assert after == f"Granted 10 credits: 16 remaining (transaction {shown['transactions'][0]['id']})."
    assert (shown["transactions"][0]["reason"], shown["transactions"][0]["actor"]) == ("an outage", "local operator")


def test_a_grant_with_a_key_is_given_once(installation: ServerProcess) -> None:
    """Repeated with its key, a grant changes nothing more."""
    account_id = made_account(installation)
    grant = (
        "account",
        "grant",
        account_id,
        "10",
        "--reason",
        "spring",
        "--key",
        "spring",
        "--expires-at",
        "2999-01-01",
    )
    timed = (*grant[:-1], "2999-01-01T00:00:00Z")
    first = installation.run(*timed)

    again = installation.run(*timed)

    shown = json.loads(installation.run("account", "show", account_id, "--json").stdout)
    assert again.stdout.splitlines()[1] == first.stdout.splitlines()[1]
    assert (shown["credits"]["remaining"], shown["credits"]["next_expiry_at"]) == (16, "2999-01-01T00:00:00Z")


def test_an_unknown_account_is_refused(installation: ServerProcess) -> None:
    """No account is made by granting to it."""
    done = installation.run("account", "grant", "nobody", "10", "--reason", "an outage")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no account 'nobody'.")


def test_a_refused_grant_changes_nothing(installation: ServerProcess) -> None:
    """A time without a zone is refused by name, and the account is as it was."""
    account_id = made_account(installation)

    done = installation.run("account", "grant", account_id, "1", "--reason", "x", "--expires-at", "2999-01-01T00:00:00")

    shown = json.loads(installation.run("account", "show", account_id, "--json").stdout)
    assert done.returncode == 1
    assert done.stderr.startswith("expires_at: 2999-01-01T00:00:00 has no time zone.")
    assert shown["credits"]["version"] == 1
