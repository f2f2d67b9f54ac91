"""The pauses of a relay."""

import pytest

from sixpence.ledger.relay.batch_size import POSTGRESQL, SQLITE, BatchSize, StepResult, retry_seconds

BATCH_SIZE = BatchSize(outbox_rows_max=10, ledger_rows_max=100, busy_pause_seconds=3.0)


@pytest.mark.parametrize(
    ("step", "seconds"),
    [
        # Nothing to do, or little: new uses are counted within a second.
        (StepResult(), 0.5),
        (StepResult(outbox_rows=1, ledger_rows=1, seconds=0.01), 0.5),
        # Many uses: those that come meanwhile are read together.
        (StepResult(outbox_rows=9, ledger_rows=99_999, seconds=0.01), 3.0),
        # More to do, and nobody waits: at once.
        (StepResult(outbox_rows=10, ledger_rows=100, full=True, seconds=0.2), 0.0),
        # While commands wait, nine times as long as it took.
        (StepResult(outbox_rows=10, ledger_rows=100, full=True, delayed_commands=True, seconds=0.2), 1.8),
        (StepResult(outbox_rows=1, ledger_rows=1, delayed_commands=True, seconds=0.01), 3.0),
        (StepResult(outbox_rows=1, ledger_rows=1, delayed_commands=True, seconds=2.0), 18.0),
    ],
)
def test_pause_after_a_step(step: StepResult, seconds: float) -> None:
    """It depends on whether there is more, whether commands waited, and how long it took."""
    assert BATCH_SIZE.pause_seconds(step) == pytest.approx(seconds)


def test_sqlite_batches_are_small() -> None:
    """The writer's thread reads, so commands wait for a step."""
    assert (SQLITE.outbox_rows_max, SQLITE.ledger_rows_max) == (200, 2_000)
    assert POSTGRESQL.ledger_rows_max > SQLITE.ledger_rows_max


def test_retry_seconds_grow() -> None:
    """A second at first, half a minute at most."""
    assert [retry_seconds(times) for times in (1, 2, 3, 5, 6, 1_000)] == [1.0, 2.0, 4.0, 16.0, 30.0, 30.0]
