"""The section on races in docs/testing.md: its examples run, and its lists are complete."""

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import httpx
import pytest

from sixpence.testing.races import WAVES, RaceLostError, race
from sixpence.testing.races.judging.findings import ADVICE
from sixpence.testing.races.servers.wsgi_server import ThreadedWsgiServer
from tests.support.server import ServerProcess, running_server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SECTION = (ROOT / "docs" / "testing.md").read_text().partition("\n## Races\n")[2]
EXAMPLES = ROOT / "examples" / "races"
PACKAGE = ROOT / "src" / "sixpence" / "testing" / "races"


def block(language: str, address: int = 0) -> str:
    """A block of the section's code."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
    return found[address]


@pytest.mark.parametrize(("app", "status"), [("pictures.py", 1), ("pictures_fixed.py", 0)])
def test_example_fails_for_app_and_passes_for_twin(tmp_path: Path, app: str, status: int) -> None:
    """The page's test runs beside either app, with the kit's own fixtures."""
    (tmp_path / "gallery.py").write_text((EXAMPLES / app).read_text())
    (tmp_path / "test_races.py").write_text(block("python"))

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "sixpence.testing.plugin", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(ROOT / "src"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert done.returncode == status, done.stdout
    shown = [line for line in SECTION.splitlines() if line.startswith(("Race on", "overspend in"))]
    assert [line in done.stdout for line in shown] == [status == 1] * 2


async def test_webhook_example_returns_call_for_key() -> None:
    """The function runs as the page shows it."""
    names: dict[str, Any] = {}
    exec(f"from sixpence.testing.races import Call\n{block('python', 1)}", names)

    assert names["payment"]("evt_1").json["id"] == "evt_1"


def test_command_line_example_races_app_with_server(tmp_path: Path) -> None:
    """The page's lines race an app that uses `sixpence serve`."""
    with running_server(None, tmp_path) as server, run_generator(server) as url:
        lines = block("sh").replace("http://localhost:3000", url).replace("http://localhost:8000", server.url)
        done = subprocess.run(
            ["bash", "-e", "-c", lines],
            cwd=tmp_path,
            env={**server.environment, "PATH": f"{Path(sys.executable).parent}:{server.environment['PATH']}"},
            capture_output=True,
            text=True,
            timeout=100,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Race on POST /api/generate, account user_1: nothing was found in 4 waves" in done.stdout


async def test_readme_example_of_sample_apps_fails(tmp_path: Path) -> None:
    """The README races the first sample app, which loses."""
    (shown,) = re.findall(r"^```python\n(.*?)^```", (EXAMPLES / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(shown, names)

    with contextlib.chdir(tmp_path), pytest.raises(RaceLostError, match="overspend in at_once"):
        await names["test_pictures"]()


def test_links_exist() -> None:
    """Files that the section, the sample apps' README and the package's README link to exist."""
    pages = {ROOT / "docs": SECTION}
    pages |= {page.parent: page.read_text() for page in (EXAMPLES / "README.md", PACKAGE / "README.md")}
    targets = [(folder, target) for folder, text in pages.items() for target in re.findall(r"\]\(([^)#]+)\)", text)]

    missing = [target for folder, target in targets if not (folder / target).exists()]

    assert len(targets) >= 10
    assert missing == []


def test_readme_lists_every_module() -> None:
    """The package's README has a line for every module."""
    text = (PACKAGE / "README.md").read_text()

    modules = [file.stem for file in PACKAGE.rglob("*.py") if file.stem != "__init__"]
    missing = [name for name in modules if f"`{name}`" not in text]

    assert len(modules) >= 15

    assert missing == []


def test_page_describes_every_wave_finding_and_argument() -> None:
    """Each is on the page by its name."""
    names = [*WAVES, *ADVICE, *list(signature(race).parameters)]

    missing = [name for name in names if f"`{name}" not in SECTION and name not in ("app", "call", "account_id")]

    assert missing == []


@contextlib.contextmanager
def run_generator(server: ServerProcess) -> Iterator[str]:
    """The URL of an app that charges user_1 through a server, and returns the server's answer."""
    headers = {"Authorization": f"Bearer {server.create_key()}"}
    client = httpx.Client(base_url=server.url, headers=headers, timeout=30)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        key = {"Idempotency-Key": environ["HTTP_IDEMPOTENCY_KEY"]}
        used = client.post("/v1/accounts/user_1/consume", json={"feature": "interior"}, headers=key)
        start_response(f"{used.status_code} Said", [])
        return [used.content]

    loop = asyncio.new_event_loop()
    listening = ThreadedWsgiServer(app).listen()
    address = loop.run_until_complete(listening.__aenter__())
    try:
        yield str(address)
    finally:
        loop.run_until_complete(listening.__aexit__(None, None, None))
        loop.close()
        client.close()
