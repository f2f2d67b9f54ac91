"""Many callers' transactions at once, and beside the writer: nothing is overspent, and nothing rolled back is spent."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sixpence.core.refusals import InsufficientCreditsError
from tests.ledger.caller_transactions.interfaces import ADA, ChangedMindError, Interface, notes
from tests.ledger.databases import count_uses, rows

PARALLEL = 50


async def test_fifty_at_once_spend_six_credits_six_times(interface: Interface, noted_url: str) -> None:
    """Exactly six transactions commit, each with its note; the others are refused and leave none."""
    await interface.call("initialize_user_credits", ADA)

    outcomes = await at_once(interface, lambda number: charge(interface, number))

    assert sorted(outcomes) == ["charged"] * 6 + ["refused"] * 44
    assert len(notes(noted_url)) == count_uses(noted_url, ADA) == 6


async def test_rolled_back_transactions_spend_nothing(interface: Interface, noted_url: str) -> None:
    """Of fifty transactions with sixty credits every second is rolled back: twenty-five are spent, by their keys."""
    await interface.call("initialize_user_credits", ADA)
    await interface.call("grant_credits", ADA, 54)

    outcomes = await at_once(interface, lambda number: charge(interface, number, undone=number % 2 == 0))
    again = [await interface.call("consume_credit", ADA, "sketch", idempotency_key=f"k{number}") for number in (0, 1)]

    assert sorted(outcomes) == ["charged"] * 25 + ["undone"] * 25
    assert notes(noted_url) == [f"{number:02}" for number in range(PARALLEL) if number % 2]
    assert [receipt.replayed for receipt in again] == [False, True]
    assert rows(noted_url, "SELECT credits_remaining FROM credit_accounts") == [(60 - 26,)]


async def test_writer_spends_beside_transactions(interface: Interface, noted_url: str) -> None:
    """Half are transactions and half commands of the writer, on one account: they spend exactly its credits."""
    await interface.call("initialize_user_credits", ADA)
    await interface.call("grant_credits", ADA, 34)

    async def either(number: int) -> str:
        return await (charge(interface, number) if number % 2 else command(interface, number))

    outcomes = await at_once(interface, either)

    assert (outcomes.count("refused"), len(outcomes)) == (10, PARALLEL)
    assert len(notes(noted_url)) == outcomes.count("charged")
    assert (count_uses(noted_url, ADA), outcomes.count("consumed")) == (40, 40 - outcomes.count("charged"))


async def charge(interface: Interface, number: int, *, undone: bool = False) -> str:
    """One app's transaction: a note and a use."""
    try:
        async with interface.begin() as transaction:
            await transaction.note(f"{number:02}")
            await transaction.call("consume_credit", ADA, "sketch", idempotency_key=f"k{number}")
            if undone:
                raise ChangedMindError
    except InsufficientCreditsError:
        return "refused"
    except ChangedMindError:
        return "undone"
    return "charged"


async def command(interface: Interface, number: int) -> str:
    """One use through the writer."""
    try:
        await interface.call("consume_credit", ADA, "sketch", idempotency_key=f"k{number}")
    except InsufficientCreditsError:
        return "refused"
    return "consumed"


async def at_once(interface: Interface, work: Callable[[int], Coroutine[Any, Any, str]]) -> list[str]:
    """Run fifty works at once: in threads for a blocking interface, otherwise in tasks."""
    if interface.is_async:
        return await asyncio.gather(*map(work, range(PARALLEL)))
    with ThreadPoolExecutor(PARALLEL) as threads:
        running = [threads.submit(lambda number: asyncio.run(work(number)), number) for number in range(PARALLEL)]
        return await asyncio.gather(*map(asyncio.wrap_future, running))
