"""`sixpence demo`: the studio, and who can sign in to it after each start."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import ServerProcess, environment_for

WITHOUT_NUMPY = (
    "import sys; sys.modules['numpy'] = None; from sixpence.cli import main; sys.argv = ['sixpence', 'demo']"
)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[ServerProcess]:
    """A running demo."""
    server = ServerProcess(tmp_path, environment_for(tmp_path, None), workers=1, command="demo")
    server.start()
    try:
        yield server
    finally:
        server.kill()


def passwords(server: ServerProcess) -> dict[str, str]:
    """The passwords by e-mail, as the last start printed them."""
    last = server.log[server.log.rindex("Sixpence ") :]
    return dict(re.findall(r"(\S+@example\.com)  password: (\S+)", last))


def sign_in(server: ServerProcess, email: str, password: str) -> httpx.Response:
    """Sign in, and return the response."""
    return httpx.post(
        f"{server.url}/api/auth/sign-in/email",
        json={"email": email, "password": password},
        headers={"Origin": server.url},
    )


def test_demo_prints_passwords_of_customer_and_operator(studio: ServerProcess) -> None:
    """Both printed passwords sign in at the printed address; one of the two users is an operator."""
    printed = passwords(studio)

    answers = {email: sign_in(studio, email, password) for email, password in printed.items()}

    page = httpx.get(re.findall(r"studio +(\S+)", studio.log)[0])
    users = {email: (answer.status_code, answer.json()["user"]["role"]) for email, answer in answers.items()}
    assert users == {"ada@example.com": (200, "user"), "grace@example.com": (200, "admin")}
    assert (page.status_code, page.text[:15].lower()) == (200, "<!doctype html>")


def test_demo_restart_replaces_passwords_and_sessions(studio: ServerProcess) -> None:
    """A restart keeps the people and their credits; earlier passwords and sessions are invalid."""
    before = passwords(studio)["ada@example.com"]
    first = sign_in(studio, "ada@example.com", before)

    studio.restart()

    after = passwords(studio)["ada@example.com"]
    again = sign_in(studio, "ada@example.com", after)
    session = httpx.get(f"{studio.url}/api/auth/get-session", cookies=dict(first.cookies))
    assert before != after
    assert sign_in(studio, "ada@example.com", before).status_code == 401
    assert again.json()["user"]["id"] == first.json()["user"]["id"]
    assert session.json() is None


def test_demo_restart_clears_sign_in_lock(studio: ServerProcess) -> None:
    """After too many tries with an old password, the next start's password signs in."""
    tries = [sign_in(studio, "ada@example.com", "of-the-last-start").status_code for _ in range(6)]

    studio.restart()

    answer = sign_in(studio, "ada@example.com", passwords(studio)["ada@example.com"])
    assert tries == [401] * 5 + [429]
    assert answer.status_code == 200


def test_demo_ignores_database_of_environment(tmp_path: Path) -> None:
    """The demo prints an operator's password, so it never uses the database in the environment."""
    elsewhere = tmp_path / "elsewhere.db"
    environment = environment_for(tmp_path, f"sqlite:///{elsewhere}")
    server = ServerProcess(tmp_path, environment, workers=1, command="demo")

    server.start()
    server.kill()

    assert not elsewhere.exists()
    assert (tmp_path / "credits.db").exists()


def test_demo_reports_missing_packages(tmp_path: Path) -> None:
    """Without the packages of the extra `demo` it names them and the remedy, and creates nothing."""
    done = subprocess.run(
        [sys.executable, "-c", f"{WITHOUT_NUMPY}; main()"],
        cwd=tmp_path,
        env=environment_for(tmp_path, None),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The demo needs numpy. Install sixpence[demo].\n"
    assert list(tmp_path.iterdir()) == []
