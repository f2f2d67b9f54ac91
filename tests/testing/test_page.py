"""docs/testing.md: its examples run as they stand there, in a pytest of their own, and every fixture is described."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sixpence.testing
from tests.testing.programs import Pytest, link_what_is_needed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text()
# Races have examples, and tests of them, of their own.
KIT = PAGE.partition("\n## Races")[0]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a base install and pytest consist of, and nothing else."""
    return link_what_is_needed(tmp_path_factory.mktemp("bare"))


def examples() -> dict[str, str]:
    """The page's files of Python, by the names in their first lines."""
    found = re.findall(r"^```python\n# (\w+)\.py\n(.*?)^```", KIT, re.MULTILINE | re.DOTALL)
    return dict(found)


def command() -> list[str]:
    """What the page says to run first."""
    found = re.search(r"^```sh\npytest (.*)\n```", KIT, re.MULTILINE)
    assert found is not None
    return found.group(1).split()


def test_the_example_passes(installed_wheel: Path, bare: Path, tmp_path: Path) -> None:
    """The app and its three tests, run as the page says."""
    runner = Pytest(installed_wheel, tmp_path, bare=bare)
    files = examples()

    counted = runner.run(*command(), pictures=files["pictures"], test_pictures=files["test_pictures"])

    assert counted == {"passed": 3}, runner.said


def test_the_example_notices_what_it_says_it_does(installed_wheel: Path, bare: Path, tmp_path: Path) -> None:
    """An app that forgets to release what it set aside fails the test of a failure, and no other."""
    runner = Pytest(installed_wheel, tmp_path, bare=bare)
    files = examples()
    forgetful = files["pictures"].replace("await credits.release_hold(user_id, hold.hold_id)", "pass")
    assert forgetful != files["pictures"]

    counted = runner.run(*command(), pictures=forgetful, test_pictures=files["test_pictures"])

    assert counted == {"passed": 2, "failed": 1}, runner.said
    assert "FAILED test_pictures.py::test_a_picture_that_fails_costs_nothing" in runner.said


def test_time_passes_under_a_catalog_of_ones_own(installed_wheel: Path, bare: Path, tmp_path: Path) -> None:
    """The conftest and the test of months, together."""
    runner = Pytest(installed_wheel, tmp_path, bare=bare)
    files = examples()

    counted = runner.run(conftest=files["conftest"], test_months=files["test_months"])

    assert counted == {"passed": 1}, runner.said


def test_the_program_without_pytest_runs(tmp_path: Path) -> None:
    """It ends well and says nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", examples()["plain"]], cwd=tmp_path, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_example_is_run() -> None:
    """The page has no other Python than what the tests above run."""
    assert set(examples()) == {"pictures", "test_pictures", "conftest", "test_months", "plain"}
    assert KIT.count("```python") == len(examples())


def test_every_fixture_and_every_name_is_described() -> None:
    """What the plugin offers and what `sixpence.testing` exports stand on the page."""
    plugin = (ROOT / "src" / "sixpence" / "testing" / "plugin.py").read_text()
    fixtures = re.findall(r"^@pytest.fixture\ndef (\w+)\(", plugin, re.MULTILINE)

    missing = [name for name in (*fixtures, *sixpence.testing.__all__) if name not in PAGE]

    assert len(fixtures) >= 14
    assert missing == []
