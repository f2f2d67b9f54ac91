"""Explanations of the transactions of stories, with ids as #seq: for the tests of explanations.

Not here: how a story is read (`story_table`).
"""

from sixpence.core.reports.explanation import Explanation, explain_row
from sixpence.core.reports.explanation_text import write_explanation
from tests.core.case_table import read_cases
from tests.core.story_table import PRICED_BY, STORIES, StoryState, run_story


def explanation(state: StoryState, seq: int) -> Explanation:
    """The explanation of one transaction of a story."""
    return explain_row(state.rows[seq - 1], state.prior, PRICED_BY)


def words(state: StoryState, seq: int) -> list[str]:
    """The lines of its text, with ids as #seq."""
    return with_names(state, list(write_explanation(explanation(state, seq))))


def with_names(state: StoryState, lines: list[str]) -> list[str]:
    """The lines with #seq in the place of ids."""
    for row in state.rows:
        lines = [line.replace(row.id, f"#{row.seq}") for line in lines]
    return lines


def every_story() -> list[StoryState]:
    """All stories, each with its last command run; and one that requests its account again."""
    cases = [case for path in sorted(STORIES.glob("*.txt")) for case in read_cases(path)]
    ensured = run_story("@0 ensure; @1 ensure key k1")
    return [*(run_story(case.state).run(case.command)[1] for case in cases), ensured]
