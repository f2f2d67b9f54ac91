"""What people and programs send by mistake: a 4xx that names the field, with nothing changed and nothing logged.

Not here: the cases (bad_input.py), and what passes through no HTTP client (tests/races/test_raw_requests.py).
"""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from structlog.testing import capture_logs

from tests.http.house import PROBLEM, House, open_account, opened_house
from tests.http.wire.bad_input import (
    ACCOUNT,
    ADJUST,
    BODIES,
    CANCEL,
    CAPTURE,
    CLOSE,
    ESTIMATE,
    EXTEND,
    FIELDS,
    FREEZE,
    GOOD,
    GRANT,
    HISTORY,
    HOLD,
    IDS,
    KEYS,
    NEEDED,
    NEW,
    PLAN,
    QUERIES,
    REFUND,
    RELEASE,
    TOGETHER,
    UNFREEZE,
    USE,
    VOID,
    body_with,
)
from tests.ledger.databases import proved, snapshot

CHANGES = [GRANT, HOLD, CAPTURE, EXTEND, RELEASE, REFUND, VOID, ADJUST, PLAN, CANCEL, FREEZE, UNFREEZE, CLOSE]
ADMIN = [f"/api/admin/{rest}" for rest in ("credits/grant", "accounts/show", "accounts/target/adjust", "users", "keys")]


def short(value: object) -> str:
    """A case's name: what it sends, of what is long only the beginning."""
    return str(value)[:30]


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """An installation over a SQLite file for this module; PostgreSQL meets the cases in test_bad_input_at_once.py."""
    home = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home / 'credits.db'}"
    async with opened_house(url, home) as opened:
        yield opened
    proved(url)


@pytest.fixture(scope="module")
async def shop(house: House) -> httpx.AsyncClient:
    """A server, and one account that nothing here may change."""
    client = await house.server()
    await open_account(client, "target")
    (await client.post(USE, json=GOOD[USE], headers={"Idempotency-Key": "used"})).raise_for_status()
    return client


