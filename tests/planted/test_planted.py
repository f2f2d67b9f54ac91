"""The planted bugs apply to the code, and a check tells a caught bug from one that survives."""

import subprocess
from pathlib import Path

import pytest

from tests.planted.bug import PATCHES, Bug, UnusablePatchError, read_bugs
from tests.planted.bug_check import check_bug
from tests.planted.project_copy import ROOT

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
    """A project of one rule and its test."""
    for name, text in {"src/rule.py": _RULE, "tests/test_rule.py": _TEST}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


def _bug(changed: str) -> Bug:
    return Bug("bug", "a bug", ("tests/test_rule.py",), _DIFF.format(changed))


def test_every_patch_applies() -> None:
    """Each patch applies to the code, and the tests that it names exist."""
    bugs = read_bugs()

    refused = {}
    for bug in bugs:
        checked = subprocess.run(
            ["git", "apply", "--check", "-"], cwd=ROOT, input=bug.diff, capture_output=True, text=True, check=False
        )
        if checked.returncode != 0:
            refused[bug.name] = checked.stderr
    missing = [test for bug in bugs for test in bug.tests if not (ROOT / test.split("::")[0]).exists()]

    assert (refused, missing) == ({}, [])


def test_bugs_are_many_and_distinct() -> None:
    """At least twenty-five bugs are planted, each with a different description and diff."""
    bugs = read_bugs()

    assert len(bugs) >= 25
    assert len({bug.what for bug in bugs}) == len({bug.diff for bug in bugs}) == len(bugs)
    assert [path.name for path in PATCHES.iterdir() if path.suffix != ".patch"] == []


def test_bug_with_failing_test_is_caught(project: Path) -> None:
    """A failing test catches the bug, and the copy is restored."""
    check = check_bug(_bug("balance > price"), project)

    assert (check.caught, check.run and check.run.outcome) == (True, "failed")
    assert (project / "src/rule.py").read_text() == _RULE


def test_bug_without_failing_test_survives(project: Path) -> None:
    """If its own tests and the whole suite pass, the bug is reported as survived."""
    check = check_bug(_bug("balance >= price or balance < 0"), project)

    assert (check.caught, check.by_whole_suite) == (False, True)
    assert check.describe().startswith("SURVIVED bug (a bug)")


def test_bug_is_not_caught_by_tests_that_cannot_run(project: Path) -> None:
    """A patch that breaks the code so that no test can be collected does not count as caught."""
    check = check_bug(_bug(")"), project)

    assert (check.caught, check.run and check.run.outcome) == (False, "not run")


def test_patch_that_does_not_apply_is_not_planted(project: Path) -> None:
    """A patch for other code is reported, and does not count as caught."""
    (project / "src/rule.py").write_text("def may_spend() -> None: ...\n")

    check = check_bug(_bug("balance > price"), project)

    assert not check.caught
    assert check.describe().startswith("NOT PLANTED bug: bug does not apply to the code")


def test_read_bugs_refuses_patch_without_head(tmp_path: Path) -> None:
    """A patch must describe its bug and name its tests."""
    (tmp_path / "bug.patch").write_text(_DIFF)

    with pytest.raises(UnusablePatchError, match="write two lines, 'What: ' and 'Tests: '"):
        read_bugs(tmp_path)
