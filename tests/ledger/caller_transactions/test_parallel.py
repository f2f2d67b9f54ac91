"""Many transactions of callers at once, and beside the writer: nobody overspends, what is undone was never spent."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sixpence.core.refusals import InsufficientCreditsError
from tests.ledger.caller_transactions.ways import ADA, ChangedMindError, Way, notes
from tests.ledger.databases import consumed, rows

PARALLEL = 50


async def test_fifty_at_once_spend_six_credits_six_times(way: Way, noted_url: str) -> None:
    """Exactly six transactions commit, each with its note; the others are refused and leave none."""
    await way.ask("initialize_user_credits", ADA)

    outcomes = await at_once(way, lambda number: charge(way, number))

    assert sorted(outcomes) == ["charged"] * 6 + ["refused"] * 44
    assert len(notes(noted_url)) == consumed(noted_url, ADA) == 6


async def test_what_half_of_them_undo_is_not_spent(way: Way, noted_url: str) -> None:
    """Of fifty transactions with sixty credits every second is rolled back: twenty-five are spent, by their keys."""
    await way.ask("initialize_user_credits", ADA)
    await way.ask("grant_credits", ADA, 54)

    outcomes = await at_once(way, lambda number: charge(way, number, undone=number % 2 == 0))
    again = [await way.ask("consume_credit", ADA, "sketch", idempotency_key=f"k{number}") for number in (0, 1)]

    assert sorted(outcomes) == ["charged"] * 25 + ["undone"] * 25
    assert notes(noted_url) == [f"{number:02}" for number in range(PARALLEL) if number % 2]
    assert [receipt.replayed for receipt in again] == [False, True]
    assert rows(noted_url, "SELECT credits_remaining FROM credit_accounts") == [(60 - 26,)]


async def test_the_writer_spends_beside_them(way: Way, noted_url: str) -> None:
    """Half are transactions and half commands of the writer's, on one account: together they spend what there is."""
    await way.ask("initialize_user_credits", ADA)
    await way.ask("grant_credits", ADA, 34)

    async def either(number: int) -> str:
        return await (charge(way, number) if number % 2 else command(way, number))

    outcomes = await at_once(way, either)

    assert (outcomes.count("refused"), len(outcomes)) == (10, PARALLEL)
    assert len(notes(noted_url)) == outcomes.count("charged")
    assert (consumed(noted_url, ADA), outcomes.count("asked")) == (40, 40 - outcomes.count("charged"))


async def charge(way: Way, number: int, *, undone: bool = False) -> str:
    """One transaction of the app's: a note, and a use to be paid for."""
    try:
        async with way.begin() as own:
            await own.note(f"{number:02}")
            await own.ask("consume_credit", ADA, "sketch", idempotency_key=f"k{number}")
            if undone:
                raise ChangedMindError
    except InsufficientCreditsError:
        return "refused"
    except ChangedMindError:
        return "undone"
    return "charged"


async def command(way: Way, number: int) -> str:
    """One use paid for through the writer."""
    try:
        await way.ask("consume_credit", ADA, "sketch", idempotency_key=f"k{number}")
    except InsufficientCreditsError:
        return "refused"
    return "asked"


async def at_once(way: Way, work: Callable[[int], Coroutine[Any, Any, str]]) -> list[str]:
    """Fifty works at once: in threads where the way blocks, otherwise in tasks."""
    if way.looping:
        return await asyncio.gather(*map(work, range(PARALLEL)))
    with ThreadPoolExecutor(PARALLEL) as threads:
        running = [threads.submit(lambda number: asyncio.run(work(number)), number) for number in range(PARALLEL)]
        return await asyncio.gather(*map(asyncio.wrap_future, running))
