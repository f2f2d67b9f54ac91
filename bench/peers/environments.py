"""The environments of the peers: one each, with the versions and hashes of its lock file, made at first use and stored.

A lock is resolved from the `.in` file beside it by `uv pip compile --universal --generate-hashes --no-emit-index-url`.
"""

import subprocess
import sys
from pathlib import Path

from bench.cache import CACHE

_LOCKS = Path(__file__).parent


def python_of(peer: str) -> str:
    """Return the Python of the peer's environment; make the environment if it is missing or its lock has changed."""
    lock = (_LOCKS / f"{peer}.txt").read_bytes()
    folder = CACHE / "peers" / peer
    python, stamp = folder / "bin" / "python", folder / "lock.txt"
    if not python.exists() or not stamp.exists() or stamp.read_bytes() != lock:
        print(f"Making the environment of {peer}, once", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
        install += ["--root-user-action=ignore", "--require-hashes", "--requirement", str(_LOCKS / f"{peer}.txt")]
        subprocess.run(install, check=True)
        # Last, so that an interrupted installation does not look like a finished one.
        stamp.write_bytes(lock)
    return str(python)


def program_of(peer: str, module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this folder, or of the peer's environment, with the peer's Python."""
    return [python_of(peer), "-m", module, *arguments]


def run(command: list[str], environment: dict[str, str]) -> str:
    """Return a program's output; raises RuntimeError with its errors when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
