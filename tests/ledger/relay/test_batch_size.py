"""How long a relay rests: commands go first."""

import pytest

from sixpence.ledger.relay.batch_size import POSTGRESQL, SQLITE, Bite, Bites, failed_seconds

BITES = Bites(outbox_rows_max=10, ledger_rows_max=100, busy_seconds=3.0)


@pytest.mark.parametrize(
    ("bite", "seconds"),
    [
        # Nothing to do, or little: new uses are counted within a second.
        (Bite(), 0.5),
        (Bite(outbox_rows=1, ledger_rows=1, seconds=0.01), 0.5),
        # Many uses: those that come meanwhile are read together.
        (Bite(outbox_rows=9, ledger_rows=99_999, seconds=0.01), 3.0),
        # More to do, and nobody waits: at once.
        (Bite(outbox_rows=10, ledger_rows=100, full=True, seconds=0.2), 0.0),
        # While commands wait, nine times as long as it took.
        (Bite(outbox_rows=10, ledger_rows=100, full=True, waited=True, seconds=0.2), 1.8),
        (Bite(outbox_rows=1, ledger_rows=1, waited=True, seconds=0.01), 3.0),
        (Bite(outbox_rows=1, ledger_rows=1, waited=True, seconds=2.0), 18.0),
    ],
)
def test_the_rest_after_a_bite(bite: Bite, seconds: float) -> None:
    """It depends on whether there is more, whether commands waited, and how long it took."""
    assert BITES.rest_seconds(bite) == pytest.approx(seconds)


def test_sqlite_takes_small_bites() -> None:
    """There the writer's own thread reads, and commands wait for a bite."""
    assert (SQLITE.outbox_rows_max, SQLITE.ledger_rows_max) == (200, 2_000)
    assert POSTGRESQL.ledger_rows_max > SQLITE.ledger_rows_max


def test_failures_are_followed_by_longer_waits() -> None:
    """A second at first, half a minute at most."""
    assert [failed_seconds(times) for times in (1, 2, 3, 5, 6, 1_000)] == [1.0, 2.0, 4.0, 16.0, 30.0, 30.0]
