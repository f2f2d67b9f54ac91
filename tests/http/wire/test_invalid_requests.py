"""Every invalid request gets a 4xx that names the field; nothing is changed, and no error is logged.

Not here: the cases (invalid_requests.py), and bytes that no HTTP client sends (tests/races/test_raw_requests.py).
"""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from structlog.testing import capture_logs

from tests.http.installation import PROBLEM, Installation, open_account, open_installation
from tests.http.wire.invalid_requests import (
    ACCOUNT,
    ACCOUNTS,
    ADJUST,
    BODIES,
    CANCEL,
    CAPTURE,
    CLOSE,
    CONSUME,
    ESTIMATE,
    EXCLUSIVE,
    EXTEND,
    FIELDS,
    FREEZE,
    GRANT,
    HISTORY,
    HOLD,
    IDS,
    KEYS,
    PLAN,
    QUERIES,
    REFUND,
    RELEASE,
    REQUIRED,
    UNFREEZE,
    VALID,
    VOID,
    body_with,
)
from tests.ledger.databases import snapshot, verify_clean

pytestmark = pytest.mark.slow

CHANGES = [GRANT, HOLD, CAPTURE, EXTEND, RELEASE, REFUND, VOID, ADJUST, PLAN, CANCEL, FREEZE, UNFREEZE, CLOSE]
ADMIN = [f"/api/admin/{rest}" for rest in ("credits/grant", "accounts/show", "accounts/target/adjust", "users", "keys")]


def case_id(value: object) -> str:
    """The id of a case: the beginning of what it sends."""
    return str(value)[:30]


@pytest.fixture(scope="module")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation over a SQLite file. On PostgreSQL, test_concurrent_invalid_requests.py sends the cases."""
    home = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home / 'credits.db'}"
    async with open_installation(url, home) as opened:
        yield opened
    verify_clean(url)


@pytest.fixture(scope="module")
async def shop(installation: Installation) -> httpx.AsyncClient:
    """A server, and one account, which no test may change."""
    client = await installation.server()
    await open_account(client, "target")
    (await client.post(CONSUME, json=VALID[CONSUME], headers={"Idempotency-Key": "used"})).raise_for_status()
    return client


@pytest.fixture
async def unchanged(installation: Installation, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Check after the test that every byte of the database is unchanged, and that no error was logged."""
    before = snapshot(installation.url)
    with capture_logs() as logged:
        yield
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    errors += [entry["event"] for entry in logged if entry["log_level"] in ("error", "critical")]
    assert errors == []
    assert snapshot(installation.url) == before


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("body", BODIES)
async def test_body_that_is_not_a_json_object(shop: httpx.AsyncClient, body: str) -> None:
    """A body that is not a JSON object is 400, with the reason and the remedy."""
    content, words = BODIES[body]

    answer = await shop.post(CONSUME, content=content)

    check_refusal(answer, 400, "body", words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("path", [ACCOUNTS, ESTIMATE, *CHANGES, *ADMIN])
async def test_every_endpoint_refuses_invalid_bodies_alike(
    installation: Installation, shop: httpx.AsyncClient, path: str
) -> None:
    """Each endpoint with a body refuses an empty, malformed or wrong one in the same words."""
    client = installation.local_operator() if path in ADMIN else shop

    empty, broken, listed = [await client.post(path, content=body) for body in (b"", b"{", b"[]")]

    check_refusal(empty, 400, "body", "The body is empty. Send a JSON object.")
    check_refusal(broken, 400, "body", "The body is not valid JSON: ")
    check_refusal(listed, 400, "body", "The body is not an object: []. Send a JSON object.")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("path", "field", "value", "words"), FIELDS, ids=case_id)
async def test_invalid_field(shop: httpx.AsyncClient, path: str, field: str, value: str, words: str) -> None:
    """The problem names the field, its value and the remedy."""
    answer = await shop.post(path, content=body_with(path, field, value))

    named = words.partition(":")[0] if words.startswith(f"{field}.") else field
    check_refusal(answer, answer.status_code, named if len(named) <= 60 else named[:57] + "...", words)
    assert answer.status_code in (409, 422)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("path", "field"), REQUIRED)
async def test_missing_field(shop: httpx.AsyncClient, path: str, field: str) -> None:
    """The problem names the missing field."""
    body = {name: valid for name, valid in VALID[path].items() if name != field}

    answer = await shop.post(path, json=body)

    check_refusal(answer, 422, field, f"{field}: is missing. This request takes: ")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("path", "body", "words"), EXCLUSIVE)
async def test_fields_that_exclude_each_other(
    shop: httpx.AsyncClient, path: str, body: dict[str, object], words: str
) -> None:
    """A request with two fields that exclude each other is refused."""
    answer = await shop.post(path, json=body)

    check_refusal(answer, 422, words.partition(":")[0], words)


