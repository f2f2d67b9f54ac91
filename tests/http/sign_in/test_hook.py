"""The hook that runs after a sign-up, and the log of the sign-in."""

import time

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from sixpence.http.sign_in.routes import HOOK_SECONDS_MAX
from tests.auth.site import ADA, COOKIE, Site

pytestmark = pytest.mark.slow


def test_hook_receives_the_user(site: Site) -> None:
    """The hook runs once for a sign-up that succeeds, and not for one that is refused or for a sign-in."""
    client = site.signed_up()
    client.post("/api/auth/sign-up/email", json=ADA)
    client.post("/api/auth/sign-in/email", json=ADA)

    user = client.get("/api/auth/get-session").json()["user"]

    assert [(each.id, each.email) for each in site.welcomed] == [(user["id"], "ada@example.com")]


def test_failing_hook_does_not_fail_the_sign_up(site: Site) -> None:
    """When the hook raises, the user is signed up and signed in, and the log has the type of the error."""
    site.hook_fault = RuntimeError("no credits for ada@example.com")

    with capture_logs() as logs:
        client = site.signed_up()

    user = client.get("/api/auth/get-session").json()["user"]
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert warnings == [
        {"event": "sign_up_hook_failed", "user_id": user["id"], "error": "RuntimeError", "log_level": "warning"}
    ]


def test_hanging_hook_is_cancelled(site: Site) -> None:
    """After three seconds the hook is cancelled and the sign-up answers."""
    site.hook_seconds = 60
    started = time.monotonic()

    with capture_logs() as logs:
        client = site.signed_up()

    assert HOOK_SECONDS_MAX <= time.monotonic() - started < HOOK_SECONDS_MAX + 5
    assert client.get("/api/auth/get-session").json()["user"]["email"] == "ada@example.com"
    assert [entry["error"] for entry in logs if entry["log_level"] == "warning"] == ["TimeoutError"]


def test_no_personal_data_is_logged(site: Site) -> None:
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

    logged = repr([entry for entry in logs if entry["log_level"] != "debug"])
    assert events(logs) == ["signed_up", "signed_in", *["sign_in_refused"] * 6, "sign_in_throttled"]
    assert [secret for secret in ("ada@", "horse", cookie, *tokens) if secret in logged] == []


def events(logs: list[EventDict]) -> list[str]:
    """The logged events, in order."""
    return [entry["event"] for entry in logs]
