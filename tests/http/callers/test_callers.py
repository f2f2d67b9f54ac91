"""Authentication before the body is read, the origin of a browser's requests, and CORS."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.http.installation import ALLOWED_ORIGIN, SITE, Installation, open_account, user_id
from tests.ledger.databases import ledger_of

CONSUME = "/api/user/credits/consume"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (CONSUME, "not-signed-in"),
        ("/api/admin/credits/grant", "not-signed-in"),
        ("/api/admin/users", "not-signed-in"),
        ("/v1/accounts", "invalid-api-key"),
        ("/v1/accounts/a/consume", "invalid-api-key"),
        ("/v1/accounts/a/holds", "invalid-api-key"),
        ("/v1/accounts/a/holds/%FF/capture", "invalid-api-key"),
        ("/v1/accounts/a/transactions/t/refund", "invalid-api-key"),
        ("/v1/accounts/a/adjust", "invalid-api-key"),
        ("/v1/accounts/a/estimate", "invalid-api-key"),
        ("/v1/accounts/a/close", "invalid-api-key"),
        ("/api/admin/accounts/%FF/close", "not-signed-in"),
        ("/v1/accounts/%FF/grants", "invalid-api-key"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_unknown_caller_is_refused_before_the_body_is_validated(
    installation: Installation, path: str, code: str, body: bytes
) -> None:
    """An unknown caller gets a 401 whatever else is wrong with the request."""
    answer = await installation.client().post(path, content=body, headers={"Idempotency-Key": ""})

    assert (answer.status_code, answer.json()["code"]) == (401, code)


async def test_body_of_an_unknown_caller_is_not_read(installation: Installation) -> None:
    """The server reads no part of the body of an unknown caller."""
    read: list[int] = []

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            read.append(1)
            yield b" " * 65_536

    answer = await installation.client().post("/v1/accounts", content=parts())

    assert (answer.status_code, read) == (401, [])


@pytest.mark.parametrize(
    "authorization",
    [
        b"Bearer",
        b"Bearer ",
        b"Bearer sixpence_short",
        b"Bearer sixpence_" + b"x" * 40,
        b"Bearer " + b"y" * 10_000,
        b"Basic c2l4cGVuY2U6",
        b"Token x",
        b"Bearer \xff\x00",
    ],
)
async def test_invalid_api_key_is_refused(installation: Installation, authorization: bytes) -> None:
    """A missing, malformed or unknown key is 401."""
    answer = await installation.client().get("/v1/catalog", headers=[(b"authorization", authorization)])

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-api-key")


async def test_session_is_not_an_api_key(ada: httpx.AsyncClient) -> None:
    """A signed-in user cannot use the endpoints for servers."""
    answer = await ada.get("/v1/catalog")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-api-key")


async def test_api_key_is_not_a_session(shop: httpx.AsyncClient) -> None:
    """A server cannot use the endpoints for users."""
    answer = await shop.get("/api/user/credits")

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "%FF.%FF", "a" * 8_000, '"'])
async def test_forged_cookie_is_refused(installation: Installation, cookie: str) -> None:
    """A cookie without a valid signature is no session."""
    client = installation.client(origin=SITE, cookie=f"better-auth.session_token={cookie}")

    answer = await client.get("/api/user/credits")

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


@pytest.mark.parametrize("origin", [SITE, "http://localhost:8000", ALLOWED_ORIGIN])
async def test_allowed_origins_may_spend(installation: Installation, ada: httpx.AsyncClient, origin: str) -> None:
    """This site, localhost and the origins of the settings are allowed."""
    answer = await ada.post(CONSUME, json={"feature": "video"}, headers={"origin": origin})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", "null", "", "http://127.0.0.1:8001", "https://127.0.0.1:8000", ALLOWED_ORIGIN + "."],
)
async def test_foreign_origins_may_not_spend(installation: Installation, ada: httpx.AsyncClient, origin: str) -> None:
    """A change with a cookie from another origin is 403 before anything else, and charges nothing."""
    await ada.get("/api/user/credits")
    before = ledger_of(installation.url, await user_id(ada))

    answer = await ada.post(CONSUME, content=b"{", headers={"origin": origin})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert ledger_of(installation.url, await user_id(ada)) == before


async def test_reads_need_no_allowed_origin(ada: httpx.AsyncClient) -> None:
    """A read is served to any origin; without CORS headers a foreign page cannot see the answer."""
    answer = await ada.get("/api/user/credits", headers={"origin": "https://evil.example.com"})

    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (200, False)


async def test_origin_of_a_server_is_ignored(shop: httpx.AsyncClient) -> None:
    """A request with an API key and no cookie is not a browser's, so its origin is not checked."""
    path = await open_account(shop, "no origin")

    answer = await shop.post(f"{path}/consume", json={"feature": "video"}, headers={"origin": "https://x.example.com"})

    assert answer.status_code == 200


async def test_cors_for_an_allowed_origin(ada: httpx.AsyncClient) -> None:
    """A page of an allowed origin may send cookies, and see the headers of a replay and a retry."""
    preflight = await ada.options(
        CONSUME,
        headers={
            "origin": ALLOWED_ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type, idempotency-key",
        },
    )
    answer = await ada.get("/api/user/credits", headers={"origin": ALLOWED_ORIGIN})

    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ALLOWED_ORIGIN)
    assert preflight.headers["access-control-allow-credentials"] == "true"
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert ("content-type" in allowed, "idempotency-key" in allowed) == (True, True)
    assert answer.headers["access-control-allow-origin"] == ALLOWED_ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-expose-headers"] == "idempotency-replayed, retry-after"


async def test_cors_for_a_foreign_origin(installation: Installation) -> None:
    """The preflight of a foreign origin is refused without CORS headers."""
    preflight = await installation.client().options(
        CONSUME, headers={"origin": "https://evil.example.com", "access-control-request-method": "POST"}
    )

    assert (preflight.status_code, "access-control-allow-origin" in preflight.headers) == (400, False)


async def test_problems_have_cors_headers(installation: Installation) -> None:
    """Without CORS headers, a page could not distinguish a 402 from a network error."""
    answer = await installation.client().get("/api/user/credits", headers={"origin": ALLOWED_ORIGIN})

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, ALLOWED_ORIGIN)
