"""Problem documents: every error has a status, each status has an example, and a 500 has no details.

Not here: 429 (tests/http/endpoints/test_plans.py, tests/http/sign_in/test_abuse.py).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

import sixpence.auth.errors as auth_errors
from sixpence.core.errors import CreditSystemError, DatabaseSetupError, InternalError, QueueFullError
from sixpence.http.wire.problems import STATUSES, of_error
from tests.http.installation import PROBLEM, SITE, Installation, open_account, open_installation
from tests.ledger.databases import rows, run

SECRET = "postgresql://boss:hunter2@db.example.com"


def test_every_error_has_a_status() -> None:
    """The table has exactly the codes of the tree's leaves, the sign-in's included."""
    assert issubclass(auth_errors.AuthError, CreditSystemError)

    codes = [leaf.code for leaf in leaves(CreditSystemError)]

    assert len(codes) == len(set(codes))
    assert set(codes) == set(STATUSES)


async def test_402_insufficient_credits(shop: httpx.AsyncClient) -> None:
    """The facts, the upgrade URL and the offers are at the top level."""
    path = await open_account(shop, "spent")
    for _ in range(6):
        await shop.post(f"{path}/consume", json={"feature": "video"})

    answer = await shop.post(f"{path}/consume", json={"feature": "video"})

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (
        402,
        PROBLEM,
        {
            "type": "about:blank",
            "status": 402,
            "code": "insufficient-credits",
            "title": "Not enough credits",
            "detail": "Not enough credits: 'video' costs 1 and 0 can be spent on it. "
            "Top up or change the plan, then send the same request again.",
            "feature": "video",
            "required": 1,
            "remaining": 0,
            "available": 0,
            "shortfall": 1,
            "held": 0,
            "scheduled": 0,
            "next_allowance_at": None,
            "upgrade_url": "/upgrade",
            "offers": [{"plan": "pro", "title": "Pro", "unlimited": True}],
        },
    )


async def test_402_when_credits_are_for_other_features(shop: httpx.AsyncClient) -> None:
    """The remaining credits and those that this feature may spend are two fields."""
    path = await open_account(shop, "only sketches")
    for _ in range(6):
        await shop.post(f"{path}/consume", json={"feature": "video"})
    await shop.post(f"{path}/grants", json={"amount": 4, "reason": "a workshop", "features": ["sketch"]})

    refused = (await shop.post(f"{path}/consume", json={"feature": "video"})).json()

    facts = {name: refused[name] for name in ("required", "remaining", "available", "shortfall")}
    assert facts == {"required": 1, "remaining": 4, "available": 0, "shortfall": 1}


async def test_400_malformed_body(shop: httpx.AsyncClient) -> None:
    """A body that is not JSON."""
    path = await open_account(shop, "malformed")

    answer = await shop.post(f"{path}/consume", content=b'{"feature": "video"')

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (
        400,
        PROBLEM,
        {
            "type": "about:blank",
            "status": 400,
            "code": "malformed-body",
            "title": "The body cannot be read",
            "detail": "The body is not valid JSON: Expecting ',' delimiter, line 1, column 20. "
            "Send a JSON object in UTF-8.",
            "field": "body",
        },
    )


async def test_401_not_signed_in(installation: Installation) -> None:
    """A request without a session."""
    answer = await installation.client(origin=SITE).get("/api/user/credits")

    assert (answer.status_code, answer.json()) == (
        401,
        {
            "type": "about:blank",
            "status": 401,
            "code": "not-signed-in",
            "title": "Not signed in",
            "detail": "Sign in first: POST /api/auth/sign-in/email.",
        },
    )


async def test_401_invalid_api_key(installation: Installation) -> None:
    """A request without an API key."""
    answer = await installation.client().get("/v1/accounts/x")

    assert (answer.status_code, answer.headers["www-authenticate"], answer.json()) == (
        401,
        "Bearer",
        {
            "type": "about:blank",
            "status": 401,
            "code": "invalid-api-key",
            "title": "No valid API key",
            "detail": "Send an API key as 'Authorization: Bearer KEY'. Make one: sixpence key create.",
        },
    )


async def test_403_forbidden(ada: httpx.AsyncClient) -> None:
    """A user calls an endpoint for operators."""
    answer = await ada.post("/api/admin/credits/grant", json={})

    assert (answer.status_code, answer.json()) == (
        403,
        {
            "type": "about:blank",
            "status": 403,
            "code": "forbidden",
            "title": "Not allowed",
            "detail": "This needs an operator. Ask one, or sign in as one.",
        },
    )


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1", "/v1/accounts/a/b/c", "/v1/accounts//consume", "/%2e%2e/v1"])
async def test_404_not_found(installation: Installation, path: str) -> None:
    """An unknown path."""
    answer = await installation.client().get(path)

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (
        404,
        PROBLEM,
        {
            "type": "about:blank",
            "status": 404,
            "code": "not-found",
            "title": "Not Found",
            "detail": "There is nothing here.",
        },
    )


async def test_405_method_not_allowed(installation: Installation) -> None:
    """A method that the path does not support."""
    answer = await installation.client().delete("/v1/accounts/a/consume")

    assert (answer.status_code, answer.headers["allow"], answer.json()) == (
        405,
        "POST",
        {
            "type": "about:blank",
            "status": 405,
            "code": "method-not-allowed",
            "title": "Method Not Allowed",
            "detail": "DELETE is not possible here.",
        },
    )


async def test_413_body_too_large(shop: httpx.AsyncClient) -> None:
    """A body over the limit of two mebibytes."""
    path = await open_account(shop, "large")

    answer = await shop.post(f"{path}/consume", content=b" " * (2 * 1024 * 1024 + 1))

    assert (answer.status_code, answer.json()) == (
        413,
        {
            "type": "about:blank",
            "status": 413,
            "code": "body-too-large",
            "title": "The body is too large",
            "detail": "The body has more than 2097152 bytes. Send less.",
            "field": "body",
        },
    )


async def test_422_invalid_input(shop: httpx.AsyncClient) -> None:
    """An invalid field: the problem has its name, its value and the remedy."""
    path = await open_account(shop, "field")

    answer = await shop.post(f"{path}/grants", json={"amount": True, "reason": "a gift"})

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (
        422,
        PROBLEM,
        {
            "type": "about:blank",
            "status": 422,
            "code": "invalid-input",
            "title": "A field is not valid",
            "detail": "amount: true is not a whole number. Send one like 5, without quotes, point or exponent.",
            "field": "amount",
            "problem": "true is not a whole number. Send one like 5, without quotes, point or exponent.",
        },
    )


async def test_503_overloaded(sqlite_url: str, tmp_path: Path) -> None:
    """With a full queue, some requests are refused at once with Retry-After; the others are served."""
    async with open_installation(sqlite_url, tmp_path, queue_size_max=1, batch_size_max=1) as installation:
        shop = await installation.server()
        path = await open_account(shop, "overload")

        answers = await asyncio.gather(*(shop.post(f"{path}/consume", json={"feature": "video"}) for _ in range(100)))

    refused = [answer for answer in answers if answer.status_code == 503]
    assert {(answer.headers["retry-after"], answer.headers["content-type"]) for answer in refused} == {("1", PROBLEM)}
    assert refused[0].json() == {
        "type": "about:blank",
        "status": 503,
        "code": "overloaded",
        "title": "Too many requests are waiting",
        "detail": "Too many requests are waiting. Nothing was changed; try again in 1 s.",
        "retry_after_seconds": 1,
    }
    served = sum(answer.status_code == 200 for answer in answers)
    query = "SELECT count(*) FROM credit_transactions WHERE kind = 'consume'"
    assert rows(sqlite_url, query) == [(served,)]


async def test_500_unexpected_error(broken_installation: Installation) -> None:
    """An unexpected exception is a 500 without any of its details."""
    with capture_logs() as logged:
        answer = await broken_installation.client().get("/broken")

    assert [(entry["event"], entry["path"], str(entry["exc_info"])) for entry in logged] == [
        ("a request failed", "/broken", f"cannot connect to {SECRET}")
    ]
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (500, PROBLEM, internal_error())


async def test_500_unreadable_account(own_installation: Installation) -> None:
    """An account whose row was tampered with is a 500 without details; other accounts are served."""
    shop = await own_installation.server()
    broken, sound = await open_account(shop, "broken"), await open_account(shop, "sound")
    run(own_installation.url, "UPDATE credit_accounts SET live = :text WHERE account_id = 'broken'", {"text": SECRET})

    with capture_logs():
        answers = [
            await shop.get(broken),
            await shop.get(f"{broken}/transactions"),
            await shop.post(f"{broken}/consume", json={"feature": "video"}),
            await shop.post(f"{broken}/grants", json={"amount": 1, "reason": "a gift"}),
            await shop.post("/v1/accounts", json={"account_id": "broken"}),
        ]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(500, internal_error())] * 5
    assert (await shop.post(f"{sound}/consume", json={"feature": "video"})).status_code == 200
    for table in ("credit_transactions", "credit_accounts"):
        run(own_installation.url, f"DELETE FROM {table} WHERE account_id = 'broken'")


async def test_503_database_setup_shows_details_only_in_the_log(postgres_url: str, tmp_path: Path) -> None:
    """On an old schema every request is 503; the operator's remedy is in the log and not in the answer."""
    async with open_installation(postgres_url, tmp_path) as installation:
        answer = await installation.client().get("/readyz")

    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (
        503,
        "60",
        {
            "type": "about:blank",
            "status": 503,
            "code": "database-setup",
            "title": "The database cannot be used as it is",
            "detail": "The database has to be set up first. Nothing was changed; the server's log says what to do.",
        },
    )


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (QueueFullError(7), "7"),
        (auth_errors.TooManySignInsError(30), "30"),
        (InternalError(), None),
        (DatabaseSetupError("a", "b"), None),
    ],
)
def test_retry_after(error: CreditSystemError, retry_after: str | None) -> None:
    """Temporary errors have the header Retry-After; others do not."""
    answer = of_error(error)

    assert answer.headers.get("retry-after") == retry_after
    assert json.loads(bytes(answer.body))["code"] == error.code


@pytest.fixture
async def broken_installation(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation with a further route, which fails with a secret in its message."""

    async def broken(_request: Request) -> Response:
        raise RuntimeError(f"cannot connect to {SECRET}")

    async with open_installation(sqlite_url, tmp_path, routes=lambda _: [Route("/broken", broken)]) as installation:
        yield installation


def internal_error() -> dict[str, object]:
    """The body of every 500."""
    return {
        "type": "about:blank",
        "status": 500,
        "code": "internal-error",
        "title": "Something went wrong on our side",
        "detail": "Something went wrong on our side. The request had no effect. "
        "Send it again, and report it if it repeats.",
    }


def leaves(kind: type[CreditSystemError]) -> Iterator[type[CreditSystemError]]:
    """The classes below this one that have no subclass."""
    children = kind.__subclasses__()
    for child in children:
        yield from leaves(child)
    if not children:
        yield kind
