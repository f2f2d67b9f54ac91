"""docs/proof.md: its Python and its shell lines work exactly as written, and its exceptions are the tested ones."""

import re
from pathlib import Path
from typing import Any

import httpx

from sixpence import SyncCreditService
from tests.documents import code_blocks, read_document, run_shell
from tests.ledger.verify.flips import EXCEPTIONS
from tests.support.server import running_server

PAGE = read_document("docs/proof.md")


def test_python_example_verifies(tmp_path: Path) -> None:
    """It returns the number of verified rows, and reports no difference."""
    names: dict[str, Any] = {}
    (example,) = code_blocks(PAGE, "python")
    exec(example, names)

    with SyncCreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
        credits.initialize_user_credits("user_1")
        summary = names["check"](credits)

    assert summary == "1 accounts, 1 transactions, clean: True"


def test_shell_example_verifies(tmp_path: Path) -> None:
    """Against a running server, each line exits with 0."""
    with running_server(None, tmp_path) as server:
        headers = {"Authorization": f"Bearer {server.create_key()}"}
        httpx.post(f"{server.url}/v1/accounts", headers=headers, json={"account_id": "user_1"}).raise_for_status()
        (lines,) = code_blocks(PAGE, "sh")
        done = run_shell(lines, server)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("1 accounts, 1 transactions: no difference") == 2
    assert '"clean": true' in done.stdout


def test_page_lists_every_invariant() -> None:
    """The table has all eighteen invariants in order."""
    table = PAGE.partition("## What it proves")[2].partition("## ")[0]

    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == list(map(str, range(1, 19)))


def test_page_names_the_exceptions() -> None:
    """The page names every column in which verify does not find every changed byte."""
    missing = [name for name in EXCEPTIONS if f"`{name[0]}.{name[1]}`" not in PAGE and f"`.{name[1]}`" not in PAGE]

    assert missing == []
