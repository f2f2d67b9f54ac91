"""The README's Python, shell lines and catalog work as printed."""

import contextlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

import sixpence
from sixpence import CreditService, InsufficientCreditsError, read_catalog
from tests.documents import ROOT, code_blocks, read_document, run_lines, run_shell
from tests.support.ports import free_port
from tests.support.server import environment_for, running_server

README = read_document("README.md")


@pytest.fixture
def example_app(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The names of the FastAPI example, run in the folder where its database is made."""
    names: dict[str, Any] = {}
    with contextlib.chdir(tmp_path):
        exec(code_blocks(README, "python")[0], names)  # the test runs the printed example
        yield names


@pytest.fixture
async def browser(example_app: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's requests to the FastAPI example."""
    transport = httpx.ASGITransport(app=example_app["app"], raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://app.example.com", headers={"X-User": "ada"}, params={"prompt": "a room"}
    ) as client:
        yield client
    await example_app["parts"].credits.close()


async def remaining_and_held(example_app: dict[str, Any]) -> tuple[int, int]:
    """Ada's balance in the FastAPI example."""
    account = await example_app["parts"].credits.get_user_credits("ada")
    return account.remaining, account.held


async def test_the_endpoint_example_charges_and_answers_402(
    example_app: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    """Six calls are paid for by the six credits; the seventh is a 402 before any work."""
    worked = []

    async def draw(prompt: str) -> str:
        worked.append(prompt)
        return "a drawing"

    example_app["draw"] = draw
    answers = [await browser.post("/interior") for _ in range(7)]

    assert [(answer.status_code, answer.json()) for answer in answers[:6]] == [(200, {"picture": "a drawing"})] * 6
    assert answers[6].status_code == 402
    facts = ("code", "required", "remaining", "shortfall", "upgrade_url", "offers")
    assert {name: answers[6].json()[name] for name in facts} == {
        "code": "insufficient-credits",
        "required": 1,
        "remaining": 0,
        "shortfall": 1,
        "upgrade_url": "/upgrade",
        "offers": [{"plan": "pro", "title": "Pro", "unlimited": True}],
    }
    assert worked == ["a room"] * 6
    assert await remaining_and_held(example_app) == (0, 0)


@pytest.mark.parametrize("failure", [OSError("the model is away"), HTTPException(503), HTTPException(400)], ids=str)
async def test_the_endpoint_example_gives_back_what_failed(
    example_app: dict[str, Any], browser: httpx.AsyncClient, failure: Exception
) -> None:
    """An exception or a status of 400 or above costs nothing, and a retry under the same key then works and pays."""
    succeeding = example_app["draw"]
    key = {"Idempotency-Key": "room-1"}

    async def failing(_prompt: str) -> str:
        raise failure

    example_app["draw"] = failing
    failed = await browser.post("/interior", headers=key)
    after_failure = await remaining_and_held(example_app)
    example_app["draw"] = succeeding
    retried = await browser.post("/interior", headers=key)

    assert failed.status_code == getattr(failure, "status_code", 500)
    assert after_failure == (6, 0)
    assert (retried.status_code, retried.json()) == (200, {"picture": "a picture of a room"})
    assert await remaining_and_held(example_app) == (5, 0)


async def test_the_endpoint_example_charges_a_retry_once(
    example_app: dict[str, Any], browser: httpx.AsyncClient
) -> None:
    """The same key again is 409 `already-done`: nothing runs and nothing is charged."""
    key = {"Idempotency-Key": "room-1"}

    first = await browser.post("/interior", headers=key)
    again = await browser.post("/interior", headers=key)

    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 409, "already-done")
    assert await remaining_and_held(example_app) == (5, 0)


def test_the_endpoint_example_runs_under_uvicorn(tmp_path: Path) -> None:
    """`app.py` is served and charged by the two lines below it, and the command line shows the balance."""
    (tmp_path / "app.py").write_text(code_blocks(README, "python")[0])
    serve, request = next(block for block in code_blocks(README, "sh") if block.startswith("uvicorn")).splitlines()
    port = free_port()
    environment = environment_for(tmp_path / "home", None)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"

    with (tmp_path / "app.log").open("wb") as log:
        server = subprocess.Popen(
            [*serve.partition("#")[0].split(), "--port", str(port)],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            curl = request.replace("curl ", "curl -s --retry 60 --retry-delay 1 --retry-connrefused ")
            done = run_lines(curl.replace("localhost:8000", f"127.0.0.1:{port}"), tmp_path, environment)
        finally:
            server.terminate()
            server.wait(30)
    shown = run_lines("sixpence account show ada", tmp_path, environment)

    assert done.stdout == '{"picture":"a picture of a kitchen"}', (tmp_path / "app.log").read_text()
    assert re.search(r"^ *remaining +5$", shown.stdout, re.MULTILINE), shown.stdout + shown.stderr


async def test_the_service_example_charges_once_a_job(tmp_path: Path) -> None:
    """Six jobs are paid for, a repeated one is not paid again, and the seventh raises what is missing."""
    names: dict[str, Any] = {}
    with contextlib.chdir(tmp_path):
        exec(code_blocks(README, "python")[1], names)
        jobs = ["job 1", "job 1", "job 2", "job 3", "job 4", "job 5", "job 6"]
        left = [await names["charge"]("user_1", job) for job in jobs]
        with pytest.raises(InsufficientCreditsError) as refused:
            await names["charge"]("user_1", "job 7")
        await names["credits"].close()

    assert left == [5, 5, 4, 3, 2, 1, 0]
    assert refused.value.data() == {
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
    exec(code_blocks(README, "python")[2], names)

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
        lines = next(block for block in code_blocks(README, "sh") if "key create" in block)
        done = run_shell(lines.replace("localhost:8000", server.url), server)

    assert done.returncode == 0, done.stderr
    assert '"remaining":5' in done.stdout


def test_the_operators_lines_work(tmp_path: Path) -> None:
    """Every command that the lines for operators name runs and ends well."""
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


def test_the_catalog_example_is_valid(tmp_path: Path) -> None:
    """The example can be applied as it is."""
    file = tmp_path / "sixpence.toml"
    file.write_text(code_blocks(README, "toml")[0])

    catalog = read_catalog(file)

    assert (catalog.features["video"].credits, catalog.plans["pro"].unlimited) == (4, True)


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """Files that the README points at are there."""
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    missing = [target for target in targets if not (ROOT / target).exists()]

    assert targets
    assert missing == []


def test_the_readme_names_the_version() -> None:
    """The state of the project is that of the package."""
    assert f"version {sixpence.__version__}" in README


def test_installing_comes_before_serving() -> None:
    """A newcomer can run each line when it is reached."""
    text = README

    assert text.index("pip install '.[server]'") < text.index("uvicorn app:app") < text.index("`sixpence serve`")
