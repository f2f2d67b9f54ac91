"""A COMMIT without an answer: the outcome is found, and nothing is charged twice, with keys and without."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import Command, Consume, EnsureAccount, GrantCredits, Key
from sixpence.core.errors import DatabaseUnavailableError, OutcomeUnknownError
from sixpence.ledger.database.engines import PostgresServer, parse_database_url
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.writer.batch import Accepted, Outcome, Request
from sixpence.ledger.writer.worker import BatchWorker
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import count_uses, ledger_of, verify_clean
from tests.ledger.postgres.commit_proxy import CommitProxy, Fate

ADA, BOB = "ada@example.com", "bob@example.com"
USE = Consume(feature="video")


@pytest.fixture
def proxy(migrated_postgres_url: str) -> Iterator[CommitProxy]:
    """A proxy before a database in which Ada and Bob have six credits each."""
    with SyncCreditService(migrated_postgres_url) as service:
        for account_id in (ADA, BOB):
            service.initialize_user_credits(account_id)
    with CommitProxy(migrated_postgres_url) as running:
        yield running


@pytest.fixture
def worker(proxy: CommitProxy) -> Iterator[BatchWorker]:
    """A worker of its own through the proxy, so that a test chooses the batches."""
    place = parse_database_url(proxy.url)
    assert isinstance(place, PostgresServer)
    worker = BatchWorker(PostgresStore(place.conninfo))
    yield worker
    worker.close()


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("fate", ["cut-answer", "cut-before"])
async def test_lost_answer_is_found(
    proxy: CommitProxy, migrated_postgres_url: str, fate: Fate, key: str | None
) -> None:
    """Whether the COMMIT arrived or not, the caller gets its receipt, and the use is charged once."""
    async with CreditService(proxy.url) as service:
        await service.consume_credit(ADA, "video")
        proxy.next_commit = fate

        receipt = await service.consume_credit(ADA, "video", idempotency_key=key)

        assert (receipt.remaining, receipt.version, receipt.replayed) == (4, 3, False)
        assert proxy.met.is_set()
        assert (await service.get_user_credits(ADA)).remaining == 4
    assert count_uses(migrated_postgres_url, ADA) == 2
    verify_clean(migrated_postgres_url)


@pytest.mark.parametrize("fate", ["cut-answer", "cut-before"])
def test_lost_answer_of_a_batch_is_found(
    proxy: CommitProxy, worker: BatchWorker, migrated_postgres_url: str, fate: Fate
) -> None:
    """Every request of the batch gets its own outcome, refusals and replays included."""
    worker.run([_request(BOB, USE, key="old")])
    requests = [_request(ADA, USE)] * 7 + [
        _request(BOB, USE, key="old"),
        _request(BOB, USE),
        _request("new@example.com", USE),
    ]
    proxy.next_commit = fate

    outcomes = worker.run(requests)

    assert [_summary(outcome) for outcome in outcomes] == [
        5,
        4,
        3,
        2,
        1,
        0,
        "insufficient-credits",
        5,
        4,
        "account-not-found",
    ]
    assert proxy.met.is_set()
    assert (count_uses(migrated_postgres_url, ADA), count_uses(migrated_postgres_url, BOB)) == (6, 2)
    verify_clean(migrated_postgres_url)


def test_running_commit_is_waited_for(proxy: CommitProxy, worker: BatchWorker, migrated_postgres_url: str) -> None:
    """The old session commits after the check began: the account's lock waits for it."""
    proxy.next_commit = "hold"
    _release_later(proxy)

    outcomes = worker.run([_request(ADA, USE)])

    assert [_summary(outcome) for outcome in outcomes] == [5]
    assert count_uses(migrated_postgres_url, ADA) == 1
    verify_clean(migrated_postgres_url)


