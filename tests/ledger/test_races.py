"""Races between processes on one database: nothing is spent twice, made twice or lost, and nobody deadlocks."""

import random
import threading
from itertools import chain

import msgspec
import pytest

from sixpence.core.account.commands import Consume, EnsureAccount, GrantCredits
from sixpence.ledger.database.engines import PostgresServer, place_of
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.writer.batch import Accepted, Outcome, Request
from sixpence.ledger.writer.lane import Lane
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import consumed, ledger_of, proved, rows
from tests.ledger.spender import Call, burst

ADA = "ada@example.com"
USE: Call = ("consume_credit", [ADA, "video"], {})
ENSURE: Call = ("initialize_user_credits", [ADA], {})


def test_two_hundred_uses_of_six_credits(url: str) -> None:
    """Two processes, a hundred uses each at once: exactly six are paid, and the ledger has exactly those."""
    _make(url, ADA)

    outcomes = list(chain.from_iterable(burst(url, [USE] * 100, [USE] * 100)))

    paid = [outcome for outcome in outcomes if outcome != "insufficient-credits"]
    assert sorted(receipt["remaining"] for receipt in paid) == [0, 1, 2, 3, 4, 5]
    assert [row[:2] for row in ledger_of(url, ADA)] == [(1, "signup"), *((seq, "consume") for seq in range(2, 8))]
    assert (proved(url).transactions, len(outcomes)) == (7, 200)


def test_two_hundred_first_ensures(url: str) -> None:
    """A new account that two hundred callers in two processes make at once is made once, with one signup grant."""
    outcomes = list(chain.from_iterable(burst(url, [ENSURE] * 100, [ENSURE] * 100)))

    assert sorted(outcome["created"] for outcome in outcomes) == [False] * 199 + [True]
    assert {(outcome["remaining"], outcome["version"]) for outcome in outcomes} == {(6, 1)}
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6)]
    assert (proved(url).accounts, rows(url, "SELECT count(*) FROM credit_accounts")) == (1, [(1,)])


def test_one_key_fifty_times(url: str) -> None:
    """One key in two processes at once: one use, and the same answer for all."""
    _make(url, ADA)
    keyed: Call = ("consume_credit", [ADA, "video"], {"idempotency_key": "k", "metadata": {"n": 1}})

    outcomes = list(chain.from_iterable(burst(url, [keyed] * 25, [keyed] * 25)))

    assert sorted(outcome.pop("replayed") for outcome in outcomes) == [False] + [True] * 49
    assert {msgspec.json.encode(outcome) for outcome in outcomes} == {msgspec.json.encode(outcomes[0])}
    assert consumed(url, ADA) == 1
    proved(url)


def test_grants_against_uses(url: str) -> None:
    """Credits that arrive while others spend them: what was paid and what is left is what was given."""
    _make(url, ADA)
    grant: Call = ("grant_credits", [ADA, 1], {})

    granted, used = burst(url, [grant] * 100, [USE] * 120)

    paid = sum(outcome != "insufficient-credits" for outcome in used)
    assert all(isinstance(outcome, dict) for outcome in granted)
    assert consumed(url, ADA) == paid
    assert rows(url, "SELECT credits_remaining, credits_total FROM credit_accounts") == [(106 - paid, 106)]
    proved(url)


def test_two_processes_hammer_twenty_accounts(url: str) -> None:
    """Ensures, grants and uses on the same twenty accounts from two processes: every one succeeds and adds up."""
    dice = random.Random(6)
    names = [f"user-{number}@example.com" for number in range(20)]
    parts: list[list[Call]] = []
    for _ in range(2):
        calls: list[Call] = [("initialize_user_credits", [name], {}) for name in names]
        for _ in range(300):
            name = dice.choice(names)
            calls += [("grant_credits", [name, 2], {}), ("consume_credit", [name, "sketch"], {})]
        # An account is made before it is used: each of its commands waits behind its ensure.
        parts.append(calls)

    outcomes = list(chain.from_iterable(burst(url, *parts)))

    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == []
    total, remaining = rows(url, "SELECT sum(credits_total), sum(credits_remaining) FROM credit_accounts")[0]
    assert (int(total), int(remaining)) == (20 * 6 + 1_200, 20 * 6 + 600)
    assert proved(url).transactions == 20 + 1_200


@pytest.mark.parametrize("new", [False, True])
def test_batches_in_opposite_orders_do_not_deadlock(migrated_postgres_url: str, new: bool) -> None:
    """Lanes whose batches name the same accounts in opposite orders, made or yet to be made, all come through."""
    names = [f"user-{number}@example.com" for number in range(12)]
    _make(migrated_postgres_url, "first@example.com", *([] if new else names))
    outcomes: list[Outcome | None] = []

    def work(order: int) -> None:
        place = place_of(migrated_postgres_url)
        assert isinstance(place, PostgresServer)
        lane = Lane(PostgresStore(place.conninfo))
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
                found = lane.run(batch)
                outcomes.extend(outcome for outcome in found if outcome is not None)
                batch = [request for request, outcome in zip(batch, found, strict=True) if outcome is None]
        lane.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(outcomes), all(isinstance(outcome, Accepted) for outcome in outcomes)) == (4 * 15 * 36, True)
    assert proved(migrated_postgres_url).transactions == 1 + 12 + 4 * 15 * 24


def _make(url: str, *account_ids: str) -> None:
    with SyncCreditService(url) as service:
        for account_id in account_ids:
            service.initialize_user_credits(account_id)
