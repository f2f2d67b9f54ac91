"""The bench's arithmetic: rounds kept and thrown away, ratios within a round, and targets."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, repeat

import pytest

from bench.part import Figure, Options, Outcome, Part, Ratio, Run
from bench.results import Reached
from bench.rounds import Round, RoundFailedError, is_disturbed, ratios_of, rotated, run_part, value_text

pytestmark = pytest.mark.slow

OURS = Ratio(name="ours to the best of theirs", above=("ours",), below=("one", "other"), at_least=0.7, aim=1.2)
QUICKER = Ratio(name="p50", above=("ours",), below=("one",), of="p50_ms", less_is_better=True, at_least=7, aim=4)


def _figures(**values: float) -> dict[str, Figure]:
    return {name: Figure(value=value, p50_ms=value / 10) for name, value in values.items()}


def _part(*outcomes: Outcome) -> Part:
    """A part of one contender, whose runs end with these outcomes in turn, and then always with the last one."""
    coming = chain(outcomes, repeat(outcomes[-1]))

    @contextmanager
    def run() -> Iterator[Outcome]:
        yield next(coming)

    @contextmanager
    def opened(_options: Options) -> Iterator[Mapping[str, Run]]:
        yield {"ours": run}

    return Part(letter="x", title="a part", contenders=("ours",), ratios=(), opened=opened, short=False)


def test_ratio_takes_the_best_of_each_side() -> None:
    """Of several contenders, the one with the highest rate counts for its side."""
    assert OURS.in_round(_figures(ours=60, one=50, other=100)) == 0.6


def test_ratio_of_times_takes_the_shortest() -> None:
    """Where less is better, the shortest time counts for its side."""
    assert QUICKER.in_round(_figures(ours=80, one=20)) == 4.0


def test_ratio_without_one_side_is_absent() -> None:
    """A round in which one side has no figure gives no ratio."""
    assert (OURS.in_round(_figures(ours=60)), OURS.in_round(_figures(one=60))) == (None, None)


def test_ratio_ignores_rounds_thrown_away() -> None:
    """A ratio has a value for each kept round, and none for one that was thrown away."""
    kept = Round(order=[], probes=[1], figures=_figures(ours=60, one=100))
    thrown_away = Round(order=[], probes=[1], figures=_figures(ours=10, one=100), kept=False)

    assert ratios_of([kept, thrown_away], OURS) == [0.6]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([], "not measured"),
        ([0.5, 0.6, 2.0], "not reached"),
        ([0.5, 0.7, 2.0], "reached"),
        ([0.5, 1.2, 2.0], "aim reached"),
    ],
)
def test_the_median_is_what_is_reached(values: list[float], verdict: str) -> None:
    """Neither the best round nor the worst decides, and the figure itself is reached."""
    reached = Reached(name="a", values=values, at_least=0.7, aim=1.2, less_is_better=False)

    assert reached.verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(8, "not reached"), (7, "reached"), (4, "aim reached")])
def test_of_times_less_is_reached(value: float, verdict: str) -> None:
    """Where less is better the figures are the most that it may be."""
    assert Reached(name="a", values=[value], at_least=7, aim=4, less_is_better=True).verdict == verdict


def test_each_round_begins_with_another_contender() -> None:
    """The order rotates, so that nobody is always first."""
    assert [rotated("abc", number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]


@pytest.mark.parametrize(
    ("probes", "ended", "disturbed"),
    [
        ([100, 60, 100], True, False),
        ([100, 49], False, True),
        ([100, 69], False, False),
        ([100, 69], True, True),
        ([100, 131], True, True),
        ([100, 129], True, False),
    ],
)
def test_what_disturbs_a_round(probes: list[float], ended: bool, disturbed: bool) -> None:
    """A disk that stalls at any time does, and one that is another at the round's end; scatter in between does not."""
    assert is_disturbed(probes, 30, ended=ended) is disturbed


def test_another_round_is_run_in_the_place_of_one_that_was_dropped() -> None:
    """A run that could not do what it was to do costs its round, not the part."""
    good, bad = Outcome(Figure(value=1)), Outcome(Figure(value=9), dropped=True)

    rounds = run_part(_part(bad, good), Options(rounds=2, moved_percent_max=100_000))

    kept = [one.figures["ours"].value for one in rounds if one.kept]
    assert (kept, rounds[0].kept) == ([1, 1], False)


def test_a_request_that_fails_ends_the_part() -> None:
    """What was measured while requests failed is worth nothing."""
    with pytest.raises(RoundFailedError, match="ours: 3 requests failed"):
        run_part(_part(Outcome(Figure(value=1), failed=3)), Options(rounds=1, moved_percent_max=100_000))


@pytest.mark.parametrize(("value", "text"), [(12_345.6, "12,346"), (99.99, "100"), (4.173, "4.17"), (0.0123, "0.0123")])
def test_figures_have_three_digits_that_count(value: float, text: str) -> None:
    """Large ones are whole, small ones keep what tells them apart."""
    assert value_text(value) == text
