"""`PART=kill`: a short run prints its summary, and lost or duplicate changes are found."""

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.histories.clients import Acknowledged
from tests.histories.history import Row
from tests.torture.kill import list_lost_and_duplicate
from tests.torture.test_torture import ROOT

pytestmark = pytest.mark.slow


def test_kill_prints_summary() -> None:
    """The last line has the kills by kind, and that nothing was lost."""
    command = [sys.executable, "-m", "tests.torture", "--part", "kill", "--steps", "1", "--seed", "1"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("1 kills in ")
    assert "(the server on SQLite 1); " in last
    assert last.endswith("lost 0, twice 0")


ROW = Row("team-1", 2, "id 2", "consume", -1, 5, 6, 0, "free", "sketch", 1, 20, None, 7)
ACKNOWLEDGED = Acknowledged("team-1", 2, "id 2", 7)


def test_list_lost_and_duplicate_accepts_acknowledged_row() -> None:
    """The row is as acknowledged; another row needs no acknowledgement."""
    assert list_lost_and_duplicate([ACKNOWLEDGED], [ROW, replace(ROW, seq=3, id="id 3", number=8)]) == []


@pytest.mark.parametrize(
    "rows",
    [[], [replace(ROW, id="id 3")], [replace(ROW, number=8)], [replace(ROW, seq=3)], [replace(ROW, account="b")]],
)
def test_list_lost_and_duplicate_finds_lost_change(rows: list[Row]) -> None:
    """The acknowledged row is missing, or another is in its place."""
    problems = list_lost_and_duplicate([ACKNOWLEDGED], rows)

    assert [problem[:5] for problem in problems] == ["lost:"]


def test_list_lost_and_duplicate_finds_duplicate() -> None:
    """Two rows belong to one request."""
    problems = list_lost_and_duplicate([ACKNOWLEDGED], [ROW, replace(ROW, seq=3, id="id 3")])

    assert problems == ["twice: request 7 has 2 rows"]
