"""`race`: a single call, then the waves, each judged when the app is idle.

Not here: checking the arguments (`arguments`), running a wave (`wave_runner`), judging it (`judging.judge`).
"""

import asyncio
import random
import secrets
from collections.abc import Sequence
from typing import Any

from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.testing.races.client.attempts import Client, Succeeded, is_success
from sixpence.testing.races.client.calls import Call, KeyedCall, to_keyed_call
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.judging.judge import judge
from sixpence.testing.races.judging.report import Report, WaveResult
from sixpence.testing.races.ledgers.ledger import AccountState, RaceLedger, ServiceLedger
from sixpence.testing.races.ledgers.served_ledger import ServedLedger
from sixpence.testing.races.running.arguments import check_calls, check_figures, check_ledger, choose_waves
from sixpence.testing.races.running.wave_runner import WaveRunner
from sixpence.testing.races.running.waves import WAVES, WaveName
from sixpence.testing.races.servers.running_app import run_app

# Half of an account's limit: a wave's unspent credits come on top until the balance is restored.
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
    """Send parallel, repeated, interrupted and failing calls to an app's endpoint, and judge the app by its ledger.

    `app` is a URL, or an ASGI or WSGI app, which is served on its own port for the race. `call` spends or grants
    credits of `account_id`, the same amount each time: a `Call`, sent with the header `Idempotency-Key`, or a function
    that returns one for a key (such as an event's id). `failing` returns one whose work fails, `other` another request
    for the same key. `ledger` is the app's own: the race sets the account's balance there, and restores it at the end.

    An answer is a success if `succeeded` returns True for it (default: 2xx). A client waits `timeout_seconds` for an
    answer; after the last one the app has `grace_seconds` to finish its work. The same `seed` makes the same choices.
    Raises `RaceError` if the race cannot be run.
    """
    check_ledger(ledger)
    check_calls(call=call, failing=failing, other=other)
    check_figures(calls=calls, seed=seed, timeout_seconds=timeout_seconds, grace_seconds=grace_seconds)
    chosen = choose_waves(waves, failing=failing, other=other)
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    rng = random.Random(seed)
    race_ledger: RaceLedger = ledger if isinstance(ledger, ServedLedger) else ServiceLedger(ledger)
    async with run_app(app, timeout_seconds=timeout_seconds) as running:
        runner = WaveRunner(
            ledger=race_ledger,
            account_id=account_id,
            initial=await _open_account(race_ledger, account_id),
            app=running,
            client=Client(running.address, rng, timeout_seconds=timeout_seconds),
            call=to_keyed_call(call),
            failing=None if failing is None else to_keyed_call(failing),
            other=None if other is None else to_keyed_call(other),
            calls=calls,
            rng=rng,
            succeeded=succeeded,
            grace_seconds=grace_seconds,
        )
        try:
            single = await runner.run_single_call()
            records = [await runner.run_wave(name, single) for name in chosen]
        except BaseException as error:
            if left := await runner.restore_balance():
                error.add_note(left)
            raise
        left = await runner.restore_balance()
        return Report(
            call=str(runner.call("KEY")),
            account_id=account_id,
            seed=seed,
            worth=single.worth,
            waves=tuple(map(WaveResult.of, records)),
            findings=tuple(finding for record in records for finding in judge(record)),
            not_tried=_list_not_tried(chosen),
            raised=tuple(running.activity.raised),
            left=left,
        )


def race_sync(app: Any, call: Call | KeyedCall, **arguments: Any) -> Report:
    """`race` for a test without an event loop, with the same arguments."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(race(app, call, **arguments))
    raise RaceError("An event loop is running, which race_sync would block. Write `await race(...)`.")


async def _open_account(ledger: RaceLedger, account_id: str) -> AccountState:
    await ledger.open(account_id)
    state = await ledger.state(account_id)
    if state.standing != "open":
        raise RaceError(f"The account {account_id!r} is {state.standing}: nothing can be spent. Race with an open one.")
    if state.remaining < 0:
        problem = f"The account {account_id!r} owes {-state.remaining}, which a race cannot restore at its end."
        raise RaceError(f"{problem} Grant it that many credits first, or race with a test account.")
    if state.remaining > _REMAINING_MAX:
        problem = f"The account {account_id!r} has {state.remaining} credits, more than a race can restore at its end."
        raise RaceError(f"{problem} Race with a test account, or with one that has at most {_REMAINING_MAX}.")
    return state


def _list_not_tried(chosen: Sequence[WaveName]) -> tuple[str, ...]:
    """The waves that lacked a call. The report lists them, so that nobody takes them for passed."""
    not_tried = ((name, wave) for name, wave in WAVES.items() if wave.needs and name not in chosen)
    return tuple(f"{name}, {wave.says} (give `{wave.needs}`)" for name, wave in not_tried)
