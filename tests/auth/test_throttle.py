"""The limit on failed sign-ins: five for one e-mail in fifteen minutes, also for concurrent attempts."""

import asyncio

import pytest

from sixpence.auth.client import Client
from sixpence.auth.errors import TooManySignInsError, WrongPasswordError
from sixpence.auth.passwords import Passwords
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.throttle import REMOVAL_BATCH_SIZE
from sixpence.core.values.instant import DAY
from tests.auth.sign_in_setup import NOON, SECRET, CountedHashing, SettableClock, SqlDatabase


async def test_sixth_attempt_is_refused(
    sign_in: EmbeddedSignIn, hashing: CountedHashing, database: SqlDatabase
) -> None:
    """After five failures even the right password is refused, unverified and unrecorded, with the time to wait."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    await fail(sign_in, 5)
    before = database.rows("auth_sign_ins")

    with pytest.raises(TooManySignInsError) as raised:
        await sign_in.sign_in(email="ADA@example.com", password="correct horse")

    assert raised.value == TooManySignInsError(retry_after_seconds=900)
    assert hashing.verified == 5
    assert database.rows("auth_sign_ins") == before


async def test_unknown_email_has_same_limit(sign_in: EmbeddedSignIn, hashing: CountedHashing) -> None:
    """The limit does not show whether an e-mail has a user."""
    await fail(sign_in, 5, email="nobody@example.com")

    with pytest.raises(TooManySignInsError) as raised:
        await sign_in.sign_in(email="nobody@example.com", password="wrong horse")

    assert (raised.value.retry_after_seconds, hashing.verified) == (900, 5)


async def test_limit_is_per_email(sign_in: EmbeddedSignIn) -> None:
    """Another user can sign in while one e-mail is throttled."""
    bob = await sign_in.sign_up(email="bob@example.com", name="Bob", password="correct horse")
    await fail(sign_in, 5, email="ada@example.com")

    again = await sign_in.sign_in(email="bob@example.com", password="correct horse")

    assert again.user == bob.user


async def test_attempt_succeeds_after_retry_seconds(sign_in: EmbeddedSignIn, clock: SettableClock) -> None:
    """The time to wait runs from the first of the five failures; a microsecond less is too early."""
    ada = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    for _ in range(5):
        await fail(sign_in, 1)
        clock.advance(seconds=10)
    with pytest.raises(TooManySignInsError) as raised:
        await sign_in.sign_in(email="ada@example.com", password="correct horse")

    clock.now += raised.value.retry_after_seconds * 1_000_000 - 1
    with pytest.raises(TooManySignInsError) as early:
        await sign_in.sign_in(email="ada@example.com", password="correct horse")
    clock.now += 1
    signed_in = await sign_in.sign_in(email="ada@example.com", password="correct horse")

    assert (raised.value.retry_after_seconds, early.value.retry_after_seconds) == (850, 1)
    assert signed_in.user == ada.user


async def test_failures_leave_the_window_one_by_one(sign_in: EmbeddedSignIn, clock: SettableClock) -> None:
    """When the first failure is forgotten one more may be tried, not five."""
    await fail(sign_in, 1)
    clock.advance(seconds=600)
    await fail(sign_in, 4)
    clock.advance(seconds=300)

    await fail(sign_in, 1)

    with pytest.raises(TooManySignInsError) as raised:
        await sign_in.sign_in(email="ada@example.com", password="wrong horse")
    assert raised.value.retry_after_seconds == 600


async def test_success_clears_failures(sign_in: EmbeddedSignIn) -> None:
    """After four failures and a success, five more failures are allowed."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    await fail(sign_in, 4)
    await sign_in.sign_in(email="ada@example.com", password="correct horse")

    await fail(sign_in, 5)

    with pytest.raises(TooManySignInsError):
        await sign_in.sign_in(email="ada@example.com", password="correct horse")


