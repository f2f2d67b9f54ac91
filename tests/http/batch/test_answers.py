"""The answer to a line of a batch has the bytes of the single request's answer, refusals included."""

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
from tests.http.batch.batch_client import PATH, Line, consume_line, to_ndjson
from tests.http.installation import Installation, account_path, open_account
from tests.ledger.databases import snapshot

DOCUMENT = (Path(__file__).parents[3] / "docs" / "http.md").read_text()

# For each op: the rest of its path below the account's, and a body with all of its fields.
METADATA = {"job": 7, "é": [1, None]}
REQUESTS: Mapping[str, tuple[str, dict[str, Any]]] = {
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
assert set(REQUESTS) == set(get_args(Op))


class Change:
    """One change, as a line and as a single request."""

    def __init__(self, op: str, account_id: str, ids: Mapping[str, str]) -> None:
        rest, body = REQUESTS[op]
        named = {"account_id": account_id}
        self.line = {"op": op, **named, **{name: ids[name] for name in ids if f"{{{name}}}" in rest}, **body}
        self.path = account_path(account_id) + rest.format(**ids) if rest else "/v1/accounts"
        self.body = body if rest else {**named, **body}


async def send_line(shop: httpx.AsyncClient, line: Line) -> bytes:
    """Send a batch of one line, and return the bytes of its answer."""
    [answer] = (await shop.post(PATH, content=to_ndjson([line]))).content.splitlines()
    return answer


async def prepare_change(shop: httpx.AsyncClient, op: str, account_id: str) -> Change:
    """The change, with the account, the hold and the use that it needs."""
    if op == "ensure":
        return Change(op, account_id, {})
    path = await open_account(shop, account_id)
    held = await shop.post(f"{path}/holds", json={"feature": "video", "amount": 2})
    used = await shop.post(f"{path}/consume", json={"feature": "video"})
    return Change(op, account_id, {"hold_id": held.json()["hold_id"], "transaction_id": used.json()["transaction_id"]})


@pytest.mark.parametrize("op", REQUESTS)
async def test_line_replays_as_the_single_request(installation: Installation, shop: httpx.AsyncClient, op: str) -> None:
    """Under one key, the answers of line and request are equal byte for byte, because the fingerprints are equal."""
    change = await prepare_change(shop, op, f"equal/é {op}")

    answer = await send_line(shop, {**change.line, "idempotency_key": "one"})
    single = await shop.post(change.path, json=change.body, headers={"Idempotency-Key": "one"})
    again = await send_line(shop, {**change.line, "idempotency_key": "one"})

    assert single.headers["idempotency-replayed"] == "true"
    assert answer == b'{"index":0,"status":%d,' % single.status_code + single.content[1:]
    assert again == b'{"index":0,"status":%d,"replayed":true,' % single.status_code + single.content[1:]


@pytest.mark.parametrize("op", REQUESTS)
async def test_single_request_replays_as_the_line(shop: httpx.AsyncClient, op: str) -> None:
    """A line replays what a single request did before."""
    change = await prepare_change(shop, op, f"other way {op}")

    single = await shop.post(change.path, json=change.body, headers={"Idempotency-Key": "one"})
    answer = await send_line(shop, {**change.line, "idempotency_key": "one"})

    assert single.status_code in (200, 201)
    assert answer == b'{"index":0,"status":%d,"replayed":true,' % single.status_code + single.content[1:]


@pytest.mark.parametrize("op", [op for op in REQUESTS if op != "ensure"])
async def test_line_is_refused_as_the_single_request(
    installation: Installation, shop: httpx.AsyncClient, op: str
) -> None:
    """The refusals of line and request are the same problem, and neither changes anything."""
    change = Change(op, f"nobody {op}", {"hold_id": "none", "transaction_id": "none"})
    before = snapshot(installation.url)

    single = await shop.post(change.path, json=change.body)
    answer = await send_line(shop, change.line)

    assert single.status_code == 404
    assert answer == b'{"index":0,' + single.content[1:]
    assert snapshot(installation.url) == before


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
async def test_every_kind_of_refusal_is_equal(installation: Installation, shop: httpx.AsyncClient, case: str) -> None:
    """Refusals by rules, by bounds and by the reader of bodies are the same problem for line and request."""
    op, wrong, status = REFUSED[case]
    change = await prepare_change(shop, op, f"refused {case}")
    line, body = {**change.line, **wrong}, {**change.body, **wrong}
    path = change.path.replace(str(change.line.get("hold_id")), str(line.get("hold_id")))
    body.pop("hold_id", None)
    before = snapshot(installation.url)

    single = await shop.post(path, json=body)
    answer = await send_line(shop, line)

    assert single.status_code == status
    assert answer == b'{"index":0,' + single.content[1:]
    assert snapshot(installation.url) == before


async def test_source_key_is_shared_with_single_requests(shop: httpx.AsyncClient) -> None:
    """A line replays a payment that a single request delivered; for another account it is refused."""
    await open_account(shop, "payer")
    await open_account(shop, "other payer")
    body = {"amount": 5, "reason": "paid", "source_key": "invoice 1"}

    single = await shop.post(f"{account_path('payer')}/grants", json=body)
    refused = await shop.post(f"{account_path('other payer')}/grants", json=body)
    content = to_ndjson({"op": "grant", "account_id": account_id, **body} for account_id in ("payer", "other payer"))
    answers = (await shop.post(PATH, content=content)).content.splitlines()

    assert (single.status_code, refused.status_code) == (200, 409)
    assert answers == [
        b'{"index":0,"status":200,"replayed":true,' + single.content[1:],
        b'{"index":1,' + refused.content[1:],
    ]


async def test_answer_has_each_name_once(shop: httpx.AsyncClient) -> None:
    """The fields of a line's answer never collide with the fields of the body."""
    await open_account(shop, "names")
    lines: list[Line | bytes] = [*[consume_line("names", idempotency_key="k")] * 2, consume_line("nobody"), b"{"]

    answers = (await shop.post(PATH, content=to_ndjson(lines))).content.splitlines()

    for answer in answers:
        names = [name for name, _ in json.loads(answer, object_pairs_hook=list)]
        assert len(names) == len(set(names))


async def test_example_of_the_http_page(shop: httpx.AsyncClient) -> None:
    """The lines in docs/http.md get the answers in docs/http.md."""
    sent = DOCUMENT.split("<<'LINES'\n")[1].split("LINES\n")[0].encode()
    documented = DOCUMENT.split("LINES\n```\n\n```\n")[1].split("```")[0].splitlines()

    answers = (await shop.post(PATH, content=sent)).text.splitlines()

    assert len(documented) == len(answers) == 3
    for line, answer in zip(documented, answers, strict=True):
        assert re.fullmatch(re.escape(line).replace(r"\.\.\.", ".*"), answer)


class FailingCommand(Command):
    """A command with a defect."""

    account_id: str = "faulty"
    idempotency_key: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Raise an unexpected error."""
        raise ZeroDivisionError(credits, target)


async def test_unexpected_error_ends_only_its_line(sqlite_url: str) -> None:
    """An unexpected error is an internal error in its line's place; only the log has its details."""
    credits = CreditService(sqlite_url)
    handlers = refusal_handlers(credits, upgrade_url="/up")
    answers = LineAnswers(Request({"type": "http"}), credits, "shop", handlers, lambda: asyncio.sleep(0))

    with capture_logs() as logged:
        answer = await answers.answer(batch_lines.Line(FailingCommand()))

    assert (answer.status_code, json.loads(bytes(answer.body))["code"]) == (500, "internal-error")
    assert [entry["event"] for entry in logged] == ["a line of a batch failed"]
