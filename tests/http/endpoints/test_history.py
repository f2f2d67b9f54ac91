"""Past balances, statements and explanations over HTTP: for servers, users and operators, as JSON, text and CSV."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.http.installation import PROBLEM, Installation, open_account, user_id


@pytest.fixture(scope="module")
async def path(shop: httpx.AsyncClient) -> str:
    """The path of an account with two uses and a refund; its id must be percent-encoded."""
    path = await open_account(shop, "team/7 100%")
    for feature in ("video", "sketch"):
        used = await shop.post(f"{path}/consume", json={"feature": feature})
    await shop.post(f"{path}/transactions/{used.json()['transaction_id']}/refund", json={"reason": '=1, "a" <b>'})
    return path


@pytest.fixture
async def history(shop: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """The account's transactions, oldest first."""
    page = await shop.get(f"{path}/transactions")
    return list(page.json()["transactions"][::-1])


async def test_balance_at_an_instant(shop: httpx.AsyncClient, path: str, history: list[dict[str, Any]]) -> None:
    """The balance at the instant of the first use."""
    used = history[1]

    answer = await shop.get(f"{path}/balance", params={"at": used["created_at"]})

    assert answer.json() == {
        "account_id": "team/7 100%",
        "subscription_status": "free",
        "remaining": 5,
        "total": 6,
        "held": 0,
        "version": 2,
        "at": used["created_at"],
        "transaction_id": used["id"],
        "changed_at": used["created_at"],
    }


async def test_balance_without_an_instant(shop: httpx.AsyncClient, path: str) -> None:
    """Without `at` it is the current balance."""
    answer = await shop.get(f"{path}/balance")

    assert (answer.json()["version"], answer.json()["remaining"]) == (4, 5)


async def test_statement_as_json(shop: httpx.AsyncClient, path: str, history: list[dict[str, Any]]) -> None:
    """A statement has its opening, its movements, its closing, and a proof if there is one."""
    period = {"since": history[1]["created_at"], "until": history[3]["created_at"]}

    body = (await shop.get(f"{path}/statement", params=period)).json()

    assert set(body) == {"account_id", "since", "until", "opening", "movements", "closing", "proof"}
    assert (body["account_id"], body["since"], body["until"]) == ("team/7 100%", period["since"], period["until"])
    assert (body["opening"]["version"], body["closing"]["version"]) == (1, 3)
    shared = [name for name in body["movements"][0] if name in history[0]]
    assert body["movements"] == [{name: row[name] for name in shared} for row in history[1:3]]
    assert len(shared) == len(body["movements"][0])


