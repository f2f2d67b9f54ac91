"""`POST /v1/batch` over both databases: in order, line by line, once under a key, and for servers alone."""

import asyncio

import httpx
import pytest

from tests.http.batch.batching import NDJSON, PATH, Line, batch, body_of, conversation, open_rich, use
from tests.http.house import PROBLEM, House, open_account
from tests.ledger.databases import ledger_of, rows


def generations(url: str, account_id: str) -> list[str]:
    """The generation ids of an account's uses, in the order of the ledger."""
    query = "SELECT generation_id FROM credit_transactions WHERE account_id = :id AND kind = 'consume' ORDER BY seq"
    return [str(row[0]) for row in rows(url, query, {"id": account_id})]


async def test_lines_are_done_and_answered_in_their_order(house: House, shop: httpx.AsyncClient) -> None:
    """Each account's commands are applied in the order of their lines, and every line is answered in its place."""
    accounts = ["order a", "order b", "order c"]
    for account_id in accounts:
        await open_rich(shop, account_id)
    lines = [use(accounts[number % 3], generation_id=str(number)) for number in range(1_500)]

    answers = await batch(shop, lines)

    assert [(answer["index"], answer["status"], answer["generation_id"]) for answer in answers] == [
        (number, 200, str(number)) for number in range(1_500)
    ]
    for place, account_id in enumerate(accounts):
        assert generations(house.url, account_id) == [str(number) for number in range(place, 1_500, 3)]


async def test_a_line_builds_on_the_ones_before(house: House, shop: httpx.AsyncClient) -> None:
    """An account is made, given to, and spent from in one batch; what it cannot pay for is refused in between."""
    held = {"op": "place_hold", "account_id": "built", "feature": "video"}
    given = {"op": "grant", "account_id": "built", "amount": 4, "reason": "a gift"}
    lines = [use("built"), {"op": "ensure", "account_id": "built"}, {**held, "amount": 7}, given, {**held, "amount": 9}]

    answers = await batch(shop, [*lines, use("built"), use("built")])

    assert [answer["status"] for answer in answers] == [404, 201, 402, 200, 200, 200, 402]
    assert ledger_of(house.url, "built") == [
        (1, "signup", 6, 6),
        (2, "grant", 4, 10),
        (3, "hold", -9, 1),
        (4, "consume", -1, 0),
    ]


async def test_a_payment_is_there_for_the_lines_after_it(house: House, shop: httpx.AsyncClient) -> None:
    """A grant with a source key, which looks at its account first, keeps its place between the lines around it."""
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

    answers = await batch(shop, lines)

    assert [answer["status"] for answer in answers] == [201, 200, 200] * 20
    assert ledger_of(house.url, "paid 7") == [(1, "signup", 6, 6), (2, "grant", 44, 50), (3, "hold", -50, 0)]


async def test_answers_come_while_lines_are_still_sent(house: House, shop: httpx.AsyncClient) -> None:
    """A line is answered before the next one is sent."""
    await open_account(shop, "talk")

    async with conversation(house.app, shop) as talk:
        heard = []
        for number in range(3):
            talk.say(use("talk", generation_id=str(number)))
            answer = await talk.hear()
            heard.append((answer["index"], answer["generation_id"], answer["remaining"]))
        talk.end()

    assert (talk.status, heard) == (200, [(0, "0", 5), (1, "1", 4), (2, "2", 3)])


async def test_answers_that_are_ready_go_together(house: House, shop: httpx.AsyncClient) -> None:
    """A thousand answers do not leave in a thousand pieces."""
    await open_rich(shop, "together")

    async with conversation(house.app, shop) as talk:
        talk.say(*(use("together") for _ in range(1_000)))
        talk.end()
        for _ in range(1_000):
            await talk.hear()

    assert talk.chunks < 250


async def test_a_batch_sent_again_changes_nothing(house: House, shop: httpx.AsyncClient) -> None:
    """Under the same keys every line gets its first answer again, marked, and what was refused is tried again."""
    await open_account(shop, "again")
    lines = [use("again", idempotency_key=f"key {number}") for number in range(8)]

    first = await batch(shop, lines)
    again = await batch(shop, lines)
    await batch(shop, [{"op": "grant", "account_id": "again", "amount": 1, "reason": "a gift"}])
    later = await batch(shop, lines)

    assert [answer["status"] for answer in first] == [200] * 6 + [402] * 2
    assert again == [{**answer, "replayed": True} if answer["status"] == 200 else answer for answer in first]
    assert [(answer["status"], answer.get("replayed", False)) for answer in later] == [
        *[(200, True)] * 6,
        (200, False),
        (402, False),
    ]
    assert [kind for _, kind, _, _ in ledger_of(house.url, "again")] == ["signup", *["consume"] * 6, "grant", "consume"]


