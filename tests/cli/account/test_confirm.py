"""Changes by operators: a preview, a confirmation, an idempotency key, and the record in the ledger."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.terminal.test_terminal import run_on_terminal
from tests.support.server import ServerProcess, running_server

CATALOG = """
default_plan = "free"

[features.video]
credits = 1

[plans.free]
signup_credits = 6

[plans.basic]
rank = 10
allowance = 100
period = "month"

[plans.max]
rank = 30
unlimited = true
fair_use = { uses = 2, per = "day" }
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server with its own catalog; the tests of this module share it."""
    home: Path = tmp_path_factory.mktemp("home")
    file = home / "sixpence.toml"
    file.write_text(CATALOG)
    with running_server(None, home, env={"SIXPENCE_CATALOG": str(file)}) as server:
        yield server


@pytest.fixture(scope="module")
def shop(served: ServerProcess) -> httpx.Client:
    """The app's own server, as an HTTP client with an API key."""
    return httpx.Client(base_url=served.url, headers={"Authorization": f"Bearer {served.create_key()}"})


@pytest.fixture
def account_id(shop: httpx.Client, request: pytest.FixtureRequest) -> str:
    """A new account with six credits, whose id must be encoded in a path."""
    made = f"team/{request.node.name} 100%"
    shop.post("/v1/accounts", json={"account_id": made}).raise_for_status()
    return made


def account_path(account_id: str) -> str:
    """The account's path in the HTTP API."""
    return "/v1/accounts/" + "".join(f"%{byte:02X}" for byte in account_id.encode())


def show_account(served: ServerProcess, account_id: str) -> dict[str, Any]:
    """The account as JSON."""
    document: dict[str, Any] = json.loads(served.run("account", "show", account_id, "--json").stdout)
    return document


def test_account_refund_prints_preview_and_is_idempotent(
    served: ServerProcess, shop: httpx.Client, account_id: str
) -> None:
    """The refund is described, then made, once under its key."""
    used = shop.post(f"{account_path(account_id)}/consume", json={"feature": "video"}).json()
    refund = ("account", "refund", account_id, used["transaction_id"], "--reason", "empty", "--key", "k", "--yes")

    first, again = served.run(*refund), served.run(*refund)

    newest = show_account(served, account_id)["transactions"][0]
    assert first.stdout.splitlines() == [
        f"{account_id} has 5 credits; refunding the rest of a consume of 1 for video, {used['created_at']}.",
        f"Refunded 1 credits: 6 remaining (transaction {newest['id']}).",
    ]
    assert again.stdout.splitlines()[1] == first.stdout.splitlines()[1]
    assert (newest["kind"], newest["reason"], newest["actor"], newest["seq"]) == (
        "refund",
        "empty",
        "local operator",
        3,
    )


def test_account_void_prints_preview(served: ServerProcess, account_id: str) -> None:
    """The remaining credits of the grant are described and cancelled."""
    signup = show_account(served, account_id)["credits"]["grants"][0]["id"]

    done = served.run("account", "void", account_id, signup, "--reason", "granted twice", "--yes")

    preview, answer = done.stdout.splitlines()
    assert preview == f"{account_id} has 6 credits; voiding 6 of a signup grant of 6."
    assert answer.startswith("Voided 6 credits: 0 remaining (transaction ")


def test_change_without_terminal_needs_yes(served: ServerProcess, account_id: str) -> None:
    """Without a terminal and without --yes the preview is printed and nothing is changed."""
    done = served.run("account", "adjust", account_id, "-5", "--reason", "counted twice")

    assert (done.returncode, done.stdout) == (1, f"{account_id} has 6 credits; taking 5.\n")
    assert done.stderr == "Nothing was changed: without a terminal nobody can confirm. Add --yes.\n"
    assert show_account(served, account_id)["credits"]["version"] == 1


