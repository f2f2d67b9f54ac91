"""An account that another session locks for ten seconds delays no other account."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest

from sixpence.core.values.bounds import account_no
from tests.ledger.databases import count_uses, verify_clean
from tests.races.served import Served
from tests.races.wire import Connection

pytestmark = pytest.mark.slow

LOCKED_SECONDS = 10.0
OTHERS = 8
# A person at a prompt must not be felt elsewhere. Loose, since the machine that tests is busy with other things.
P99_SECONDS_MAX = 2.0


async def test_a_locked_account_delays_no_other(served_by_postgres: Served, tell: Callable[[str], None]) -> None:
    """Other accounts stay fast; the locked one's uses get a 503 with Retry-After in time, and succeed afterwards."""
    served = served_by_postgres
    locked = await served.open_account("locked", credits=1_000_000)
    others = [await served.open_account(f"other-{number}", credits=1_000_000) for number in range(OTHERS)]
    until = time.monotonic() + LOCKED_SECONDS
    with psycopg.connect(served.database_url) as session:
        session.execute("SELECT * FROM credit_accounts WHERE account_no = %s FOR UPDATE", (account_no("locked"),))

        waits, *seconds = await asyncio.gather(
            use_until(served, 0, locked, until),
            *(use_until(served, number, path, until) for number, path in enumerate(others)),
        )
        session.rollback()

    after = await use_until(served, 0, locked, time.monotonic() + 0.5)
    figures = sorted(each for _, took in seconds for each in took)
    p99 = figures[int(len(figures) * 0.99)]
    tell(
        f"while one account was locked for {LOCKED_SECONDS:.0f} s: {len(figures)} uses of {OTHERS} others, "
        f"median {statistics.median(figures) * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, max {figures[-1] * 1000:.1f} ms"
    )
    assert {status for statuses, _ in seconds for status in statuses} == {200}
    assert p99 < P99_SECONDS_MAX
    assert set(waits[0]) == {503}
    assert (max(waits[1]) < LOCKED_SECONDS, set(after[0])) == (True, {200})
    assert count_uses(served.database_url, "locked") == after[0][200]
    verify_clean(served.database_url)


async def use_until(served: Served, number: int, path: str, until: float) -> tuple[Counter[int], list[float]]:
    """Use credits one after another until this moment: the statuses of the answers, and how long each took."""
    statuses: Counter[int] = Counter()
    seconds = []
    connection: Connection = await served.connect(number)
    while time.monotonic() < until:
        began = time.monotonic()
        reply = await connection.ask("POST", f"{path}/consume", {"feature": "video"})
        seconds.append(time.monotonic() - began)
        statuses[reply.status] += 1
        assert reply.status == 200 or (reply.json()["code"], reply.headers["retry-after"]) == ("account-busy", "1")
    await connection.close()
    return statuses, seconds
