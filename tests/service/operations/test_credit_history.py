"""History: pages, filters and their bound, newest first."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, proved
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
    proved(module_url)


async def test_pages_give_everything_once_newest_first(long_ledger: CreditService) -> None:
    """Following the cursor through the whole history gives each transaction once, in falling order."""
    seen: list[int] = []
    cursor = None
    while True:
        page = await long_ledger.get_credit_history(ADA, limit=190, cursor=cursor)
        seen += [row.seq for row in page.transactions]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == list(range(2_500, 0, -1))


async def test_a_page_has_fifty_by_default(long_ledger: CreditService) -> None:
    """Without a limit a page has the fifty newest and a cursor to go on."""
    page = await long_ledger.get_credit_history(ADA)

    assert [row.seq for row in page.transactions] == list(range(2_500, 2_450, -1))
    assert page.next_cursor == "2451"


async def test_a_last_page_that_is_full_says_that_it_is_last(long_ledger: CreditService) -> None:
    """Exactly as many as were asked for, and no cursor that leads to nothing."""
    page = await long_ledger.get_credit_history(ADA, limit=3, cursor="4")

    assert ([row.seq for row in page.transactions], page.next_cursor) == ([3, 2, 1], None)


async def test_a_filtered_page_looks_at_a_thousand_rows(long_ledger: CreditService) -> None:
    """It comes back short, with a cursor to go on, and the pages together have every match once."""
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


async def test_a_filter_by_kind(long_ledger: CreditService) -> None:
    """Only transactions of the kind; here they lie beyond the first thousand."""
    page = await long_ledger.get_credit_history(ADA, kind="signup", cursor="900")

    assert [(row.seq, row.kind) for row in page.transactions] == [(1, "signup")]


async def test_a_filter_by_time_is_half_open(long_ledger: CreditService) -> None:
    """`since` is in it, `until` is not."""
    since, until = START + timedelta(seconds=1), START + timedelta(seconds=101)

    page = await long_ledger.get_credit_history(ADA, since=since, until=until, cursor="200")

    assert [row.kind for row in page.transactions] == ["grant"]


async def test_filters_narrow_together(long_ledger: CreditService) -> None:
    """Feature, kind and time hold at once."""
    page = await long_ledger.get_credit_history(
        ADA, feature="video", kind="consume", until=START + timedelta(seconds=500), cursor="1001"
    )

    assert [row.seq for row in page.transactions] == [5]


@pytest.mark.parametrize("cursor", ["0", "1"])
async def test_below_the_first_there_is_nothing(long_ledger: CreditService, cursor: str) -> None:
    """A cursor at the end gives an empty page and no further cursor."""
    page = await long_ledger.get_credit_history(ADA, cursor=cursor)

    assert (page.transactions, page.next_cursor) == ([], None)


async def test_a_cursor_beyond_the_newest_starts_at_the_newest(long_ledger: CreditService) -> None:
    """A cursor may be any number: it only bounds."""
    page = await long_ledger.get_credit_history(ADA, limit=1, cursor="9" * 18)

    assert [row.seq for row in page.transactions] == [2_500]


async def test_a_history_is_of_one_account(long_ledger: CreditService) -> None:
    """Bob sees his one transaction and none of Ada's."""
    page = await long_ledger.get_credit_history(BOB)

    assert [(row.account_id, row.seq) for row in page.transactions] == [(BOB, 1)]
