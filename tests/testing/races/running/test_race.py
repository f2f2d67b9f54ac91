"""`race`: its findings, its waiting, that it never passes by accident, and the restored balance."""

import asyncio
from typing import Any

import pytest

from sixpence import CreditService, SyncCreditService
from sixpence.testing.races import Call, RaceError, RaceLostError, race, race_sync
from tests.testing.races.misbehaving_apps import charging, delayed, small_app

pytestmark = pytest.mark.slow

ADA = "ada@example.com"
CALL = Call("POST", "/")
SMALL: dict[str, Any] = {"account_id": ADA, "calls": 6, "seed": 1}
# A losing race is read again until the grace time is over.
LOSING: dict[str, Any] = {**SMALL, "grace_seconds": 0.3}


@pytest.fixture
def credits(sqlite_credits: CreditService) -> CreditService:
    """The service of this module, whose tests do not depend on the database."""
    return sqlite_credits


async def test_race_of_correct_app_is_clean(credits: CreditService) -> None:
    """The report has the price of a call and the waves that were not tried; the account keeps its balance."""
    report = await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)

    report.check()
    assert (report.clean, report.worth, report.kinds) == (True, -1, set())
    assert [wave.name for wave in report.waves] == ["at_once", "same_key", "lost_answers", "hang_ups"]
    assert [each.split(",")[0] for each in report.not_tried] == ["other_request", "failures"]
    assert (await credits.get_user_credits(ADA)).remaining == 6


async def test_at_once_wave_has_credits_for_third_of_calls(credits: CreditService) -> None:
    """A third of the calls is served, and each is paid."""
    report = await race(small_app(charging(credits, ADA)), CALL, ledger=credits, waves=["at_once"], **SMALL)

    (wave,) = report.waves
    assert (wave.calls, wave.served, wave.failed, wave.moved) == (6, 2, 4, -2)


async def test_check_raises_with_report(credits: CreditService) -> None:
    """The message has the finding, the calls, the cause, the remedy, and how to run the race again."""

    async def work(_key: str) -> int:
        await credits.consume_credit(ADA, "interior")
        return 200

    report = await race(small_app(work), CALL, ledger=credits, waves=["same_key"], **LOSING)

    with pytest.raises(RaceLostError) as lost:
        report.check()
    text = str(lost.value)
    assert "double_charge in same_key: 3 keys may cost 3 credits, and 9 credits were paid." in text
    assert "POST /: 200" in text
    assert "consume -1 interior" in text
    assert "idempotency_key" in text
    assert 'race(..., seed=1, waves=["same_key"])' in text


async def test_race_finds_key_reused(credits: CreditService) -> None:
    """The app passes on the key only, so it works twice for one charge."""
    app = small_app(charging(credits, ADA))

    def other(key: str) -> Call:
        return Call("POST", "/another", headers={"Idempotency-Key": key})

    report = await race(app, CALL, other=other, ledger=credits, waves=["other_request"], **LOSING)

    (found,) = report.findings
    assert (found.kind, found.says) == (
        "key_reused",
        "3 keys served another request than the one that they were used for.",
    )
    assert all("POST /another: 200" in call for call in found.calls)


async def test_race_finds_no_answer_of_slow_app(credits: CreditService) -> None:
    """Calls that exceed the timeout only under load are a finding."""
    charge, calls = charging(credits, ADA), 0

    async def work(key: str) -> int:
        nonlocal calls
        calls += 1
        if calls > 4:
            await asyncio.sleep(1.2)
        return await charge(key)

    report = await race(
        small_app(work), CALL, ledger=credits, waves=["same_key"], timeout_seconds=0.6, **{**SMALL, "grace_seconds": 2}
    )

    assert report.kinds == {"no_answer"}
    assert "no answer within 0.6 s" in str(report)


async def test_race_finds_nothing_proved_when_all_calls_are_refused(credits: CreditService) -> None:
    """A race is not won if the single call works and no other does."""
    charge, calls = charging(credits, ADA), 0

    async def work(key: str) -> int:
        nonlocal calls
        calls += 1
        return 429 if calls > 1 else await charge(key)

    report = await race(small_app(work), CALL, ledger=credits, waves=["at_once"], **LOSING)

    assert report.kinds == {"nothing_proved"}
    assert not report.clean


async def test_race_waits_for_work_after_hang_up(credits: CreditService) -> None:
    """A hang-up does not end the work; its late charge counts for its own wave, and for no other."""
    app = small_app(delayed(charging(credits, ADA), 0.4))

    report = await race(app, CALL, ledger=credits, waves=["hang_ups", "same_key"], **{**SMALL, "calls": 12})

    report.check()
    assert [(wave.served, wave.open, wave.moved) for wave in report.waves] == [(3, 9, -9), (3, 0, -3)]


