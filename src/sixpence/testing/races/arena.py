"""The arena: one app, one account and the ledger between them. It sets the balance, runs a wave, and waits for rest."""

import asyncio
import random
import secrets
import time

import msgspec

from sixpence.testing.races.attempts import Attempt, Sending, Succeeded
from sixpence.testing.races.books import Books, State, entries_since, set_balance
from sixpence.testing.races.calls import KeyedCall
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.judge import Seen, moved
from sixpence.testing.races.serving import Served
from sixpence.testing.races.waves import WAVES, Course, WaveName

# Enough for one call, whatever it costs.
_PLENTY = 1_000_000
_LOOK_SECONDS = 0.02


class Alone(msgspec.Struct, frozen=True):
    """What one call alone did: to the balance, and in how many seconds."""

    worth: int
    pace: float


class Arena(msgspec.Struct, kw_only=True):
    """What all waves of a race have in common. `began` is how the account stood before the first."""

    books: Books
    account_id: str
    began: State
    served: Served
    sending: Sending
    call: KeyedCall
    failing: KeyedCall | None
    other: KeyedCall | None
    calls: int
    chance: random.Random
    succeeded: Succeeded
    grace_seconds: float
    # Keys are never used twice, whatever the seed: a key of an earlier race would be answered from the ledger.
    run: str = msgspec.field(default_factory=lambda: secrets.token_hex(4))
    keys: int = 0

    def new_key(self) -> str:
        """A key that nobody has used."""
        self.keys += 1
        return f"race-{self.run}-{self.keys}"

    async def alone(self) -> Alone:
        """One call, alone: it must succeed and move credits, or there is nothing to race for. Raises `RaceError`."""
        before = await set_balance(self.books, self.account_id, max(self.began.remaining, _PLENTY))
        key = self.new_key()
        attempt = await self.sending.alone(Attempt(key=key, call=self.call(key)))
        if attempt.missing is not None:
            raise RaceError(
                f"One call alone had no answer ({attempt.missing}). Look into the app's log{self._raised()}."
            )
        if attempt.answer is None or not self.succeeded(attempt.answer):
            said = "" if attempt.answer is None else attempt.answer.body.decode(errors="replace")[:200]
            raise RaceError(
                f"One call alone did not succeed ({attempt}): {said}. A race needs a call that works: look at its "
                f"path, headers and body{self._raised()}."
            )
        seen = await self._seen("alone", before, [attempt], worth=0)
        worth = moved(seen)
        if worth == 0:
            raise RaceError(
                f"One call alone succeeded ({attempt}) and moved no credits of account {self.account_id!r}, plan "
                f"{before.subscription_status!r}. Is it this account that the call charges, is this ledger the app's "
                "own, and is the plan one that counts? Where the charge comes after the answer, raise `grace_seconds`."
            )
        return Alone(worth, attempt.took)

    async def wave(self, name: WaveName, alone: Alone) -> Seen:
        """Run one wave and wait until the app is at rest."""
        wave = WAVES[name]
        balance = self.began.remaining
        if alone.worth < 0:
            balance = -alone.worth * (max(1, self.calls // 3) if wave.scarce else 2 * self.calls)
        before = await set_balance(self.books, self.account_id, balance)
        course = Course(
            sending=self.sending,
            new_key=self.new_key,
            call=self.call,
            failing=self.failing,
            other=self.other,
            calls=self.calls,
            chance=self.chance,
            succeeded=self.succeeded,
            pace=alone.pace,
        )
        return await self._seen(name, before, await wave.run(course), alone.worth)

    async def leave(self) -> None:
        """Give the account the balance that it had."""
        await set_balance(self.books, self.account_id, self.began.remaining)

    async def _seen(self, wave: str, before: State, attempts: list[Attempt], worth: int) -> Seen:
        await self._rest(before)
        still_busy = self.served.work.busy
        entries = await entries_since(self.books, self.account_id, before.version)
        return Seen(
            wave=wave,
            attempts=attempts,
            entries=entries,
            still_busy=still_busy,
            succeeded=self.succeeded,
            worth=worth,
        )

    async def _rest(self, before: State) -> None:
        """Return when nothing is at work, nothing is held and nothing has changed for a while, or the grace is over."""
        # Of an app whose work cannot be seen, only how long its answers took tells how long it may still be at work.
        quiet = max(self.served.quiet_seconds, 2 * self.sending.slowest_seconds if self.served.unseen else 0.0)
        over = time.monotonic() + max(self.grace_seconds, quiet)
        version, since = -1, time.monotonic()
        while True:
            state, now = await self.books.state(self.account_id), time.monotonic()
            if state.version != version or self.served.work.busy:
                version, since = state.version, now
            settled = now - since >= quiet and state.held <= before.held
            if settled or now >= over:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _raised(self) -> str:
        raised = self.served.work.raised
        return f"; it raised {raised[-1]}" if raised else ""
