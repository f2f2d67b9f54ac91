"""Who is calling: checked before the body, the origin of what a browser sends, and CORS."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.http.house import FRONT, SITE, House, open_account, user_id
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
async def test_the_caller_comes_before_the_body(house: House, path: str, code: str, body: bytes) -> None:
    """Whoever is unknown learns nothing about what is wrong with the request."""
    answer = await house.client().post(path, content=body, headers={"Idempotency-Key": ""})

    assert (answer.status_code, answer.json()["code"]) == (401, code)


async def test_a_body_is_not_read_before_the_caller_is_known(house: House) -> None:
    """Of what an unknown caller sends nothing is taken in."""
    taken: list[int] = []

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            taken.append(1)
            yield b" " * 65_536

    answer = await house.client().post("/v1/accounts", content=parts())

    assert (answer.status_code, taken) == (401, [])


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
async def test_a_key_that_is_none(house: House, authorization: bytes) -> None:
    """A key that is missing, of another shape or unknown is 401."""
    answer = await house.client().get("/v1/catalog", headers=[(b"authorization", authorization)])

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-api-key")


async def test_a_session_is_no_key(ada: httpx.AsyncClient) -> None:
    """A signed-in user does not open a server's door."""
    answer = await ada.get("/v1/catalog")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-api-key")


async def test_a_key_is_no_session(shop: httpx.AsyncClient) -> None:
    """A server's key does not open a user's door."""
    answer = await shop.get("/api/user/credits")

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "%FF.%FF", "a" * 8_000, '"'])
async def test_a_cookie_that_nobody_signed(house: House, cookie: str) -> None:
    """A forged cookie is nobody's."""
    client = house.client(origin=SITE, cookie=f"better-auth.session_token={cookie}")

    answer = await client.get("/api/user/credits")

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


@pytest.mark.parametrize("origin", [SITE, "http://localhost:8000", FRONT])
async def test_pages_that_may_spend(house: House, ada: httpx.AsyncClient, origin: str) -> None:
    """This site under both its names, and the origins of the settings."""
    answer = await ada.post(CONSUME, json={"feature": "video"}, headers={"origin": origin})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "null", "", "http://127.0.0.1:8001", "https://127.0.0.1:8000", FRONT + "."]
)
async def test_pages_that_may_not_spend(house: House, ada: httpx.AsyncClient, origin: str) -> None:
    """A change with a cookie from another page is 403 before anything else, and charges nothing."""
    await ada.get("/api/user/credits")
    before = ledger_of(house.url, await user_id(ada))

    answer = await ada.post(CONSUME, content=b"{", headers={"origin": origin})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert ledger_of(house.url, await user_id(ada)) == before


async def test_reading_needs_no_origin(ada: httpx.AsyncClient) -> None:
    """A read changes nothing, so it is served; without CORS a foreign page cannot see the answer."""
    answer = await ada.get("/api/user/credits", headers={"origin": "https://evil.example.com"})

    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (200, False)


async def test_a_server_has_no_origin(shop: httpx.AsyncClient) -> None:
    """A server with a key and no cookie is not a browser: its origin does not matter."""
    path = await open_account(shop, "no origin")

    answer = await shop.post(f"{path}/consume", json={"feature": "video"}, headers={"origin": "https://x.example.com"})

    assert answer.status_code == 200


async def test_cors_for_a_page_of_ours(ada: httpx.AsyncClient) -> None:
    """A page of the settings' origins may send cookies, and see a replay and when to come again."""
    asked = await ada.options(
        CONSUME,
        headers={
            "origin": FRONT,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type, idempotency-key",
        },
    )
    answer = await ada.get("/api/user/credits", headers={"origin": FRONT})

    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, FRONT)
    assert asked.headers["access-control-allow-credentials"] == "true"
    allowed = asked.headers["access-control-allow-headers"].lower()
    assert ("content-type" in allowed, "idempotency-key" in allowed) == (True, True)
    assert answer.headers["access-control-allow-origin"] == FRONT
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-expose-headers"] == "idempotency-replayed, retry-after"


async def test_cors_for_another_page(house: House) -> None:
    """Another page is not even told what it could ask."""
    asked = await house.client().options(
        CONSUME, headers={"origin": "https://evil.example.com", "access-control-request-method": "POST"}
    )

    assert (asked.status_code, "access-control-allow-origin" in asked.headers) == (400, False)


async def test_a_refusal_can_be_read_by_a_page_of_ours(house: House) -> None:
    """Problems carry CORS headers, too, or a page could not tell 402 from a broken network."""
    answer = await house.client().get("/api/user/credits", headers={"origin": FRONT})

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, FRONT)