def test_running_commit_of_a_new_account_is_waited_for(
    proxy: CommitProxy, worker: BatchWorker, migrated_postgres_url: str
) -> None:
    """An uncommitted account cannot be locked; its commit is still waited for, and charged once."""
    new = "new@example.com"
    proxy.next_commit = "hold"
    _release_later(proxy)

    outcomes = worker.run([_request(new, EnsureAccount()), _request(new, USE), _request(new, GrantCredits(amount=4))])

    assert [_summary(outcome) for outcome in outcomes] == [6, 5, 9]
    assert ledger_of(migrated_postgres_url, new) == [(1, "signup", 6, 6), (2, "consume", -1, 5), (3, "grant", 4, 9)]
    verify_clean(migrated_postgres_url)


def test_outcome_is_unknown_while_the_database_is_away(
    proxy: CommitProxy, worker: BatchWorker, migrated_postgres_url: str
) -> None:
    """Without an answer and without the database the outcome is unknown; the same key gets it later."""
    worker.run([_request(BOB, USE)])
    proxy.next_commit = "cut-answer"
    threading.Thread(target=_refuse_after_cut, args=(proxy,), daemon=True).start()
    began = time.monotonic()

    outcomes = worker.run([_request(ADA, USE, key="k"), _request(ADA, USE), _request("nobody@example.com", USE)])

    # A refusal is unknown, too: it may rest on a row of the batch that was not committed.
    assert outcomes == [OutcomeUnknownError(retry_after_seconds=1)] * 3
    assert time.monotonic() - began < 12
    proxy.refusing = False
    again = worker.run([_request(ADA, USE, key="k")])[0]
    assert isinstance(again, Accepted)
    assert (again.replayed, _summary(again)) == (True, 5)
    assert count_uses(migrated_postgres_url, ADA) == 2
    verify_clean(migrated_postgres_url)


async def test_database_is_unavailable_after_the_limit(proxy: CommitProxy, migrated_postgres_url: str) -> None:
    """Reads and changes fail with a code and a time to retry; afterwards the service works again."""
    async with CreditService(proxy.url) as service:
        await service.consume_credit(ADA, "video")
        proxy.refusing = True
        proxy.cut_all()
        began = time.monotonic()

        outcomes = await asyncio.gather(
            service.consume_credit(ADA, "video"),
            service.get_user_credits(ADA),
            service.initialize_user_credits("new@example.com"),
            return_exceptions=True,
        )

        assert list(outcomes) == [DatabaseUnavailableError(retry_after_seconds=1)] * 3
        assert time.monotonic() - began < 5
        proxy.refusing = False
        assert (await service.consume_credit(ADA, "video")).remaining == 4
        assert (await service.get_user_credits(ADA)).remaining == 4
    assert count_uses(migrated_postgres_url, ADA) == 2
    verify_clean(migrated_postgres_url)


async def test_cut_idle_connections_are_replaced(proxy: CommitProxy, migrated_postgres_url: str) -> None:
    """Connections that were cut while idle are replaced without an error."""
    async with CreditService(proxy.url) as service:
        await service.get_user_credits(ADA)
        await service.consume_credit(ADA, "video")
        for _ in range(3):
            proxy.cut_all()

            assert (await service.consume_credit(BOB, "video")).remaining >= 0
            assert (await service.get_user_credits(ADA)).remaining == 5
    assert count_uses(migrated_postgres_url, BOB) == 3
    verify_clean(migrated_postgres_url)


def _request(account_id: str, command: Command, *, key: str | None = None) -> Request:
    return Request(account_id, command, None if key is None else Key(key, key.encode()))


def _summary(outcome: Outcome | None) -> int | str | None:
    """The balance of an accepted command's row, or the code of a refusal."""
    if isinstance(outcome, Accepted):
        return None if outcome.row is None else outcome.row.balance_after
    return None if outcome is None else outcome.code


def _release_later(proxy: CommitProxy) -> None:
    def release() -> None:
        proxy.met.wait(10)
        time.sleep(0.4)
        proxy.release()

    threading.Thread(target=release, daemon=True).start()


def _refuse_after_cut(proxy: CommitProxy) -> None:
    proxy.met.wait(10)
    proxy.refusing = True
