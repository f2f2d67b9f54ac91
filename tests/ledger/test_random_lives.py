"""Lives of accounts drawn at random, over both databases: the ledger is proved, and every row decided anew."""

import random

import pytest

from sixpence.core.account.commands import EnsureAccount
from sixpence.core.errors import InternalError
from sixpence.ledger.writer.batch import Request
from tests.ledger.databases import proved, rows
from tests.ledger.life import Life
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.lane_driver import ADA, open_till

BOB = "bob@example.com"
BATCHES = 80
STEPS_SECONDS = (0, 0, 1, 30, 30, 1_800, 28_800)


@pytest.mark.parametrize("seed", range(2))
def test_a_random_life_is_proved(url: str, clock: MovedClock, seed: int) -> None:
    """Two accounts live through every command in batches, and time: no command fails within, and the proof is clean."""
    dice = random.Random(seed)
    till = open_till(url, clock)
    till.ask(EnsureAccount(), account_id=BOB)
    lives = {name: Life(dice) for name in (ADA, BOB)}
    failed = []
    for _ in range(BATCHES):
        names = dice.choices((ADA, BOB), k=dice.randint(1, 5))
        requests = [Request(name, lives[name].next(clock())) for name in names]
        for request, outcome in zip(requests, till.lane.run(requests), strict=True):
            assert outcome is not None
            lives[request.account_id].heard(outcome)
            failed += [request] if isinstance(outcome, InternalError) else []
        clock.move(seconds=dice.choice(STEPS_SECONDS))
    till.store.close()

    kinds = {kind for (kind,) in rows(url, "SELECT DISTINCT kind FROM credit_transactions")}
    assert failed == []
    assert {"consume", "hold", "capture", "hold_expire", "refund", "void", "plan_change", "allowance"} <= kinds
    proved(url, decide=True)
