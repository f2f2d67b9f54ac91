"""`get_credit_history`: pages, filters and their limit, newest first."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, verify_clean
from tests.ledger.moved_clock import START, MovedClock

ADA, BOB = "ada@example.com", "bob@example.com"
RARE = (5, 1_150, 2_400)


@pytest.fixture(scope="module")
async def long_ledger(module_url: Database) -> AsyncIterator[CreditService]:
    """Ada's 2,500 transactions: the signup, a grant, and uses, of `video` in three of them and else of `sketch`."""
    clock = MovedClock()
    async with CreditService(Ledger(module_url, clock=clock)) as service:
        await service.initialize_user_credits(ADA)
        await service.initialize_user_credits(BOB)
        clock.move(seconds=1)
        await service.grant_credits(ADA, 10_000)
        for seq in range(3, 2_501, 100):
            clock.move(seconds=100)
            part = range(seq, min(seq + 100, 2_501))
            await asyncio.gather(
                *(service.consume_credit(ADA, "video" if number in RARE else "sketch") for number in part)
            )
        yield service
    verify_clean(module_url)


async def test_pages_have_each_transaction_once_newest_first(long_ledger: CreditService) -> None:
    """Following the cursor gives each transaction once, in descending order."""
    seen: list[int] = []
    cursor = None
    while True:
        page = await long_ledger.get_credit_history(ADA, limit=190, cursor=cursor)
        seen += [row.seq for row in page.transactions]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == list(range(2_500, 0, -1))


async def test_default_page_has_fifty_transactions(long_ledger: CreditService) -> None:
    """Without a limit a page has the fifty newest transactions and a cursor for the next page."""
    page = await long_ledger.get_credit_history(ADA)

    assert [row.seq for row in page.transactions] == list(range(2_500, 2_450, -1))
    assert page.next_cursor == "2451"


async def test_full_last_page_has_no_cursor(long_ledger: CreditService) -> None:
    """A last page that has exactly `limit` transactions has no cursor."""
    page = await long_ledger.get_credit_history(ADA, limit=3, cursor="4")

    assert ([row.seq for row in page.transactions], page.next_cursor) == ([3, 2, 1], None)


async def test_filtered_page_reads_at_most_1000_transactions(long_ledger: CreditService) -> None:
    """A filtered page may be short and have a cursor; the pages together have every match once."""
    pages = []
    cursor = None
    while True:
        page = await long_ledger.get_credit_history(ADA, feature="video", cursor=cursor)
        pages.append(([row.seq for row in page.transactions], page.next_cursor))
        cursor = page.next_cursor
        if cursor is None:
            break

    found = [seq for seqs, _ in pages for seq in seqs]
    assert (found, [cursor for _, cursor in pages]) == ([2_400, 1_150, 5], ["1501", "501", None])


async def test_filter_by_kind(long_ledger: CreditService) -> None:
    """Only transactions of the kind are found; here beyond the first thousand."""
    page = await long_ledger.get_credit_history(ADA, kind="signup", cursor="900")

    assert [(row.seq, row.kind) for row in page.transactions] == [(1, "signup")]


async def test_filter_by_time_is_half_open(long_ledger: CreditService) -> None:
    """`since` is included, `until` is excluded."""
    since, until = START + timedelta(seconds=1), START + timedelta(seconds=101)

    page = await long_ledger.get_credit_history(ADA, since=since, until=until, cursor="200")

    assert [row.kind for row in page.transactions] == ["grant"]


async def test_filters_combine(long_ledger: CreditService) -> None:
    """Feature, kind and time all apply."""
    page = await long_ledger.get_credit_history(
        ADA, feature="video", kind="consume", until=START + timedelta(seconds=500), cursor="1001"
    )

    assert [row.seq for row in page.transactions] == [5]


@pytest.mark.parametrize("cursor", ["0", "1"])
async def test_cursor_at_end_gives_empty_page(long_ledger: CreditService, cursor: str) -> None:
    """A cursor at the end gives an empty page and no further cursor."""
    page = await long_ledger.get_credit_history(ADA, cursor=cursor)

    assert (page.transactions, page.next_cursor) == ([], None)


async def test_cursor_beyond_newest_starts_at_newest(long_ledger: CreditService) -> None:
    """A cursor may be any number: it is only an upper bound."""
    page = await long_ledger.get_credit_history(ADA, limit=1, cursor="9" * 18)

    assert [row.seq for row in page.transactions] == [2_500]


async def test_history_has_only_own_transactions(long_ledger: CreditService) -> None:
    """Bob sees his one transaction and none of Ada's."""
    page = await long_ledger.get_credit_history(BOB)

    assert [(row.account_id, row.seq) for row in page.transactions] == [(BOB, 1)]
