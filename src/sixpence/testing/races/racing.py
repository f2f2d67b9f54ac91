"""The race itself: one call alone, then wave after wave, each judged when the app is at rest."""

import asyncio
import random
import secrets
from collections.abc import Sequence
from typing import Any

from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.testing.races.arena import Arena
from sixpence.testing.races.asked import check_calls, check_figures, check_ledger, chosen_waves
from sixpence.testing.races.attempts import Sending, Succeeded, is_success
from sixpence.testing.races.books import Books, ServiceBooks, State
from sixpence.testing.races.calls import Call, KeyedCall, keyed
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.judge import judge
from sixpence.testing.races.report import Report, WaveResult
from sixpence.testing.races.served_ledger import ServedLedger
from sixpence.testing.races.serving import served
from sixpence.testing.races.waves import WAVES, WaveName

# Half of what an account may hold: the race's own credits are beside it until they are spent.
_REMAINING_MAX = AMOUNT_MAX // 2


async def race(
    app: Any,
    call: Call | KeyedCall,
    *,
    ledger: CreditService | SyncCreditService | ServedLedger,
    account_id: str,
    calls: int = 30,
    failing: Call | KeyedCall | None = None,
    other: Call | KeyedCall | None = None,
    waves: Sequence[WaveName] | None = None,
    succeeded: Succeeded = is_success,
    seed: int | None = None,
    timeout_seconds: float = 30.0,
    grace_seconds: float = 5.0,
) -> Report:
    """Fire parallel, repeated, cut off and failing calls at an app's endpoint, and judge it by its ledger.

    `app` is a URL, or an ASGI or WSGI app, which is served on a port of its own meanwhile. `call` spends or gives
    credits of `account_id`, each time as many: a `Call`, sent with the header `Idempotency-Key`, or a function that
    makes one of a key (such as an event's id). `failing` makes one whose work fails, `other` another request for
    the same key. `ledger` is the app's own: the race sets the account's balance there, and back at its end.

    An answer is a success when it has `succeeded` (2xx). A client waits `timeout_seconds` for an answer; after the last
    one the app has `grace_seconds` to end what it began. The same `seed` makes the same choices. Raises `RaceError`
    where the race could not be run.
    """
    check_ledger(ledger)
    check_calls(call=call, failing=failing, other=other)
    check_figures(calls=calls, seed=seed, timeout_seconds=timeout_seconds, grace_seconds=grace_seconds)
    chosen = chosen_waves(waves, failing=failing, other=other)
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    chance = random.Random(seed)
    books: Books = ledger if isinstance(ledger, ServedLedger) else ServiceBooks(ledger)
    async with served(app, timeout_seconds=timeout_seconds) as running:
        arena = Arena(
            books=books,
            account_id=account_id,
            began=await _opened(books, account_id),
            served=running,
            sending=Sending(running.place, chance, timeout_seconds=timeout_seconds),
            call=keyed(call),
            failing=None if failing is None else keyed(failing),
            other=None if other is None else keyed(other),
            calls=calls,
            chance=chance,
            succeeded=succeeded,
            grace_seconds=grace_seconds,
        )
        try:
            alone = await arena.alone()
            seen = [await arena.wave(name, alone) for name in chosen]
        except BaseException as error:
            if left := await arena.leave():
                error.add_note(left)
            raise
        left = await arena.leave()
        return Report(
            call=str(arena.call("KEY")),
            account_id=account_id,
            seed=seed,
            worth=alone.worth,
            waves=tuple(map(WaveResult.of, seen)),
            findings=tuple(finding for each in seen for finding in judge(each)),
            not_tried=_not_tried(chosen),
            raised=tuple(running.work.raised),
            left=left,
        )


def race_sync(app: Any, call: Call | KeyedCall, **arguments: Any) -> Report:
    """`race` for a test without an event loop, with the same arguments."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(race(app, call, **arguments))
    raise RaceError("An event loop runs here already, which a race would block. Write `await race(...)`.")


async def _opened(books: Books, account_id: str) -> State:
    await books.open(account_id)
    state = await books.state(account_id)
    if state.standing != "open":
        raise RaceError(f"The account {account_id!r} is {state.standing}: nothing can be spent. Race with an open one.")
    if state.remaining < 0:
        problem = f"The account {account_id!r} owes {-state.remaining}, which a race cannot put back at its end."
        raise RaceError(f"{problem} Give it that many first, or race with an account that is made for tests.")
    if state.remaining > _REMAINING_MAX:
        problem = f"The account {account_id!r} has {state.remaining} credits, more than a race can put back at its end."
        raise RaceError(f"{problem} Race with an account that is made for tests, or has at most {_REMAINING_MAX}.")
    return state


def _not_tried(chosen: Sequence[WaveName]) -> tuple[str, ...]:
    """What was left out because nobody said how: it is told, so that nobody takes it for proved."""
    left_out = ((name, wave) for name, wave in WAVES.items() if wave.needs and name not in chosen)
    return tuple(f"{name}, {wave.says} (give `{wave.needs}`)" for name, wave in left_out)
