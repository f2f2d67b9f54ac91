"""Many requests at once for one account, over real HTTP: no credit is spent twice, and nothing is created twice."""

from collections import Counter
from collections.abc import Awaitable

import pytest

from tests.http.installation import delete_account
from tests.ledger.databases import ledger_of, rows
from tests.races.served import Served
from tests.races.wire import Connection, Reply

pytestmark = pytest.mark.slow

SIX_USES = [(1, "signup", 6, 6), *((seq, "consume", -1, 7 - seq) for seq in range(2, 8))]


async def test_two_hundred_uses_of_six_credits(served: Served) -> None:
    """Exactly six succeed, 194 are 402, and the ledger has exactly those rows, its seq without a gap."""
    path = await served.open_account("six-credits")

    answers = await served.at_once(lambda c: c.ask("POST", f"{path}/consume", {"feature": "video"}), 200)

    assert Counter(answer.status for answer in answers) == {200: 6, 402: 194}
    assert ledger_of(served.database_url, "six-credits") == SIX_USES
    paid = [answer.json() for answer in answers if answer.status == 200]
    assert sorted((body["version"], body["remaining"]) for body in paid) == [(seq, 7 - seq) for seq in range(2, 8)]
    query = "SELECT id FROM credit_transactions WHERE account_id = 'six-credits' AND kind = 'consume'"
    assert {(body["transaction_id"],) for body in paid} == set(rows(served.database_url, query))
    refused = {answer.json()["remaining"] for answer in answers if answer.status == 402}
    assert refused == {0}


async def test_fifty_of_one_key(served: Served) -> None:
    """Fifty requests at once under one key are one charge, and fifty answers that are equal byte for byte."""
    path = await served.open_account("one-key")
    use = {"feature": "video", "generation_id": "gen 1", "metadata": {"b": 1, "a": 2}}

    answers = await served.at_once(lambda c: c.ask("POST", f"{path}/consume", use, idempotency_key="one"), 50)

    assert Counter(answer.status for answer in answers) == {200: 50}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 49
    assert ledger_of(served.database_url, "one-key") == SIX_USES[:2]


async def test_two_hundred_first_requests_of_a_new_user(served: Served) -> None:
    """One account and one signup grant; every request is answered."""
    account_id, cookie = await served.sign_up("first@example.com")
    delete_account(served.database_url, account_id)

    answers = await served.at_once(lambda c: c.ask("GET", "/api/user/credits"), 200, cookie=cookie)

    assert Counter(answer.status for answer in answers) == {200: 200}
    assert {(answer.json()["remaining"], answer.json()["version"]) for answer in answers} == {(6, 1)}
    assert ledger_of(served.database_url, account_id) == [(1, "signup", 6, 6)]


async def test_two_hundred_first_requests_of_a_new_account(served: Served) -> None:
    """A server that asks for one account two hundred times at once makes it once."""
    answers = await served.at_once(lambda c: c.ask("POST", "/v1/accounts", {"account_id": "new"}), 200)

    assert Counter(answer.status for answer in answers) == {201: 1, 200: 199}
    assert ledger_of(served.database_url, "new") == [(1, "signup", 6, 6)]


async def test_first_uses_of_a_new_user(served: Served) -> None:
    """Two hundred uses at once by a user without an account: it is made once, and six are paid for."""
    account_id, cookie = await served.sign_up("uses@example.com")
    delete_account(served.database_url, account_id)

    def use(connection: Connection) -> Awaitable[Reply]:
        return connection.ask("POST", "/api/user/credits/consume", {"feature": "video"}, origin=connection.url)

    answers = await served.at_once(use, 200, cookie=cookie)

    assert Counter(answer.status for answer in answers) == {200: 6, 402: 194}
    assert ledger_of(served.database_url, account_id) == SIX_USES
