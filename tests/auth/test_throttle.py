"""Five failed sign-ins an e-mail in fifteen minutes, whatever happens at the same time."""

import asyncio

import pytest

from sixpence.auth.client import Client
from sixpence.auth.errors import TooManySignInsError, WrongPasswordError
from sixpence.auth.passwords import Passwords
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.throttle import REMOVED_AT_ONCE_MAX
from sixpence.core.values.instant import DAY
from tests.auth.ground import NOON, SECRET, CountedHashing, SettableClock, SqlDatabase


async def test_the_sixth_failure_is_too_many(
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


async def test_an_unknown_email_is_throttled_alike(sign_in: EmbeddedSignIn, hashing: CountedHashing) -> None:
    """Whether an e-mail has a user does not show in how often it may be tried."""
    await fail(sign_in, 5, email="nobody@example.com")

    with pytest.raises(TooManySignInsError) as raised:
        await sign_in.sign_in(email="nobody@example.com", password="wrong horse")

    assert (raised.value.retry_after_seconds, hashing.verified) == (900, 5)


async def test_one_emails_failures_are_its_own(sign_in: EmbeddedSignIn) -> None:
    """Somebody else signs in while one e-mail is throttled."""
    bob = await sign_in.sign_up(email="bob@example.com", name="Bob", password="correct horse")
    await fail(sign_in, 5, email="ada@example.com")

    again = await sign_in.sign_in(email="bob@example.com", password="correct horse")

    assert again.user == bob.user


async def test_waiting_as_long_as_told_is_enough(sign_in: EmbeddedSignIn, clock: SettableClock) -> None:
    """The time to wait runs from the first of the five failures; a microsecond before it is over is too early."""
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


async def test_a_success_clears_the_count(sign_in: EmbeddedSignIn) -> None:
    """Four failures, a success, and there are five more to go."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    await fail(sign_in, 4)
    await sign_in.sign_in(email="ada@example.com", password="correct horse")

    await fail(sign_in, 5)

    with pytest.raises(TooManySignInsError):
        await sign_in.sign_in(email="ada@example.com", password="correct horse")


async def test_failures_at_once_do_not_slip_past(
    sign_in: EmbeddedSignIn, hashing: CountedHashing, database: SqlDatabase
) -> None:
    """Of twenty wrong passwords at the same time exactly five are verified."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    attempts = [sign_in.sign_in(email="ada@example.com", password=f"wrong horse {n}") for n in range(20)]

    answers = await asyncio.gather(*attempts, return_exceptions=True)

    kinds = sorted(type(answer).__name__ for answer in answers)
    assert kinds == ["TooManySignInsError"] * 15 + ["WrongPasswordError"] * 5
    assert hashing.verified == 5


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_several_processes_count_together(database: SqlDatabase, clock: SettableClock, email: str) -> None:
    """Two sign-ins that share a database only, asked at the same time, verify five between them."""
    hashings = [CountedHashing(), CountedHashing()]
    both = [EmbeddedSignIn(database, SECRET, clock, Passwords(each)) for each in hashings]
    await both[0].sign_up(email="ada@example.com", name="Ada", password="correct horse")

    answers = await asyncio.gather(
        *(both[n % 2].sign_in(email=email, password="wrong horse") for n in range(20)), return_exceptions=True
    )

    assert sum(isinstance(answer, WrongPasswordError) for answer in answers) == 5
    assert sum(each.verified for each in hashings) == 5


async def test_an_attempt_that_broke_off_counts(
    sign_in: EmbeddedSignIn, database: SqlDatabase, hashing: CountedHashing
) -> None:
    """An attempt that is cancelled while its password is verified stays recorded as failed."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    hashing.gate.clear()
    attempt = asyncio.create_task(sign_in.sign_in(email="ada@example.com", password="correct horse"))
    await asyncio.to_thread(hashing.begun.wait, 30)

    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    hashing.gate.set()

    assert [row["succeeded"] for row in database.rows("auth_sign_ins")] == [True, False]


async def test_sign_ins_are_recorded(sign_in: EmbeddedSignIn, database: SqlDatabase, clock: SettableClock) -> None:
    """Sign-ups, failures and sign-ins are recorded with who, from where, by what and when."""
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


async def test_old_sign_ins_are_removed_in_parts(
    sign_in: EmbeddedSignIn, database: SqlDatabase, clock: SettableClock
) -> None:
    """Each cleaning removes a few hundred sign-ins older than 90 days, and none that is younger."""
    old = {"email": "bob@example.com", "succeeded": False, "at": NOON - 90 * DAY}
    young = {**old, "at": NOON - 89 * DAY}
    database.add_rows("auth_sign_ins", [old] * (REMOVED_AT_ONCE_MAX + 7) + [young] * 3)
    left = []

    for n in range(2):
        clock.advance(seconds=3600)
        await sign_in.sign_up(email=f"{n}@example.com", name="Ada", password="correct horse")
        left.append(sum(row["email"] == "bob@example.com" for row in database.rows("auth_sign_ins")))

    assert left == [10, 3]


async def fail(sign_in: EmbeddedSignIn, times: int, email: str = "ada@example.com") -> None:
    """Tries a wrong password."""
    for _ in range(times):
        with pytest.raises(WrongPasswordError):
            await sign_in.sign_in(email=email, password="wrong horse")
