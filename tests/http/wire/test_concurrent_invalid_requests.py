"""Every invalid request at once, among valid ones, over both databases: each is refused, the valid ones run."""

import asyncio
import logging

import httpx
import pytest

from tests.http.installation import Installation, open_account
from tests.http.wire.invalid_requests import BODIES, CONSUME, FIELDS, GRANT, IDS, QUERIES, VALID, body_with
from tests.ledger.databases import ledger_of

VALID_COUNT = 100


async def test_concurrent_invalid_requests_do_not_affect_valid_ones(
    installation: Installation, shop: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Among all the invalid requests a hundred valid ones are served, and the ledger has only these."""
    await open_account(shop, "target")
    await shop.post(GRANT, json={"amount": VALID_COUNT - 6, "reason": "enough"})
    invalid = [
        *(shop.post(CONSUME, content=body) for body, _ in BODIES.values()),
        *(shop.post(path, content=body_with(path, field, value)) for path, field, value, _ in FIELDS),
        *(shop.get(f"/v1/accounts/target/transactions?{query}") for query, _, _ in QUERIES),
        *(shop.post(f"/v1/accounts/{text}/consume", json=VALID[CONSUME]) for text, _ in IDS.values()),
    ]
    valid = [shop.post(CONSUME, json=VALID[CONSUME]) for _ in range(VALID_COUNT)]
    mixed = [request for pair in zip(invalid, valid, strict=False) for request in pair] + invalid[VALID_COUNT:]

    answers = await asyncio.gather(*mixed)

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), {status for status in statuses if status != 200}) == (VALID_COUNT, {400, 409, 422})
    assert len(statuses) == VALID_COUNT + len(invalid)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert ledger_of(installation.url, "target") == [
        (1, "signup", 6, 6),
        (2, "grant", VALID_COUNT - 6, VALID_COUNT),
        *((seq + 3, "consume", -1, VALID_COUNT - 1 - seq) for seq in range(VALID_COUNT)),
    ]
