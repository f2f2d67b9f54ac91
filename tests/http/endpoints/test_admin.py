"""The endpoints of operators, over both databases: grants that record the operator, users, API keys."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sixpence.core.values.instant import from_datetime
from tests.http.installation import OPERATOR_TOKEN, PASSWORD, SITE, Installation, user_id
from tests.ledger.databases import ledger_of, rows

GRANT = "/api/admin/credits/grant"


@pytest.fixture(scope="module")
async def olga(installation: Installation) -> httpx.AsyncClient:
    """An operator who has signed in."""
    return await installation.operator()


async def test_grant_records_the_operator(
    installation: Installation, ada: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    """A grant returns the balance after it; the ledger records the operator's e-mail and the reason."""
    account_id = await user_id(ada)
    await ada.get("/api/user/credits")

    answer = await olga.post(GRANT, json={"user_id": account_id, "amount": 20, "reason": "sorry for yesterday"})

    query = "SELECT id, detail FROM credit_transactions WHERE account_id = :id AND seq = 2"
    ((transaction_id, detail),) = rows(installation.url, query, {"id": account_id})
    body = answer.json()
    assert (answer.status_code, body) == (
        200,
        {
            "transaction_id": transaction_id,
            "account_id": account_id,
            "amount": 20,
            "reason": "sorry for yesterday",
            "remaining": 26,
            "total": 26,
            "held": 0,
            "subscription_status": "free",
            "version": 2,
            "created_at": body["created_at"],
        },
    )
    given_at = from_datetime("created_at", datetime.fromisoformat(body["created_at"]))
    assert detail == (
        f'{{"grant":{{"amount":20,"category":"admin","effective_at":{given_at}}},'
        '"actor":"olga@example.com","reason":"sorry for yesterday"}'
    )


async def test_grant_with_an_expiry(ada: httpx.AsyncClient, olga: httpx.AsyncClient) -> None:
    """A grant may have an expiry, which the user sees."""
    await ada.get("/api/user/credits")
    ends = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="microseconds")

    answer = await olga.post(
        GRANT, json={"user_id": await user_id(ada), "amount": 1, "reason": "a week", "expires_at": ends}
    )

    shown = (await ada.get("/api/user/credits")).json()
    assert (answer.status_code, shown["remaining"]) == (200, 7)
    assert datetime.fromisoformat(shown["next_expiry_at"]) == datetime.fromisoformat(ends)