async def test_race_waits_as_long_as_single_call_lagged(credits: CreditService) -> None:
    """The lag of the single call's charge is the waiting time after each wave, although no request runs."""
    charge = charging(credits, ADA)
    later: set[asyncio.Task[int]] = set()

    async def charge_later(key: str) -> int:
        await asyncio.sleep(0.4)
        return await charge(key)

    async def work(key: str) -> int:
        # The second and the sixth key belong to the clients that wait for their answers.
        if key.endswith(("-2", "-6")):
            return await charge(key)
        task = asyncio.create_task(charge_later(key))
        later.add(task)
        task.add_done_callback(later.discard)
        return 200

    report = await race(small_app(work), CALL, ledger=credits, waves=["hang_ups", "same_key"], **SMALL)

    report.check()


async def test_race_waits_for_charge_after_202(credits: CreditService) -> None:
    """The app answers 202 and charges later; the single call shows how late."""
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

    report = await race(small_app(work), CALL, ledger=credits, waves=["same_key", "lost_answers"], **SMALL)

    report.check()
    assert [(wave.served, wave.moved) for wave in report.waves] == [(3, -3), (6, -6)]


async def test_race_waits_for_refund_until_grace_time_ends(credits: CreditService) -> None:
    """An apparent lost refund is read again until the grace time is over."""
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
        await small_app(work_fails if scope["path"] == "/fails" else work_succeeds)(scope, receive, send)

    report = await race(app, CALL, failing=Call("POST", "/fails"), ledger=credits, waves=["failures"], **SMALL)

    report.check()


async def test_race_finds_still_working_after_grace_time(credits: CreditService) -> None:
    """A wave that could not be judged is a finding, not a pass."""
    app = small_app(delayed(charging(credits, ADA), 2.0))

    report = await race(app, CALL, ledger=credits, waves=["hang_ups"], **{**LOSING, "calls": 12})

    assert "still_working" in report.kinds


async def test_report_says_that_balance_was_not_restored(credits: CreditService) -> None:
    """The app closes the account in its last call; there still is a report."""
    charge, calls = charging(credits, ADA), 0

    async def work(key: str) -> int:
        nonlocal calls
        calls += 1
        status = await charge(key)
        if calls == 7:
            await credits.close_account(ADA, reason="a test")
        return status

    report = await race(small_app(work), CALL, ledger=credits, waves=["at_once"], **SMALL)

    problem = "The account had 6 credits before the race, which could not be restored: "
    assert report.left is not None
    assert report.left.startswith(problem)
    assert str(report).endswith(report.left)


async def test_race_error_has_note_about_unrestored_balance(credits: CreditService) -> None:
    """The error has the reason, and the failed restoring as a note."""

    async def work(_key: str) -> int:
        await credits.close_account(ADA, reason="a test")
        return 500

    with pytest.raises(RaceError, match="A single call did not succeed") as ended:
        await race(small_app(work), CALL, ledger=credits, **SMALL)

    (note,) = ended.value.__notes__
    assert note.startswith("The account had 6 credits before the race, which could not be restored: ")


async def test_race_refuses_account_closed_between_waves(credits: CreditService) -> None:
    """The app closes the account in its first call, so no wave can run."""
    charge = charging(credits, ADA)

    async def work(key: str) -> int:
        status = await charge(key)
        await credits.close_account(ADA, reason="a test")
        return status

    with pytest.raises(RaceError, match=r"The balance of the account 'ada@example\.com' could not be changed by "):
        await race(small_app(work), CALL, ledger=credits, **SMALL)


async def test_same_seed_repeats_hang_ups_with_new_keys(credits: CreditService) -> None:
    """The seed decides which clients hang up, and where; keys are never reused."""

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


def test_race_sync_runs_without_event_loop(sqlite_url: str) -> None:
    """It races a WSGI app and a synchronous service."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        service.consume_credit(ADA, "sketch", idempotency_key=environ["HTTP_IDEMPOTENCY_KEY"])
        start_response("200 OK", [])
        return [b"done"]

    with SyncCreditService(sqlite_url) as service:
        report = race_sync(app, CALL, ledger=service, waves=["same_key"], **SMALL)

    report.check()


async def work_succeeds(_key: str) -> int:
    """Work that succeeds."""
    return 200


async def work_fails(_key: str) -> int:
    """Work that fails."""
    return 500
