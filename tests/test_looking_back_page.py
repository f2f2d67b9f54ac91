"""docs/looking-back.md: its examples run as they stand there, and its names are those of the service."""

import contextlib
import re
from pathlib import Path
from typing import Any

from sixpence import CreditService
from sixpence.service.blocking import SyncCreditService
from sixpence.service.operations.history import HistoryOperations
from tests.support.server import running_server
from tests.test_readme import shell

PAGE = (Path(__file__).parent.parent / "docs" / "looking-back.md").read_text()


def block(language: str) -> str:
    """The page's block of code in a language."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return found[0]


async def test_the_python_example_looks_back(tmp_path: Path) -> None:
    """Yesterday there was nothing, the file has today's movements, and the words say why there are five credits."""
    names: dict[str, Any] = {}
    exec(block("python"), names)  # the example itself is what is tested

    async with CreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
        await credits.initialize_user_credits("user_1")
        await credits.consume_credit("user_1", "video")
        with contextlib.chdir(tmp_path):  # where the example's file comes to lie
            told = await names["look_back"](credits)

    assert told.startswith("Yesterday: 0\nuser_1 has 5 credits to spend")
    lines = (tmp_path / "statement.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in lines] == ["kind", "opening", "signup", "consume", "closing"]


def test_the_commands_work(tmp_path: Path) -> None:
    """Each line runs and ends well, against a server that runs."""
    with running_server(None, tmp_path) as server:
        with SyncCreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
            credits.initialize_user_credits("user_1")
        done = shell(block("sh"), server)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("user_1 had 6 remaining") == 1
    assert done.stdout.count("0 + 6 = 6 credits, in 1 movement.") == 1
    assert (tmp_path / "statement.csv").read_text().splitlines()[-1].split(",")[2] == "closing"


def test_every_operation_is_described() -> None:
    """Each method of the service that looks back stands in the table."""
    table = PAGE.split("| | Python |")[1].split("```")[0]

    methods = [name for name in vars(HistoryOperations) if not name.startswith("_")]

    assert len(methods) == 5
    assert [name for name in methods if f"`{name}" not in table] == []
