"""A race that cannot be run: the message has the problem, the value and the remedy."""

import asyncio
import socket
from typing import Any

import pytest

from sixpence import Catalog, CreditService, Feature, Plan
from sixpence.testing import Memory
from sixpence.testing.races import Call, RaceError, race, race_sync
from tests.testing.races.misbehaving_apps import answer_with, charging, raw_server, read_head, small_app

pytestmark = pytest.mark.slow

ADA = "ada@example.com"
CALL = Call("POST", "/")
SMALL: dict[str, Any] = {"account_id": ADA, "calls": 6, "grace_seconds": 0.3, "seed": 1}


@pytest.fixture
def credits(sqlite_credits: CreditService) -> CreditService:
    """The service of this module, whose tests do not depend on the database."""
    return sqlite_credits


async def test_race_refuses_unreachable_url(credits: CreditService) -> None:
    """The message has the address and the remedy."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(RaceError, match=r"Nothing accepts a connection at .* Start the app first"):
            await race(url, CALL, ledger=credits, **SMALL)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "garbage: an answer that begins with 'SSH"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "garbage: an answer that begins with 'SSH"),
        (b"", "broken off: the app hung up after nothing"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "broken off: the app hung up after 'half'"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n", "garbage: an answer with the length 'many'"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "garbage: a chunk that begins with 'zz"),
    ],
)
async def test_race_refuses_app_with_invalid_answer(credits: CreditService, data: bytes, reason: str) -> None:
    """Another protocol or an incomplete answer is quoted in the message."""
    async with raw_server(answer_with(data)) as url:
        with pytest.raises(RaceError, match="A single call had no answer") as refused:
            await race(url, CALL, ledger=credits, **SMALL)

    assert reason in str(refused.value)


async def test_race_refuses_app_that_never_answers(credits: CreditService) -> None:
    """The client waits for the timeout, and no longer."""

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await asyncio.sleep(5)

    async with raw_server(silent) as url:
        with pytest.raises(RaceError, match=r"no answer within 0\.2 s"):
            await race(url, CALL, ledger=credits, timeout_seconds=0.2, **SMALL)


async def test_race_refuses_call_that_fails_alone(credits: CreditService) -> None:
    """The message quotes the answer."""

    async def work(_key: str) -> int:
        return 401

    with pytest.raises(RaceError, match=r"A single call did not succeed .*401.*: done"):
        await race(small_app(work), CALL, ledger=credits, **SMALL)


async def test_race_refuses_call_that_moves_no_credits(credits: CreditService) -> None:
    """The call charges another account, or another database's; this is reported before the waves."""
    await credits.initialize_user_credits("bob@example.com")

    with pytest.raises(RaceError, match=r"moved no credits of account 'ada@example\.com', plan 'free'"):
        await race(small_app(charging(credits, "bob@example.com")), CALL, ledger=credits, **SMALL)


async def test_race_refuses_unlimited_plan(credits: CreditService) -> None:
    """Nothing can be overspent; the plan is named."""
    await credits.initialize_user_credits(ADA)
    await credits.update_subscription_status(ADA, "pro", reason="a test")

    with pytest.raises(RaceError, match="plan 'pro'"):
        await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)


async def test_race_refuses_frozen_account(credits: CreditService) -> None:
    """The account is refused before a call is sent."""
    await credits.initialize_user_credits(ADA)
    await credits.freeze_account(ADA, reason="a test")

    with pytest.raises(RaceError, match="is frozen: nothing can be spent"):
        await race(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)


async def test_race_refuses_account_that_owes() -> None:
    """A negative balance could not be restored; nothing is sent, and the account is unchanged."""
    plan = Plan(signup_credits=1, overdraft=5)
    catalog = Catalog(features={"interior": Feature(1)}, plans={"free": plan}, default_plan="free")
    async with CreditService(Memory(), catalog=catalog) as service:
        await service.initialize_user_credits(ADA)
        for _ in range(4):
            await service.consume_credit(ADA, "interior")

        with pytest.raises(RaceError, match=r"owes 3, which a race cannot restore at its end\. Grant it that many"):
            await race(small_app(charging(service, ADA)), CALL, ledger=service, **SMALL)

        assert (await service.get_user_credits(ADA)).remaining == -3


async def test_race_refuses_account_with_too_many_credits(credits: CreditService) -> None:
    """The account keeps its credits."""
    await credits.initialize_user_credits(ADA)
    await credits.adjust(ADA, 2**53 - 7, reason="a test", actor="a test")

    with pytest.raises(RaceError, match=r"has 9007199254740991 credits, more than a race can restore"):
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
        ({"waves": []}, "runs nothing"),
    ],
)
async def test_race_refuses_invalid_arguments(credits: CreditService, wrong: dict[str, Any], says: str) -> None:
    """The message has the remedy."""
    with pytest.raises(RaceError, match=says):
        await race(small_app(charging(credits, ADA)), CALL, **{"ledger": credits, **SMALL, **wrong})


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (None, r"call=None is no call\. Give a Call"),
        (lambda _key: None, r"The function for a key returned None, which is no call\. Return a Call"),
        (Call("POST", "/", body="abc"), r"body='abc' is not bytes\. Encode it"),  # type: ignore[arg-type]
        (Call("POST", "/", json=float("nan")), "json=nan cannot be sent as JSON"),
        (Call("POST", "/", json={1, 2}), "json=.1, 2. cannot be sent as JSON"),
    ],
)
async def test_race_refuses_invalid_call(credits: CreditService, call: Any, says: str) -> None:
    """It is refused before it is sent, with the remedy."""
    with pytest.raises(RaceError, match=says):
        await race(small_app(charging(credits, ADA)), call, ledger=credits, **SMALL)


@pytest.mark.parametrize(
    ("app", "says"),
    [("127.0.0.1:8000", "http://127.0.0.1:8000"), ("http://127.0.0.1:x", "is no URL"), (7, "7 is no app")],
)
async def test_race_refuses_invalid_app(credits: CreditService, app: object, says: str) -> None:
    """A URL without its scheme, and objects that are no app."""
    with pytest.raises(RaceError, match=says):
        await race(app, CALL, ledger=credits, **SMALL)


async def test_race_sync_refuses_running_event_loop(credits: CreditService) -> None:
    """Blocking the loop that serves the app would wait forever."""
    with pytest.raises(RaceError, match="await race"):
        race_sync(small_app(charging(credits, ADA)), CALL, ledger=credits, **SMALL)
