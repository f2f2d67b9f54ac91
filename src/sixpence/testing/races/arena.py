"""The arena: one app, one account and the ledger between them. It sets the balance, runs a wave, and waits for rest.

Whatever looks wrong is looked at again until the grace time is over: a refund may come a moment after its answer.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Callable

import msgspec

from sixpence.core.errors import CreditSystemError
from sixpence.testing.races.attempts import Attempt, Sending, Succeeded
from sixpence.testing.races.books import Books, State, entries_since, set_balance
from sixpence.testing.races.calls import KeyedCall
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.judge import Seen, judge, moved, open_holds
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
    # How long after the last answer the ledger was seen to change.
    lag_seconds: float = 0.0

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
        seen = await self._settled(
            "alone", before, [attempt], 0, enough=lambda seen: moved(seen) != 0 and not open_holds(seen)
        )
        worth = moved(seen)
        if worth == 0:
            held = "".join(f"; it left open: {hold}" for hold in open_holds(seen))
            raise RaceError(
                f"One call alone succeeded ({attempt}) and moved no credits of account {self.account_id!r}, plan "
                f"{before.subscription_status!r}{held}. Is it this account that the call charges, is this ledger the "
                "app's own, and is the plan one that counts? Where the charge comes late, raise `grace_seconds`."
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
        attempts = await wave.run(course)
        return await self._settled(name, before, attempts, alone.worth, enough=lambda seen: not judge(seen))

    async def leave(self) -> str | None:
        """Give the account the balance that it had; in words why that could not be, where it could not."""
        try:
            await set_balance(self.books, self.account_id, self.began.remaining)
        except (RaceError, CreditSystemError) as error:
            was = f"The account had {self.began.remaining} credits before the race, and was not given that balance back"
            return f"{was}: {error}"
        return None

    async def _settled(
        self, wave: str, before: State, attempts: list[Attempt], worth: int, *, enough: Callable[[Seen], bool]
    ) -> Seen:
        """What there is to judge when the app is at rest and it is `enough`, or when the grace time is over."""
        ended, version = time.monotonic(), before.version
        over = ended + self.grace_seconds
        while True:
            version = await self._rest(version, ended, over)
            # Looked at first: what nobody works on any more has its transactions.
            still_busy = self.served.work.busy
            seen = Seen(
                wave=wave,
                attempts=attempts,
                entries=await entries_since(self.books, self.account_id, before.version),
                still_busy=still_busy,
                succeeded=self.succeeded,
                worth=worth,
            )
            if enough(seen) or time.monotonic() >= over:
                return seen

    async def _rest(self, version: int, ended: float, over: float) -> int:
        """The account's version when nothing was at work and it did not change for a while, or the grace is over."""
        # Of an app whose work cannot be seen, only how long its answers took tells how long it may still be at work.
        unseen = self.sending.slowest_seconds if self.served.unseen else 0.0
        since = time.monotonic()
        while True:
            state, now = await self.books.state(self.account_id), time.monotonic()
            if state.version != version:
                self.lag_seconds = max(self.lag_seconds, now - ended)
            if state.version != version or self.served.work.busy:
                version, since = state.version, now
            quiet = max(self.served.quiet_seconds, 2 * unseen, 2 * self.lag_seconds)
            if now - since >= quiet or (now >= over and now - ended >= quiet):
                return version
            await asyncio.sleep(_LOOK_SECONDS)

    def _raised(self) -> str:
        raised = self.served.work.raised
        return f"; it raised {raised[-1]}" if raised else ""
