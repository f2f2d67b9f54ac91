"""A race that can't be run, or proves nothing, says so and never passes; one that can leaves the account as it was."""

import asyncio
import socket
from typing import Any

import pytest

from sixpence import CreditService, SyncCreditService
from sixpence.testing.races import Call, RaceError, RaceLostError, race, race_sync
from tests.testing.races.crude import answering, asked, charging, crude_server, small_app

ADA = "ada@example.com"
CALL = Call("POST", "/")
SMALL: dict[str, Any] = {"account_id": ADA, "calls": 6, "grace_seconds": 0.3, "seed": 1}


@pytest.fixture
def credits(sqlite_credits: CreditService) -> CreditService:
    """The credits of this module, where the database has no part in what is tested."""
    return sqlite_credits


async def test_an_app_that_charges_well_wins(credits: CreditService) -> None:
    """The report is clean, says what one call costs and what was not tried, and the account has what it had."""
    report = await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)

    report.check()
    assert (report.clean, report.worth, report.kinds) == (True, -1, set())
    assert [wave.name for wave in report.waves] == ["at_once", "same_key", "lost_answers", "hang_ups"]
    assert [each.split(",")[0] for each in report.not_tried] == ["other_request", "failures"]
    assert (await credits.get_user_credits(ADA)).remaining == 6


async def test_only_as_many_calls_succeed_as_there_are_credits(credits: CreditService) -> None:
    """At once: a third of the calls can be paid for, so a third is served and each paid."""
    report = await race(small_app(charging(credits, ADA)), CALL, ledger=credits, waves=["at_once"], **SMALL)

    (wave,) = report.waves
    assert (wave.calls, wave.served, wave.failed, wave.moved) == (6, 2, 4, -2)


async def test_a_lost_race_raises_with_its_report(credits: CreditService) -> None:
    """`check` is an assertion that says what, which calls, why, what to do, and how to run it again."""

    async def work(_key: str) -> int:
        await credits.consume_credit(ADA, "interior")
        return 200

    report = await race(small_app(work), CALL, ledger=credits, waves=["same_key"], **SMALL)

    with pytest.raises(RaceLostError) as lost:
        report.check()
    text = str(lost.value)
    assert "double_charge in same_key: 3 keys may cost 3 credits, and 9 credits were paid." in text
    assert "POST /: 200" in text
    assert "consume -1 interior" in text
    assert "idempotency_key" in text
    assert 'race(..., seed=1, waves=["same_key"])' in text


