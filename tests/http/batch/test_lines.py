"""Lines that cannot be read, and batches that are too long: told in their place, while the others are done."""

import re
from pathlib import Path

import httpx
import pytest

from tests.http.batch.batching import PATH, Line, batch, body_of, use
from tests.http.house import PROBLEM, House, open_account, opened_house
from tests.http.wire.bad_input import BODIES
from tests.ledger.databases import ledger_of, proved

GRANT: Line = {"op": "grant", "account_id": "lines", "amount": 1, "reason": "a gift"}

# A line, its answer's status and code, the field it names, and words of the detail.
BAD: list[tuple[Line | bytes, int, str, str]] = [
    ({"op": "spend", "account_id": "lines"}, 422, "op", 'op: "spend" is none of capture_hold, consume, ensure, '),
    ({"op": 7}, 422, "op", "op: 7 is not text."),
    ({"op": None}, 422, "op", "op: null is not text."),
    ({"account_id": "lines", "feature": "video"}, 422, "op", "op: is missing."),
    ({"op": "consume", "account_id": "lines"}, 422, "feature", "feature: is missing. This request takes: feature, "),
    ({"op": "consume", "feature": "video"}, 422, "account_id", "account_id: is missing."),
    (use("lines", hold_id="x"), 422, "hold_id", "hold_id: is not a field of this request. Leave it out; it takes: "),
    (use(""), 422, "account_id", "account_id: is empty."),
    (use("x" * 256), 422, "account_id", "account_id: has 256 characters. Send at most 255."),
    (use("a\x00b"), 422, "account_id", "account_id: 'a\\x00b' has a control character"),
    ({"op": "release_hold", "account_id": "lines"}, 422, "hold_id", "hold_id: is missing."),
    ({"op": "release_hold", "account_id": "lines", "hold_id": ""}, 422, "hold_id", "hold_id: is empty."),
    ({"op": "refund", "account_id": "lines"}, 422, "transaction_id", "transaction_id: is missing."),
    ({"op": "ensure"}, 422, "account_id", "account_id: is missing."),
    (use("lines", units=1.0), 422, "units", "units: 1.0 is not a whole number."),
    (use("lines", metadata=[]), 422, "metadata", "metadata: is a JSON list. Send a JSON object."),
    (use("lines", idempotency_key=7), 422, "idempotency_key", "idempotency_key: 7 is not text."),
    (use("lines", idempotency_key=""), 422, "idempotency_key", "idempotency_key: is empty."),
    (use("lines", idempotency_key="k" * 256), 422, "idempotency_key", "has 256 characters. Send at most 255."),
    (use("lines", idempotency_key="café"), 422, "idempotency_key", "is not what the header Idempotency-Key can hold."),
    (use("lines", idempotency_key="key "), 422, "idempotency_key", "is not what the header Idempotency-Key can hold."),
    ({**GRANT, "source_key": "s", "idempotency_key": "k"}, 422, "source_key", "Send one of the two."),
]


async def test_a_bad_line_names_its_field_and_stands_alone(house: House, shop: httpx.AsyncClient) -> None:
    """What cannot be accepted is told with its field in its place; every good line around it is done."""
    await open_account(shop, "lines")
    lines = [line for bad, *_ in BAD for line in (GRANT, bad)]

    answers = await batch(shop, lines)

    told = [(answer["status"], answer["field"]) for answer in answers[1::2]]
    assert told == [(status, field) for _, status, field, _ in BAD]
    assert [
        words for (*_, words), answer in zip(BAD, answers[1::2], strict=True) if words not in answer["detail"]
    ] == []
    assert [answer["index"] for answer in answers] == list(range(2 * len(BAD)))
    assert [answer["status"] for answer in answers[::2]] == [200] * len(BAD)
    assert len(ledger_of(house.url, "lines")) == 1 + len(BAD)


@pytest.mark.parametrize("body", [name for name, (sent, _) in BODIES.items() if sent.strip() and b"\n" not in sent])
async def test_a_line_that_is_no_object(shop: httpx.AsyncClient, body: str) -> None:
    """What is no JSON object is told in the words of a single request; the line after it is done."""
    content, words = BODIES[body]
    await open_account(shop, f"after {body}")
    line = re.sub(rb'\{"(feature|metadata)":', rb'{"op":"consume","account_id":"any","\1":', content, count=1)

    told, done = await batch(shop, [line, use(f"after {body}")])

    assert (told["index"], told["status"], told["code"], told["field"]) == (0, 400, "malformed-body", "body")
    # Where in the line it is depends on what stands before it.
    assert words.rstrip("0123456789)") in told["detail"]
    assert (done["index"], done["status"]) == (1, 200)


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\t\n"])
async def test_an_empty_batch(shop: httpx.AsyncClient, body: bytes) -> None:
    """A batch without a line is a 400, as an empty body is everywhere."""
    answer = await shop.post(PATH, content=body)

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (
        400,
        PROBLEM,
        {
            "type": "about:blank",
            "status": 400,
            "code": "malformed-body",
            "title": "The body cannot be read",
            "detail": "The body is empty. Send a JSON object a line.",
            "field": "body",
        },
    )


async def test_blank_lines_are_nothing(shop: httpx.AsyncClient) -> None:
    """They are neither answered nor counted, lines may end as on Windows, and the last may end with the body."""
    await open_account(shop, "blank")
    body = b"\n\r\n" + body_of([use("blank")]).strip() + b"\r\n\n \n" + body_of([use("blank")]).strip()

    answer = await shop.post(PATH, content=body)

    assert [line[:25] for line in answer.content.splitlines()] == [
        b'{"index":0,"status":200,"',
        b'{"index":1,"status":200,"',
    ]


async def test_ten_thousand_lines_and_one(house: House, shop: httpx.AsyncClient) -> None:
    """The first line beyond is told so, and nothing after it is looked at; what was done before stands."""
    await open_account(shop, "many")

    answers = await batch(shop, [*[use("many")] * 3, *[b"{}"] * 9_997, use("many"), use("many")])

    assert len(answers) == 10_001
    assert [answer["status"] for answer in answers[:4]] == [200, 200, 200, 422]
    assert (answers[-1]["index"], answers[-1]["status"], answers[-1]["code"], answers[-1]["field"]) == (
        10_000,
        413,
        "body-too-large",
        "body",
    )
    assert answers[-1]["detail"].startswith("The batch has more than 10000 lines. ")
    assert len(ledger_of(house.url, "many")) == 4


async def test_limits_of_size(sqlite_url: str, tmp_path: Path) -> None:
    """A line over the limit of bodies ends alone; the one that passes the batch's own is the last."""
    long = use("sized", metadata={"a": "x" * 3_000})
    async with opened_house(sqlite_url, tmp_path, body_bytes_max=2_048, batch_bytes_max=8_192) as house:
        shop = await house.server()
        await open_account(shop, "sized")

        answers = await batch(shop, [use("sized"), long, use("sized"), long, long, use("sized")])

        assert [(answer["status"], answer.get("code")) for answer in answers] == [
            (200, None),
            (413, "body-too-large"),
            (200, None),
            (413, "body-too-large"),
            (413, "body-too-large"),
        ]
        assert answers[1]["detail"] == "The line has more than 2048 bytes. Send less."
        assert answers[-1]["detail"].startswith("The batch has more than 8192 bytes. ")
        assert len(ledger_of(house.url, "sized")) == 3
    proved(sqlite_url)
