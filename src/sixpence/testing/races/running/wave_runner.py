"""Running waves on one app and one account: set the balance, send the calls, wait until the app is idle.

A wave with findings is read again until the grace time is over, since a refund may come a moment after its answer.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Callable

import msgspec

from sixpence.core.errors import CreditSystemError
from sixpence.testing.races.client.attempts import Attempt, Client, Succeeded
from sixpence.testing.races.client.calls import KeyedCall
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.judging.judge import WaveRecord, judge, list_open_holds, sum_moved
from sixpence.testing.races.ledgers.ledger import AccountState, RaceLedger, list_transactions_since, set_balance
from sixpence.testing.races.running.waves import WAVES, WaveContext, WaveName
from sixpence.testing.races.servers.running_app import RunningApp

# Enough for a single call at any price.
_AMPLE_CREDITS = 1_000_000
_POLL_SECONDS = 0.02


class SingleCall(msgspec.Struct, frozen=True):
    """The result of the single call before the waves: the change of the balance, and the duration."""

    worth: int
    seconds: float


class WaveRunner(msgspec.Struct, kw_only=True):
    """Runs the waves of one race. `initial` is the account's state before the race."""

    ledger: RaceLedger
    account_id: str
    initial: AccountState
    app: RunningApp
    client: Client
    call: KeyedCall
    failing: KeyedCall | None
    other: KeyedCall | None
    calls: int
    rng: random.Random
    succeeded: Succeeded
    grace_seconds: float
    # Not from the seed: the ledger would answer the key of an earlier race with its first answer.
    run_id: str = msgspec.field(default_factory=lambda: secrets.token_hex(4))
    keys: int = 0
    # The longest time between the last answer and a change of the ledger, so far.
    lag_seconds: float = 0.0

    def new_key(self) -> str:
        """A key that was never used."""
        self.keys += 1
        return f"race-{self.run_id}-{self.keys}"

    async def run_single_call(self) -> SingleCall:
        """Send one call; raises `RaceError` unless it succeeds and moves credits, as a race needs."""
        before = await set_balance(self.ledger, self.account_id, max(self.initial.remaining, _AMPLE_CREDITS))
        key = self.new_key()
        attempt = await self.client.send(Attempt(key=key, call=self.call(key)))
        if attempt.no_answer is not None:
            raise RaceError(
                f"A single call had no answer ({attempt.no_answer}). Look into the app's log{self._last_exception()}."
            )
        if attempt.answer is None or not self.succeeded(attempt.answer):
            body = "" if attempt.answer is None else attempt.answer.body.decode(errors="replace")[:200]
            raise RaceError(
                f"A single call did not succeed ({attempt}): {body}. A race needs a call that works: check its "
                f"path, headers and body{self._last_exception()}."
            )
        record = await self._wait_until_settled(
            "alone",
            before,
            [attempt],
            0,
            is_enough=lambda record: sum_moved(record) != 0 and not list_open_holds(record),
        )
        worth = sum_moved(record)
        if worth == 0:
            held = "".join(f"; it left open: {hold}" for hold in list_open_holds(record))
            raise RaceError(
                f"A single call succeeded ({attempt}) and moved no credits of account {self.account_id!r}, plan "
                f"{before.subscription_status!r}{held}. Check that the call charges this account, that the ledger is "
                "the app's own, and that the plan is not unlimited. If the charge comes late, raise `grace_seconds`."
            )
        return SingleCall(worth, attempt.duration_seconds)

    async def run_wave(self, name: WaveName, single: SingleCall) -> WaveRecord:
        """Run one wave and wait until the app is idle."""
        wave = WAVES[name]
        balance = self.initial.remaining
        if single.worth < 0:
            balance = -single.worth * (max(1, self.calls // 3) if wave.scarce else 2 * self.calls)
        before = await set_balance(self.ledger, self.account_id, balance)
        context = WaveContext(
            client=self.client,
            new_key=self.new_key,
            call=self.call,
            failing=self.failing,
            other=self.other,
            calls=self.calls,
            rng=self.rng,
            succeeded=self.succeeded,
            call_seconds=single.seconds,
        )
        attempts = await wave.run(context)
        return await self._wait_until_settled(
            name, before, attempts, single.worth, is_enough=lambda record: not judge(record)
        )

    async def restore_balance(self) -> str | None:
        """Set the account's balance from before the race; returns a sentence if that fails, else None."""
        try:
            await set_balance(self.ledger, self.account_id, self.initial.remaining)
        except (RaceError, CreditSystemError) as error:
            problem = f"The account had {self.initial.remaining} credits before the race, which could not be restored"
            return f"{problem}: {error}"
        return None

    async def _wait_until_settled(
        self,
        wave: str,
        before: AccountState,
        attempts: list[Attempt],
        worth: int,
        *,
        is_enough: Callable[[WaveRecord], bool],
    ) -> WaveRecord:
        """The record of a wave, once the app is idle and the record is enough, or once the grace time is over."""
        ended, version = time.monotonic(), before.version
        deadline = ended + self.grace_seconds
        while True:
            version = await self._wait_until_idle(version, ended, deadline)
            # Read first: a request that has ended has committed its transactions.
            busy_requests = self.app.activity.busy
            record = WaveRecord(
                wave=wave,
                attempts=attempts,
                transactions=await list_transactions_since(self.ledger, self.account_id, before.version),
                busy_requests=busy_requests,
                succeeded=self.succeeded,
                worth=worth,
            )
            if is_enough(record) or time.monotonic() >= deadline:
                return record

    async def _wait_until_idle(self, version: int, ended: float, deadline: float) -> int:
        """Wait until no request runs and the account stops changing, or until the deadline; returns its version."""
        # For a remote app only the duration of its answers shows how long it may still be working.
        remote_seconds = self.client.slowest_seconds if self.app.is_remote else 0.0
        since = time.monotonic()
        while True:
            state, now = await self.ledger.state(self.account_id), time.monotonic()
            if state.version != version:
                self.lag_seconds = max(self.lag_seconds, now - ended)
            if state.version != version or self.app.activity.busy:
                version, since = state.version, now
            quiet = max(self.app.quiet_seconds, 2 * remote_seconds, 2 * self.lag_seconds)
            if now - since >= quiet or (now >= deadline and now - ended >= quiet):
                return version
            await asyncio.sleep(_POLL_SECONDS)

    def _last_exception(self) -> str:
        raised = self.app.activity.raised
        return f"; it raised {raised[-1]}" if raised else ""
