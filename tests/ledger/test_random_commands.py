"""Random commands of two accounts, over both databases: verify is clean, and replays every row."""

import random

import pytest

from sixpence.core.account.commands import EnsureAccount
from sixpence.core.errors import InternalError
from sixpence.ledger.writer.batch import Request
from tests.ledger.databases import rows, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.random_commands import RandomCommands
from tests.ledger.writer.worker_driver import ADA, open_driver

BOB = "bob@example.com"
BATCHES = 80
STEPS_SECONDS = (0, 0, 1, 30, 30, 1_800, 28_800)


@pytest.mark.parametrize("seed", range(2))
def test_random_commands_verify_clean(url: str, clock: MovedClock, seed: int) -> None:
    """Two accounts run commands of every kind in batches over time: none is an internal error, and verify is clean."""
    dice = random.Random(seed)
    driver = open_driver(url, clock)
    driver.run(EnsureAccount(), account_id=BOB)
    lives = {name: RandomCommands(dice) for name in (ADA, BOB)}
    failed = []
    for _ in range(BATCHES):
        names = dice.choices((ADA, BOB), k=dice.randint(1, 5))
        requests = [Request(name, lives[name].next(clock())) for name in names]
        for request, outcome in zip(requests, driver.worker.run(requests), strict=True):
            assert outcome is not None
            lives[request.account_id].remember(outcome)
            failed += [request] if isinstance(outcome, InternalError) else []
        clock.move(seconds=dice.choice(STEPS_SECONDS))
    driver.store.close()

    kinds = {kind for (kind,) in rows(url, "SELECT DISTINCT kind FROM credit_transactions")}
    assert failed == []
    assert {"consume", "hold", "capture", "hold_expire", "refund", "void", "plan_change", "allowance"} <= kinds
    verify_clean(url, decide=True)
