"""The documents that tests read and run: their code blocks, and their shell lines against a running server.

Not here: what a document promises (test_readme.py and test_*_page.py).
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.server import ServerProcess

ROOT = Path(__file__).parent.parent


def read_document(path: str) -> str:
    """The text of a document; `path` is relative to the project's root."""
    return (ROOT / path).read_text()


def code_blocks(document: str, language: str) -> list[str]:
    """The code blocks of a document in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", document, re.MULTILINE | re.DOTALL)


def run_shell(script: str, server: ServerProcess) -> "subprocess.CompletedProcess[str]":
    """Run shell lines in the server's home folder; `sixpence` is this environment's."""
    environment = {**server.environment, "PATH": f"{Path(sys.executable).parent}:{server.environment['PATH']}"}
    return run_lines(script, server.home, environment)


def run_lines(script: str, folder: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run shell lines in a folder; the first one that fails ends them."""
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
