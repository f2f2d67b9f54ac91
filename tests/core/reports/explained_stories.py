"""Explanations of what stories tell, with ids as #seq: for the tests of explanations.

Not here: how a story is read (story_table.py).
"""

from sixpence.core.reports.explanation import Explanation, explained
from sixpence.core.reports.explanation_text import words_of
from tests.core.case_table import read_cases
from tests.core.story_table import PRICED_BY, STORIES, Told, tell


def explanation(told: Told, seq: int) -> Explanation:
    """The explanation of one transaction of a story."""
    return explained(told.rows[seq - 1], told.past, PRICED_BY)


def words(told: Told, seq: int) -> list[str]:
    """Its words, with ids as #seq."""
    return with_names(told, list(words_of(explanation(told, seq))))


def with_names(told: Told, lines: list[str]) -> list[str]:
    """The lines with #seq in the place of ids."""
    for row in told.rows:
        lines = [line.replace(row.id, f"#{row.seq}") for line in lines]
    return lines


def every_story() -> list[Told]:
    """All stories, each with what its last command leaves; and one that asks for its account again."""
    cases = [case for path in sorted(STORIES.glob("*.txt")) for case in read_cases(path)]
    again = tell("@0 ensure; @1 ensure key k1")
    return [*(tell(case.state).and_then(case.command)[1] for case in cases), again]
