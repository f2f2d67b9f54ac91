"""The methods of `CreditIntegration`, in endpoints of Starlette and of FastAPI."""

import httpx
import pytest
from starlette.requests import Request

from sixpence.core.catalog.catalog import DEFAULT_CATALOG
from sixpence.http.wire.errors import NotSignedInError
from sixpence.integrations.starlette import ChargeResult
from sixpence.service.results.results import CreditCheck
from tests.http.installation import SITE
from tests.integrations.conftest import ChargingApp
from tests.ledger.databases import ledger_of, rows


@pytest.fixture
def request_of_ada(ada: httpx.AsyncClient) -> Request:
    """A request as an endpoint gets it, sent by Ada from a page of this site."""
    cookie = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
    headers = [(b"cookie", cookie.encode()), (b"origin", SITE.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers})


async def test_endpoint_charges_by_hand(charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str) -> None:
    """The response has the app's data and the balance after the charge; the ledger has the sent fields."""
    answer = await ada.post("/by-hand")

    assert (answer.status_code, answer.json()) == (
        200,
        {"picture": "drawn", "allowed": True, "credits_consumed": 1, "remaining": 5, "total": 6, "version": 2},
    )
    query = "SELECT feature_used, generation_id, metadata FROM credit_transactions WHERE account_id = :id AND seq = 2"
    assert rows(charging_app.url, query, {"id": account_id}) == [("sketch", "gen 1", '{"room":7}')]


async def test_endpoint_by_hand_replays_with_key(
    charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str
) -> None:
    """With a key the second response has the body of the first, and a replay header."""
    key = {"Idempotency-Key": "one"}

    first, again = await ada.post("/by-hand", headers=key), await ada.post("/by-hand", headers=key)

    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert len(ledger_of(charging_app.url, account_id)) == 2


async def test_endpoint_by_hand_without_credits_is_402(ada: httpx.AsyncClient) -> None:
    """A refusal is a result, which becomes the 402 with its offers."""
    for _ in range(6):
        await ada.post("/by-hand")

    answer = await ada.post("/by-hand")

    body = answer.json()
    assert (answer.status_code, body["code"], body["feature"], body["upgrade_url"], body["offers"]) == (
        402,
        "insufficient-credits",
        "sketch",
        "https://app.example.com/buy",
        [{"plan": "pro", "title": "Pro", "unlimited": True}],
    )


async def test_account_of_request(charging_app: ChargingApp, request_of_ada: Request, account_id: str) -> None:
    """The signed-in user's id is the account's id; a request without a session raises."""
    without_session = Request({**request_of_ada.scope, "headers": []})

    assert await charging_app.integration.account_of(request_of_ada) == account_id
    with pytest.raises(NotSignedInError):
        await charging_app.integration.account_of(without_session)


async def test_credit_status_creates_account(
    charging_app: ChargingApp, request_of_ada: Request, account_id: str
) -> None:
    """The first read creates the account."""
    status = await charging_app.integration.get_user_credit_status(request_of_ada)

    assert (status.account_id, status.remaining, status.version) == (account_id, 6, 1)


async def test_validate_charges_nothing(charging_app: ChargingApp, request_of_ada: Request) -> None:
    """A preview shows whether the user could pay, and charges nothing."""
    check = await charging_app.integration.validate_credit_usage(request_of_ada, "video")

    assert check == CreditCheck(allowed=True, feature="video", required=1, remaining=6, available=6, unlimited=False)


async def test_check_and_consume_until_credits_run_out(charging_app: ChargingApp, request_of_ada: Request) -> None:
    """A charge has a receipt; without credits it has the refusal and the offers."""
    results = [await charging_app.integration.check_and_consume_credit(request_of_ada, "video") for _ in range(7)]

    assert [result.remaining_credits for result in results] == [5, 4, 3, 2, 1, 0, 0]
    assert [result.success for result in results] == [True] * 6 + [False]
    assert results[-1] == ChargeResult(
        success=False,
        feature="video",
        remaining_credits=0,
        refusal=results[-1].refusal,
        offers=[{"plan": "pro", "title": "Pro", "unlimited": True}],
    )


async def test_update_subscription_status_records_checkout(charging_app: ChargingApp, request_of_ada: Request) -> None:
    """The change of plan has the checkout as its actor; then uses cost nothing."""
    changed = await charging_app.integration.update_subscription_status(request_of_ada, "pro", reason="paid invoice 7")
    result = await charging_app.integration.check_and_consume_credit(request_of_ada, "video")

    assert changed.transaction is not None
    assert (changed.subscription_status, changed.transaction.actor, changed.transaction.reason) == (
        "pro",
        "checkout",
        "paid invoice 7",
    )
    assert (result.success, result.remaining_credits) == (True, 6)


async def test_get_catalog(charging_app: ChargingApp) -> None:
    """An app reads the current catalog, to show its prices."""
    assert await charging_app.integration.get_catalog() == DEFAULT_CATALOG


async def test_402_response_needs_refusal(charging_app: ChargingApp, request_of_ada: Request) -> None:
    """A successful charge has no 402: the mistake raises."""
    result = await charging_app.integration.check_and_consume_credit(request_of_ada, "video")

    with pytest.raises(ValueError, match="answer with create_success_response"):
        charging_app.integration.create_insufficient_credits_response(result)
