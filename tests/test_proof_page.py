"""docs/proof.md: its Python and its shell lines work as they stand there, and its exceptions are the tested ones."""

import re
from pathlib import Path
from typing import Any

import httpx

from sixpence import SyncCreditService
from tests.ledger.verify.flips import EXCEPTIONS
from tests.support.server import running_server
from tests.test_readme import shell

PAGE = (Path(__file__).parent.parent / "docs" / "proof.md").read_text()


def blocks(language: str) -> list[str]:
    """The page's blocks of code in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_python_example_proves(tmp_path: Path) -> None:
    """It says what was looked at, and that nothing differs."""
    names: dict[str, Any] = {}
    (example,) = blocks("python")
    exec(example, names)

    with SyncCreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
        credits.initialize_user_credits("user_1")
        said = names["check"](credits)

    assert said == "1 accounts, 1 transactions, clean: True"


def test_the_shell_example_proves(tmp_path: Path) -> None:
    """While a server runs; each of its lines ends with 0."""
    with running_server(None, tmp_path) as server:
        headers = {"Authorization": f"Bearer {server.create_key()}"}
        httpx.post(f"{server.url}/v1/accounts", headers=headers, json={"account_id": "user_1"}).raise_for_status()
        (lines,) = blocks("sh")
        done = shell(lines, server)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("1 accounts, 1 transactions: no difference") == 2
    assert '"clean": true' in done.stdout


def test_every_invariant_has_a_line() -> None:
    """All eighteen, in their order."""
    table = PAGE.partition("## What it proves")[2].partition("## ")[0]

    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == list(map(str, range(1, 19)))


def test_the_exceptions_are_named() -> None:
    """Every column in which not every flip is found."""
    missing = [name for name in EXCEPTIONS if f"`{name[0]}.{name[1]}`" not in PAGE and f"`.{name[1]}`" not in PAGE]

    assert missing == []
