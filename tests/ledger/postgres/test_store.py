"""The PostgreSQL store by itself: what a batch reads after it waited for another session's batch."""

import threading
import time

import psycopg
import pytest

from sixpence.core.account.commands import Command, Consume, EnsureAccount, Key, PlaceHold, Refund, ReleaseHold, Tick
from sixpence.ledger.database.engines import PostgresServer, parse_database_url
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.writer.batch import Request, collect_needs, decide_batch
from sixpence.ledger.writer.store import Loaded, LockTimeoutError
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import verify_clean

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.mark.parametrize("new", [False, True])
def test_load_after_a_wait_reads_the_newest_rows(migrated_postgres_url: str, new: bool) -> None:
    """A batch that waited for an account, or for its creation, reads it fresh, and finds the newly committed key."""
    names = [f"user-{number}@example.com" for number in range(80)]
    with SyncCreditService(migrated_postgres_url) as service:
        for name in names[: 1 if new else None]:
            service.initialize_user_credits(name)
    first, second = _store(migrated_postgres_url), _store(migrated_postgres_url)
    seen: list[Loaded] = []
    with psycopg.connect(migrated_postgres_url, autocommit=True) as watcher:
        # A batch waits for fifty milliseconds: a busy machine may miss it.
        for name in names[1:]:
            if len(seen) == 3:
                break
            seen += _raced(first, second, watcher, name, new=new)
    first.close()
    second.close()

    accounts = [next(iter(loaded.accounts.values())) for loaded in seen]
    assert [(account.seq, account.remaining) for account in accounts] == [(2, 5)] * 3
    assert [list(loaded.replays) for loaded in seen] == [[(account.account_id, "k")] for account in accounts]
    verify_clean(migrated_postgres_url)


@pytest.mark.parametrize(
    ("command", "last"),
    [
        (Consume(feature="video"), "clock_timestamp()"),
        (PlaceHold(feature="video", ttl_seconds=60), "clock_timestamp()"),
        (Tick(), "clock_timestamp()"),
        (ReleaseHold(hold_id="019cb8b8-1e00-7000-8000-00014651897c"), "credit_holds"),
        (Refund(transaction_id="019cb8b8-1e00-7000-8000-00014651897c"), "about_seq"),
    ],
)
def test_plain_load_ends_with_the_clock(migrated_postgres_url: str, command: Command, last: str) -> None:
    """Without a named hold or transaction the clock, read with the lock, is the last read of a batch."""
    with SyncCreditService(migrated_postgres_url) as service:
        service.initialize_user_credits("ada@example.com")
    store = _store(migrated_postgres_url)
    query = "SELECT query FROM pg_stat_activity WHERE application_name = 'sixpence-writer' AND state LIKE 'idle in %'"

    for _ in range(2):  # the first batch of a connection also reads the catalog
        store.roll_back()
        store.load(collect_needs([Request("ada@example.com", command)], wait=True))
    with psycopg.connect(migrated_postgres_url) as watcher:
        statements = watcher.execute(query + " AND datname = current_database()").fetchall()
    store.close()

    assert [last in text for (text,) in statements] == [True]


def _raced(
    first: PostgresStore, second: PostgresStore, watcher: psycopg.Connection, account_id: str, *, new: bool
) -> list[Loaded]:
    """What the second store loads after it waited for the first one's commit; None when it timed out before."""
    use = Request(account_id, Consume(feature="video"), Key("k", b"f"))
    requests = [Request(account_id, EnsureAccount()), use] if new else [use]
    decided = decide_batch(first.load(collect_needs(requests, wait=True)), requests)
    found: list[Loaded] = []

    def work() -> None:
        try:
            found.append(second.load(collect_needs(requests, wait=True)))
        except LockTimeoutError:
            pass
        finally:
            second.roll_back()

    thread = threading.Thread(target=work)
    thread.start()
    until = time.monotonic() + 1
    waited = False
    while thread.is_alive() and not waited and time.monotonic() < until:
        waited = watcher.execute(WAITING).fetchall() == [(1,)]
    first.append(decided.append)
    thread.join()
    return found if waited else []


def _store(url: str) -> PostgresStore:
    place = parse_database_url(url)
    assert isinstance(place, PostgresServer)
    return PostgresStore(place.conninfo)
