"""The torture by kills itself: a short run says who died and what was found, and a loss would be seen."""

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.histories.clients import Acknowledged
from tests.histories.history import Row
from tests.torture.kill import list_missed
from tests.torture.test_torture import ROOT


def test_a_short_run_says_last_who_died() -> None:
    """The last line has the kills by kind, and that nothing was lost."""
    command = [sys.executable, "-m", "tests.torture", "--part", "kill", "--steps", "1", "--seed", "1"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("1 kills in ")
    assert "(the server on SQLite 1); " in last
    assert last.endswith("lost 0, twice 0")


ROW = Row("team-1", 2, "id 2", "consume", -1, 5, 6, 0, "free", "sketch", 1, 20, None, 7)
TOLD = Acknowledged("team-1", 2, "id 2", 7)


def test_what_is_there_is_not_missed() -> None:
    """A change that stands where it was told, and rows that nobody was told of."""
    assert list_missed([TOLD], [ROW, replace(ROW, seq=3, id="id 3", number=8)]) == []


@pytest.mark.parametrize(
    "rows",
    [[], [replace(ROW, id="id 3")], [replace(ROW, number=8)], [replace(ROW, seq=3)], [replace(ROW, account="b")]],
)
def test_what_is_not_there_is_lost(rows: list[Row]) -> None:
    """Nothing stands where it was told, or something else does."""
    missed = list_missed([TOLD], rows)

    assert [words[:5] for words in missed] == ["lost:"]


def test_what_is_there_twice_is_told() -> None:
    """Two rows are of one request."""
    missed = list_missed([TOLD], [ROW, replace(ROW, seq=3, id="id 3")])

    assert missed == ["twice: request 7 has 2 rows"]