async def test_limit_holds_for_concurrent_attempts(
    sign_in: EmbeddedSignIn, hashing: CountedHashing, database: SqlDatabase
) -> None:
    """Of twenty concurrent wrong passwords exactly five are verified."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    attempts = [sign_in.sign_in(email="ada@example.com", password=f"wrong horse {n}") for n in range(20)]

    answers = await asyncio.gather(*attempts, return_exceptions=True)

    kinds = sorted(type(answer).__name__ for answer in answers)
    assert kinds == ["TooManySignInsError"] * 15 + ["WrongPasswordError"] * 5
    assert hashing.verified == 5


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_limit_is_shared_by_processes(database: SqlDatabase, clock: SettableClock, email: str) -> None:
    """Two sign-ins that share only a database verify five concurrent attempts together."""
    hashings = [CountedHashing(), CountedHashing()]
    both = [EmbeddedSignIn(database, SECRET, clock, Passwords(each)) for each in hashings]
    await both[0].sign_up(email="ada@example.com", name="Ada", password="correct horse")

    answers = await asyncio.gather(
        *(both[n % 2].sign_in(email=email, password="wrong horse") for n in range(20)), return_exceptions=True
    )

    assert sum(isinstance(answer, WrongPasswordError) for answer in answers) == 5
    assert sum(each.verified for each in hashings) == 5


async def test_cancelled_attempt_counts_as_failure(
    sign_in: EmbeddedSignIn, database: SqlDatabase, hashing: CountedHashing
) -> None:
    """An attempt that is cancelled during its verification stays recorded as failed."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    hashing.gate.clear()
    attempt = asyncio.create_task(sign_in.sign_in(email="ada@example.com", password="correct horse"))
    await asyncio.to_thread(hashing.begun.wait, 30)

    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    hashing.gate.set()

    assert [row["succeeded"] for row in database.rows("auth_sign_ins")] == [True, False]


async def test_sign_ins_are_recorded(sign_in: EmbeddedSignIn, database: SqlDatabase, clock: SettableClock) -> None:
    """Sign-ups, failures and sign-ins are recorded with user, client and time."""
    client = Client("192.0.2.7", "Browser/1.0")
    ada = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse", client=client)
    clock.advance(seconds=1)
    await fail(sign_in, 1)
    clock.advance(seconds=1)

    await sign_in.sign_in(email="ada@example.com", password="correct horse", client=client)

    rows = [{name: row[name] for name in row if name != "id"} for row in database.rows("auth_sign_ins")]
    known = {"email": "ada@example.com", "ip_address": "192.0.2.7", "user_agent": "Browser/1.0"}
    unknown = {"email": "ada@example.com", "ip_address": None, "user_agent": None}
    assert rows == [
        {**known, "user_id": ada.user.id, "succeeded": True, "at": NOON},
        {**unknown, "user_id": None, "succeeded": False, "at": NOON + 1_000_000},
        {**known, "user_id": ada.user.id, "succeeded": True, "at": NOON + 2_000_000},
    ]


async def test_old_sign_ins_are_removed_in_batches(
    sign_in: EmbeddedSignIn, database: SqlDatabase, clock: SettableClock
) -> None:
    """Each cleanup removes a batch of sign-ins older than 90 days, and no younger one."""
    old = {"email": "bob@example.com", "succeeded": False, "at": NOON - 90 * DAY}
    young = {**old, "at": NOON - 89 * DAY}
    database.add_rows("auth_sign_ins", [old] * (REMOVAL_BATCH_SIZE + 7) + [young] * 3)
    left = []

    for n in range(2):
        clock.advance(seconds=3600)
        await sign_in.sign_up(email=f"{n}@example.com", name="Ada", password="correct horse")
        left.append(sum(row["email"] == "bob@example.com" for row in database.rows("auth_sign_ins")))

    assert left == [10, 3]


async def fail(sign_in: EmbeddedSignIn, times: int, email: str = "ada@example.com") -> None:
    """Tries a wrong password `times` times."""
    for _ in range(times):
        with pytest.raises(WrongPasswordError):
            await sign_in.sign_in(email=email, password="wrong horse")
