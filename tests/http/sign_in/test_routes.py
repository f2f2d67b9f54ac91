"""Better Auth's paths over HTTP: sign-up, sign-in, sign-out and get-session."""

import httpx
import pytest

from sixpence.auth import errors
from sixpence.core.values.instant import DAY
from sixpence.http.sign_in.routes import ANSWERS
from tests.auth.sign_in_setup import NOON
from tests.auth.site import ADA, COOKIE, Site

pytestmark = pytest.mark.slow

FIELDS = ["id", "name", "email", "emailVerified", "image", "createdAt", "updatedAt", "role"]
JSON = "application/json"


def test_sign_up(site: Site) -> None:
    """A sign-up returns the user and the token, and sets the session cookie."""
    answer = site.client().post("/api/auth/sign-up/email", json={**ADA, "email": "Ada@Example.com"})

    body = answer.json()
    user_id, token = body["user"]["id"], body["token"]
    user = {
        "id": user_id,
        "name": "Ada",
        "email": "ada@example.com",
        "emailVerified": False,
        "image": None,
        "createdAt": "2026-05-28T20:26:40.000Z",
        "updatedAt": "2026-05-28T20:26:40.000Z",
        "role": "user",
    }
    assert (answer.status_code, body) == (200, {"token": token, "user": user})
    assert (len(user_id), len(token)) == (32, 32)
    assert answer.headers["content-type"] == JSON
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get_list("set-cookie") == [
        f"{COOKIE}={site.sign_in.sign(token)}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    ]


def test_get_session_returns_session_and_user(site: Site) -> None:
    """With the cookie, get-session returns the session and the user."""
    client = site.client(**{"user-agent": "Browser/1.0", "x-forwarded-for": "192.0.2.7"})
    signed_up = client.post("/api/auth/sign-up/email", json=ADA).json()

    answer = client.get("/api/auth/get-session?disableCookieCache=true")

    body = answer.json()
    session = {
        "id": body["session"]["id"],
        "token": signed_up["token"],
        "userId": signed_up["user"]["id"],
        "expiresAt": "2026-06-04T20:26:40.000Z",
        "createdAt": "2026-05-28T20:26:40.000Z",
        "updatedAt": "2026-05-28T20:26:40.000Z",
        "ipAddress": "192.0.2.7",
        "userAgent": "Browser/1.0",
    }
    assert body == {"session": session, "user": signed_up["user"]}
    assert (answer.status_code, list(body["user"])) == (200, FIELDS)
    assert answer.headers["cache-control"] == "no-store"


def test_get_session_without_a_cookie_is_null(site: Site) -> None:
    """Without a cookie, get-session answers 200 with the literal null."""
    answer = site.client().get("/api/auth/get-session")

    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "null", JSON)
    assert answer.headers["cache-control"] == "no-store"


def test_instants_have_milliseconds(site: Site) -> None:
    """Instants are cut to milliseconds."""
    site.clock.now = NOON + 123_987

    body = site.client().post("/api/auth/sign-up/email", json=ADA).json()

    assert body["user"]["createdAt"] == "2026-05-28T20:26:40.123Z"