async def test_double_click_grants_once(
    installation: Installation, ada: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    """Two clicks send the same key of the form, so they make one grant."""
    await ada.get("/api/user/credits")
    body = {"user_id": await user_id(ada), "amount": 20, "reason": "sorry"}
    key = {"Idempotency-Key": "form 1"}

    first = await olga.post(GRANT, json=body, headers=key)
    again = await olga.post(GRANT, json=body, headers=key)

    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert ledger_of(installation.url, await user_id(ada)) == [(1, "signup", 6, 6), (2, "grant", 20, 26)]


async def test_grant_to_an_unknown_account(olga: httpx.AsyncClient) -> None:
    """A grant to a user without an account is 404 and makes no account."""
    answer = await olga.post(GRANT, json={"user_id": "nobody", "amount": 1, "reason": "a gift"})

    assert (answer.status_code, answer.json()["code"], answer.json()["account_id"]) == (
        404,
        "account-not-found",
        "nobody",
    )


async def test_grant_with_a_past_expiry(ada: httpx.AsyncClient, olga: httpx.AsyncClient) -> None:
    """A grant that could never be spent is 422, with the field, its value and the remedy."""
    await ada.get("/api/user/credits")
    body = {"user_id": await user_id(ada), "amount": 1, "reason": "late", "expires_at": "2001-01-01T00:00:00Z"}

    answer = await olga.post(GRANT, json=body)

    assert (answer.status_code, answer.json()) == (
        422,
        {
            "type": "about:blank",
            "status": 422,
            "code": "grant-period",
            "title": "The grant could never be spent",
            "detail": "expires_at: 2001-01-01T00:00:00.000000Z has passed. Send a time to come, or none.",
            "field": "expires_at",
            "value": "2001-01-01T00:00:00.000000Z",
            "reason": "has passed. Send a time to come, or none",
        },
    )


async def test_command_line_is_recorded_as_local_operator(installation: Installation, ada: httpx.AsyncClient) -> None:
    """A grant by the command line of this machine has the actor `local operator`."""
    await ada.get("/api/user/credits")

    operator = installation.local_operator()
    await operator.post(GRANT, json={"user_id": await user_id(ada), "amount": 1, "reason": "by hand"})

    shown = (await operator.post("/api/admin/accounts/show", json={"account_id": await user_id(ada)})).json()
    page = (await ada.get("/api/user/credits/history", params={"kind": "grant"})).json()
    assert [(row["actor"], row["reason"]) for row in shown["transactions"][:1]] == [("local operator", "by hand")]
    assert [(row["actor"], row["reason"]) for row in page["transactions"]] == [(None, "by hand")]


async def test_create_user(installation: Installation, olga: httpx.AsyncClient) -> None:
    """A user that an operator made can sign in and has the signup credits."""
    body = {"email": "Bob@example.com", "name": "Bob", "password": PASSWORD}

    made = await olga.post("/api/admin/users", json=body)

    bob = installation.client(origin=SITE)
    await bob.post("/api/auth/sign-in/email", json={"email": "bob@example.com", "password": PASSWORD})
    assert (made.status_code, made.json()) == (
        201,
        {"id": await user_id(bob), "email": "bob@example.com", "name": "Bob", "role": "user"},
    )
    assert (await bob.get("/api/user/credits")).json()["remaining"] == 6


async def test_create_key_shows_it_once(installation: Installation, olga: httpx.AsyncClient) -> None:
    """The answer has the text of the new key, which is valid; the database has only its hash."""
    made = await olga.post("/api/admin/keys", json={"name": "worker"})

    body = made.json()
    catalog = await installation.client(authorization=f"bearer {body['key']}").get("/v1/catalog")
    stored = rows(installation.url, "SELECT * FROM auth_api_keys WHERE name = 'worker'")
    assert (made.status_code, list(body), body["name"], catalog.status_code) == (
        201,
        ["id", "name", "key"],
        "worker",
        200,
    )
    assert (len(stored), body["key"] in str(stored)) == (1, False)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (GRANT, {"user_id": "u", "amount": 1, "reason": "mine"}),
        ("/api/admin/accounts/show", {"account_id": "u"}),
        ("/api/admin/accounts/u/adjust", {"amount": 1, "reason": "mine"}),
        ("/api/admin/accounts/u/transactions/t/refund", {}),
        ("/api/admin/accounts/u/grants/g/void", {}),
        ("/api/admin/accounts/u/plan", {"plan": "pro"}),
        ("/api/admin/accounts/u/close", {}),
        ("/api/admin/accounts/u/holds", {"feature": "video"}),
        ("/api/admin/users", {"email": "eve@example.com", "name": "Eve", "password": PASSWORD, "role": "admin"}),
        ("/api/admin/keys", {"name": "mine"}),
    ],
)
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 403, "forbidden"),
        ({"cookie": ""}, 401, "not-signed-in"),
        ({"cookie": "", "authorization": "Bearer wrong"}, 401, "not-signed-in"),
        ({"cookie": "", "authorization": f"Basic {OPERATOR_TOKEN}"}, 401, "not-signed-in"),
        ({"cookie": "", "authorization": "Bearer "}, 401, "not-signed-in"),
        ({"cookie": "", "authorization": b"Bearer \xff"}, 401, "not-signed-in"),
    ],
)
async def test_non_operators_are_refused(
    installation: Installation,
    ada: httpx.AsyncClient,
    path: str,
    body: dict[str, object],
    headers: dict[str, str | bytes],
    status: int,
    code: str,
) -> None:
    """Non-operators get 403; missing or invalid credentials get 401. Nothing is changed."""
    before = count_rows(installation)

    answer = await ada.post(path, json=body, headers=headers)  # type: ignore[arg-type]

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert count_rows(installation) == before


async def test_api_key_is_not_an_operator(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A server cannot use the endpoints for operators."""
    answer = await shop.post("/api/admin/keys", json={"name": "another"})

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


def count_rows(installation: Installation) -> list[tuple[object, ...]]:
    """The number of users, keys, transactions and accounts."""
    return [
        rows(installation.url, f"SELECT count(*) FROM {table}")[0]
        for table in ("auth_users", "auth_api_keys", "credit_transactions", "credit_accounts")
    ]
