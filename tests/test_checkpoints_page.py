"""docs/checkpoints.md: its Python and its shell lines work exactly as written."""

from pathlib import Path
from typing import Any

import httpx

from sixpence import CreditService
from tests.documents import code_blocks, read_document, run_shell
from tests.support.server import running_server

PAGE = read_document("docs/checkpoints.md")


async def test_python_example_signs(tmp_path: Path) -> None:
    """It makes a key, signs a checkpoint with it, and reads the checkpoint."""
    names: dict[str, Any] = {}
    (example,) = code_blocks(PAGE, "python")
    exec(example.replace('"signing_key"', repr(str(tmp_path / "signing_key"))), names)

    async with CreditService(f"sqlite:///{tmp_path / 'credits.db'}") as credits:
        await credits.initialize_user_credits("user_1")
        summary = await names["make_one"](credits)

    assert summary.startswith("checkpoint 1: 1 accounts, 1 transactions, signed with ")


def test_shell_examples_sign_compare_and_prove(tmp_path: Path) -> None:
    """Against a running server: the file agrees with the ledger, and the statement with its proof."""
    with running_server(None, tmp_path) as server:
        headers = {"Authorization": f"Bearer {server.create_key()}"}
        httpx.post(f"{server.url}/v1/accounts", headers=headers, json={"account_id": "user_1"}).raise_for_status()
        results = [run_shell(lines, server) for lines in code_blocks(PAGE, "sh")]

    assert [result.returncode for result in results] == [0, 0], [result.stderr for result in results]
    assert "1 accounts, 1 transactions: no difference" in results[0].stdout
    assert results[1].stdout.count("attests all of the movements") == 2