@pytest.mark.usefixtures("unchanged")
async def test_source_key_excludes_idempotency_key(shop: httpx.AsyncClient) -> None:
    """A request has a source key or an idempotency key, not both."""
    answer = await shop.post(GRANT, json={**VALID[GRANT], "source_key": "s"}, headers={"Idempotency-Key": "k"})

    check_refusal(answer, 422, "source_key", "source_key: was sent beside an idempotency key. Send one of the two.")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (CAPTURE, 404, "hold-not-found"),
        (EXTEND, 404, "hold-not-found"),
        (RELEASE, 404, "hold-not-found"),
        (REFUND, 404, "transaction-not-found"),
        (VOID, 404, "grant-not-found"),
    ],
)
async def test_unknown_item_is_404(shop: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    """A hold, transaction or grant that does not exist in the account is 404."""
    answer = await shop.post(path, json=VALID[path])

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("rest", ["holds/a%00b/capture", "transactions/%FF/refund", "grants/%ED%A0%80/void"])
async def test_invalid_item_id(shop: httpx.AsyncClient, rest: str) -> None:
    """The problem names the field of the invalid id, such as hold_id."""
    answer = await shop.post(f"{ACCOUNT}/{rest}", json={})

    check_refusal(answer, 422, rest.split("s/")[0] + "_id", "_id: ")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("path", "field", "words"),
    [
        ("/v1/estimate", "feature", "feature: is missing. Send it: ?feature=NAME."),
        ("/v1/estimate?feature=video&units=-1", "units", "units: '-1' is not a whole number from 0 to"),
        ("/v1/estimate?feature=cinema", "feature", "feature: 'cinema' is not in the catalog."),
        ("/v1/estimate?feature=video&model=m", "model", "model: is not a parameter of this request."),
        (f"{HOLD}?limit=0", "limit", "limit: 0 is not a whole number from 1 to 200."),
        (f"{HOLD}?kind=open", "kind", "kind: is not a parameter of this request. Leave it out; known: limit."),
    ],
)
async def test_invalid_query_of_estimates_and_holds(shop: httpx.AsyncClient, path: str, field: str, words: str) -> None:
    """The problem names the invalid or unknown parameter."""
    answer = await shop.get(path)

    check_refusal(answer, 422, field, words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("path", [CONSUME, GRANT, ACCOUNTS, HOLD, ADJUST])
async def test_invalid_idempotency_key(shop: httpx.AsyncClient, path: str, key: str) -> None:
    """An empty, long, repeated or non-ASCII header is refused."""
    values, words = KEYS[key]
    headers = [*shop.headers.raw, *((b"idempotency-key", value) for value in values)]

    answer = await shop.post(path, json=VALID[path], headers=headers)

    check_refusal(answer, 422, "Idempotency-Key", words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("query", "field", "words"), QUERIES, ids=case_id)
async def test_invalid_query_of_the_history(shop: httpx.AsyncClient, query: str, field: str, words: str) -> None:
    """The problem names the parameter, its value and the remedy."""
    answer = await shop.get(f"{HISTORY}?{query}")

    check_refusal(answer, 422, field, words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("account_id", IDS)
async def test_invalid_account_id_in_a_path(shop: httpx.AsyncClient, account_id: str) -> None:
    """Every endpoint refuses an id that no account can have."""
    text, words = IDS[account_id]
    path = f"/v1/accounts/{text}"

    answers = [
        await shop.get(path),
        await shop.get(f"{path}/transactions"),
        await shop.post(f"{path}/consume", json=VALID[CONSUME]),
        await shop.post(f"{path}/grants", json=VALID[GRANT]),
        await shop.get(f"{path}/holds"),
        await shop.post(f"{path}/holds/none/capture", json={}),
        await shop.post(f"{path}/adjust", json=VALID[ADJUST]),
        await shop.post(f"{path}/freeze", json={}),
    ]

    for answer in answers:
        check_refusal(answer, 422, "account_id", words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("sized", [True, False])
async def test_body_over_the_limit(shop: httpx.AsyncClient, sized: bool) -> None:
    """A body of more than two mebibytes is 413, with and without a Content-Length."""
    body = b'{"feature": "video", "metadata": {"a": "' + b"y" * 3 * 2**20 + b'"}}'

    answer = await shop.post(CONSUME, content=body if sized else stream_chunks(body))

    check_refusal(answer, 413, "body", "The body has more than 2097152 bytes. Send less.")


async def test_user_endpoints_refuse_alike(installation: Installation) -> None:
    """The endpoints for users refuse in the same words."""
    consume, history = "/api/user/credits/consume", "/api/user/credits/history"
    ada = await installation.user()
    before = snapshot(installation.url)

    check_refusal(await ada.post(consume, json={"feature": 7}), 422, "feature", "feature: 7 is not text.")
    check_refusal(await ada.post(consume, json=[]), 400, "body", "The body is not an object: [].")
    check_refusal(
        await ada.get(history, params={"limit": "0"}), 422, "limit", "limit: 0 is not a whole number from 1 to"
    )
    check_refusal(
        await ada.post(consume, json=VALID[CONSUME], headers={"Idempotency-Key": ""}), 422, "Idempotency-Key", "empty"
    )
    assert snapshot(installation.url) == before


def check_refusal(answer: httpx.Response, status: int, field: str, words: str) -> None:
    """Check that the answer is a short problem of this status that names the field."""
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), body
    assert words in body["detail"]
    assert body.get("field", body["detail"].partition(":")[0]) in (field, field.rstrip("s"))
    assert (body["status"], len(answer.content) < 2_000) == (status, True)


async def stream_chunks(body: bytes) -> AsyncIterator[bytes]:
    """The body in parts of 64 KiB, so that its length is not known in advance."""
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]
