"""Finds a Chromium for the browser tests, and as root on Debian or Ubuntu installs one.

Lives here: which browser is used and how it is started.
Not here: the fixtures (tests/conftest.py) and what the tests do with the browser.

    python -m tests.support.chromium       finds or installs it, and prints its path
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UPDATE = ("apt-get", "update")
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends", "chromium")
REMEDY = (
    "The browser tests need Chromium. Set SIXPENCE_CHROMIUM to its path, or install it; on Debian and Ubuntu, as root: "
    f"{' '.join(UPDATE)} && {' '.join(INSTALL)}"
)
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Tests reach this machine only; without these the browser looks for its maker at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissingError(RuntimeError):
    """There is no Chromium, and it could not be installed; the message is the command that does."""


def find_or_install_chromium() -> Path:
    """Return the browser's path: `SIXPENCE_CHROMIUM`, else an installed one, else, as root, a newly installed one.

    Raises ChromiumMissingError.
    """
    chosen = os.environ.get("SIXPENCE_CHROMIUM")
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise ChromiumMissingError(f"SIXPENCE_CHROMIUM is {chosen!r}, which is not a program. {REMEDY}")
        return Path(chosen)
    found = _find_installed()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        found = _find_installed()
    if found is None:
        raise ChromiumMissingError(REMEDY)
    return found


@contextmanager
def launched_chromium() -> Iterator[Browser]:
    """Run a headless Chromium, driven by Playwright's synchronous interface, for the duration of a block."""
    executable = find_or_install_chromium()
    # Chromium's sandbox refuses to run as root.
    arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else list(ARGUMENTS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def _find_installed() -> Path | None:
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return Path(path)
    return None


def _install() -> None:
    print("Installing Chromium for the browser tests (about a minute)", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (UPDATE, INSTALL):
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            raise ChromiumMissingError(f"{done.stdout[-2000:]}\n`{' '.join(command)}` failed. {REMEDY}")


if __name__ == "__main__":
    try:
        print(f"Browser tests use {find_or_install_chromium()}")
    except ChromiumMissingError as missing:
        sys.exit(str(missing))