@pytest.mark.parametrize(("answer", "remaining", "status"), [("y", 1, 0), ("n", 6, 1)])
def test_change_on_terminal_asks_for_confirmation(
    served: ServerProcess, account_id: str, answer: str, remaining: int, status: int
) -> None:
    """On a terminal the change waits for a "y"."""
    arguments = ("account", "adjust", account_id, "-5", "--reason", "counted twice")

    ended, _ = run_on_terminal(served, *arguments, answers=(("Continue?", answer),))

    assert (ended, show_account(served, account_id)["credits"]["remaining"]) == (status, remaining)


def test_account_plan_and_cancel_plan(served: ServerProcess, account_id: str) -> None:
    """The commands and `account show` print the plan, its cancellation and the next plan."""
    options = ("--reason", "the customer wrote", "--yes")
    put = served.run("account", "plan", account_id, "basic", *options).stdout.splitlines()
    cancelled = served.run("account", "cancel-plan", account_id, *options).stdout.splitlines()

    ends_at = show_account(served, account_id)["credits"]["term_ends_at"]
    lines = served.run("account", "show", account_id).stdout.splitlines()
    assert put == [
        f"{account_id} is on free and has 6 credits; putting it on basic.",
        f"{account_id} is on basic, until {ends_at}: 106 remaining.",
    ]
    assert cancelled[1] == f"{account_id} is on basic, until {ends_at}, then on the default plan: 106 remaining."
    facts = {name: value.strip() for name, _, value in (line.strip().partition("  ") for line in lines[1:12])}
    assert (facts["plan"], facts["next plan"], facts["next expiry"]) == (
        "basic",
        f"free at {ends_at}",
        f"100 at {ends_at}",
    )


def test_account_show_prints_fair_use(served: ServerProcess, shop: httpx.Client, account_id: str) -> None:
    """An unlimited plan has a line with the uses so far."""
    served.run("account", "plan", account_id, "max", "--reason", "x", "--yes")
    shop.post(f"{account_path(account_id)}/consume", json={"feature": "video"}).raise_for_status()

    text = served.run("account", "show", account_id).stdout

    assert "  plan         max, unlimited\n" in text
    assert "  fair use     1 of 2 in any day\n" in text


def test_account_freeze_unfreeze_and_close(served: ServerProcess, account_id: str) -> None:
    """Freezing moves no credits and asks for no confirmation; closing does."""
    frozen = served.run("account", "freeze", account_id, "--reason", "a stolen card")
    opened = served.run("account", "unfreeze", account_id, "--reason", "a mistake")
    unconfirmed = served.run("account", "close", account_id, "--reason", "left")
    closed = served.run("account", "close", account_id, "--reason", "left", "--yes")

    assert frozen.stdout.splitlines() == [
        f"{account_id} is open and has 6 credits; freezing it.",
        f"{account_id} is frozen: 6 remaining.",
    ]
    assert opened.stdout.splitlines()[1] == f"{account_id} is open: 6 remaining."
    assert (unconfirmed.returncode, closed.stdout.splitlines()[1]) == (1, f"{account_id} is closed: 0 remaining.")


def test_account_holds_and_release(served: ServerProcess, shop: httpx.Client, account_id: str) -> None:
    """Open holds are listed, counted in the preview, and released."""
    none = served.run("account", "holds", account_id).stdout
    hold = shop.post(f"{account_path(account_id)}/holds", json={"feature": "video", "amount": 4}).json()["hold_id"]

    listed = json.loads(served.run("account", "holds", account_id, "--json").stdout)["holds"]
    lines = served.run("account", "holds", account_id).stdout.splitlines()
    released = served.run("account", "release", account_id, hold, "--reason", "the worker is gone", "--yes")
    again = served.run("account", "release", account_id, hold, "--reason", "the worker is gone", "--yes")

    assert (none, [each["id"] for each in listed]) == (f"{account_id} has no open holds.\n", [hold])
    assert (lines[1].split()[:2], lines[1].split()[-1]) == (["video", "4"], hold)
    assert released.stdout.splitlines()[0] == f"{account_id} has 2 credits, 4 held; releasing hold {hold}."
    assert released.stdout.splitlines()[1].startswith("Released 4 credits: 6 remaining (transaction ")
    assert (again.returncode, again.stderr.startswith(f"Hold '{hold}' was released at ")) == (1, True)
