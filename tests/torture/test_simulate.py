"""The simulation as a part of the torture: its last line, and two processes that must agree."""

import pytest

from tests.simulation.planted import AnswersEarly
from tests.torture.simulate import run_simulate, run_twice


def test_a_short_run_says_last_what_it_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands, their rate, the faults by their kinds, and how many seeds were the same twice."""
    went_well = run_simulate(300, 1)

    last = capsys.readouterr().out.splitlines()[-1]
    assert went_well
    assert last.startswith("300 commands in ")
    assert " faults (" in last
    assert last.endswith("; 1 seeds run twice, digest for digest the same")


def test_a_failure_is_told_with_what_runs_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The seed, the command at which it failed, and a line for the shell."""
    went_well = run_simulate(300, 1, AnswersEarly)

    last = capsys.readouterr().out.splitlines()[-1]
    assert not went_well
    assert last.startswith("FAILED in seed '1 0' at command ")
    assert last.endswith(" -m tests.simulation '1 0' 300")


def test_a_run_that_ends_early_is_not_taken_for_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Two processes that fail alike have not agreed."""
    assert not run_twice("any", 100, 2, "--planted", "AnswersEarly")
    assert "a run ended early:" in capsys.readouterr().out
