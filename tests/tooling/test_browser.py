"""The browser of the tests: a real one is found, or the error explains how to install it.

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


def test_missing_browser_error_has_the_install_command() -> None:
    """Without a browser that can be found or installed, the message has the command that installs one."""
    done = look_for_chromium(PATH="")

    assert done.returncode == 1
    assert COMMAND in done.stderr


def test_invalid_sixpence_chromium_is_refused() -> None:
    """A SIXPENCE_CHROMIUM that is not a program is refused, not replaced by another browser."""
    done = look_for_chromium(SIXPENCE_CHROMIUM="/no/such/chromium")

    assert done.returncode == 1
    assert "SIXPENCE_CHROMIUM is '/no/such/chromium', which is not a program." in done.stderr


def look_for_chromium(**variables: str) -> subprocess.CompletedProcess[str]:
    """Look for the browser as `make test` does, with these variables set."""
    environment = {name: value for name, value in os.environ.items() if name != "SIXPENCE_CHROMIUM"} | variables
    command = [sys.executable, "-m", "tests.support.chromium"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
