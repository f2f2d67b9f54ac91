"""README.md: its Python, its shell lines and its catalog work exactly as written."""

import contextlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from sixpence import CreditService, read_catalog
from tests.documents import ROOT, code_blocks, read_document, run_shell
from tests.support.server import running_server

README = read_document("README.md")


async def test_python_example_charges_and_answers_402(tmp_path: Path) -> None:
    """The six credits pay for six calls; the seventh gets a 402 with the facts."""
    names: dict[str, Any] = {}

    with contextlib.chdir(tmp_path):  # the example writes its file here
        exec(code_blocks(README, "python")[0], names)  # the example itself is what is tested
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


async def test_hold_example_captures_on_success_and_releases_on_failure(tmp_path: Path) -> None:
    """A generation that succeeds costs one credit, one that fails costs nothing, and no credit stays held."""
    names: dict[str, Any] = {}
    exec(code_blocks(README, "python")[1], names)

    async def succeed() -> str:
        return "a film"

    async def fail() -> str:
        raise OSError("no more film")

    async with CreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
        await credits.initialize_user_credits("user_1")
        made = await names["video"](credits, "user_1", succeed)
        with pytest.raises(OSError, match="no more film"):
            await names["video"](credits, "user_1", fail)
        left = await credits.get_user_credits("user_1")

    assert made == ("a film", 5)
    assert (left.remaining, left.held) == (5, 0)


def test_shell_example_makes_a_key_an_account_and_a_use(tmp_path: Path) -> None:
    """Against a running server, the three lines end with five credits left."""
    with running_server(None, tmp_path) as server:
        lines = next(block for block in code_blocks(README, "sh") if "key create" in block)
        done = run_shell(lines.replace("localhost:8000", server.url), server)

    assert done.returncode == 0, done.stderr
    assert '"remaining":5' in done.stdout


def test_commands_for_operators_run(tmp_path: Path) -> None:
    """Every command in the paragraph for operators exits with 0."""
    with running_server(None, tmp_path) as server:
        server.run("key", "create")
        key = server.create_key()
        headers = {"Authorization": f"Bearer {key}"}
        httpx.post(f"{server.url}/v1/accounts", headers=headers, json={"account_id": "user_1"}).raise_for_status()
        lines = next(part for part in README.split("\n\n") if part.startswith("**Operators**"))
        commands = re.findall(r"`(sixpence [^`]*)`", lines)
        results = [run_shell(command, server) for command in commands]

    assert len(commands) == 5
    assert [result.returncode for result in results] == [0] * 5, [result.stderr for result in results]


def test_catalog_example_is_valid(tmp_path: Path) -> None:
    """The example is a valid catalog."""
    file = tmp_path / "sixpence.toml"
    file.write_text(code_blocks(README, "toml")[0])

    catalog = read_catalog(file)

    assert (catalog.features["video"].credits, catalog.plans["pro"].unlimited) == (4, True)


def test_linked_files_exist() -> None:
    """Every file that the README links to exists."""
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    missing = [target for target in targets if not (ROOT / target).exists()]

    assert targets
    assert missing == []
