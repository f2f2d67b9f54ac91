"""`PART=simulate`: its summary, and the two processes that must agree."""

import pytest

from tests.simulation.planted import AnswersEarly
from tests.torture.simulate import run_simulate, run_twice

pytestmark = pytest.mark.slow


def test_simulate_prints_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands, their rate, the faults by kind, and the number of seeds with the same result twice."""
    went_well = run_simulate(300, 1)

    last = capsys.readouterr().out.splitlines()[-1]
    assert went_well
    assert last.startswith("300 commands in ")
    assert " faults (" in last
    assert last.endswith("; 1 seeds run twice, digest for digest the same")


def test_simulate_failure_prints_command_to_reproduce(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line has the seed, the failing command's number, and a shell command."""
    went_well = run_simulate(300, 1, AnswersEarly)

    last = capsys.readouterr().out.splitlines()[-1]
    assert not went_well
    assert last.startswith("FAILED in seed '1 0' at command ")
    assert last.endswith(" -m tests.simulation '1 0' 300")


def test_run_twice_fails_if_runs_end_early(capsys: pytest.CaptureFixture[str]) -> None:
    """Two processes that fail alike do not count as equal."""
    assert not run_twice("any", 100, 2, "--planted", "AnswersEarly")
    assert "a run ended early:" in capsys.readouterr().out
