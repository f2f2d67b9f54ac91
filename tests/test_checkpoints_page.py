"""docs/checkpoints.md: its Python and its shell lines work as they stand there."""

import re
from pathlib import Path
from typing import Any

import httpx

from sixpence import CreditService
from tests.support.server import running_server
from tests.test_readme import shell

PAGE = (Path(__file__).parent.parent / "docs" / "checkpoints.md").read_text()


def blocks(language: str) -> list[str]:
    """The page's blocks of code in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


async def test_the_python_example_signs(tmp_path: Path) -> None:
    """It makes a key, signs with it and finds the checkpoint again."""
    names: dict[str, Any] = {}
    (example,) = blocks("python")
    exec(example.replace('"signing_key"', repr(str(tmp_path / "signing_key"))), names)

    async with CreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
        await credits.initialize_user_credits("user_1")
        said = await names["make_one"](credits)

    assert said.startswith("checkpoint 1: 1 accounts, 1 transactions, signed with ")


def test_the_shell_examples_sign_compare_and_prove(tmp_path: Path) -> None:
    """Against a server that runs: the file agrees with the ledger, and the statement with its proof."""
    with running_server(None, tmp_path) as server:
        headers = {"Authorization": f"Bearer {server.create_key()}"}
        httpx.post(f"{server.url}/v1/accounts", headers=headers, json={"account_id": "user_1"}).raise_for_status()
        results = [shell(lines, server) for lines in blocks("sh")]

    assert [result.returncode for result in results] == [0, 0], [result.stderr for result in results]
    assert "1 accounts, 1 transactions: no difference" in results[0].stdout
    assert results[1].stdout.count("attests all of the movements") == 2
