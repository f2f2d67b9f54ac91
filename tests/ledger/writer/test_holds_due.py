"""The earliest expiry of an account's open holds is exact, although a batch reads only some of the holds."""

import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from sixpence.core.account.commands import (
    CaptureHold,
    Command,
    Consume,
    ExtendHold,
    GrantCredits,
    PlaceHold,
    ReleaseHold,
    Tick,
)
from sixpence.core.account.transaction import transaction_id
from tests.ledger.databases import rows, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import open_driver

MINUTES = st.integers(1, 9)
# A step is an action, a number of minutes, and the index of a placed hold, counted from the newest.
STEPS = st.tuples(st.sampled_from(["place"] * 3 + ["extend", "capture", "release", "use"]), MINUTES, st.integers(0, 7))
BATCHES = st.lists(st.tuples(st.lists(STEPS, min_size=1, max_size=6), st.integers(0, 3)), max_size=14)
OPEN = "SELECT min(expires_at) FROM credit_holds WHERE state = 'open'"


@settings(max_examples=20, deadline=None)
@given(BATCHES)
def test_holds_due_at_is_the_earliest_expiry(batches: list[tuple[list[tuple[str, int, int]], int]]) -> None:
    """After every batch, for any split into batches, it is the earliest expiry of all open rows."""
    clock = MovedClock()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/credits.db"
        driver = open_driver(url, clock)
        driver.row(GrantCredits(amount=1_000))
        placed: list[str] = []
        wrong = []
        for steps, minutes in batches:
            before = driver.loads(Tick()).accounts
            account = next(iter(before.values()))
            commands = [_command(step, placed) for step in steps]
            outcomes = driver.run(*commands)
            placed += [transaction_id(account.account_no, seq, at) for seq, at in _placed_since(url, account.seq)]
            after = next(iter(driver.loads(Tick()).accounts.values()))
            if after.holds_due_at != rows(url, OPEN)[0][0]:
                wrong.append((commands, outcomes))
            clock.move(minutes=minutes)
        driver.store.close()

        assert wrong == []
        verify_clean(url)


def _command(step: tuple[str, int, int], placed: list[str]) -> Command:
    what, minutes, back = step
    hold_id = placed[-1 - back % len(placed)] if placed else "none"
    match what:
        case "place":
            return PlaceHold(feature="sketch", ttl_seconds=minutes * 60)
        case "extend":
            return ExtendHold(hold_id=hold_id, ttl_seconds=minutes * 120)
        case "capture":
            return CaptureHold(hold_id=hold_id)
        case "release":
            return ReleaseHold(hold_id=hold_id)
        case _:
            return Consume(feature="sketch")


def _placed_since(url: str, seq: int) -> list[tuple[int, int]]:
    query = "SELECT seq, created_at FROM credit_transactions WHERE kind = 'hold' AND seq > :seq ORDER BY seq"
    return [(row[0], row[1]) for row in rows(url, query, {"seq": seq})]
