"""docs/http.md has every endpoint and every code that a caller can meet."""

import re
from pathlib import Path
from typing import get_args

import pytest
from starlette.routing import Route

from sixpence.core.account.transaction import Kind
from sixpence.http.wire.problems import STATUSES
from sixpence.settings import Settings
from sixpence.wiring import app_of, wire

DOCUMENT = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
# What the sign-in's own paths answer, in Better Auth's shape, and what the command line alone asks for.
ELSEWHERE = {
    "email-taken",
    "wrong-email-or-password",
    "password-too-short",
    "password-too-long",
    "too-many-sign-ins",
    "user-not-found",
    "api-key-not-found",
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The paths of an installation, as they stand below an account where they do."""
    home = tmp_path_factory.mktemp("home")
    parts = wire(Settings(home=home, database_url=f"sqlite:///{home / 'credits.db'}"))
    routes = [route.path for route in app_of(parts).routes if isinstance(route, Route)]
    parts.ledger.close()
    return {path for path in routes if not path.startswith("/api/admin/")}


def test_every_endpoint_is_described(paths: set[str]) -> None:
    """Each path stands in the document, in full or below the account's."""
    below = "/v1/accounts/{account_id}"

    missing = [path for path in sorted(paths) if path not in DOCUMENT and path.replace(below, "...", 1) not in DOCUMENT]

    assert len(paths) > 25
    assert missing == []


def test_nothing_is_described_that_is_not_there(paths: set[str]) -> None:
    """A request of the tables that begins with a method is one of the application's."""
    described = re.findall(r"`(?:GET|POST) (/v1[^`?\s]*|\.\.\./[^`?\s]*)", DOCUMENT)

    known = {path.replace("/v1/accounts/{account_id}", "...", 1) for path in paths} | paths
    assert described
    assert [path for path in described if path not in known] == []


@pytest.mark.parametrize("code", sorted(set(STATUSES) - ELSEWHERE))
def test_every_code_is_described_with_its_status(code: str) -> None:
    """A line of the table of errors has the code, behind its status."""
    lines = [line for line in DOCUMENT.splitlines() if re.match(rf"\| {STATUSES[code]} \|", line)]

    assert any(f"`{code}`" in line for line in lines)


def test_every_kind_of_transaction_is_named() -> None:
    """A history can be filtered by any of them, in the document's words."""
    said = DOCUMENT.split("`kind` is one of ")[1].split(";")[0]

    assert re.findall("`([a-z_]+)`", said) == list(get_args(Kind))
