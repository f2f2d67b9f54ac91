"""Two and three sessions at once on one PostgreSQL database: the first one decides, and verify is clean.

Each session is a writer of its own: a store with a connection, and a worker. Not here: processes (test_races.py).
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
import pytest

from sixpence.core.account.commands import (
    CaptureHold,
    ChangePlan,
    Command,
    Consume,
    GrantCredits,
    PlaceHold,
    Refund,
    ReleaseHold,
    Tick,
    VoidGrant,
)
from sixpence.core.catalog.price import Usage
from sixpence.core.values.instant import SECOND
from sixpence.ledger.writer.batch import Accepted, Outcome
from tests.ledger.databases import rows, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import ADA, WorkerDriver, open_driver, reopen_driver, stored_holds, summarize

ROUNDS = 25


@pytest.fixture
def drivers(migrated_postgres_url: str, clock: MovedClock) -> Iterator[list[WorkerDriver]]:
    """Three sessions with one clock and Ada's account of six credits; at the end verify replays every row."""
    drivers = [open_driver(migrated_postgres_url, clock)]
    drivers += [reopen_driver(migrated_postgres_url, clock) for _ in range(2)]
    yield drivers
    for driver in drivers:
        driver.store.close()
    verify_clean(migrated_postgres_url, decide=True)


