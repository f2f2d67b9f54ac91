"""The case tables in cases/: what each command does in each state, one line a case."""

import pytest

from sixpence.core.rules.decide import decide
from tests.core.case_table import CASES, PRICED_BY, Case, read_cases, read_command, read_state, write_outcome

_TABLES = ("ensure_account", "grant", "consume", "change_plan", "tick")
# Tables of a part of the rules, run by the tests of that part.
_ELSEWHERE = ("period", "price")
_ALL = [case for table in _TABLES for case in read_cases(CASES / f"{table}.txt")]


@pytest.mark.parametrize("case", _ALL, ids=lambda case: case.place)
def test_case(case: Case) -> None:
    """The command, in the state, has the outcome that the line states."""
    account = read_state(case.state)
    clock, command, key = read_command(case.command)

    decision = decide(account, command, clock=clock, priced_by=PRICED_BY, key=key)

    assert write_outcome(decision, clock) == case.outcome


def test_every_table_is_run() -> None:
    """No table is in the folder without being run."""
    assert {path.stem for path in CASES.glob("*.txt")} == {*_TABLES, *_ELSEWHERE}
    assert len(_ALL) > 60
