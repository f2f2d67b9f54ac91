"""docs/looking-back.md: its examples run exactly as written, and it lists every operation of the service."""

import contextlib
from pathlib import Path
from typing import Any

from sixpence import CreditService
from sixpence.service.blocking import SyncCreditService
from sixpence.service.operations.history import HistoryOperations
from tests.documents import code_blocks, read_document, run_shell
from tests.support.server import running_server

PAGE = read_document("docs/looking-back.md")


async def test_python_example(tmp_path: Path) -> None:
    """It prints yesterday's balance of 0 and explains the five credits; its file has today's movements."""
    names: dict[str, Any] = {}
    exec(code_blocks(PAGE, "python")[0], names)  # the example itself is what is tested

    async with CreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
        await credits.initialize_user_credits("user_1")
        await credits.consume_credit("user_1", "video")
        with contextlib.chdir(tmp_path):  # the example writes its file here
            printed = await names["look_back"](credits)

    assert printed.startswith("Yesterday: 0\nuser_1 has 5 credits to spend")
    lines = (tmp_path / "statement.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in lines] == ["kind", "opening", "signup", "consume", "closing"]


def test_shell_commands_run(tmp_path: Path) -> None:
    """Against a running server, each line exits with 0."""
    with running_server(None, tmp_path) as server:
        with SyncCreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
            credits.initialize_user_credits("user_1")
        done = run_shell(code_blocks(PAGE, "sh")[0], server)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("user_1 had 6 remaining") == 1
    assert done.stdout.count("0 + 6 = 6 credits, in 1 movement.") == 1
    assert (tmp_path / "statement.csv").read_text().splitlines()[-1].split(",")[2] == "closing"


def test_every_operation_is_listed() -> None:
    """The table has each method of the service's operations on the past."""
    table = PAGE.split("| | Python |")[1].split("```")[0]

    methods = [name for name in vars(HistoryOperations) if not name.startswith("_")]

    assert len(methods) == 5
    assert [name for name in methods if f"`{name}" not in table] == []
