"""A race that is run: what it finds, what it waits for, that it never passes by accident, and what it leaves."""

import asyncio
from typing import Any

import pytest

from sixpence import CreditService, SyncCreditService
from sixpence.testing.races import Call, RaceError, RaceLostError, race, race_sync
from tests.testing.races.crude import charging, lingering, small_app

ADA = "ada@example.com"
CALL = Call("POST", "/")
SMALL: dict[str, Any] = {"account_id": ADA, "calls": 6, "seed": 1}
# Whoever loses is looked at again until the grace time is over.
LOSING: dict[str, Any] = {**SMALL, "grace_seconds": 0.3}


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

    report = await race(small_app(work), CALL, ledger=credits, waves=["same_key"], **LOSING)

    with pytest.raises(RaceLostError) as lost:
        report.check()
    text = str(lost.value)
    assert "double_charge in same_key: 3 keys may cost 3 credits, and 9 credits were paid." in text
    assert "POST /: 200" in text
    assert "consume -1 interior" in text
    assert "idempotency_key" in text
    assert 'race(..., seed=1, waves=["same_key"])' in text


async def test_a_key_that_serves_another_request_is_found(credits: CreditService) -> None:
    """An app that hands the key on and nothing of the request works twice for one charge."""
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


async def test_an_app_that_becomes_slow_does_not_pass(credits: CreditService) -> None:
    """What was answered alone and not in the crowd is a finding."""
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


async def test_an_app_that_refuses_everybody_proves_nothing(credits: CreditService) -> None:
    """Where one call works and not one in the crowd does, the race is not won."""
    charge, calls = charging(credits, ADA), 0

    async def work(key: str) -> int:
        nonlocal calls
        calls += 1
        return 429 if calls > 1 else await charge(key)

    report = await race(small_app(work), CALL, ledger=credits, waves=["at_once"], **LOSING)

    assert report.kinds == {"nothing_proved"}
    assert not report.clean


async def test_work_that_goes_on_is_waited_for(credits: CreditService) -> None:
    """A client that hangs up does not end the work: what it charges later belongs to its wave, and to no other."""
    app = small_app(lingering(charging(credits, ADA), 0.4))

    report = await race(app, CALL, ledger=credits, waves=["hang_ups", "same_key"], **{**SMALL, "calls": 12})

    report.check()
    assert [(wave.served, wave.open, wave.moved) for wave in report.waves] == [(3, 9, -9), (3, 0, -3)]


async def test_charges_that_come_late_belong_to_their_own_wave(credits: CreditService) -> None:
    """How late the lone call was charged is how long the race waits after each wave, though nobody is at work."""
    charge = charging(credits, ADA)
    later: set[asyncio.Task[int]] = set()

    async def charge_later(key: str) -> int:
        await asyncio.sleep(0.4)
        return await charge(key)

    async def work(key: str) -> int:
        # The second and the sixth key are those of the wave's clients who stay.
        if key.endswith(("-2", "-6")):
            return await charge(key)
        task = asyncio.create_task(charge_later(key))
        later.add(task)
        task.add_done_callback(later.discard)
        return 200

    report = await race(small_app(work), CALL, ledger=credits, waves=["hang_ups", "same_key"], **SMALL)

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

    report = await race(small_app(work), CALL, ledger=credits, waves=["same_key", "lost_answers"], **SMALL)

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

    report = await race(app, CALL, failing=Call("POST", "/fails"), ledger=credits, waves=["failures"], **SMALL)

    report.check()


async def test_work_beyond_the_grace_time_is_told(credits: CreditService) -> None:
    """What could not be judged is a finding and not a pass."""
    app = small_app(lingering(charging(credits, ADA), 2.0))

    report = await race(app, CALL, ledger=credits, waves=["hang_ups"], **{**LOSING, "calls": 12})

    assert "still_working" in report.kinds


async def test_a_balance_that_could_not_be_put_back_is_told_in_the_report(credits: CreditService) -> None:
    """An app that closes the account in its last call: the report is given all the same."""
    charge, calls = charging(credits, ADA), 0

    async def work(key: str) -> int:
        nonlocal calls
        calls += 1
        status = await charge(key)
        if calls == 7:
            await credits.close_account(ADA, reason="a test")
        return status

    report = await race(small_app(work), CALL, ledger=credits, waves=["at_once"], **SMALL)

    before = "The account had 6 credits before the race, and was not given that balance back: "
    assert report.left is not None
    assert report.left.startswith(before)
    assert str(report).endswith(report.left)


async def test_a_balance_that_could_not_be_put_back_does_not_hide_why_the_race_ended(credits: CreditService) -> None:
    """Both are said, the one as a note of the other."""

    async def work(_key: str) -> int:
        await credits.close_account(ADA, reason="a test")
        return 500

    with pytest.raises(RaceError, match="One call alone did not succeed") as ended:
        await race(small_app(work), CALL, ledger=credits, **SMALL)

    (note,) = ended.value.__notes__
    assert note.startswith("The account had 6 credits before the race, and was not given that balance back: ")


async def test_a_balance_that_cannot_be_set_between_waves_ends_the_race_in_words(credits: CreditService) -> None:
    """An app that closes the account in its first call leaves nothing to race for."""
    charge = charging(credits, ADA)

    async def work(key: str) -> int:
        status = await charge(key)
        await credits.close_account(ADA, reason="a test")
        return status

    with pytest.raises(RaceError, match=r"The balance of the account 'ada@example\.com' could not be changed by "):
        await race(small_app(work), CALL, ledger=credits, **SMALL)


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
