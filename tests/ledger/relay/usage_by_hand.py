"""Usage by day, added up from the ledger's rows by hand, and as stored.

Not here: the relay, which adds it up in the database (`sixpence.ledger.relay`).
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

from sixpence.core.values.instant import to_datetime
from sixpence.ledger.relay.relay import Relay
from tests.ledger.databases import Database, rows

# (account, day, feature) to (uses, credits consumed, credits refunded).
Usage = dict[tuple[str, date, str], tuple[int, int, int]]


def by_hand(url: Database) -> Usage:
    """The usage in every row of the ledger."""
    query = """
        SELECT account_id, seq, kind, feature_used, credits_consumed, detail, about_seq, created_at
        FROM credit_transactions ORDER BY account_id, seq
    """
    features: dict[tuple[str, int], str] = {}
    added: dict[tuple[str, date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for account_id, seq, kind, feature, consumed, detail, about_seq, created_at in rows(url, query):
        day = to_datetime(created_at).date()
        if kind in ("consume", "capture"):
            features[account_id, seq] = feature
            added[account_id, day, feature][0] += 1
            added[account_id, day, feature][1] += consumed
        elif kind == "refund":
            added[account_id, day, features[account_id, about_seq]][2] += json.loads(detail)["refunded"]
    return {name: (uses, consumed, refunded) for name, (uses, consumed, refunded) in added.items()}


def counted(url: Database) -> Usage:
    """The stored usage."""
    query = """
        SELECT account_id, day, feature, uses, u.credits_consumed, u.credits_refunded
        FROM usage_daily AS u JOIN credit_accounts AS a ON a.account_no = u.account_no
    """
    return {
        (account_id, date(1970, 1, 1) + timedelta(days=day), feature): (uses, consumed, refunded)
        for account_id, day, feature, uses, consumed, refunded in rows(url, query)
    }


def left(url: Database) -> int:
    """How many rows the outbox has."""
    return int(rows(url, "SELECT count(*) FROM outbox")[0][0])


async def read_all(relay: Relay, url: Database) -> int:
    """Let the relay read until the outbox is empty; returns how many rows of the ledger it read.

    PostgreSQL itself, or another test on the same server, may have a transaction running for a moment.
    """
    read = 0
    for _ in range(400):
        read += await relay.run_once()
        if left(url) == 0:
            return read
        await asyncio.sleep(0.02)
    raise AssertionError("the outbox is not emptied")


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition is true, within twenty seconds."""
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the condition did not become true")
