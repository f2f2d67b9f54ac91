"""What the README shows works as it stands there: its Python, its shell lines and its catalog."""

import contextlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from sixpence import CreditService, read_catalog
from tests.support.server import ServerProcess, running_server

README = Path(__file__).parent.parent / "README.md"


def blocks(language: str) -> list[str]:
    """The README's blocks of code in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


async def test_the_python_example_charges_and_answers_402(tmp_path: Path) -> None:
    """Six calls are paid for by the six credits, the seventh is told what is missing."""
    names: dict[str, Any] = {}

    with contextlib.chdir(tmp_path):  # where the example's file comes to lie
        exec(blocks("python")[0], names)  # the example itself is what is tested
        transport = httpx.ASGITransport(app=names["app"])
        async with httpx.AsyncClient(transport=transport, base_url="http://app.example.com") as client:
            answers = [await client.post("/interior/user_1") for _ in range(7)]
        await names["credits"].close()

    assert [answer.json() for answer in answers[:6]] == [{"remaining": left} for left in (5, 4, 3, 2, 1, 0)]
    assert answers[6].status_code == 402
    assert answers[6].json() == {
        "feature": "interior",
        "required": 1,
        "remaining": 0,
        "available": 0,
        "shortfall": 1,
        "held": 0,
        "scheduled": 0,
        "next_allowance_at": None,
    }


async def test_the_hold_example_charges_what_succeeds_and_gives_back_what_fails(tmp_path: Path) -> None:
    """A work that ends well costs its credit, one that fails costs nothing, and nothing stays held."""
    names: dict[str, Any] = {}
    exec(blocks("python")[1], names)

    async def well() -> str:
        return "a film"

    async def badly() -> str:
        raise OSError("no more film")

    async with CreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
        await credits.initialize_user_credits("user_1")
        made = await names["video"](credits, "user_1", well)
        with pytest.raises(OSError, match="no more film"):
            await names["video"](credits, "user_1", badly)
        left = await credits.get_user_credits("user_1")

    assert made == ("a film", 5)
    assert (left.remaining, left.held) == (5, 0)


def test_the_shell_example_makes_a_key_an_account_and_a_use(tmp_path: Path) -> None:
    """The three lines end with five credits left, against a server that runs."""
    with running_server(None, tmp_path) as server:
        lines = next(block for block in blocks("sh") if "key create" in block)
        done = shell(lines.replace("localhost:8000", server.url), server)

    assert done.returncode == 0, done.stderr
    assert '"remaining":5' in done.stdout


def test_the_operators_lines_work(tmp_path: Path) -> None:
    """Every command that the lines for operators name runs and ends well."""
    with running_server(None, tmp_path) as server:
        server.run("key", "create")
        key = server.create_key()
        headers = {"Authorization": f"Bearer {key}"}
        httpx.post(f"{server.url}/v1/accounts", headers=headers, json={"account_id": "user_1"}).raise_for_status()
        lines = next(part for part in README.read_text().split("\n\n") if part.startswith("**Operators**"))
        commands = re.findall(r"`(sixpence [^`]*)`", lines)
        results = [shell(command, server) for command in commands]

    assert len(commands) == 5
    assert [result.returncode for result in results] == [0] * 5, [result.stderr for result in results]


def test_the_catalog_example_is_valid(tmp_path: Path) -> None:
    """The example can be applied as it is."""
    file = tmp_path / "sixpence.toml"
    file.write_text(blocks("toml")[0])

    catalog = read_catalog(file)

    assert (catalog.features["video"].credits, catalog.plans["pro"].unlimited) == (4, True)


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """Files that the README points at are there."""
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text())

    missing = [target for target in targets if not (README.parent / target).exists()]

    assert targets
    assert missing == []


def shell(script: str, server: ServerProcess) -> "subprocess.CompletedProcess[str]":
    """Run lines as a person would, in the server's folder, with this environment's `sixpence` first on the path."""
    environment = {**server.environment, "PATH": f"{Path(sys.executable).parent}:{server.environment['PATH']}"}
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=server.home, env=environment, capture_output=True, text=True, timeout=60
    )
