"""Every bad request of bad_input.py at once, among good ones, over both databases: each is told, none is harmed."""

import asyncio
import logging

import httpx
import pytest

from tests.http.house import House, open_account
from tests.http.wire.bad_input import BODIES, FIELDS, GOOD, GRANT, IDS, QUERIES, USE, body_with
from tests.ledger.databases import ledger_of

GOOD_ONES = 100


async def test_bad_requests_harm_nobody(
    house: House, shop: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Among all the bad requests a hundred good ones are served, and the ledger holds these alone."""
    await open_account(shop, "target")
    await shop.post(GRANT, json={"amount": GOOD_ONES - 6, "reason": "enough"})
    bad = [
        *(shop.post(USE, content=body) for body, _ in BODIES.values()),
        *(shop.post(path, content=body_with(path, field, value)) for path, field, value, _ in FIELDS),
        *(shop.get(f"/v1/accounts/target/transactions?{query}") for query, _, _ in QUERIES),
        *(shop.post(f"/v1/accounts/{text}/consume", json=GOOD[USE]) for text, _ in IDS.values()),
    ]
    good = [shop.post(USE, json=GOOD[USE]) for _ in range(GOOD_ONES)]
    mixed = [request for pair in zip(bad, good, strict=False) for request in pair] + bad[GOOD_ONES:]

    answers = await asyncio.gather(*mixed)

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), {status for status in statuses if status != 200}) == (GOOD_ONES, {400, 409, 422})
    assert len(statuses) == GOOD_ONES + len(bad)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert ledger_of(house.url, "target") == [
        (1, "signup", 6, 6),
        (2, "grant", GOOD_ONES - 6, GOOD_ONES),
        *((seq + 3, "consume", -1, GOOD_ONES - 1 - seq) for seq in range(GOOD_ONES)),
    ]
