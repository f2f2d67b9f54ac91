"""A COMMIT whose answer is lost: the outcome is found, and nothing is charged twice, with keys and without."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import Command, Consume, EnsureAccount, GrantCredits, Key
from sixpence.core.errors import DatabaseUnavailableError, OutcomeUnknownError
from sixpence.ledger.database.engines import PostgresServer, place_of
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.writer.batch import Accepted, Outcome, Request
from sixpence.ledger.writer.lane import Lane
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import consumed, ledger_of, proved
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
def lane(proxy: CommitProxy) -> Iterator[Lane]:
    """A lane of its own through the proxy, so that a test says what is in a batch."""
    place = place_of(proxy.url)
    assert isinstance(place, PostgresServer)
    lane = Lane(PostgresStore(place.conninfo))
    yield lane
    lane.close()


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("fate", ["cut-answer", "cut-before"])
async def test_a_lost_answer_is_found(
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
    assert consumed(migrated_postgres_url, ADA) == 2
    proved(migrated_postgres_url)


@pytest.mark.parametrize("fate", ["cut-answer", "cut-before"])
def test_a_whole_batch_is_found(proxy: CommitProxy, lane: Lane, migrated_postgres_url: str, fate: Fate) -> None:
    """Every request of the batch gets its own outcome, refusals and replays included."""
    lane.run([_asked(BOB, USE, key="old")])
    requests = [_asked(ADA, USE)] * 7 + [_asked(BOB, USE, key="old"), _asked(BOB, USE), _asked("new@example.com", USE)]
    proxy.next_commit = fate

    outcomes = lane.run(requests)

    assert [_said(outcome) for outcome in outcomes] == [
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
    assert (consumed(migrated_postgres_url, ADA), consumed(migrated_postgres_url, BOB)) == (6, 2)
    proved(migrated_postgres_url)


def test_a_commit_that_is_still_under_way_is_waited_for(
    proxy: CommitProxy, lane: Lane, migrated_postgres_url: str
) -> None:
    """The old session commits after the search for its outcome began: the account's lock waits for it."""
    proxy.next_commit = "hold"
    _release_later(proxy)

    outcomes = lane.run([_asked(ADA, USE)])

    assert [_said(outcome) for outcome in outcomes] == [5]
    assert consumed(migrated_postgres_url, ADA) == 1
    proved(migrated_postgres_url)


def test_a_new_account_under_way_is_waited_for(proxy: CommitProxy, lane: Lane, migrated_postgres_url: str) -> None:
    """A row that nobody else can see yet cannot be locked; still its commit is waited for, and charged once."""
    new = "new@example.com"
    proxy.next_commit = "hold"
    _release_later(proxy)

    outcomes = lane.run([_asked(new, EnsureAccount()), _asked(new, USE), _asked(new, GrantCredits(amount=4))])

    assert [_said(outcome) for outcome in outcomes] == [6, 5, 9]
    assert ledger_of(migrated_postgres_url, new) == [(1, "signup", 6, 6), (2, "consume", -1, 5), (3, "grant", 4, 9)]
    proved(migrated_postgres_url)


def test_a_database_that_stays_away_leaves_the_outcome_open(
    proxy: CommitProxy, lane: Lane, migrated_postgres_url: str
) -> None:
    """With the answer lost and nobody to ask, the error says so; the same key then tells what became of it."""
    lane.run([_asked(BOB, USE)])
    proxy.next_commit = "cut-answer"
    threading.Thread(target=_refuse_after_cut, args=(proxy,), daemon=True).start()
    began = time.monotonic()

    outcomes = lane.run([_asked(ADA, USE, key="k"), _asked(ADA, USE), _asked("nobody@example.com", USE)])

    # Even a refusal may rest on a row of the batch that is not there.
    assert outcomes == [OutcomeUnknownError(retry_after_seconds=1)] * 3
    assert time.monotonic() - began < 12
    proxy.refusing = False
    again = lane.run([_asked(ADA, USE, key="k")])[0]
    assert isinstance(again, Accepted)
    assert (again.replayed, _said(again)) == (True, 5)
    assert consumed(migrated_postgres_url, ADA) == 2
    proved(migrated_postgres_url)


async def test_a_database_away_for_longer_than_the_bound_is_unavailable(
    proxy: CommitProxy, migrated_postgres_url: str
) -> None:
    """Reads and changes fail with a code and a time to try again, soon; when it is back, so is the service."""
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
    assert consumed(migrated_postgres_url, ADA) == 2
    proved(migrated_postgres_url)


async def test_every_connection_cut_at_once_costs_nothing(proxy: CommitProxy, migrated_postgres_url: str) -> None:
    """Connections that died while nobody used them are replaced without an error."""
    async with CreditService(proxy.url) as service:
        await service.get_user_credits(ADA)
        await service.consume_credit(ADA, "video")
        for _ in range(3):
            proxy.cut_all()

            assert (await service.consume_credit(BOB, "video")).remaining >= 0
            assert (await service.get_user_credits(ADA)).remaining == 5
    assert consumed(migrated_postgres_url, BOB) == 3
    proved(migrated_postgres_url)


def _asked(account_id: str, command: Command, *, key: str | None = None) -> Request:
    return Request(account_id, command, None if key is None else Key(key, key.encode()))


def _said(outcome: Outcome | None) -> int | str | None:
    """The balance of an accepted command's row, or the code of what was refused."""
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
