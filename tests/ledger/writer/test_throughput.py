"""The expected wait, computed from the measured throughput: plain numbers, no clock."""

from sixpence.ledger.writer.throughput import ESTIMATE_COUNT_MIN, Throughput


def throughput_of(*taken: tuple[float, int], was_ready: bool = True) -> Throughput:
    """A throughput that has recorded these batches: (time, count)."""
    pace = Throughput()
    for now, count in taken:
        pace.record_batch(count, now=now, was_ready=was_ready)
    return pace


def test_estimate_is_zero_before_two_batches() -> None:
    """Without two batches in a row there is no measurement."""
    assert throughput_of().estimate_seconds(10_000) == 0
    assert throughput_of((0.0, 50)).estimate_seconds(10_000) == 0


def test_estimate_is_count_over_rate() -> None:
    """A hundred commands every twentieth of a second are two thousand a second."""
    pace = throughput_of(*((tenth / 20, 100) for tenth in range(40)))

    assert round(pace.estimate_seconds(1_000), 3) == 0.5


def test_idle_time_is_not_measured() -> None:
    """A worker that waited for commands was not slow."""
    pace = throughput_of((0.0, 100), (0.05, 100))

    pace.record_batch(1, now=60.0, was_ready=False)
    pace.record_batch(100, now=60.05, was_ready=True)

    assert round(pace.estimate_seconds(1_000), 3) == 0.5


def test_estimate_follows_a_slower_database_within_seconds() -> None:
    """Older measurements lose their weight quickly."""
    pace = throughput_of((0.0, 100), (0.01, 100), *((1.0 + second, 100) for second in range(5)))

    assert 9 < pace.estimate_seconds(1_000) < 11


def test_estimate_is_zero_for_few_commands() -> None:
    """At any rate, few commands are never worth refusing."""
    pace = throughput_of((0.0, 1), (10.0, 1))

    assert (pace.estimate_seconds(ESTIMATE_COUNT_MIN), pace.estimate_seconds(ESTIMATE_COUNT_MIN + 1) > 100) == (0, True)
