"""Invalid bodies of the sign-in are refused with a code and the field's name, and change nothing."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.auth.site import ADA, Site, running_site

pytestmark = pytest.mark.slow

JSON = {"content-type": "application/json"}
SIGN_IN = {"email": ADA["email"], "password": ADA["password"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running site with nobody signed up, for all tests of this module."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.mark.parametrize("path", ["sign-up/email", "sign-in/email"])
@pytest.mark.parametrize(
    ("body", "status", "code", "prefix"),
    [
        (b"", 400, "BAD_REQUEST", "[body]"),
        (b"{bro", 400, "BAD_REQUEST", "[body]"),
        (b'{"email": "ada@example.com", "password": "correct horse', 400, "BAD_REQUEST", "[body]"),
        (b'{"email": "\xff"}', 400, "BAD_REQUEST", "[body]"),
        (b'{"email": "\xed\xa0\x80"}', 400, "BAD_REQUEST", "[body]"),
        (b'{"email": "\\ud800"}', 400, "BAD_REQUEST", "[body]"),
        (b'{"email": NaN}', 400, "BAD_REQUEST", "[body]"),
        (b'{"email": 1e999}', 400, "BAD_REQUEST", "[body]"),
        (b"[" * 60_000, 400, "BAD_REQUEST", "[body]"),
        (b"1" * 5_000, 400, "BAD_REQUEST", "[body]"),
        (b"null", 400, "VALIDATION_ERROR", "[body]"),
        (b"true", 400, "VALIDATION_ERROR", "[body]"),
        (b'"text"', 400, "VALIDATION_ERROR", "[body]"),
        (b"[]", 400, "VALIDATION_ERROR", "[body]"),
        (b'[{"email": "ada@example.com"}]', 400, "VALIDATION_ERROR", "[body]"),
        (b'"' + b"x" * 65_536 + b'"', 413, "PAYLOAD_TOO_LARGE", "[body]"),
        (b'"' + b"x" * 2_000_000 + b'"', 413, "PAYLOAD_TOO_LARGE", "[body]"),
    ],
    ids=str,
)
def test_body_that_is_not_a_json_object(
    site: Site, path: str, body: bytes, status: int, code: str, prefix: str
) -> None:
    """A body that is malformed, too large or not a JSON object is a 4xx."""
    answer = httpx.post(f"{site.url}/api/auth/{path}", content=body, headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"].startswith(prefix)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"email": 3}, "[body.email] Invalid input: expected string, received number"),
        ({"email": None}, "[body.email] Invalid input: expected string, received null"),
        ({"email": ["ada@example.com"]}, "[body.email] Invalid input: expected string, received array"),
        ({"email": {"$ne": ""}}, "[body.email] Invalid input: expected string, received object"),
        ({"password": True}, "[body.password] Invalid input: expected string, received boolean"),
        ({"password": 12345678.5}, "[body.password] Invalid input: expected string, received number"),
        ({"rememberMe": "false"}, "[body.rememberMe] Invalid input: expected boolean, received string"),
        ({"rememberMe": 0}, "[body.rememberMe] Invalid input: expected boolean, received number"),
        ({"rememberMe": None}, "[body.rememberMe] Invalid input: expected boolean, received null"),
    ],
)
@pytest.mark.parametrize("path", ["sign-up/email", "sign-in/email"])
def test_field_of_a_wrong_type(site: Site, path: str, change: dict[str, object], message: str) -> None:
    """A field of a wrong type is 400 and named, in Better Auth's words."""
    answer = httpx.post(f"{site.url}/api/auth/{path}", json={**ADA, **change})

    assert (answer.status_code, answer.json()) == (400, {"message": message, "code": "VALIDATION_ERROR"})


def test_all_invalid_fields_are_named_together(site: Site) -> None:
    """Missing and wrong fields are named in one answer."""
    answer = httpx.post(f"{site.url}/api/auth/sign-up/email", json={"name": 3, "password": True})

    assert answer.json()["message"] == (
        "[body.name] Invalid input: expected string, received number; "
        "[body.email] Invalid input: expected string, received undefined; "
        "[body.password] Invalid input: expected string, received boolean"
    )


@pytest.mark.parametrize(
    ("change", "code", "start"),
    [
        ({"email": "ada"}, "VALIDATION_ERROR", "[body.email] Invalid email address"),
        ({"email": "x" * 10_000 + "@example.com"}, "VALIDATION_ERROR", "[body.email] Invalid email address"),
        ({"email": "a\0da@example.com"}, "VALIDATION_ERROR", "[body.email] Invalid email address"),
        ({"name": ""}, "VALIDATION_ERROR", "[body.name] Invalid name"),
        ({"name": "x" * 201}, "VALIDATION_ERROR", "[body.name] Invalid name"),
        ({"name": "A\0da"}, "VALIDATION_ERROR", "[body.name] Invalid name"),
        ({"password": ""}, "PASSWORD_TOO_SHORT", "Password too short"),
        ({"password": "1234567"}, "PASSWORD_TOO_SHORT", "Password too short"),
        ({"password": "x" * 129}, "PASSWORD_TOO_LONG", "Password too long"),
    ],
)
def test_sign_up_refuses_invalid_fields(site: Site, change: dict[str, str], code: str, start: str) -> None:
    """A sign-up with an invalid e-mail, name or password is 400, and makes no user."""
    answer = httpx.post(f"{site.url}/api/auth/sign-up/email", json={**ADA, **change})

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"].startswith(start)
    assert site.database.rows("auth_users") == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "ada"}, "INVALID_EMAIL"),
        ({"email": ""}, "INVALID_EMAIL"),
        ({"password": "x" * 129}, "PASSWORD_TOO_LONG"),
    ],
)
def test_sign_in_refuses_invalid_fields(site: Site, change: dict[str, str], code: str) -> None:
    """A sign-in with them gets Better Auth's codes; no password is verified and no attempt recorded."""
    answer = httpx.post(f"{site.url}/api/auth/sign-in/email", json={**SIGN_IN, **change})

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (site.hashing.verified, site.database.rows("auth_sign_ins")) == (0, [])


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_other_content_types_are_refused(site: Site, kind: str) -> None:
    """A body of another type is 415. A form on another site cannot send JSON without a CORS preflight."""
    answer = httpx.post(f"{site.url}/api/auth/sign-up/email", content=json.dumps(ADA), headers={"content-type": kind})

    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert site.database.rows("auth_users") == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"[]", 400, "VALIDATION_ERROR"), (b"{", 400, "BAD_REQUEST"), (b" " * 65_537, 413, "PAYLOAD_TOO_LARGE")],
)
def test_sign_out_refuses_an_invalid_body(site: Site, body: bytes, status: int, code: str) -> None:
    """A sign-out needs no body, but an invalid one is refused."""
    answer = httpx.post(f"{site.url}/api/auth/sign-out", content=body, headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