def race(*parts: tuple[WorkerDriver, Iterable[Command]]) -> list[list[Outcome]]:
    """Run each session's commands one by one, all sessions at once; a command of a busy account is retried."""
    outcomes: list[list[Outcome]] = [[] for _ in parts]
    start = threading.Barrier(len(parts))

    def work(driver: WorkerDriver, commands: Iterable[Command], into: list[Outcome]) -> None:
        start.wait(10)
        for command in commands:
            outcome = None
            while outcome is None:
                (outcome,) = driver.run(command)
            into.append(outcome)

    threads = [
        threading.Thread(target=work, args=(driver, commands, into))
        for (driver, commands), into in zip(parts, outcomes, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_capture_against_release(drivers: list[WorkerDriver]) -> None:
    """Every hold is captured or released, never both: the other command is refused as ended."""
    drivers[0].row(GrantCredits(amount=100))
    ids = [drivers[0].row(PlaceHold(feature="sketch", ttl_seconds=60)).id for _ in range(ROUNDS)]

    captured, released = race(
        (drivers[1], [CaptureHold(hold_id=hold_id) for hold_id in ids]),
        (drivers[2], [ReleaseHold(hold_id=hold_id) for hold_id in ids]),
    )

    won = list(zip(map(_name, captured), map(_name, released), strict=True))
    assert Counter(won).keys() <= {("capture", "hold-ended"), ("hold-ended", "release")}
    assert len(won) == ROUNDS


def test_capture_against_expiry(migrated_postgres_url: str, clock: MovedClock, drivers: list[WorkerDriver]) -> None:
    """One session's clock is behind, another's is past the holds' expiry: each hold ends in one way."""
    drivers[0].row(GrantCredits(amount=100))
    ids = []
    for minute in range(1, ROUNDS + 1):
        ids.append(drivers[0].row(PlaceHold(feature="sketch", ttl_seconds=minute * 60)).id)
    late = MovedClock()
    ahead = reopen_driver(migrated_postgres_url, late)

    def ticks() -> Iterator[Command]:
        for _ in range(ROUNDS):
            late.move(minutes=1)
            yield Tick()

    captured, _ = race((drivers[1], [CaptureHold(hold_id=hold_id) for hold_id in ids]), (ahead, ticks()))
    ahead.store.close()

    states = ["captured" if isinstance(outcome, Accepted) else "expired" for outcome in captured]
    assert [hold.state for hold in stored_holds(migrated_postgres_url)] == states


def test_place_hold_against_grant_expiry(
    migrated_postgres_url: str, clock: MovedClock, drivers: list[WorkerDriver]
) -> None:
    """One session places holds, another's clock is past the grants' expiry: each grant's credit goes to one of them."""
    ends = [clock() + minute * 60 * SECOND for minute in range(1, ROUNDS + 1)]
    ids = [drivers[0].row(GrantCredits(amount=1, priority=1, expires_at=at)).id for at in ends]
    late = MovedClock()
    ahead = reopen_driver(migrated_postgres_url, late)

    def ticks() -> Iterator[Command]:
        for _ in range(ROUNDS):
            late.move(minutes=1)
            yield Tick()

    # With reads in between, so that neither session ends before the other has started.
    placing: list[Command] = [PlaceHold(feature="sketch", ttl_seconds=86_400), Tick()] * ROUNDS
    placed, _ = race((drivers[1], placing), (ahead, ticks()))
    ahead.store.close()

    held = [name for hold in stored_holds(migrated_postgres_url) for name, _ in hold.parts]
    query = "SELECT allocations FROM credit_transactions WHERE kind = 'expire'"
    ended = [move for (text,) in rows(migrated_postgres_url, query) for move in msgspec.json.decode(text)]
    assert {_name(outcome) for outcome in placed[::2]} <= {"hold", "insufficient-credits"}
    gone = [*(name for name in held if name in ids), *(name for name, _, amount in ended if amount)]
    assert Counter(gone) == Counter(name for name, *_ in ended) == Counter(ids)


def test_concurrent_refunds(migrated_postgres_url: str, drivers: list[WorkerDriver]) -> None:
    """Three sessions refund one credit of a use of six, four times each: six refunds are accepted."""
    use = drivers[0].row(Consume(feature="video", usage=Usage(units=2)))

    outcomes = race(*[(driver, [Refund(transaction_id=use.id, amount=1)] * 4) for driver in drivers])

    assert Counter(_name(outcome) for part in outcomes for outcome in part) == {"refund": 6, "refund-limit": 6}
    assert rows(migrated_postgres_url, "SELECT credits_remaining, credits_total FROM credit_accounts") == [(6, 6)]


def test_grants_against_voids(migrated_postgres_url: str, drivers: list[WorkerDriver]) -> None:
    """While one session grants and spends, two void the same grants: each is voided once, for its remaining credits."""
    ids = [drivers[0].row(GrantCredits(amount=2, priority=1)).id for _ in range(ROUNDS)]
    voids = [VoidGrant(grant_id=grant_id) for grant_id in ids]
    spending: list[Command] = [Consume(feature="sketch"), GrantCredits(amount=1)] * ROUNDS

    spent, first, second = race((drivers[0], spending), (drivers[1], voids), (drivers[2], voids))

    assert [{_name(one), _name(other)} for one, other in zip(first, second, strict=True)] == [
        {"void", "grant-ended"}
    ] * ROUNDS
    assert [_name(outcome) for outcome in spent] == ["consume", "grant"] * ROUNDS
    voided = sum(
        -outcome.row.amount
        for outcome in (*first, *second)
        if isinstance(outcome, Accepted) and outcome.row is not None
    )
    assert rows(migrated_postgres_url, "SELECT credits_remaining FROM credit_accounts") == [(6 + 2 * ROUNDS - voided,)]


def test_plan_changes_against_uses(migrated_postgres_url: str, drivers: list[WorkerDriver]) -> None:
    """A use costs what its plan says, and the fair-use limit of the unlimited plan holds for both sessions."""
    drivers[0].row(GrantCredits(amount=1_000))
    changes = [ChangePlan(plan="all"), ChangePlan(plan="free")] * ROUNDS
    uses = [Consume(feature="sketch")] * ROUNDS

    race((drivers[0], changes), (drivers[1], uses), (drivers[2], uses))

    query = "SELECT plan, credits_consumed, count(*) FROM credit_transactions WHERE kind = 'consume' GROUP BY 1, 2"
    charged = {(plan, cost): count for plan, cost, count in rows(migrated_postgres_url, query)}
    assert charged.keys() <= {("free", 1), ("all", 0)}
    assert charged.get(("all", 0), 0) <= 3
    assert rows(migrated_postgres_url, "SELECT credits_remaining FROM credit_accounts") == [
        (1_006 - charged.get(("free", 1), 0),)
    ]


def test_holds_of_two_sessions_keep_the_earliest_expiry(
    migrated_postgres_url: str, drivers: list[WorkerDriver]
) -> None:
    """Sessions that place and release in turn see each other's holds: `holds_due_at` is the earliest expiry."""

    def work(minutes: int) -> list[Command]:
        return [PlaceHold(feature="sketch", ttl_seconds=(minutes + at) * 60, amount=0) for at in range(ROUNDS)]

    placed = race((drivers[1], work(10)), (drivers[2], work(7)))
    ids = [o.row.id for part in placed for o in part if isinstance(o, Accepted) and o.row is not None]
    race(
        (drivers[0], [ReleaseHold(hold_id=one) for one in ids[::2]]),
        (drivers[1], [CaptureHold(hold_id=one) for one in ids[1:20:2]]),
    )

    left = [hold.terms.expires_at for hold in stored_holds(migrated_postgres_url) if hold.state == "open"]
    account = drivers[0].loads(Tick()).accounts[ADA]
    assert (account.holds_due_at, account.next_due_at, len(left)) == (min(left), min(left), 2 * ROUNDS - 25 - 10)


def _name(outcome: Outcome) -> object:
    summary = summarize([outcome])[0]
    return summary[0] if isinstance(summary, tuple) else summary
