"""The planted bugs fit the code, and what looks for them tells a caught bug from one that survives."""

import subprocess
from pathlib import Path

import pytest

from tests.planted.hunt import hunt
from tests.planted.plant import BUGS, Plant, UnusablePatchError, read_plants
from tests.planted.tree import ROOT

_RULE = "def may_spend(balance: int, price: int) -> bool:\n    return balance >= price\n"
_TEST = "from rule import may_spend\n\n\ndef test_last_credit() -> None:\n    assert may_spend(1, 1)\n"
_DIFF = """diff --git a/src/rule.py b/src/rule.py
--- a/src/rule.py
+++ b/src/rule.py
@@ -1,2 +1,2 @@
 def may_spend(balance: int, price: int) -> bool:
-    return balance >= price
+    return {}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one rule and one test of it."""
    for name, text in {"src/rule.py": _RULE, "tests/test_rule.py": _TEST}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


def _plant(changed: str) -> Plant:
    return Plant("bug", "a bug", ("tests/test_rule.py",), _DIFF.format(changed))


def test_every_bug_fits_the_code() -> None:
    """Each patch can be applied to the code as it is, and the tests that it names are there."""
    plants = read_plants()

    refused = {}
    for plant in plants:
        checked = subprocess.run(
            ["git", "apply", "--check", "-"], cwd=ROOT, input=plant.diff, capture_output=True, text=True, check=False
        )
        if checked.returncode != 0:
            refused[plant.name] = checked.stderr
    absent = [test for plant in plants for test in plant.tests if not (ROOT / test.split("::")[0]).exists()]

    assert (refused, absent) == ({}, [])


def test_there_are_enough_of_them() -> None:
    """At least twenty-five bugs are planted, each under a name and a description of its own."""
    plants = read_plants()

    assert len(plants) >= 25
    assert len({plant.what for plant in plants}) == len({plant.diff for plant in plants}) == len(plants)
    assert [path.name for path in BUGS.iterdir() if path.suffix != ".patch"] == []


def test_a_bug_that_a_test_finds_is_caught(project: Path) -> None:
    """A failing test catches the bug, and the copy is as it was."""
    found = hunt(_plant("balance > price"), project)

    assert (found.caught, found.trial and found.trial.outcome) == (True, "failed")
    assert (project / "src/rule.py").read_text() == _RULE


def test_a_bug_that_no_test_finds_survives(project: Path) -> None:
    """Where its own tests and the whole suite pass, the bug survives, and that is said."""
    found = hunt(_plant("balance >= price or balance < 0"), project)

    assert (found.caught, found.by_whole_suite) == (False, True)
    assert found.told().startswith("SURVIVED bug (a bug)")


def test_tests_that_cannot_be_run_catch_nothing(project: Path) -> None:
    """A patch that breaks the code so that no test can be collected is no bug that was caught."""
    found = hunt(_plant(")"), project)

    assert (found.caught, found.trial and found.trial.outcome) == (False, "not run")


def test_a_patch_that_no_longer_fits_is_not_planted(project: Path) -> None:
    """Where the code has changed under a patch, that is said, and it does not count as caught."""
    (project / "src/rule.py").write_text("def may_spend() -> None: ...\n")

    found = hunt(_plant("balance > price"), project)

    assert not found.caught
    assert found.told().startswith("NOT PLANTED bug: bug does not fit the code")


def test_a_patch_without_its_head_is_refused(tmp_path: Path) -> None:
    """A patch says what it plants and which tests run first."""
    (tmp_path / "bug.patch").write_text(_DIFF)

    with pytest.raises(UnusablePatchError, match="write two lines, 'What: ' and 'Tests: '"):
        read_plants(tmp_path)
