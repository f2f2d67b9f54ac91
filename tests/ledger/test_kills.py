"""kill -9 of the process that uses the library, and of PostgreSQL: every acknowledged change is there, once."""

import asyncio
from collections import Counter

import pytest

from sixpence.core.errors import UnavailableError
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import rows, upgrade, verify_clean
from tests.ledger.spender import CALLERS, Spender
from tests.support.postgres import PostgresServer

ADA = "ada@example.com"
USES = "SELECT id, seq, idempotency_key FROM credit_transactions WHERE kind = 'consume' ORDER BY seq"


@pytest.mark.parametrize("keyed", ["keyed", "keyless"])
def test_killed_process_loses_no_acknowledged_use(url: str, keyed: str) -> None:
    """Killed twice under load: every acknowledged use is in the ledger once, beside the uses in progress."""
    _make(url)
    acknowledged: dict[str, str] = {}
    for _ in range(2):
        seen = _spend_until_killed(url, keyed, enough=150)
        acknowledged.update(seen)

    ledger = rows(url, USES)
    by_id = Counter(id_ for id_, _, _ in ledger)
    assert [id_ for id_ in acknowledged if by_id[id_] != 1] == []
    assert len(ledger) - len(acknowledged) <= 2 * CALLERS
    assert [seq for _, seq, _ in ledger] == list(range(3, 3 + len(ledger)))
    verify_clean(url)


def test_keys_resent_after_a_kill_are_charged_once(url: str) -> None:
    """A client that resends every key, answered or not, gets its old answers and is charged once each."""
    _make(url)
    acknowledged = _spend_until_killed(url, "keyed", enough=200)
    last = dict.fromkeys(range(CALLERS), -1)
    for sent in acknowledged.values():
        caller, number = map(int, sent.split("-"))
        last[caller] = max(last[caller], number)
    keys = [f"{caller}-{number}" for caller, top in last.items() for number in range(top + 2)]

    with SyncCreditService(url) as service:
        receipts = {key: service.consume_credit(ADA, "video", idempotency_key=key) for key in keys}

    assert [id_ for id_, key in acknowledged.items() if receipts[key].transaction.id != id_] == []
    assert all(receipts[key].replayed for key in acknowledged.values())
    assert sorted(key for _, _, key in rows(url, USES)) == sorted(keys)
    verify_clean(url)


async def test_service_survives_a_killed_postgresql(own_postgres_server: PostgresServer) -> None:
    """PostgreSQL killed under load and restarted: errors with a code, then the same service works again.

    Half of the callers send keys, and at the end they resend every unanswered one.
    """
    url = own_postgres_server.create_database()
    upgrade(url)
    names = [f"user-{number}@example.com" for number in range(8)]
    acknowledged: asyncio.Queue[str] = asyncio.Queue()
    unanswered: list[tuple[str, str | None, str]] = []
    ending = asyncio.Event()

    async def spend(service: CreditService, caller: int) -> None:
        number = 0
        while not ending.is_set():
            account_id, key = names[(caller + number) % 8], f"{caller}-{number}" if caller % 2 else None
            try:
                receipt = await service.consume_credit(account_id, "video", idempotency_key=key)
                acknowledged.put_nowait(receipt.transaction.id)
            except UnavailableError as error:
                unanswered.append((account_id, key, error.code))
                await asyncio.sleep(0.1)
            number += 1

    async with CreditService(url) as service:
        for name in names:
            await service.initialize_user_credits(name)
            await service.grant_credits(name, 1_000_000)
        callers = [asyncio.create_task(spend(service, caller)) for caller in range(CALLERS)]
        seen = [await acknowledged.get() for _ in range(200)]
        await asyncio.to_thread(own_postgres_server.kill)
        await asyncio.sleep(1.3)
        await asyncio.to_thread(own_postgres_server.start)
        seen += [await acknowledged.get() for _ in range(200 + acknowledged.qsize())]
        ending.set()
        await asyncio.gather(*callers)
        resent = [
            (await service.consume_credit(account_id, "video", idempotency_key=key)).transaction.id
            for account_id, key, _ in unanswered
            if key is not None
        ]
    seen += resent + [acknowledged.get_nowait() for _ in range(acknowledged.qsize())]

    ledger = Counter(id_ for id_, _, _ in rows(url, USES))
    assert [id_ for id_ in seen if ledger[id_] != 1] == []
    assert unanswered != []
    assert {code for _, _, code in unanswered} <= {"database-unavailable", "outcome-unknown", "overloaded"}
    unknown = sum(key is None and code == "outcome-unknown" for _, key, code in unanswered)
    assert sum(ledger.values()) - len(set(seen)) <= unknown
    verify_clean(url)


def _make(url: str) -> None:
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)
        service.grant_credits(ADA, 1_000_000)


def _spend_until_killed(url: str, keyed: str, *, enough: int) -> dict[str, str]:
    """The acknowledgements before the kill: transaction id to key (its would-be key in a keyless load)."""
    with Spender("load", url, ADA, keyed) as spender:
        lines = [spender.read_line() for _ in range(enough)]
        spender.process.kill()
        while line := spender.read_line():
            lines.append(line)
    parts = [line.split() for line in lines if len(line.split()) == 4]
    return {id_: f"{caller}-{number}" for caller, number, id_, _ in parts}
