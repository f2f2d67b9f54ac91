"""Races between processes on one database: nothing is spent or created twice or lost, and there is no deadlock."""

import random
import threading
from itertools import chain

import msgspec
import pytest

from sixpence.core.account.commands import Consume, EnsureAccount, GrantCredits
from sixpence.ledger.database.engines import PostgresServer, parse_database_url
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.writer.batch import Accepted, Outcome, Request
from sixpence.ledger.writer.worker import BatchWorker
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import count_uses, ledger_of, rows, verify_clean
from tests.ledger.spender import Call, burst

ADA = "ada@example.com"
USE: Call = ("consume_credit", [ADA, "video"], {})
ENSURE: Call = ("initialize_user_credits", [ADA], {})


def test_two_hundred_uses_of_six_credits(url: str) -> None:
    """Two processes, a hundred uses each at once: exactly six are paid, and the ledger has exactly these."""
    _make(url, ADA)

    outcomes = list(chain.from_iterable(burst(url, [USE] * 100, [USE] * 100)))

    paid = [outcome for outcome in outcomes if outcome != "insufficient-credits"]
    assert sorted(receipt["remaining"] for receipt in paid) == [0, 1, 2, 3, 4, 5]
    assert [row[:2] for row in ledger_of(url, ADA)] == [(1, "signup"), *((seq, "consume") for seq in range(2, 8))]
    assert (verify_clean(url).transactions, len(outcomes)) == (7, 200)


def test_two_hundred_first_ensures(url: str) -> None:
    """Two hundred callers in two processes create one account at once: it is created once, with one signup grant."""
    outcomes = list(chain.from_iterable(burst(url, [ENSURE] * 100, [ENSURE] * 100)))

    assert sorted(outcome["created"] for outcome in outcomes) == [False] * 199 + [True]
    assert {(outcome["remaining"], outcome["version"]) for outcome in outcomes} == {(6, 1)}
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6)]
    assert (verify_clean(url).accounts, rows(url, "SELECT count(*) FROM credit_accounts")) == (1, [(1,)])


def test_one_key_fifty_times(url: str) -> None:
    """One key in two processes at once: one use, and the same answer for all."""
    _make(url, ADA)
    keyed: Call = ("consume_credit", [ADA, "video"], {"idempotency_key": "k", "metadata": {"n": 1}})

    outcomes = list(chain.from_iterable(burst(url, [keyed] * 25, [keyed] * 25)))

    assert sorted(outcome.pop("replayed") for outcome in outcomes) == [False] + [True] * 49
    assert {msgspec.json.encode(outcome) for outcome in outcomes} == {msgspec.json.encode(outcomes[0])}
    assert count_uses(url, ADA) == 1
    verify_clean(url)


def test_grants_against_uses(url: str) -> None:
    """Credits that arrive during uses: paid and remaining credits add up to the granted ones."""
    _make(url, ADA)
    grant: Call = ("grant_credits", [ADA, 1], {})

    granted, used = burst(url, [grant] * 100, [USE] * 120)

    paid = sum(outcome != "insufficient-credits" for outcome in used)
    assert all(isinstance(outcome, dict) for outcome in granted)
    assert count_uses(url, ADA) == paid
    assert rows(url, "SELECT credits_remaining, credits_total FROM credit_accounts") == [(106 - paid, 106)]
    verify_clean(url)


def test_two_processes_share_twenty_accounts(url: str) -> None:
    """Ensures, grants and uses on the same twenty accounts from two processes: all succeed and add up."""
    dice = random.Random(6)
    names = [f"user-{number}@example.com" for number in range(20)]
    parts: list[list[Call]] = []
    for _ in range(2):
        calls: list[Call] = [("initialize_user_credits", [name], {}) for name in names]
        for _ in range(300):
            name = dice.choice(names)
            calls += [("grant_credits", [name, 2], {}), ("consume_credit", [name, "sketch"], {})]
        # An account exists before it is used: each of its commands waits behind its ensure.
        parts.append(calls)

    outcomes = list(chain.from_iterable(burst(url, *parts)))

    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == []
    total, remaining = rows(url, "SELECT sum(credits_total), sum(credits_remaining) FROM credit_accounts")[0]
    assert (int(total), int(remaining)) == (20 * 6 + 1_200, 20 * 6 + 600)
    assert verify_clean(url).transactions == 20 + 1_200


@pytest.mark.parametrize("new", [False, True])
def test_batches_in_opposite_orders_do_not_deadlock(migrated_postgres_url: str, new: bool) -> None:
    """Workers whose batches name the same accounts in opposite orders, existing or new, all finish."""
    names = [f"user-{number}@example.com" for number in range(12)]
    _make(migrated_postgres_url, "first@example.com", *([] if new else names))
    outcomes: list[Outcome | None] = []

    def work(order: int) -> None:
        place = parse_database_url(migrated_postgres_url)
        assert isinstance(place, PostgresServer)
        worker = BatchWorker(PostgresStore(place.conninfo))
        for _ in range(15):
            batch = [
                request
                for name in names[::order]
                for request in (
                    Request(name, EnsureAccount()),
                    Request(name, GrantCredits(amount=1)),
                    Request(name, Consume(feature="video")),
                )
            ]
            while batch:
                found = worker.run(batch)
                outcomes.extend(outcome for outcome in found if outcome is not None)
                batch = [request for request, outcome in zip(batch, found, strict=True) if outcome is None]
        worker.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(outcomes), all(isinstance(outcome, Accepted) for outcome in outcomes)) == (4 * 15 * 36, True)
    assert verify_clean(migrated_postgres_url).transactions == 1 + 12 + 4 * 15 * 24


def _make(url: str, *account_ids: str) -> None:
    with SyncCreditService(url) as service:
        for account_id in account_ids:
            service.initialize_user_credits(account_id)
