"""Two and three sessions at once on one PostgreSQL database: whoever comes first decides, and the ledger is proved.

Each session is a writer of its own: a store with a connection, and a lane. Not here: whole processes (test_races.py).
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
from tests.ledger.databases import proved, rows
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.lane_driver import ADA, Till, another_till, kept_holds, open_till, said

ROUNDS = 25


@pytest.fixture
def tills(migrated_postgres_url: str, clock: MovedClock) -> Iterator[list[Till]]:
    """Three sessions with one clock and Ada's account of six credits; at the end every row is decided anew."""
    tills = [open_till(migrated_postgres_url, clock)]
    tills += [another_till(migrated_postgres_url, clock) for _ in range(2)]
    yield tills
    for till in tills:
        till.store.close()
    proved(migrated_postgres_url, decide=True)


def race(*parts: tuple[Till, Iterable[Command]]) -> list[list[Outcome]]:
    """Each session asks its commands one by one, all sessions at once; an account that is busy is asked again."""
    outcomes: list[list[Outcome]] = [[] for _ in parts]
    start = threading.Barrier(len(parts))

    def work(till: Till, commands: Iterable[Command], into: list[Outcome]) -> None:
        start.wait(10)
        for command in commands:
            outcome = None
            while outcome is None:
                (outcome,) = till.ask(command)
            into.append(outcome)

    threads = [
        threading.Thread(target=work, args=(till, commands, into))
        for (till, commands), into in zip(parts, outcomes, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_a_capture_against_a_release(tills: list[Till]) -> None:
    """Every hold is captured or released, never both: the other one hears that it has ended."""
    tills[0].row(GrantCredits(amount=100))
    ids = [tills[0].row(PlaceHold(feature="sketch", ttl_seconds=60)).id for _ in range(ROUNDS)]

    captured, released = race(
        (tills[1], [CaptureHold(hold_id=hold_id) for hold_id in ids]),
        (tills[2], [ReleaseHold(hold_id=hold_id) for hold_id in ids]),
    )

    won = list(zip(map(_name, captured), map(_name, released), strict=True))
    assert Counter(won).keys() <= {("capture", "hold-ended"), ("hold-ended", "release")}
    assert len(won) == ROUNDS


def test_a_capture_against_expiry(migrated_postgres_url: str, clock: MovedClock, tills: list[Till]) -> None:
    """Of a session whose clock is behind and one at whose clock the holds are over, each hold hears one."""
    tills[0].row(GrantCredits(amount=100))
    ids = []
    for minute in range(1, ROUNDS + 1):
        ids.append(tills[0].row(PlaceHold(feature="sketch", ttl_seconds=minute * 60)).id)
    late = MovedClock()
    ahead = another_till(migrated_postgres_url, late)

    def ticks() -> Iterator[Command]:
        for _ in range(ROUNDS):
            late.move(minutes=1)
            yield Tick()

    captured, _ = race((tills[1], [CaptureHold(hold_id=hold_id) for hold_id in ids]), (ahead, ticks()))
    ahead.store.close()

    states = ["captured" if isinstance(outcome, Accepted) else "expired" for outcome in captured]
    assert [hold.state for hold in kept_holds(migrated_postgres_url)] == states


def test_placing_holds_against_the_expiry_of_grants(
    migrated_postgres_url: str, clock: MovedClock, tills: list[Till]
) -> None:
    """Of a session that places holds and one at whose clock the grants end, each grant's credit goes to one of them."""
    ends = [clock() + minute * 60 * SECOND for minute in range(1, ROUNDS + 1)]
    ids = [tills[0].row(GrantCredits(amount=1, priority=1, expires_at=at)).id for at in ends]
    late = MovedClock()
    ahead = another_till(migrated_postgres_url, late)

    def ticks() -> Iterator[Command]:
        for _ in range(ROUNDS):
            late.move(minutes=1)
            yield Tick()

    # With looks in between, so that neither is done before the other has well begun.
    placing: list[Command] = [PlaceHold(feature="sketch", ttl_seconds=86_400), Tick()] * ROUNDS
    placed, _ = race((tills[1], placing), (ahead, ticks()))
    ahead.store.close()

    held = [name for hold in kept_holds(migrated_postgres_url) for name, _ in hold.parts]
    query = "SELECT allocations FROM credit_transactions WHERE kind = 'expire'"
    ended = [move for (text,) in rows(migrated_postgres_url, query) for move in msgspec.json.decode(text)]
    assert {_name(outcome) for outcome in placed[::2]} <= {"hold", "insufficient-credits"}
    gone = [*(name for name in held if name in ids), *(name for name, _, amount in ended if amount)]
    assert Counter(gone) == Counter(name for name, *_ in ended) == Counter(ids)


def test_refunds_against_refunds(migrated_postgres_url: str, tills: list[Till]) -> None:
    """Three sessions give back one credit of a use of six, four times each: six times it is given back."""
    use = tills[0].row(Consume(feature="video", usage=Usage(units=2)))

    outcomes = race(*[(till, [Refund(transaction_id=use.id, amount=1)] * 4) for till in tills])

    assert Counter(_name(outcome) for part in outcomes for outcome in part) == {"refund": 6, "refund-limit": 6}
    assert rows(migrated_postgres_url, "SELECT credits_remaining, credits_total FROM credit_accounts") == [(6, 6)]


def test_grants_against_voids(migrated_postgres_url: str, tills: list[Till]) -> None:
    """While one session gives and spends, two void the same grants: each is voided once, of what was left of it."""
    ids = [tills[0].row(GrantCredits(amount=2, priority=1)).id for _ in range(ROUNDS)]
    voids = [VoidGrant(grant_id=grant_id) for grant_id in ids]
    spending: list[Command] = [Consume(feature="sketch"), GrantCredits(amount=1)] * ROUNDS

    spent, first, second = race((tills[0], spending), (tills[1], voids), (tills[2], voids))

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


def test_plan_changes_against_uses(migrated_postgres_url: str, tills: list[Till]) -> None:
    """A use costs what the plan says under which it came, and the fair use of the unlimited plan holds for both."""
    tills[0].row(GrantCredits(amount=1_000))
    changes = [ChangePlan(plan="all"), ChangePlan(plan="free")] * ROUNDS
    uses = [Consume(feature="sketch")] * ROUNDS

    race((tills[0], changes), (tills[1], uses), (tills[2], uses))

    query = "SELECT plan, credits_consumed, count(*) FROM credit_transactions WHERE kind = 'consume' GROUP BY 1, 2"
    charged = {(plan, cost): count for plan, cost, count in rows(migrated_postgres_url, query)}
    assert charged.keys() <= {("free", 1), ("all", 0)}
    assert charged.get(("all", 0), 0) <= 3
    assert rows(migrated_postgres_url, "SELECT credits_remaining FROM credit_accounts") == [
        (1_006 - charged.get(("free", 1), 0),)
    ]


def test_holds_of_two_sessions_leave_the_earliest_expiry(migrated_postgres_url: str, tills: list[Till]) -> None:
    """Sessions that place and release in turn each see the other's holds: the account's next one is the earliest."""

    def work(minutes: int) -> list[Command]:
        return [PlaceHold(feature="sketch", ttl_seconds=(minutes + at) * 60, amount=0) for at in range(ROUNDS)]

    placed = race((tills[1], work(10)), (tills[2], work(7)))
    ids = [o.row.id for part in placed for o in part if isinstance(o, Accepted) and o.row is not None]
    race(
        (tills[0], [ReleaseHold(hold_id=one) for one in ids[::2]]),
        (tills[1], [CaptureHold(hold_id=one) for one in ids[1:20:2]]),
    )

    left = [hold.terms.expires_at for hold in kept_holds(migrated_postgres_url) if hold.state == "open"]
    account = tills[0].loads(Tick()).accounts[ADA]
    assert (account.holds_due_at, account.next_due_at, len(left)) == (min(left), min(left), 2 * ROUNDS - 25 - 10)


def _name(outcome: Outcome) -> object:
    told = said([outcome])[0]
    return told[0] if isinstance(told, tuple) else told