async def test_one_key_twice_in_a_batch(house: House, shop: httpx.AsyncClient) -> None:
    """The same line twice is one change with two answers; another line under its key is refused."""
    await open_account(shop, "twice")
    line = use("twice", idempotency_key="one")

    first, again, other = await batch(shop, [line, line, {**line, "feature": "sketch"}])

    assert again == {**first, "index": 1, "replayed": True}
    assert (other["status"], other["code"]) == (422, "idempotency-conflict")
    assert ledger_of(house.url, "twice") == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_two_batches_of_the_same_lines_at_once(house: House, shop: httpx.AsyncClient) -> None:
    """Sent twice at once, each line is done once."""
    await open_rich(shop, "both")
    lines = [use("both", idempotency_key=f"key {number}") for number in range(300)]

    one, other = await asyncio.gather(batch(shop, lines), batch(shop, lines))

    assert [answer["transaction_id"] for answer in one] == [answer["transaction_id"] for answer in other]
    assert [("replayed" in a, "replayed" in b) for a, b in zip(one, other, strict=True)].count((True, True)) == 0
    assert len(ledger_of(house.url, "both")) == 302


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer sixpence_short", "Bearer sixpence_" + "x" * 40])
async def test_nothing_is_done_for_whom_nobody_knows(house: House, shop: httpx.AsyncClient, key: str) -> None:
    """Without a good key the whole batch is a 401, whatever it holds and however it is typed."""
    await open_account(shop, "guarded")
    headers = {"authorization": key} if key else {}

    good, bad = [
        await house.client(**headers).post(PATH, content=content, headers={"content-type": "text/plain"})
        for content in (body_of([use("guarded")]), b"{")
    ]

    assert (good.status_code, bad.status_code) == (401, 401)
    assert (good.headers["content-type"], good.json()["code"]) == (PROBLEM, "invalid-api-key")
    assert ledger_of(house.url, "guarded") == [(1, "signup", 6, 6)]


async def test_a_key_that_is_revoked_meanwhile(house: House) -> None:
    """What was done before stands; from then on every line is a 401, also one that cannot be read."""
    shop = await house.server("short-lived")
    await open_account(shop, "until then")

    async with conversation(house.app, shop) as talk:
        talk.say(use("until then"), use("until then"))
        before = [await talk.hear(), await talk.hear()]
        keys = (await house.local_operator().get("/api/admin/keys")).json()["keys"]
        key_id = next(key["id"] for key in keys if key["name"] == "short-lived")
        (await house.local_operator().post("/api/admin/keys/revoke", json={"id": key_id})).raise_for_status()
        talk.say(use("until then"))
        after = [await talk.hear()]
        talk.say({"op": "grant", "account_id": "until then", "amount": 1, "reason": "r", "source_key": "k"}, b"{")
        talk.end()
        after += [await talk.hear(), await talk.hear()]

    assert [answer["status"] for answer in before] == [200, 200]
    assert [(answer["index"], answer["status"], answer["code"]) for answer in after] == [
        (index, 401, "invalid-api-key") for index in (2, 3, 4)
    ]
    assert ledger_of(house.url, "until then") == [(1, "signup", 6, 6), (2, "consume", -1, 5), (3, "consume", -1, 4)]


@pytest.mark.parametrize("broken_first", [True, False])
async def test_lines_that_come_together_after_a_revocation(house: House, broken_first: bool) -> None:
    """A line that cannot be read, or holds what no field may, is a 401 beside the others of its piece, too."""
    name = f"revoked {broken_first}"
    shop = await house.server(name)
    await open_account(shop, name)
    broken: list[Line | bytes] = [b"{", {"op": "nothing"}, use(name, feature=""), use(name, units=-1)]

    async with conversation(house.app, shop) as talk:
        talk.say(use(name))
        before = await talk.hear()
        keys = (await house.local_operator().get("/api/admin/keys")).json()["keys"]
        key_id = next(key["id"] for key in keys if key["name"] == name)
        (await house.local_operator().post("/api/admin/keys/revoke", json={"id": key_id})).raise_for_status()
        talk.say(*([*broken, use(name)] if broken_first else [use(name), *broken]))
        talk.end()
        after = [await talk.hear() for _ in range(5)]

    assert before["status"] == 200
    assert [(answer["index"], answer["status"], answer["code"]) for answer in after] == [
        (index, 401, "invalid-api-key") for index in (1, 2, 3, 4, 5)
    ]
    assert ledger_of(house.url, name) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_who_did_it_is_recorded(house: House, shop: httpx.AsyncClient) -> None:
    """A grant and a refund carry the key's name."""
    await open_account(shop, "recorded")
    [used] = await batch(shop, [use("recorded")])
    refund = {"op": "refund", "account_id": "recorded", "transaction_id": used["transaction_id"]}

    await batch(shop, [{"op": "grant", "account_id": "recorded", "amount": 1, "reason": "a gift"}, refund])

    page = (await shop.get("/v1/accounts/recorded/transactions", params={"limit": 2})).json()
    assert [(row["kind"], row["actor"]) for row in page["transactions"]] == [
        ("refund", "API key shop"),
        ("grant", "API key shop"),
    ]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_methods(shop: httpx.AsyncClient, method: str) -> None:
    """A batch is posted."""
    answer = await shop.request(method, PATH)

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


@pytest.mark.parametrize("sent", [None, NDJSON, f"{NDJSON}; charset=utf-8", "Application/X-NDJSON"])
async def test_what_a_batch_may_be_called(shop: httpx.AsyncClient, sent: str | None) -> None:
    """Its own content type, or none."""
    answer = await shop.post(PATH, content=b"{}", headers={} if sent is None else {"content-type": sent})

    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("sent", ["application/json", "application/json-seq", "application/x-www-form-urlencoded", "x"])
async def test_what_a_batch_may_not_be_called(house: House, shop: httpx.AsyncClient, sent: str) -> None:
    """Another content type is a 415 that says what is taken, and nothing is done."""
    await open_account(shop, f"typed {sent}")

    answer = await shop.post(PATH, content=body_of([use(f"typed {sent}")]), headers={"content-type": sent})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert "application/x-ndjson" in answer.json()["detail"]
    assert ledger_of(house.url, f"typed {sent}") == [(1, "signup", 6, 6)]
