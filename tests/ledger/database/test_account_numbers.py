"""Account numbers that collide: another id has the number's hash of 63 bits, and the next number is taken."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sixpence.core.errors import InternalError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.values.bounds import account_no
from sixpence.service.credits import CreditService
from tests.ledger.databases import ledger_of, rows, run

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
async def service(url: str) -> AsyncIterator[CreditService]:
    """A service over a fresh database, opened."""
    async with CreditService(url) as service:
        await service.get_catalog()
        yield service


def occupy(url: str, number: int, account_id: str) -> None:
    """Put an empty account of another id at a number."""
    run(url, "INSERT INTO credit_accounts (account_no, account_id) VALUES (:no, :id)", {"no": number, "id": account_id})


@pytest.mark.parametrize("collisions", [1, 3])
async def test_colliding_account_takes_the_next_number(service: CreditService, url: str, collisions: int) -> None:
    """Where another id has the number, the account is created at the next; every operation and read finds it."""
    for attempt in range(collisions):
        occupy(url, account_no(ADA, attempt), f"squatter-{attempt}@example.com")

    await service.initialize_user_credits(ADA, idempotency_key="1")
    await service.consume_credit(ADA, "video", idempotency_key="2")
    again = await service.consume_credit(ADA, "video", idempotency_key="2")

    assert (again.replayed, again.remaining) == (True, 5)
    assert (
        (await service.get_user_credits(ADA)).remaining,
        len((await service.get_credit_history(ADA)).transactions),
    ) == (5, 2)
    assert rows(url, "SELECT DISTINCT account_no FROM credit_transactions") == [(account_no(ADA, collisions),)]


async def test_unknown_id_does_not_find_a_colliding_account(service: CreditService, url: str) -> None:
    """The account at the number of an unknown id belongs to another id."""
    occupy(url, account_no(ADA), BOB)

    with pytest.raises(AccountNotFoundError):
        await service.consume_credit(ADA, "video")
    with pytest.raises(AccountNotFoundError):
        await service.get_user_credits(ADA)

    assert ledger_of(url, BOB) == []


async def test_colliding_accounts_have_separate_keys(service: CreditService, url: str) -> None:
    """The same key on the accounts at the first and at the next number is two keys."""
    await service.initialize_user_credits(BOB)
    # Bob's ledger gets Ada's number, as if both ids had that hash.
    for table in ("credit_accounts", "credit_transactions"):
        run(
            url,
            f"UPDATE {table} SET account_no = :new WHERE account_no = :old",
            {"new": account_no(ADA), "old": account_no(BOB)},
        )
    occupy(url, account_no(BOB), ADA)
    run(url, "DELETE FROM credit_accounts WHERE account_id = :id", {"id": ADA})

    first = await service.initialize_user_credits(ADA, idempotency_key="k")
    again = await service.initialize_user_credits(ADA, idempotency_key="k")

    assert (first.created, again.created, again.replayed) == (True, True, True)
    assert rows(url, "SELECT account_no FROM credit_accounts WHERE account_id = :id", {"id": ADA}) == [
        (account_no(ADA, 1),)
    ]


async def test_four_collisions_fail_alone(service: CreditService, url: str) -> None:
    """An id whose four numbers are taken is an internal error; the other commands of the batch are accepted."""
    for attempt in range(4):
        occupy(url, account_no(ADA, attempt), f"squatter-{attempt}@example.com")

    calls = [service.initialize_user_credits(name) for name in (ADA, BOB, "c@example.com", ADA, "d@example.com")]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    later = await service.consume_credit(BOB, "video")

    assert [outcome == InternalError() for outcome in outcomes] == [True, False, False, True, False]
    assert later.remaining == 5
    assert rows(url, "SELECT count(*) FROM credit_transactions") == [(4,)]
    assert rows(url, "SELECT count(*) FROM credit_accounts WHERE seq = 0") == [(4,)]
