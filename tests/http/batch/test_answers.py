"""A line of a batch is answered with the very bytes of the single request's body, whatever it asks and becomes."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from structlog.testing import capture_logs

from sixpence.http.batch import lines as batch_lines
from sixpence.http.batch.answers import LineAnswers
from sixpence.http.batch.lines import Op
from sixpence.http.commands.command import Command, Target
from sixpence.http.wire.error_handlers import refusal_handlers
from sixpence.service.credits import CreditService
from tests.http.batch.batching import PATH, Line, body_of, use
from tests.http.house import House, open_account, path_of
from tests.ledger.databases import snapshot

DOCUMENT = (Path(__file__).parents[3] / "docs" / "http.md").read_text()

# What each op asks: the rest of its path below the account's, and a body with everything that it takes.
METADATA = {"job": 7, "é": [1, None]}
ASKED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "ensure": ("", {"label": "Team", "metadata": METADATA}),
    "consume": ("/consume", {"feature": "video", "units": 2, "generation_id": "gen 1", "metadata": METADATA}),
    "grant": (
        "/grants",
        {
            "amount": 5,
            "reason": "a gift",
            "category": "promo",
            "priority": 7,
            "expires_at": "2999-01-31T10:30:00+01:00",
            "features": ["video"],
            "metadata": METADATA,
        },
    ),
    "place_hold": (
        "/holds",
        {"feature": "video", "amount": 3, "ttl_seconds": 60, "generation_id": "gen 1", "metadata": METADATA},
    ),
    "extend_hold": ("/holds/{hold_id}/extend", {"ttl_seconds": 3_600, "metadata": METADATA}),
    "capture_hold": (
        "/holds/{hold_id}/capture",
        {"amount": 9, "mode": "up_to_available", "late": True, "generation_id": "gen 2", "metadata": METADATA},
    ),
    "release_hold": ("/holds/{hold_id}/release", {"reason": "it failed", "metadata": METADATA}),
    "refund": ("/transactions/{transaction_id}/refund", {"amount": 1, "reason": "it failed", "metadata": METADATA}),
}
assert set(ASKED) == set(get_args(Op))


class Row:
    """One change as a line and as a request of its own."""

    def __init__(self, op: str, account_id: str, ids: Mapping[str, str]) -> None:
        rest, body = ASKED[op]
        named = {"account_id": account_id}
        self.line = {"op": op, **named, **{name: ids[name] for name in ids if f"{{{name}}}" in rest}, **body}
        self.path = path_of(account_id) + rest.format(**ids) if rest else "/v1/accounts"
        self.body = body if rest else {**named, **body}


async def row_of(shop: httpx.AsyncClient, op: str, account_id: str) -> Row:
    """The change, which can be made: with an account, a hold and a use before it."""
    if op == "ensure":
        return Row(op, account_id, {})
    path = await open_account(shop, account_id)
    held = await shop.post(f"{path}/holds", json={"feature": "video", "amount": 2})
    used = await shop.post(f"{path}/consume", json={"feature": "video"})
    return Row(op, account_id, {"hold_id": held.json()["hold_id"], "transaction_id": used.json()["transaction_id"]})


@pytest.mark.parametrize("op", ASKED)
async def test_a_line_is_answered_as_its_request_is(house: House, shop: httpx.AsyncClient, op: str) -> None:
    """Under one key the line's answer and the request's are equal byte for byte, and so are the fingerprints."""
    row = await row_of(shop, op, f"equal/é {op}")

    [answer] = (await shop.post(PATH, content=body_of([{**row.line, "idempotency_key": "one"}]))).content.splitlines()
    single = await shop.post(row.path, json=row.body, headers={"Idempotency-Key": "one"})
    [again] = (await shop.post(PATH, content=body_of([{**row.line, "idempotency_key": "one"}]))).content.splitlines()

    assert single.headers["idempotency-replayed"] == "true"
    assert answer == b'{"index":0,"status":%d,' % single.status_code + single.content[1:]
    assert again == b'{"index":0,"status":%d,"replayed":true,' % single.status_code + single.content[1:]


@pytest.mark.parametrize("op", ASKED)
async def test_a_request_is_answered_as_its_line_is(shop: httpx.AsyncClient, op: str) -> None:
    """The same the other way round: a line finds what a request has done."""
    row = await row_of(shop, op, f"other way {op}")

    single = await shop.post(row.path, json=row.body, headers={"Idempotency-Key": "one"})
    [answer] = (await shop.post(PATH, content=body_of([{**row.line, "idempotency_key": "one"}]))).content.splitlines()

    assert single.status_code in (200, 201)
    assert answer == b'{"index":0,"status":%d,"replayed":true,' % single.status_code + single.content[1:]


@pytest.mark.parametrize("op", [op for op in ASKED if op != "ensure"])
async def test_a_line_is_refused_as_its_request_is(house: House, shop: httpx.AsyncClient, op: str) -> None:
    """A refusal is the same problem, and neither changes anything."""
    row = Row(op, f"nobody {op}", {"hold_id": "none", "transaction_id": "none"})
    before = snapshot(house.url)

    single = await shop.post(row.path, json=row.body)
    [answer] = (await shop.post(PATH, content=body_of([row.line]))).content.splitlines()

    assert single.status_code == 404
    assert answer == b'{"index":0,' + single.content[1:]
    assert snapshot(house.url) == before


REFUSED: Mapping[str, tuple[str, dict[str, Any], int]] = {
    "too dear": ("place_hold", {"amount": 1_000}, 402),
    "not sold": ("consume", {"feature": "cinema"}, 422),
    "not sold like this": ("consume", {"units": None, "usage": {"model": "m", "input_tokens": 1}}, 422),
    "ended before it began": ("grant", {"expires_at": "2001-01-01T00:00:00Z"}, 422),
    "more than an account may have": ("grant", {"amount": 2**53 - 1}, 409),
    "more than was used": ("refund", {"amount": 2}, 409),
    "no such hold": ("capture_hold", {"hold_id": "none"}, 404),
    "no such category": ("grant", {"category": "gifts"}, 422),
    "no time": ("grant", {"effective_at": "soon"}, 422),
    "no object": ("release_hold", {"metadata": []}, 422),
    "no whole number": ("grant", {"amount": 1.5}, 422),
    "no such mode": ("capture_hold", {"mode": "all"}, 422),
    "beyond bounds": ("extend_hold", {"ttl_seconds": 0}, 422),
    "a long label": ("ensure", {"label": "x" * 256}, 422),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_every_kind_of_refusal(house: House, shop: httpx.AsyncClient, case: str) -> None:
    """What the rules, the bounds and the reader of bodies refuse is the same problem, fact by fact."""
    op, wrong, status = REFUSED[case]
    row = await row_of(shop, op, f"refused {case}")
    line, body = {**row.line, **wrong}, {**row.body, **wrong}
    path = row.path.replace(str(row.line.get("hold_id")), str(line.get("hold_id")))
    body.pop("hold_id", None)
    before = snapshot(house.url)

    single = await shop.post(path, json=body)
    [answer] = (await shop.post(PATH, content=body_of([line]))).content.splitlines()

    assert single.status_code == status
    assert answer == b'{"index":0,' + single.content[1:]
    assert snapshot(house.url) == before


async def test_a_source_key_is_answered_as_its_request_is(shop: httpx.AsyncClient) -> None:
    """A payment that was delivered by a request is found by a line, and is claimed for other accounts."""
    await open_account(shop, "payer")
    await open_account(shop, "other payer")
    body = {"amount": 5, "reason": "paid", "source_key": "invoice 1"}

    single = await shop.post(f"{path_of('payer')}/grants", json=body)
    refused = await shop.post(f"{path_of('other payer')}/grants", json=body)
    content = body_of({"op": "grant", "account_id": account_id, **body} for account_id in ("payer", "other payer"))
    answers = (await shop.post(PATH, content=content)).content.splitlines()

    assert (single.status_code, refused.status_code) == (200, 409)
    assert answers == [
        b'{"index":0,"status":200,"replayed":true,' + single.content[1:],
        b'{"index":1,' + refused.content[1:],
    ]


async def test_no_name_stands_twice_in_an_answer(shop: httpx.AsyncClient) -> None:
    """What stands around a body has names that no body has."""
    await open_account(shop, "names")
    lines: list[Line | bytes] = [*[use("names", idempotency_key="k")] * 2, use("nobody"), b"{"]

    answers = (await shop.post(PATH, content=body_of(lines))).content.splitlines()

    for answer in answers:
        names = [name for name, _ in json.loads(answer, object_pairs_hook=list)]
        assert len(names) == len(set(names))


async def test_the_example_of_the_document(shop: httpx.AsyncClient) -> None:
    """What docs/http.md sends is answered as it says there."""
    sent = DOCUMENT.split("<<'LINES'\n")[1].split("LINES\n")[0].encode()
    told = DOCUMENT.split("LINES\n```\n\n```\n")[1].split("```")[0].splitlines()

    answers = (await shop.post(PATH, content=sent)).text.splitlines()

    assert len(told) == len(answers) == 3
    for line, answer in zip(told, answers, strict=True):
        assert re.fullmatch(re.escape(line).replace(r"\.\.\.", ".*"), answer)


class Faulty(Command):
    """A command with a defect."""

    account_id: str = "faulty"
    idempotency_key: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Fail as nobody expects it."""
        raise ZeroDivisionError(credits, target)


async def test_a_defect_ends_its_line_alone(sqlite_url: str) -> None:
    """What nobody expects is an internal error in its line's place, told in the log and not to the caller."""
    credits = CreditService(sqlite_url)
    handlers = refusal_handlers(credits, upgrade_url="/up")
    answers = LineAnswers(Request({"type": "http"}), credits, "shop", handlers, lambda: asyncio.sleep(0))

    with capture_logs() as logged:
        answer = await answers.answer(batch_lines.Line(Faulty()))

    assert (answer.status_code, json.loads(bytes(answer.body))["code"]) == (500, "internal-error")
    assert [entry["event"] for entry in logged] == ["a line of a batch failed"]
