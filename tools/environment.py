"""Brings the project's virtual environment up to date, or leaves it alone when it already is.

Lives here: which Python is accepted, when the environment is created again, and the two installation steps.
Not here: what is installed (the locks in requirements/) and what is then run (the Makefile).

    python3 tools/environment.py demo      what the studio needs
    python3 tools/environment.py dev       that, and everything for tests and checks

It runs before anything is installed, with a Python that may be too old: standard library only, and no syntax newer than
the message that says so.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path(".venv")
STAMP = ENVIRONMENT / "sixpence.json"
OLDEST_PYTHON = (3, 11)
# Each stage holds all of the stages before it, at the same versions.
STAGES = ("demo", "dev")


def main(arguments: list[str]) -> int:
    """Bring `.venv` in the current folder to the named stage; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in STAGES:
        print("usage: environment.py {" + ",".join(STAGES) + "}", file=sys.stderr)
        return 2
    problem = find_problem(os.environ.get("PYTHON", "python3"), sys.version_info[:3])
    if problem:
        print(problem, file=sys.stderr)
        return 1
    stage = arguments[0]
    # Two `make`s at once: the second waits for the first, then finds everything done.
    with Path("pyproject.toml").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            bring_up_to_date(stage)
        except subprocess.CalledProcessError as failure:
            print("Setting up .venv failed, see above. The same command tries again.", file=sys.stderr)
            return failure.returncode or 1
    return 0


def find_problem(name: str, version: tuple[int, ...]) -> str | None:
    """Return why the Python of this name and version cannot be used, or None."""
    if version[:2] < OLDEST_PYTHON:
        return "Sixpence needs Python %d.%d or later, and %s is %s. Name a newer one: make PYTHON=python3.11 demo" % (
            OLDEST_PYTHON[0],
            OLDEST_PYTHON[1],
            name,
            ".".join(str(part) for part in version),
        )
    try:
        import ensurepip  # noqa: F401 - Debian ships Python without these two
        import venv  # noqa: F401
    except ImportError as missing:
        return "Sixpence needs Python's venv, and %s lacks %s. On Debian and Ubuntu: apt-get install python3-venv" % (
            name,
            missing.name,
        )
    return None


def bring_up_to_date(stage: str) -> None:
    """Create the environment if it is missing or does not fit, and install what has changed."""
    before = read_stamp()
    # Scripts and the editable install hold the folder's name, so a moved or copied folder starts afresh.
    place = {"folder": str(Path.cwd()), "python": "%d.%d" % sys.version_info[:2]}
    if {key: before.get(key) for key in place} != place or not (ENVIRONMENT / "bin" / "python").exists():
        print("Making .venv", flush=True)
        before = {}
        STAMP.unlink(missing_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
    project = digest_of(Path("pyproject.toml"))
    enough = [(later, digest_of(lock_of(later))) for later in STAGES[STAGES.index(stage) :]]
    installed = (before.get("stage"), before.get("lock"))
    if installed in enough and before.get("project") == project:
        return
    # An interrupted installation must not look like a finished one.
    STAMP.unlink(missing_ok=True)
    if installed not in enough:
        installed = enough[0]
        print("Installing %s (the first time, about a minute)" % lock_of(stage), flush=True)
        pip("--require-hashes", "--requirement", str(lock_of(stage)))
    pip("--no-deps", "--no-build-isolation", "--editable", ".")
    after = dict(place, stage=installed[0], lock=installed[1], project=project)
    STAMP.write_text(json.dumps(after, indent=2) + "\n")


def pip(*arguments: str) -> None:
    """Installs with the environment's own pip, which says nothing unless it fails."""
    command = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run(command + ["--no-input", "--root-user-action=ignore"] + list(arguments), check=True)


def read_stamp() -> dict[str, str]:
    """Gives what was installed the last time, or nothing when that is not known."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def lock_of(stage: str) -> Path:
    """Gives the lock file of a stage."""
    return Path("requirements") / (stage + ".txt")


def digest_of(file: Path) -> str:
    """Gives the SHA-256 of a file's content, so that a fresh checkout's dates do not matter."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
