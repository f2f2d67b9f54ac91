"""docs/testing.md: its examples run unchanged, in another pytest, and every fixture is described."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sixpence.testing
from tests.testing.programs import Pytest, link_base_install

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text()
# The section on races is tested in tests/testing/races.
KIT = PAGE.partition("\n## Races")[0]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of a base install and pytest, and nothing else."""
    return link_base_install(tmp_path_factory.mktemp("bare"))


def examples() -> dict[str, str]:
    """The page's Python files, by the names in their first lines."""
    found = re.findall(r"^```python\n# (\w+)\.py\n(.*?)^```", KIT, re.MULTILINE | re.DOTALL)
    return dict(found)


def command() -> list[str]:
    """The command that the page runs first."""
    found = re.search(r"^```sh\npytest (.*)\n```", KIT, re.MULTILINE)
    assert found is not None
    return found.group(1).split()


def test_example_passes(installed_wheel: Path, bare: Path, tmp_path: Path) -> None:
    """The app and its three tests, run as on the page."""
    runner = Pytest(installed_wheel, tmp_path, bare=bare)
    files = examples()

    counted = runner.run(*command(), pictures=files["pictures"], test_pictures=files["test_pictures"])

    assert counted == {"passed": 3}, runner.output


def test_example_detects_leaked_hold(installed_wheel: Path, bare: Path, tmp_path: Path) -> None:
    """An app that forgets to release a hold fails the test of a failure, and no other."""
    runner = Pytest(installed_wheel, tmp_path, bare=bare)
    files = examples()
    forgetful = files["pictures"].replace("await credits.release_hold(user_id, hold.hold_id)", "pass")
    assert forgetful != files["pictures"]

    counted = runner.run(*command(), pictures=forgetful, test_pictures=files["test_pictures"])

    assert counted == {"passed": 2, "failed": 1}, runner.output
    assert "FAILED test_pictures.py::test_a_picture_that_fails_costs_nothing" in runner.output


def test_example_with_own_catalog_passes(installed_wheel: Path, bare: Path, tmp_path: Path) -> None:
    """The conftest and the test of months, together."""
    runner = Pytest(installed_wheel, tmp_path, bare=bare)
    files = examples()

    counted = runner.run(conftest=files["conftest"], test_months=files["test_months"])

    assert counted == {"passed": 1}, runner.output


def test_example_without_pytest_runs(tmp_path: Path) -> None:
    """It ends with 0 and prints nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", examples()["plain"]], cwd=tmp_path, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_example_is_run() -> None:
    """The tests above run every Python block of the page."""
    assert set(examples()) == {"pictures", "test_pictures", "conftest", "test_months", "plain"}
    assert KIT.count("```python") == len(examples())


def test_page_describes_every_fixture_and_name() -> None:
    """The fixtures of the plugin, and the names that `sixpence.testing` exports."""
    plugin = (ROOT / "src" / "sixpence" / "testing" / "plugin.py").read_text()
    fixtures = re.findall(r"^@pytest.fixture\ndef (\w+)\(", plugin, re.MULTILINE)

    missing = [name for name in (*fixtures, *sixpence.testing.__all__) if name not in PAGE]

    assert len(fixtures) >= 14
    assert missing == []
