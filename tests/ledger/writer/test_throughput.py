"""How long what waits will wait, from how fast it went: plain numbers, no clock."""

from sixpence.ledger.writer.throughput import FEW, Pace


def pace_of(*taken: tuple[float, int], at_once: bool = True) -> Pace:
    """A pace that has seen these: (when, how many)."""
    pace = Pace()
    for now, count in taken:
        pace.taken(count, now=now, at_once=at_once)
    return pace


def test_nothing_is_known_at_first() -> None:
    """Before two batches were taken one after the other nobody can say how long anything takes."""
    assert pace_of().seconds_for(10_000) == 0
    assert pace_of((0.0, 50)).seconds_for(10_000) == 0


def test_a_wait_is_what_waits_over_what_is_done_a_second() -> None:
    """A hundred commands every twentieth of a second are two thousand a second."""
    pace = pace_of(*((tenth / 20, 100) for tenth in range(40)))

    assert round(pace.seconds_for(1_000), 3) == 0.5


def test_time_without_anything_to_do_says_nothing() -> None:
    """A lane that had to wait for its commands was not slow."""
    pace = pace_of((0.0, 100), (0.05, 100))

    pace.taken(1, now=60.0, at_once=False)
    pace.taken(100, now=60.05, at_once=True)

    assert round(pace.seconds_for(1_000), 3) == 0.5


def test_a_database_that_becomes_slow_is_noticed_within_seconds() -> None:
    """What was fast a while ago does not count for long."""
    pace = pace_of((0.0, 100), (0.01, 100), *((1.0 + second, 100) for second in range(5)))

    assert 9 < pace.seconds_for(1_000) < 11


def test_few_are_always_soon_through() -> None:
    """However slow it goes, a handful of commands is not worth refusing."""
    pace = pace_of((0.0, 1), (10.0, 1))

    assert (pace.seconds_for(FEW), pace.seconds_for(FEW + 1) > 100) == (0, True)