@pytest.mark.parametrize(
    ("form", "accept", "media_type"),
    [
        ("text", "*/*", "text/plain; charset=utf-8"),
        ("csv", "*/*", "text/csv; charset=utf-8"),
        ("json", "text/csv", "application/json"),
        (None, "text/csv", "text/csv; charset=utf-8"),
        (None, "Text/Plain;q=0.9, application/json;q=0.8", "text/plain; charset=utf-8"),
        (None, "text/html, */*", "application/json"),
    ],
)
async def test_format_of_a_statement(
    shop: httpx.AsyncClient, path: str, form: str | None, accept: str, media_type: str
) -> None:
    """The parameter `format` wins over the header Accept, and JSON is the default; no answer may be cached."""
    query = {} if form is None else {"format": form}

    answer = await shop.get(f"{path}/statement", params=query, headers={"accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["cache-control"] == "no-store"


async def test_statement_as_text_and_csv(shop: httpx.AsyncClient, path: str) -> None:
    """Both end with the closing balance, and in CSV a reason that looks like a formula is escaped."""
    text = (await shop.get(f"{path}/statement?format=text")).text
    table = (await shop.get(f"{path}/statement?format=csv")).text

    assert text.startswith("Statement of team/7 100%\n")
    assert text.endswith("0 + 5 = 5 credits, in 4 movements.\n")
    lines = table.split("\r\n")
    assert (lines[1].split(",")[2], lines[-2].split(",")[2], lines[-1]) == ("opening", "closing", "")
    assert '"\'=1, ""a"" <b>"' in lines[5]


async def test_explain_account(shop: httpx.AsyncClient, path: str) -> None:
    """The answer has the sentences and the figures."""
    body = (await shop.get(f"{path}/explain")).json()

    assert body["words"][0] == "team/7 100% has 5 credits to spend (plan free, version 4)."
    assert (body["total"], body["used"], body["by_category"]) == (6, 1, [{"category": "signup", "amount": 5}])


async def test_explain_transaction(shop: httpx.AsyncClient, path: str, history: list[dict[str, Any]]) -> None:
    """The answer has the sentences and the figures, with the later refund."""
    used, refund = history[2], history[3]

    body = (await shop.get(f"{path}/transactions/{used['id']}/explain")).json()

    assert body["words"][1] == "Rules: consume, burn-down; prices and plans of catalog version 1."
    assert body["words"][2] == "Price: 1 call x 1 credit = 1."
    assert (body["left_to_refund"], [later["id"] for later in body["since"]]) == (0, [refund["id"]])


async def test_user_reads_own_statement_and_explanation(installation: Installation) -> None:
    """A signed-in user reads the statement and the explanation of their own account."""
    ada = await installation.user("ada-looks-back@example.com")

    statement = await ada.get("/api/user/credits/statement")
    text = await ada.get("/api/user/credits/statement?format=text")
    explanation = await ada.get("/api/user/credits/explain")

    name = await user_id(ada)
    assert [move["kind"] for move in statement.json()["movements"]] == ["signup"]
    assert text.text.startswith(f"Statement of {name}\n")
    assert explanation.json()["words"][0] == f"{name} has 6 credits to spend (plan free, version 1)."


async def test_user_statement_makes_a_missing_account(ada: httpx.AsyncClient) -> None:
    """A user's first request makes the account, also when its answer is streamed."""
    text = await ada.get("/api/user/credits/statement?format=text")

    assert (text.status_code, text.text.splitlines()[-1]) == (200, "0 + 6 = 6 credits, in 1 movement.")


async def test_operator_reads_the_same(installation: Installation, path: str, history: list[dict[str, Any]]) -> None:
    """An operator has the endpoints of a server."""
    operator = installation.local_operator()
    below = path.replace("/v1/", "/api/admin/", 1)

    answers = [
        await operator.get(f"{below}/balance"),
        await operator.get(f"{below}/statement?format=csv"),
        await operator.get(f"{below}/explain"),
        await operator.get(f"{below}/transactions/{history[1]['id']}/explain"),
    ]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert answers[3].json()["id"] == history[1]["id"]


@pytest.mark.parametrize(
    ("rest", "field", "problem"),
    [
        ("balance?at=yesterday", "at", "'yesterday' is not a time. Send one like 2026-01-31T09:30:00Z."),
        ("balance?at=2026-01-31T09:30:00", "at", "2026-01-31T09:30:00 has no time zone. Add one, such as Z for UTC."),
        ("balance?since=2026-01-31", "since", "is not a parameter of this request. Leave it out; known: at."),
        ("statement?format=pdf", "format", "'pdf' is not one of json, text, csv."),
        (
            "statement?format=text&since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
            "since",
            "2026-01-02T00:00:00.000000Z is not before until, 2026-01-01T00:00:00.000000Z, which is left out. "
            "Send an earlier time.",
        ),
        (
            "statement?limit=5",
            "limit",
            "is not a parameter of this request. Leave it out; known: since, until, format.",
        ),
    ],
)
async def test_invalid_query_is_refused(
    shop: httpx.AsyncClient, path: str, rest: str, field: str, problem: str
) -> None:
    """The problem names the parameter, also when the answer would be streamed."""
    answer = await shop.get(f"{path}/{rest}")

    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"], body["code"]) == (422, PROBLEM, "invalid-input")
    assert (body["field"], body["detail"]) == (field, f"{field}: {problem}")


@pytest.mark.parametrize(("rest", "field"), [("balance?at=", "at"), ("statement?until=", "until")])
async def test_future_instant_is_refused(shop: httpx.AsyncClient, path: str, rest: str, field: str) -> None:
    """An instant after the server's clock is invalid."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    answer = await shop.get(f"{path}/{rest}{tomorrow}")

    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert "is in the future: it is " in answer.json()["detail"]


async def test_unauthorized_or_unknown(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Without a key or a session it is 401; an unknown account or transaction is 404."""
    stranger = installation.client()
    path = await open_account(shop, "team 12")

    answers = [
        await stranger.get("/v1/accounts/a/statement?format=text"),
        await stranger.get("/v1/accounts/a/explain"),
        await stranger.get("/api/user/credits/statement?since=yesterday"),
        await stranger.get("/api/user/credits/explain"),
        await stranger.get("/api/admin/accounts/a/balance"),
        await shop.get("/v1/accounts/nobody/statement?format=csv"),
        await shop.get(f"{path}/transactions/nothing/explain"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (401, "invalid-api-key"),
        (401, "invalid-api-key"),
        (401, "not-signed-in"),
        (401, "not-signed-in"),
        (401, "not-signed-in"),
        (404, "account-not-found"),
        (404, "transaction-not-found"),
    ]