def test_sign_in(site: Site) -> None:
    """A sign-in answers as Better Auth does, and starts a new session."""
    first = site.signed_up()
    client = site.client()

    answer = client.post("/api/auth/sign-in/email", json={"email": "ADA@example.com", "password": "correct horse"})

    body = answer.json()
    user = first.get("/api/auth/get-session").json()["user"]
    assert (answer.status_code, body) == (200, {"redirect": False, "token": body["token"], "user": user})
    assert answer.headers.get_list("set-cookie") == [
        f"{COOKIE}={site.sign_in.sign(body['token'])}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    ]
    assert client.get("/api/auth/get-session").json()["session"]["token"] == body["token"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["sign-up", "sign-in"])
def test_remember_me_false_ends_with_the_browser(site: Site, path: str) -> None:
    """With rememberMe false, the cookies end with the browser, and the session ends after a day."""
    if path == "sign-in":
        site.signed_up()

    answer = site.client().post(f"/api/auth/{path}/email", json={**ADA, "rememberMe": False})

    token = answer.json()["token"]
    assert answer.headers.get_list("set-cookie") == [
        f"{COOKIE}={site.sign_in.sign(token)}; Path=/; HttpOnly; SameSite=Lax",
        f"better-auth.dont_remember={site.sign_in.sign('true')}; Path=/; HttpOnly; SameSite=Lax",
    ]
    ends = {row["remember"]: row["expires_at"] for row in site.database.rows("auth_sessions")}
    assert ends[False] == NOON + DAY


def test_remember_me_true_clears_dont_remember(site: Site) -> None:
    """A later sign-in with rememberMe clears the cookie dont_remember."""
    client = site.signed_up(rememberMe=False)

    answer = client.post("/api/auth/sign-in/email", json={"email": ADA["email"], "password": ADA["password"]})

    assert answer.headers.get_list("set-cookie")[1:] == [
        "better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    ]
    assert list(client.cookies) == [COOKIE]


def test_sign_out(site: Site) -> None:
    """A sign-out clears the cookies and ends the session: a stolen cookie finds no session."""
    client = site.signed_up()
    stolen = client.cookies[COOKIE]

    answer = client.post("/api/auth/sign-out", json={})

    replayed = httpx.get(f"{site.url}/api/auth/get-session", headers={"cookie": f"{COOKIE}={stolen}"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers.get_list("set-cookie") == [
        f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
        "better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
    ]
    assert (list(client.cookies), replayed.text) == ([], "null")
    assert site.database.rows("auth_sessions") == []


def test_sign_out_without_a_session(site: Site) -> None:
    """A sign-out without a body and without a session succeeds."""
    answer = site.client().post("/api/auth/sign-out")

    assert (answer.status_code, answer.json()) == (200, {"success": True})


def test_expired_session_is_null(site: Site) -> None:
    """After seven days the cookie finds no session."""
    client = site.signed_up()
    before = client.get("/api/auth/get-session").json()
    site.clock.advance(days=7)

    after = client.get("/api/auth/get-session")

    assert before["user"]["email"] == "ada@example.com"
    assert (after.status_code, after.text) == (200, "null")


def test_find_user_in_other_routes(site: Site) -> None:
    """`find_user` returns the user of the cookie to any route, and None without a cookie."""
    client = site.signed_up()

    answers = [each.get("/whoami").json() for each in (client, site.client())]

    assert answers == [{"email": "ada@example.com"}, {"email": None}]


def test_sign_up_refuses_a_taken_email(site: Site) -> None:
    """A second sign-up with the same e-mail is 422 and sets no cookie."""
    site.signed_up()

    answer = site.client().post("/api/auth/sign-up/email", json={**ADA, "email": "ADA@example.com"})

    assert (answer.status_code, answer.json()) == (
        422,
        {"message": "User already exists. Use another email.", "code": "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"},
    )
    assert "set-cookie" not in answer.headers
    assert len(site.database.rows("auth_users")) == 1


def test_wrong_password_and_unknown_email_get_equal_answers(site: Site) -> None:
    """Both are 401 with the same bytes, and cost one verification each."""
    site.signed_up()
    attempts = [("ada@example.com", "wrong horse"), ("nobody@example.com", "correct horse")]

    answers = [
        site.client().post("/api/auth/sign-in/email", json={"email": email, "password": password})
        for email, password in attempts
    ]

    shown = [(answer.status_code, answer.content, sorted(set(answer.headers) - {"date"})) for answer in answers]
    assert shown[0] == shown[1]
    assert (answers[0].status_code, answers[0].json()) == (
        401,
        {"message": "Invalid email or password", "code": "INVALID_EMAIL_OR_PASSWORD"},
    )
    assert site.hashing.verified == 2


def test_every_sign_in_error_has_an_answer() -> None:
    """Each error that these paths can raise is mapped to a status and one of Better Auth's codes."""
    elsewhere = {errors.UserNotFoundError, errors.ApiKeyNotFoundError}

    assert set(ANSWERS) == set(errors.AuthError.__subclasses__()) - elsewhere
