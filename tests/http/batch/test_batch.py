"""`POST /v1/batch` over both databases: order, streaming, keys, revoked API keys and content types."""

import asyncio

import httpx
import pytest

from tests.http.batch.batch_client import (
    NDJSON,
    PATH,
    Line,
    consume_line,
    open_funded_account,
    open_stream,
    send_batch,
    to_ndjson,
)
from tests.http.installation import PROBLEM, Installation, open_account
from tests.ledger.databases import ledger_of, rows


def list_generation_ids(url: str, account_id: str) -> list[str]:
    """The generation ids of an account's uses, in the order of the ledger."""
    query = "SELECT generation_id FROM credit_transactions WHERE account_id = :id AND kind = 'consume' ORDER BY seq"
    return [str(row[0]) for row in rows(url, query, {"id": account_id})]


async def revoke_key(installation: Installation, name: str) -> None:
    """Revoke the API key of this name."""
    operator = installation.local_operator()
    keys = (await operator.get("/api/admin/keys")).json()["keys"]
    key_id = next(key["id"] for key in keys if key["name"] == name)
    (await operator.post("/api/admin/keys/revoke", json={"id": key_id})).raise_for_status()


async def test_lines_run_and_are_answered_in_order(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Each account's commands run in the order of their lines, and every line is answered in its place."""
    accounts = ["order a", "order b", "order c"]
    for account_id in accounts:
        await open_funded_account(shop, account_id)
    lines = [consume_line(accounts[number % 3], generation_id=str(number)) for number in range(1_500)]

    answers = await send_batch(shop, lines)

    assert [(answer["index"], answer["status"], answer["generation_id"]) for answer in answers] == [
        (number, 200, str(number)) for number in range(1_500)
    ]
    for place, account_id in enumerate(accounts):
        assert list_generation_ids(installation.url, account_id) == [str(number) for number in range(place, 1_500, 3)]


async def test_line_sees_the_lines_before_it(installation: Installation, shop: httpx.AsyncClient) -> None:
    """One batch makes an account, grants credits and spends them; lines that it cannot pay for are refused."""
    held = {"op": "place_hold", "account_id": "built", "feature": "video"}
    given = {"op": "grant", "account_id": "built", "amount": 4, "reason": "a gift"}
    lines = [
        consume_line("built"),
        {"op": "ensure", "account_id": "built"},
        {**held, "amount": 7},
        given,
        {**held, "amount": 9},
    ]

    answers = await send_batch(shop, [*lines, consume_line("built"), consume_line("built")])

    assert [answer["status"] for answer in answers] == [404, 201, 402, 200, 200, 200, 402]
    assert ledger_of(installation.url, "built") == [
        (1, "signup", 6, 6),
        (2, "grant", 4, 10),
        (3, "hold", -9, 1),
        (4, "consume", -1, 0),
    ]


async def test_grant_with_source_key_stays_in_order(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A grant with a source key reads its account first; it still runs between the lines around it."""
    accounts = [f"paid {number}" for number in range(20)]
    lines = [
        line
        for account_id in accounts
        for line in (
            {"op": "ensure", "account_id": account_id},
            {"op": "grant", "account_id": account_id, "amount": 44, "reason": "paid", "source_key": f"in {account_id}"},
            {"op": "place_hold", "account_id": account_id, "feature": "video", "amount": 50},
        )
    ]

    answers = await send_batch(shop, lines)

    assert [answer["status"] for answer in answers] == [201, 200, 200] * 20
    assert ledger_of(installation.url, "paid 7") == [(1, "signup", 6, 6), (2, "grant", 44, 50), (3, "hold", -50, 0)]


async def test_answers_stream_while_lines_are_sent(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A line is answered before the next one is sent."""
    await open_account(shop, "talk")

    async with open_stream(installation.app, shop) as stream:
        answers = []
        for number in range(3):
            stream.send(consume_line("talk", generation_id=str(number)))
            answer = await stream.receive()
            answers.append((answer["index"], answer["generation_id"], answer["remaining"]))
        stream.end()

    assert (stream.status, answers) == (200, [(0, "0", 5), (1, "1", 4), (2, "2", 3)])


async def test_ready_answers_share_a_chunk(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A thousand answers are sent in far fewer chunks."""
    await open_funded_account(shop, "together")

    async with open_stream(installation.app, shop) as stream:
        stream.send(*(consume_line("together") for _ in range(1_000)))
        stream.end()
        for _ in range(1_000):
            await stream.receive()

    assert stream.chunks < 250


async def test_replayed_batch_changes_nothing(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Under the same keys, every line gets its first answer, marked as a replay; refused lines are tried again."""
    await open_account(shop, "again")
    lines = [consume_line("again", idempotency_key=f"key {number}") for number in range(8)]

    first = await send_batch(shop, lines)
    again = await send_batch(shop, lines)
    await send_batch(shop, [{"op": "grant", "account_id": "again", "amount": 1, "reason": "a gift"}])
    later = await send_batch(shop, lines)

    assert [answer["status"] for answer in first] == [200] * 6 + [402] * 2
    assert again == [{**answer, "replayed": True} if answer["status"] == 200 else answer for answer in first]
    assert [(answer["status"], answer.get("replayed", False)) for answer in later] == [
        *[(200, True)] * 6,
        (200, False),
        (402, False),
    ]
    assert [kind for _, kind, _, _ in ledger_of(installation.url, "again")] == [
        "signup",
        *["consume"] * 6,
        "grant",
        "consume",
    ]


async def test_same_key_twice_in_a_batch(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Two equal lines are one change with two answers; another line under the key is refused."""
    await open_account(shop, "twice")
    line = consume_line("twice", idempotency_key="one")

    first, again, other = await send_batch(shop, [line, line, {**line, "feature": "sketch"}])

    assert again == {**first, "index": 1, "replayed": True}
    assert (other["status"], other["code"]) == (422, "idempotency-conflict")
    assert ledger_of(installation.url, "twice") == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_concurrent_batches_of_the_same_lines(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Two equal batches at once run each line once."""
    await open_funded_account(shop, "both")
    lines = [consume_line("both", idempotency_key=f"key {number}") for number in range(300)]

    one, other = await asyncio.gather(send_batch(shop, lines), send_batch(shop, lines))

    assert [answer["transaction_id"] for answer in one] == [answer["transaction_id"] for answer in other]
    assert [("replayed" in a, "replayed" in b) for a, b in zip(one, other, strict=True)].count((True, True)) == 0
    assert len(ledger_of(installation.url, "both")) == 302


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer sixpence_short", "Bearer sixpence_" + "x" * 40])
async def test_batch_without_a_valid_api_key_is_refused(
    installation: Installation, shop: httpx.AsyncClient, key: str
) -> None:
    """Without a valid key the whole batch is 401, whatever its lines and its content type."""
    await open_account(shop, "guarded")
    headers = {"authorization": key} if key else {}

    valid, invalid = [
        await installation.client(**headers).post(PATH, content=content, headers={"content-type": "text/plain"})
        for content in (to_ndjson([consume_line("guarded")]), b"{")
    ]

    assert (valid.status_code, invalid.status_code) == (401, 401)
    assert (valid.headers["content-type"], valid.json()["code"]) == (PROBLEM, "invalid-api-key")
    assert ledger_of(installation.url, "guarded") == [(1, "signup", 6, 6)]


async def test_api_key_revoked_during_a_batch(installation: Installation) -> None:
    """The lines before the revocation ran; every later line is 401, also an invalid one."""
    shop = await installation.server("short-lived")
    await open_account(shop, "until then")

    async with open_stream(installation.app, shop) as stream:
        stream.send(consume_line("until then"), consume_line("until then"))
        before = [await stream.receive(), await stream.receive()]
        await revoke_key(installation, "short-lived")
        stream.send(consume_line("until then"))
        after = [await stream.receive()]
        stream.send({"op": "grant", "account_id": "until then", "amount": 1, "reason": "r", "source_key": "k"}, b"{")
        stream.end()
        after += [await stream.receive(), await stream.receive()]

    assert [answer["status"] for answer in before] == [200, 200]
    assert [(answer["index"], answer["status"], answer["code"]) for answer in after] == [
        (index, 401, "invalid-api-key") for index in (2, 3, 4)
    ]
    assert ledger_of(installation.url, "until then") == [
        (1, "signup", 6, 6),
        (2, "consume", -1, 5),
        (3, "consume", -1, 4),
    ]


@pytest.mark.parametrize("invalid_first", [True, False])
async def test_lines_in_one_message_after_a_revocation(installation: Installation, invalid_first: bool) -> None:
    """Every line of the message is 401, also a malformed line or one with an invalid field."""
    name = f"revoked {invalid_first}"
    shop = await installation.server(name)
    await open_account(shop, name)
    invalid: list[Line | bytes] = [
        b"{",
        {"op": "nothing"},
        consume_line(name, feature=""),
        consume_line(name, units=-1),
    ]

    async with open_stream(installation.app, shop) as stream:
        stream.send(consume_line(name))
        before = await stream.receive()
        await revoke_key(installation, name)
        stream.send(*([*invalid, consume_line(name)] if invalid_first else [consume_line(name), *invalid]))
        stream.end()
        after = [await stream.receive() for _ in range(5)]

    assert before["status"] == 200
    assert [(answer["index"], answer["status"], answer["code"]) for answer in after] == [
        (index, 401, "invalid-api-key") for index in (1, 2, 3, 4, 5)
    ]
    assert ledger_of(installation.url, name) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_grant_and_refund_record_the_api_key(installation: Installation, shop: httpx.AsyncClient) -> None:
    """The rows of a grant and a refund have the name of the API key."""
    await open_account(shop, "recorded")
    [used] = await send_batch(shop, [consume_line("recorded")])
    refund = {"op": "refund", "account_id": "recorded", "transaction_id": used["transaction_id"]}

    await send_batch(shop, [{"op": "grant", "account_id": "recorded", "amount": 1, "reason": "a gift"}, refund])

    page = (await shop.get("/v1/accounts/recorded/transactions", params={"limit": 2})).json()
    assert [(row["kind"], row["actor"]) for row in page["transactions"]] == [
        ("refund", "API key shop"),
        ("grant", "API key shop"),
    ]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_methods_are_refused(shop: httpx.AsyncClient, method: str) -> None:
    """Only POST is allowed."""
    answer = await shop.request(method, PATH)

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


@pytest.mark.parametrize("sent", [None, NDJSON, f"{NDJSON}; charset=utf-8", "Application/X-NDJSON"])
async def test_accepted_content_types(shop: httpx.AsyncClient, sent: str | None) -> None:
    """The content type is NDJSON, or missing."""
    answer = await shop.post(PATH, content=b"{}", headers={} if sent is None else {"content-type": sent})

    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("sent", ["application/json", "application/json-seq", "application/x-www-form-urlencoded", "x"])
async def test_other_content_types_are_refused(installation: Installation, shop: httpx.AsyncClient, sent: str) -> None:
    """Another content type is 415 with the accepted one, and no line runs."""
    await open_account(shop, f"typed {sent}")

    answer = await shop.post(PATH, content=to_ndjson([consume_line(f"typed {sent}")]), headers={"content-type": sent})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert "application/x-ndjson" in answer.json()["detail"]
    assert ledger_of(installation.url, f"typed {sent}") == [(1, "signup", 6, 6)]