@pytest.fixture
async def unchanged(house: House, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Whatever the test does, every byte of the database is as before, and nothing was logged as an error."""
    before = snapshot(house.url)
    with capture_logs() as logged:
        yield
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    errors += [entry["event"] for entry in logged if entry["log_level"] in ("error", "critical")]
    assert errors == []
    assert snapshot(house.url) == before


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("body", BODIES)
async def test_a_body_that_is_no_object(shop: httpx.AsyncClient, body: str) -> None:
    """What is no JSON object is 400, says why, and what to send."""
    content, words = BODIES[body]

    answer = await shop.post(USE, content=content)

    refused(answer, 400, "body", words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("path", [NEW, ESTIMATE, *CHANGES, *ADMIN])
async def test_every_endpoint_reads_alike(house: House, shop: httpx.AsyncClient, path: str) -> None:
    """Each endpoint with a body refuses what is no object, in the same words."""
    client = house.local_operator() if path in ADMIN else shop

    empty, broken, listed = [await client.post(path, content=body) for body in (b"", b"{", b"[]")]

    refused(empty, 400, "body", "The body is empty. Send a JSON object.")
    refused(broken, 400, "body", "The body is not valid JSON: ")
    refused(listed, 400, "body", "The body is not an object: []. Send a JSON object.")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("path", "field", "value", "words"), FIELDS, ids=short)
async def test_a_field_that_is_wrong(shop: httpx.AsyncClient, path: str, field: str, value: str, words: str) -> None:
    """A field that cannot be accepted is named with its value and with what to send."""
    answer = await shop.post(path, content=body_with(path, field, value))

    named = words.partition(":")[0] if words.startswith(f"{field}.") else field
    refused(answer, answer.status_code, named if len(named) <= 60 else named[:57] + "...", words)
    assert answer.status_code in (409, 422)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("path", "field"), NEEDED)
async def test_a_field_that_is_missing(shop: httpx.AsyncClient, path: str, field: str) -> None:
    """A field that a request cannot do without is named."""
    body = {name: good for name, good in GOOD[path].items() if name != field}

    answer = await shop.post(path, json=body)

    refused(answer, 422, field, f"{field}: is missing. This request takes: ")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("path", "body", "words"), TOGETHER)
async def test_fields_that_exclude_each_other(
    shop: httpx.AsyncClient, path: str, body: dict[str, object], words: str
) -> None:
    """Which of two counts would be a guess: both are refused."""
    answer = await shop.post(path, json=body)

    refused(answer, 422, words.partition(":")[0], words)


@pytest.mark.usefixtures("unchanged")
async def test_a_source_key_and_an_idempotency_key(shop: httpx.AsyncClient) -> None:
    """Each names a change, so only one is sent."""
    answer = await shop.post(GRANT, json={**GOOD[GRANT], "source_key": "s"}, headers={"Idempotency-Key": "k"})

    refused(answer, 422, "source_key", "source_key: was sent beside an idempotency key. Send one of the two.")


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
async def test_what_is_not_there(shop: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    """A hold, transaction or grant that the account does not have is 404."""
    answer = await shop.post(path, json=GOOD[path])

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("rest", ["holds/a%00b/capture", "transactions/%FF/refund", "grants/%ED%A0%80/void"])
async def test_an_id_of_something_that_is_wrong(shop: httpx.AsyncClient, rest: str) -> None:
    """What no id can be is named as the id of what it would be."""
    answer = await shop.post(f"{ACCOUNT}/{rest}", json={})

    refused(answer, 422, rest.split("s/")[0] + "_id", "_id: ")


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
async def test_another_query_that_is_wrong(shop: httpx.AsyncClient, path: str, field: str, words: str) -> None:
    """Each list and estimate names the parameter that it cannot take."""
    answer = await shop.get(path)

    refused(answer, 422, field, words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("path", [USE, GRANT, NEW, HOLD, ADJUST])
async def test_a_key_that_is_wrong(shop: httpx.AsyncClient, path: str, key: str) -> None:
    """A header that names no change, or could name two, is refused."""
    values, words = KEYS[key]
    headers = [*shop.headers.raw, *((b"idempotency-key", value) for value in values)]

    answer = await shop.post(path, json=GOOD[path], headers=headers)

    refused(answer, 422, "Idempotency-Key", words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("query", "field", "words"), QUERIES, ids=short)
async def test_a_query_that_is_wrong(shop: httpx.AsyncClient, query: str, field: str, words: str) -> None:
    """A parameter that cannot be accepted is named with its value and with what to send."""
    answer = await shop.get(f"{HISTORY}?{query}")

    refused(answer, 422, field, words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("account_id", IDS)
async def test_an_id_that_is_wrong(shop: httpx.AsyncClient, account_id: str) -> None:
    """An id in a path that no account can have is refused everywhere."""
    text, words = IDS[account_id]
    path = f"/v1/accounts/{text}"

    answers = [
        await shop.get(path),
        await shop.get(f"{path}/transactions"),
        await shop.post(f"{path}/consume", json=GOOD[USE]),
        await shop.post(f"{path}/grants", json=GOOD[GRANT]),
        await shop.get(f"{path}/holds"),
        await shop.post(f"{path}/holds/none/capture", json={}),
        await shop.post(f"{path}/adjust", json=GOOD[ADJUST]),
        await shop.post(f"{path}/freeze", json={}),
    ]

    for answer in answers:
        refused(answer, 422, "account_id", words)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("sized", [True, False])
async def test_a_body_over_the_limit(shop: httpx.AsyncClient, sized: bool) -> None:
    """A body of more than two megabytes is 413, whether or not its length was told."""
    body = b'{"feature": "video", "metadata": {"a": "' + b"y" * 3 * 2**20 + b'"}}'

    answer = await shop.post(USE, content=body if sized else chunks(body))

    refused(answer, 413, "body", "The body has more than 2097152 bytes. Send less.")


async def test_a_user_is_told_the_same(house: House) -> None:
    """The user's own endpoints refuse in the same words."""
    consume, history = "/api/user/credits/consume", "/api/user/credits/history"
    ada = await house.user()
    before = snapshot(house.url)

    refused(await ada.post(consume, json={"feature": 7}), 422, "feature", "feature: 7 is not text.")
    refused(await ada.post(consume, json=[]), 400, "body", "The body is not an object: [].")
    refused(await ada.get(history, params={"limit": "0"}), 422, "limit", "limit: 0 is not a whole number from 1 to")
    refused(await ada.post(consume, json=GOOD[USE], headers={"Idempotency-Key": ""}), 422, "Idempotency-Key", "empty")
    assert snapshot(house.url) == before


def refused(answer: httpx.Response, status: int, field: str, words: str) -> None:
    """The answer is a problem of this status that names the field, and it is short, whatever was sent."""
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), body
    assert words in body["detail"]
    assert body.get("field", body["detail"].partition(":")[0]) in (field, field.rstrip("s"))
    assert (body["status"], len(answer.content) < 2_000) == (status, True)


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    """The body in parts of 64 KB, without a word of how many come."""
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]
