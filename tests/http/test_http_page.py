"""docs/http.md describes every endpoint, and every code that a caller can receive."""

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
# Codes of the sign-in's paths, which answer in Better Auth's shape, and of requests that only the command line sends.
NOT_ON_THIS_PAGE = {
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
    """The paths of an installation, except the operators'."""
    home = tmp_path_factory.mktemp("home")
    parts = wire(Settings(home=home, database_url=f"sqlite:///{home / 'credits.db'}"))
    routes = [route.path for route in app_of(parts).routes if isinstance(route, Route)]
    parts.ledger.close()
    return {path for path in routes if not path.startswith("/api/admin/")}


def test_page_describes_every_endpoint(paths: set[str]) -> None:
    """Each path is in the document, in full or as `...` and the part after the account's path."""
    below = "/v1/accounts/{account_id}"

    missing = [path for path in sorted(paths) if path not in DOCUMENT and path.replace(below, "...", 1) not in DOCUMENT]

    assert len(paths) > 25
    assert missing == []


def test_page_describes_no_unknown_endpoint(paths: set[str]) -> None:
    """Each method and path of the tables is an endpoint of the application."""
    described = re.findall(r"`(?:GET|POST) (/v1[^`?\s]*|\.\.\./[^`?\s]*)", DOCUMENT)

    known = {path.replace("/v1/accounts/{account_id}", "...", 1) for path in paths} | paths
    assert described
    assert [path for path in described if path not in known] == []


@pytest.mark.parametrize("code", sorted(set(STATUSES) - NOT_ON_THIS_PAGE))
def test_page_describes_every_code_with_its_status(code: str) -> None:
    """A line of the table of errors has the status and the code."""
    lines = [line for line in DOCUMENT.splitlines() if re.match(rf"\| {STATUSES[code]} \|", line)]

    assert any(f"`{code}`" in line for line in lines)


def test_page_names_every_kind_of_transaction() -> None:
    """The document lists the kinds by which a history can be filtered."""
    listed = DOCUMENT.split("`kind` is one of ")[1].split(";")[0]

    assert re.findall("`([a-z_]+)`", listed) == list(get_args(Kind))
