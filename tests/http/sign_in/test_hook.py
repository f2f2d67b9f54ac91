"""What runs when somebody has signed up, and what is logged."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from sixpence.http.sign_in.routes import HOOK_SECONDS_MAX
from tests.auth.site import ADA, COOKIE, Site, running_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running site with nobody signed up."""
    with running_site(tmp_path) as running:
        yield running


def test_the_hook_gets_the_user(site: Site) -> None:
    """The hook runs once for a sign-up that succeeds, and not for one that is refused or for a sign-in."""
    client = site.signed_up()
    client.post("/api/auth/sign-up/email", json=ADA)
    client.post("/api/auth/sign-in/email", json=ADA)

    user = client.get("/api/auth/get-session").json()["user"]

    assert [(each.id, each.email) for each in site.welcomed] == [(user["id"], "ada@example.com")]


def test_a_hook_that_fails_does_no_harm(site: Site) -> None:
    """When the hook raises, the user is signed up and signed in, and the log says what kind of error it was."""
    site.hook_fault = RuntimeError("no credits for ada@example.com")

    with capture_logs() as logs:
        client = site.signed_up()

    user = client.get("/api/auth/get-session").json()["user"]
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert warnings == [
        {"event": "sign_up_hook_failed", "user_id": user["id"], "error": "RuntimeError", "log_level": "warning"}
    ]


def test_a_hook_that_hangs_is_left(site: Site) -> None:
    """After three seconds the hook is cancelled and the sign-up answers."""
    site.hook_seconds = 60
    started = time.monotonic()

    with capture_logs() as logs:
        client = site.signed_up()

    assert HOOK_SECONDS_MAX <= time.monotonic() - started < HOOK_SECONDS_MAX + 5
    assert client.get("/api/auth/get-session").json()["user"]["email"] == "ada@example.com"
    assert [entry["error"] for entry in logs if entry["log_level"] == "warning"] == ["TimeoutError"]


def test_nothing_personal_is_logged(site: Site) -> None:
    """Signing up, in, out, failing and being throttled log no e-mail, password, token or cookie."""
    with capture_logs() as logs:
        client = site.signed_up()
        cookie = client.cookies[COOKIE]
        tokens = [client.get("/api/auth/get-session").json()["session"]["token"]]
        tokens.append(client.post("/api/auth/sign-in/email", json=ADA).json()["token"])
        client.post("/api/auth/sign-up/email", json=ADA)
        client.post("/api/auth/sign-out", json={})
        for _ in range(6):
            client.post("/api/auth/sign-in/email", json={**ADA, "password": "wrong horse"})

    told = repr([entry for entry in logs if entry["log_level"] != "debug"])
    assert events(logs) == ["signed_up", "signed_in", *["sign_in_refused"] * 6, "sign_in_throttled"]
    assert [secret for secret in ("ada@", "horse", cookie, *tokens) if secret in told] == []


def events(logs: list[EventDict]) -> list[str]:
    """What was logged, in order."""
    return [entry["event"] for entry in logs]
