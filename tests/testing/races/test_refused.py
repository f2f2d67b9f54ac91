"""A race that can't be run says at once what was wrong, with which value, and what to do."""

import asyncio
import socket
from typing import Any

import pytest

from sixpence import Catalog, CreditService, Feature, Plan
from sixpence.testing import Memory
from sixpence.testing.races import Call, RaceError, race, race_sync
from tests.testing.races.crude import answering, asked, charging, crude_server, small_app

ADA = "ada@example.com"
CALL = Call("POST", "/")
SMALL: dict[str, Any] = {"account_id": ADA, "calls": 6, "grace_seconds": 0.3, "seed": 1}


@pytest.fixture
def credits(sqlite_credits: CreditService) -> CreditService:
    """The credits of this module, where the database has no part in what is tested."""
    return sqlite_credits


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

    with pytest.raises(RaceError, match="is frozen: nothing can be spent"):
        await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)


async def test_an_account_that_owes_is_no_race() -> None:
    """What it owes could not be put back; nothing is sent, and the account stays as it is."""
    plan = Plan(signup_credits=1, overdraft=5)
    catalog = Catalog(features={"interior": Feature(1)}, plans={"free": plan}, default_plan="free")
    async with CreditService(Memory(), catalog=catalog) as owing:
        await owing.initialize_user_credits(ADA)
        for _ in range(4):
            await owing.consume_credit(ADA, "interior")

        with pytest.raises(RaceError, match=r"owes 3, which a race cannot put back at its end\. Give it that many"):
            await race(small_app(charging(owing, ADA)), CALL, ledger=owing, **SMALL)

        assert (await owing.get_user_credits(ADA)).remaining == -3


async def test_an_account_that_has_more_than_can_be_put_back_is_no_race(credits: CreditService) -> None:
    """It keeps all that it has."""
    await credits.initialize_user_credits(ADA)
    await credits.adjust(ADA, 2**53 - 7, reason="a test", actor="a test")

    with pytest.raises(RaceError, match=r"has 9007199254740991 credits, more than a race can put back"):
        await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)

    assert (await credits.get_user_credits(ADA)).remaining == 2**53 - 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"calls": 1}, "at least 2"),
        ({"calls": 2.5}, r"calls=2\.5 is not a whole number\. Send at least 2"),
        ({"calls": "3"}, "calls='3' is not a whole number"),
        ({"calls": True}, "calls=True is not a whole number"),
        ({"seed": "x"}, "seed='x' is not a whole number"),
        ({"grace_seconds": float("nan")}, r"grace_seconds=nan is no time to wait\. Give seconds from 0"),
        ({"grace_seconds": float("inf")}, "grace_seconds=inf is no time"),
        ({"grace_seconds": -0.1}, r"grace_seconds=-0\.1 is no time"),
        ({"grace_seconds": "5"}, "grace_seconds='5' is no time"),
        ({"timeout_seconds": float("nan")}, r"timeout_seconds=nan is no time to wait\. Give seconds above 0"),
        ({"timeout_seconds": 0}, "timeout_seconds=0 is no time"),
        ({"ledger": "sqlite:///credits.db"}, r"ledger='sqlite:///credits\.db' is no ledger\. Give a CreditService"),
        ({"ledger": None}, "ledger=None is no ledger"),
        ({"failing": "fail"}, r"failing='fail' is no call\. Give a Call"),
        ({"waves": "at_once"}, "waves='at_once' is no list"),
        ({"waves": ["all_at_once"]}, "no wave 'all_at_once'. Choose from at_once"),
        ({"waves": ["failures"]}, "needs `failing`"),
        ({"waves": []}, "races nothing"),
    ],
)
async def test_what_cannot_be_asked_is_refused(credits: CreditService, wrong: dict[str, Any], says: str) -> None:
    """The message says what to give instead."""
    with pytest.raises(RaceError, match=says):
        await race(small_app(charging(credits, ADA)), CALL, **{"ledger": credits, **SMALL, **wrong})


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (None, r"call=None is no call\. Give a Call"),
        (lambda _key: None, r"The function of a key gave None, which is no call\. Return a Call"),
        (Call("POST", "/", body="abc"), r"body='abc' is not bytes\. Encode it"),  # type: ignore[arg-type]
        (Call("POST", "/", json=float("nan")), "json=nan cannot be sent as JSON"),
        (Call("POST", "/", json={1, 2}), "json=.1, 2. cannot be sent as JSON"),
    ],
)
async def test_what_is_no_call_is_refused(credits: CreditService, call: Any, says: str) -> None:
    """Before it is sent, and with what to give instead."""
    with pytest.raises(RaceError, match=says):
        await race(small_app(charging(credits, ADA)), call, ledger=credits, **SMALL)


@pytest.mark.parametrize(
    ("app", "says"),
    [("127.0.0.1:8000", "http://127.0.0.1:8000"), ("http://127.0.0.1:x", "is no URL"), (7, "7 is no app")],
)
async def test_what_is_no_app_is_refused(credits: CreditService, app: object, says: str) -> None:
    """A URL without its scheme, and things that are no app."""
    with pytest.raises(RaceError, match=says):
        await race(app, CALL, ledger=credits, **SMALL)


async def test_race_sync_says_what_to_write_where_a_loop_runs(credits: CreditService) -> None:
    """Blocking the loop that serves the app would wait for ever."""
    with pytest.raises(RaceError, match="await race"):
        race_sync(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)
