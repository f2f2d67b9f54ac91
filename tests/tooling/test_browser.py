"""The browser that tests drive: a real one, found or asked for in words.

Not here: pages of the project (tests/journeys).
"""

import os
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
COMMAND = "apt-get update && apt-get install -y --no-install-recommends chromium"
PAGE = "<title>Sixpence</title><button onclick=\"document.title = 'clicked'\">Spend</button>"


def test_a_page_runs_scripts(page: Page) -> None:
    """A click reaches the page's own script."""
    page.set_content(PAGE)

    page.get_by_role("button", name="Spend").click()

    assert page.title() == "clicked"


def test_the_browser_is_a_chromium(browser: Browser) -> None:
    """The browser is the machine's own Chromium, connected."""
    engine = browser.browser_type.name

    assert (engine, browser.is_connected()) == ("chromium", True)


def test_a_machine_without_a_browser_is_told_the_command() -> None:
    """Where no browser is found and none can be installed, the message is the command that installs one."""
    done = look_for_chromium(PATH="")

    assert done.returncode == 1
    assert COMMAND in done.stderr


def test_a_wrong_choice_of_browser_is_named() -> None:
    """A SIXPENCE_CHROMIUM that is no program is refused, not replaced by another browser."""
    done = look_for_chromium(SIXPENCE_CHROMIUM="/no/such/chromium")

    assert done.returncode == 1
    assert "SIXPENCE_CHROMIUM is '/no/such/chromium', which is not a program." in done.stderr


def look_for_chromium(**variables: str) -> subprocess.CompletedProcess[str]:
    """Looks for the browser as `make test` does, with these variables set."""
    environment = {name: value for name, value in os.environ.items() if name != "SIXPENCE_CHROMIUM"} | variables
    command = [sys.executable, "-m", "tests.support.chromium"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