async def test_nobody_listening_is_said_at_once(credits: CreditService) -> None:
    """The message names the place and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(RaceError, match=r"Nobody takes a connection at .* Start the app first"):
            await race(url, CALL, ledger=credits, **SMALL)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "garbage: an answer that begins with 'SSH"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "garbage: an answer that begins with 'SSH"),
        (b"", "broken off: the app hung up after nothing"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "broken off: the app hung up after 'half'"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n", "garbage: an answer of the length 'many'"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "garbage: a chunk that begins with 'zz"),
    ],
)
async def test_what_is_no_answer_is_shown(credits: CreditService, data: bytes, why: str) -> None:
    """A server that speaks something else, or breaks off, is no app to race against; what it said is quoted."""
    async with crude_server(answering(data)) as url:
        with pytest.raises(RaceError, match="One call alone had no answer") as refused:
            await race(url, CALL, ledger=credits, **SMALL)

    assert why in str(refused.value)


async def test_an_app_that_never_answers_is_too_slow(credits: CreditService) -> None:
    """A client waits as long as it was told to, and no longer."""

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        await asyncio.sleep(5)

    async with crude_server(silent) as url:
        with pytest.raises(RaceError, match=r"no answer within 0\.2 s"):
            await race(url, CALL, ledger=credits, timeout_seconds=0.2, **SMALL)


async def test_an_app_that_becomes_slow_does_not_pass(credits: CreditService) -> None:
    """What was answered alone and not in the crowd is a finding."""
    charge, calls = charging(credits, ADA), 0

    async def work(key: str) -> int:
        nonlocal calls
        calls += 1
        if calls > 4:
            await asyncio.sleep(0.6)
        return await charge(key)

    report = await race(
        small_app(work), CALL, ledger=credits, waves=["same_key"], timeout_seconds=0.3, **{**SMALL, "grace_seconds": 2}
    )

    assert report.kinds == {"no_answer"}
    assert "no answer within 0.3 s" in str(report)


async def test_an_app_that_refuses_everybody_proves_nothing(credits: CreditService) -> None:
    """Where one call works and not one in the crowd does, the race is not won."""
    charge, calls = charging(credits, ADA), 0

    async def work(key: str) -> int:
        nonlocal calls
        calls += 1
        return 429 if calls > 1 else await charge(key)

    report = await race(small_app(work), CALL, ledger=credits, waves=["at_once"], **SMALL)

    assert report.kinds == {"nothing_proved"}
    assert not report.clean


async def test_a_call_that_is_refused_alone_is_shown_with_what_was_said(credits: CreditService) -> None:
    """A call that is not signed in is no race."""

    async def work(_key: str) -> int:
        return 401

    with pytest.raises(RaceError, match=r"One call alone did not succeed .*401.*: done"):
        await race(small_app(work), CALL, ledger=credits, **SMALL)


async def test_a_call_that_moves_nothing_is_no_race(credits: CreditService) -> None:
    """Another account's charge, or another database's, is not seen: that is said before anything is judged."""
    await credits.initialize_user_credits("bob@example.com")

    with pytest.raises(RaceError, match=r"moved no credits of account 'ada@example\.com', plan 'free'"):
        await race(small_app(charging(credits, "bob@example.com")), CALL, ledger=credits, **SMALL)


async def test_an_unlimited_plan_is_no_race(credits: CreditService) -> None:
    """Nothing can be overspent there; the plan is named."""
    await credits.initialize_user_credits(ADA)
    await credits.update_subscription_status(ADA, "pro", reason="a test")

    with pytest.raises(RaceError, match="plan 'pro'"):
        await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)


async def test_a_frozen_account_is_no_race(credits: CreditService) -> None:
    """An account that may spend nothing is refused before a call is sent."""
    await credits.initialize_user_credits(ADA)
    await credits.freeze_account(ADA, reason="a test")

    with pytest.raises(RaceError, match="is frozen"):
        await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"calls": 1}, "at least 2"),
        ({"waves": ["all_at_once"]}, "no wave 'all_at_once'. Choose from at_once"),
        ({"waves": ["failures"]}, "needs `failing`"),
        ({"waves": []}, "races nothing"),
    ],
)
async def test_what_cannot_be_asked_is_refused(credits: CreditService, wrong: dict[str, Any], says: str) -> None:
    """The message says what to give instead."""
    with pytest.raises(RaceError, match=says):
        await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **{**SMALL, **wrong})


@pytest.mark.parametrize(
    ("app", "says"),
    [("127.0.0.1:8000", "http://127.0.0.1:8000"), ("http://127.0.0.1:x", "is no URL"), (7, "7 is no app")],
)
async def test_what_is_no_app_is_refused(credits: CreditService, app: object, says: str) -> None:
    """A URL without its scheme, and things that are no app."""
    with pytest.raises(RaceError, match=says):
        await race(app, CALL, ledger=credits, **SMALL)


async def test_work_that_goes_on_is_waited_for(credits: CreditService) -> None:
    """A client that hangs up does not end the work: what it charges later belongs to the wave."""
    charge = charging(credits, ADA)

    async def work(key: str) -> int:
        await asyncio.sleep(0.25)
        return await charge(key)

    report = await race(
        small_app(work), CALL, ledger=credits, waves=["hang_ups", "same_key"], **{**SMALL, "grace_seconds": 3}
    )

    report.check()


async def test_a_charge_that_comes_after_its_answer_is_waited_for(credits: CreditService) -> None:
    """An app that answers 202 and works on by itself: the lone call shows how late its charges are."""
    charge = charging(credits, ADA)
    later: set[asyncio.Task[None]] = set()

    async def work(key: str) -> int:
        async def charge_later() -> None:
            await asyncio.sleep(0.3)
            await charge(key)

        task = asyncio.create_task(charge_later())
        later.add(task)
        task.add_done_callback(later.discard)
        return 202

    report = await race(
        small_app(work), CALL, ledger=credits, waves=["same_key", "lost_answers"], **{**SMALL, "grace_seconds": 3}
    )

    report.check()
    assert [(wave.served, wave.moved) for wave in report.waves] == [(3, -3), (6, -6)]


async def test_a_refund_that_comes_after_its_answer_is_waited_for(credits: CreditService) -> None:
    """What looks like a lost refund is looked at again until the grace time is over."""
    later: set[asyncio.Task[None]] = set()

    async def refund(transaction_id: str) -> None:
        await asyncio.sleep(0.3)
        await credits.refund(ADA, transaction_id)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        paid = await credits.consume_credit(ADA, "interior")
        if scope["path"] == "/fails":
            task = asyncio.create_task(refund(paid.transaction.id))
            later.add(task)
            task.add_done_callback(later.discard)
        await small_app(answering_500 if scope["path"] == "/fails" else answering_200)(scope, receive, send)

    report = await race(
        app, CALL, failing=Call("POST", "/fails"), ledger=credits, waves=["failures"], **{**SMALL, "grace_seconds": 3}
    )

    report.check()


async def test_work_beyond_the_grace_time_is_told(credits: CreditService) -> None:
    """What could not be judged is a finding and not a pass."""
    charge = charging(credits, ADA)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await receive()
        gone = asyncio.ensure_future(receive())
        await asyncio.wait([gone], timeout=0.1)
        # Whoever has hung up is worked for all the longer.
        await asyncio.sleep(1 if gone.done() else 0)
        gone.cancel()
        await small_app(charge)(scope, receive, send)

    report = await race(app, CALL, ledger=credits, waves=["hang_ups"], **{**SMALL, "calls": 12})

    assert "still_working" in report.kinds


async def test_the_same_seed_makes_the_same_choices(credits: CreditService) -> None:
    """Which clients hang up, and where, is the seed's doing; the keys never are the same."""

    async def endings(seed: int) -> tuple[list[tuple[int, ...]], list[str]]:
        keys: list[str] = []
        charge = charging(credits, ADA)

        async def work(key: str) -> int:
            keys.append(key)
            return await charge(key)

        report = await race(
            small_app(work), CALL, ledger=credits, waves=["hang_ups"], **{**SMALL, "seed": seed, "calls": 8}
        )
        return [(wave.calls, wave.keys, wave.served) for wave in report.waves], keys

    first, first_keys = await endings(5)
    again, again_keys = await endings(5)

    assert first == again
    assert not set(first_keys) & set(again_keys)


async def test_race_sync_says_what_to_write_where_a_loop_runs(credits: CreditService) -> None:
    """Blocking the loop that serves the app would wait for ever."""
    with pytest.raises(RaceError, match="await race"):
        race_sync(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)


def test_race_sync_runs_without_a_loop(sqlite_url: str) -> None:
    """A test without an event loop races a WSGI app and a service for threads."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        service.consume_credit(ADA, "sketch", idempotency_key=environ["HTTP_IDEMPOTENCY_KEY"])
        start_response("200 OK", [])
        return [b"done"]

    with SyncCreditService(sqlite_url) as service:
        report = race_sync(app, CALL, ledger=service, waves=["same_key"], **SMALL)

    report.check()


async def answering_200(_key: str) -> int:
    """Work that succeeds."""
    return 200


async def answering_500(_key: str) -> int:
    """Work that fails."""
    return 500
