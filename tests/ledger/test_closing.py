"""A ledger in its process: closing, cancelled callers, closed event loops, threads and forks."""

import asyncio
import subprocess
import sys
import threading

import pytest

from sixpence.core.errors import QueueFullError, ServiceClosedError
from sixpence.ledger.database.engines import READERS
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.open_database import WAITING_JOBS_MAX
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import count_uses, verify_clean

ADA = "ada@example.com"


async def test_close_finishes_queued_commands_and_then_refuses(url: str) -> None:
    """Earlier commands get their outcomes; later ones are refused, also after a second close."""
    service = CreditService(url)
    await service.initialize_user_credits(ADA)
    waiting = [asyncio.create_task(service.consume_credit(ADA, "video")) for _ in range(6)]
    await asyncio.sleep(0)

    await service.close()
    await service.close()

    assert [receipt.remaining for receipt in await asyncio.gather(*waiting)] == [5, 4, 3, 2, 1, 0]
    for call in (service.consume_credit(ADA, "video"), service.get_user_credits(ADA), service.get_catalog()):
        with pytest.raises(ServiceClosedError):
            await call
    verify_clean(url)


def test_waiting_reads_are_limited(url: str) -> None:
    """A read too many is refused at once; when the others are done, reads are served again."""
    ledger = Ledger(url)
    ledger.open()
    gate = threading.Event()

    async def crowd() -> list[object]:
        reads = [asyncio.create_task(ledger.read(lambda _: gate.wait(60))) for _ in range(READERS + WAITING_JOBS_MAX)]
        await asyncio.sleep(0.1)
        with pytest.raises(QueueFullError):
            await ledger.read(lambda _: None)
        gate.set()
        answers: list[object] = list(await asyncio.gather(*reads))
        return [*answers, await ledger.read(lambda _: "served")]

    answers = asyncio.run(crowd())
    ledger.close()

    assert answers == [True] * (READERS + WAITING_JOBS_MAX) + ["served"]


async def test_cancelled_caller_does_not_cancel_its_change(url: str) -> None:
    """A caller cancelled during its change leaves a whole change, and its key replays later."""
    async with CreditService(url) as service:
        await service.initialize_user_credits(ADA)
        for number in range(6):
            call = asyncio.create_task(service.consume_credit(ADA, "video", idempotency_key=str(number)))
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

        receipts = [await service.consume_credit(ADA, "video", idempotency_key=str(number)) for number in range(6)]

    assert [(receipt.replayed, receipt.remaining) for receipt in receipts] == [(True, 5 - n) for n in range(6)]
    assert count_uses(url, ADA) == 6
    verify_clean(url)


def test_closed_event_loop_loses_no_change(url: str) -> None:
    """An event loop that closes before the answer harms nothing: the change is committed, other loops are served."""
    ledger = Ledger(url)
    service = CreditService(ledger)

    async def ask_and_go() -> None:
        await service.initialize_user_credits(ADA)
        asyncio.create_task(service.consume_credit(ADA, "video", idempotency_key="k"))  # noqa: RUF006
        await asyncio.sleep(0)

    asyncio.run(ask_and_go())
    receipt = asyncio.run(service.consume_credit(ADA, "video", idempotency_key="k"))
    ledger.close()

    assert (receipt.remaining, count_uses(url, ADA)) == (5, 1)
    verify_clean(url)


def test_many_threads_share_one_service(url: str) -> None:
    """Many threads use one service at once, from its first use."""
    answers: list[int] = []
    with SyncCreditService(url) as service:

        def work() -> None:
            service.initialize_user_credits(ADA)
            answers.append(service.consume_credit(ADA, "video").remaining)
            service.get_user_credits(ADA)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(answers) == [0, 1, 2, 3, 4, 5]
    verify_clean(url)


@pytest.mark.parametrize("used_before", [False, True])
def test_forked_child_uses_the_same_service(url: str, used_before: bool) -> None:
    """Parent and child spend through one object made before the fork; nothing is lost, in either order of ending."""
    program = """
import os, subprocess, sys
from sixpence import SyncCreditService

service = SyncCreditService(sys.argv[1])
if sys.argv[2] == "True":
    service.get_user_credits("ada@example.com")
    service.consume_credit("ada@example.com", "video")
receiving, sending = os.pipe()
heard, answer = os.pipe()
child = os.fork()
if child == 0:
    os.close(sending)
    service.consume_credit("ada@example.com", "video")
    os.write(answer, b"spent")
    os.read(receiving, 1)  # the end: the parent has closed its own
    service.consume_credit("ada@example.com", "video")
    service.consume_credit("ada@example.com", "video")
    os.write(answer, b"again")
    os._exit(0)  # without cleanup, like a killed worker
assert os.read(heard, 5) == b"spent"
service.consume_credit("ada@example.com", "video")
service.close()
if sys.argv[1].startswith("sqlite"):  # another process, which believes that no other has the file open
    look = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM outbox').fetchall()"
    subprocess.run([sys.executable, "-c", look, sys.argv[1].removeprefix("sqlite:///")], check=True)
os.close(sending)
assert os.read(heard, 5) == b"again"
os.waitpid(child, 0)
"""
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)

    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, url, str(used_before)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert count_uses(url, ADA) == 4 + used_before
    verify_clean(url)


def test_forks_in_quick_succession(url: str) -> None:
    """A process that forks repeatedly, from two threads at once, never waits for an earlier fork."""
    program = """
import os, sys, threading
from sixpence import SyncCreditService

service = SyncCreditService(sys.argv[1])
service.get_user_credits("ada@example.com")

def fork(times):
    for _ in range(times):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

threads = [threading.Thread(target=fork, args=(40,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
service.consume_credit("ada@example.com", "video")
service.close()
"""
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)

    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, url], capture_output=True, text=True, timeout=60
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert count_uses(url, ADA) == 1
    verify_clean(url)
