"""Invalid lines, and batches that are too long: the refusal is in the line's place, and the other lines run."""

import re
from pathlib import Path

import httpx
import pytest

from tests.http.batch.batch_client import PATH, Line, consume_line, send_batch, to_ndjson
from tests.http.installation import PROBLEM, Installation, open_account, open_installation
from tests.http.wire.invalid_requests import BODIES
from tests.ledger.databases import ledger_of, verify_clean

GRANT: Line = {"op": "grant", "account_id": "lines", "amount": 1, "reason": "a gift"}

# A line, its answer's status and code, the field it names, and words of the detail.
INVALID: list[tuple[Line | bytes, int, str, str]] = [
    ({"op": "spend", "account_id": "lines"}, 422, "op", 'op: "spend" is not one of capture_hold, consume, ensure, '),
    ({"op": 7}, 422, "op", "op: 7 is not text."),
    ({"op": None}, 422, "op", "op: null is not text."),
    ({"account_id": "lines", "feature": "video"}, 422, "op", "op: is missing."),
    ({"op": "consume", "account_id": "lines"}, 422, "feature", "feature: is missing. This request takes: feature, "),
    ({"op": "consume", "feature": "video"}, 422, "account_id", "account_id: is missing."),
    (
        consume_line("lines", hold_id="x"),
        422,
        "hold_id",
        "hold_id: is not a field of this request. Leave it out; it takes: ",
    ),
    (consume_line(""), 422, "account_id", "account_id: is empty."),
    (consume_line("x" * 256), 422, "account_id", "account_id: has 256 characters. Send at most 255."),
    (consume_line("a\x00b"), 422, "account_id", "account_id: 'a\\x00b' has a control character"),
    ({"op": "release_hold", "account_id": "lines"}, 422, "hold_id", "hold_id: is missing."),
    ({"op": "release_hold", "account_id": "lines", "hold_id": ""}, 422, "hold_id", "hold_id: is empty."),
    ({"op": "refund", "account_id": "lines"}, 422, "transaction_id", "transaction_id: is missing."),
    ({"op": "ensure"}, 422, "account_id", "account_id: is missing."),
    (consume_line("lines", units=1.0), 422, "units", "units: 1.0 is not a whole number."),
    (consume_line("lines", metadata=[]), 422, "metadata", "metadata: is a JSON list. Send a JSON object."),
    (consume_line("lines", idempotency_key=7), 422, "idempotency_key", "idempotency_key: 7 is not text."),
    (consume_line("lines", idempotency_key=""), 422, "idempotency_key", "idempotency_key: is empty."),
    (consume_line("lines", idempotency_key="k" * 256), 422, "idempotency_key", "has 256 characters. Send at most 255."),
    (
        consume_line("lines", idempotency_key="café"),
        422,
        "idempotency_key",
        "is not what the header Idempotency-Key can hold.",
    ),
    (
        consume_line("lines", idempotency_key="key "),
        422,
        "idempotency_key",
        "is not what the header Idempotency-Key can hold.",
    ),
    ({**GRANT, "source_key": "s", "idempotency_key": "k"}, 422, "source_key", "Send one of the two."),
]


async def test_invalid_line_is_refused_and_names_its_field(installation: Installation, shop: httpx.AsyncClient) -> None:
    """An invalid line is refused in its place with its field; every valid line around it runs."""
    await open_account(shop, "lines")
    lines = [line for invalid, *_ in INVALID for line in (GRANT, invalid)]

    answers = await send_batch(shop, lines)

    refused = [(answer["status"], answer["field"]) for answer in answers[1::2]]
    assert refused == [(status, field) for _, status, field, _ in INVALID]
    assert [
        words for (*_, words), answer in zip(INVALID, answers[1::2], strict=True) if words not in answer["detail"]
    ] == []
    assert [answer["index"] for answer in answers] == list(range(2 * len(INVALID)))
    assert [answer["status"] for answer in answers[::2]] == [200] * len(INVALID)
    assert len(ledger_of(installation.url, "lines")) == 1 + len(INVALID)


@pytest.mark.parametrize("body", [name for name, (sent, _) in BODIES.items() if sent.strip() and b"\n" not in sent])
async def test_line_that_is_not_a_json_object(shop: httpx.AsyncClient, body: str) -> None:
    """A line that is not a JSON object is refused as in a single request; the line after it runs."""
    content, words = BODIES[body]
    await open_account(shop, f"after {body}")
    line = re.sub(rb'\{"(feature|metadata)":', rb'{"op":"consume","account_id":"any","\1":', content, count=1)

    refused, done = await send_batch(shop, [line, consume_line(f"after {body}")])

    assert (refused["index"], refused["status"], refused["code"], refused["field"]) == (
        0,
        400,
        "malformed-body",
        "body",
    )
    # The column differs from the single request's, because the line has further fields before it.
    assert words.rstrip("0123456789)") in refused["detail"]
    assert (done["index"], done["status"]) == (1, 200)


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\t\n"])
async def test_empty_batch_is_refused(shop: httpx.AsyncClient, body: bytes) -> None:
    """A batch without a line is 400, like any empty body."""
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


async def test_blank_lines_are_ignored(shop: httpx.AsyncClient) -> None:
    """Blank lines are neither answered nor counted. Lines may end with CRLF, and the last line without a line end."""
    await open_account(shop, "blank")
    body = (
        b"\n\r\n"
        + to_ndjson([consume_line("blank")]).strip()
        + b"\r\n\n \n"
        + to_ndjson([consume_line("blank")]).strip()
    )

    answer = await shop.post(PATH, content=body)

    assert [line[:25] for line in answer.content.splitlines()] == [
        b'{"index":0,"status":200,"',
        b'{"index":1,"status":200,"',
    ]


async def test_batch_with_more_than_ten_thousand_lines(installation: Installation, shop: httpx.AsyncClient) -> None:
    """The first line over the limit is refused, and the lines after it are ignored; the lines before it ran."""
    await open_account(shop, "many")

    answers = await send_batch(
        shop, [*[consume_line("many")] * 3, *[b"{}"] * 9_997, consume_line("many"), consume_line("many")]
    )

    assert len(answers) == 10_001
    assert [answer["status"] for answer in answers[:4]] == [200, 200, 200, 422]
    assert (answers[-1]["index"], answers[-1]["status"], answers[-1]["code"], answers[-1]["field"]) == (
        10_000,
        413,
        "body-too-large",
        "body",
    )
    assert answers[-1]["detail"].startswith("The batch has more than 10000 lines. ")
    assert len(ledger_of(installation.url, "many")) == 4


async def test_size_limits_of_lines_and_batches(sqlite_url: str, tmp_path: Path) -> None:
    """A line over the limit of bodies is refused by itself; the line over the batch's limit is the last."""
    long = consume_line("sized", metadata={"a": "x" * 3_000})
    async with open_installation(sqlite_url, tmp_path, body_bytes_max=2_048, batch_bytes_max=8_192) as installation:
        shop = await installation.server()
        await open_account(shop, "sized")

        answers = await send_batch(
            shop, [consume_line("sized"), long, consume_line("sized"), long, long, consume_line("sized")]
        )

        assert [(answer["status"], answer.get("code")) for answer in answers] == [
            (200, None),
            (413, "body-too-large"),
            (200, None),
            (413, "body-too-large"),
            (413, "body-too-large"),
        ]
        assert answers[1]["detail"] == "The line has more than 2048 bytes. Send less."
        assert answers[-1]["detail"].startswith("The batch has more than 8192 bytes. ")
        assert len(ledger_of(installation.url, "sized")) == 3
    verify_clean(sqlite_url)
