"""`sixpence user create`: through a server, without one, and on PostgreSQL."""

import httpx

from tests.support.server import ServerProcess


def test_a_user_gets_an_account(installation: ServerProcess) -> None:
    """A user made here has the signup credits that everybody gets."""
    made = installation.run("user", "create", "--email", "ada@example.com", "--password", "correct horse")

    account_id = made.stdout.split()[-1].rstrip(".")
    shown = installation.run("account", "show", account_id).stdout
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == f"Made the user ada@example.com, whose account is {account_id}.\n"
    assert "remaining    6" in shown


def test_a_password_may_come_from_stdin(installation: ServerProcess) -> None:
    """What is piped in is read as one line, and not shown."""
    made = installation.run("user", "create", "--email", "grace@example.com", "--operator", typed="battery staple\n")

    assert made.returncode == 0
    assert made.stdout.startswith("Made the operator grace@example.com")
    assert "battery" not in made.stdout + made.stderr


def test_a_password_may_come_from_the_environment(idle: ServerProcess) -> None:
    """SIXPENCE_PASSWORD spares the command line, which others can read."""
    idle.environment["SIXPENCE_PASSWORD"] = "battery staple"

    made = idle.run("user", "create", "--email", "grace@example.com")

    assert (made.returncode, made.stderr) == (0, "")


def test_no_password_is_refused(installation: ServerProcess) -> None:
    """Without a terminal nobody is asked, and nobody is made."""
    done = installation.run("user", "create", "--email", "nobody@example.com")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("password: none was given.")


def test_a_taken_email_is_refused(installation: ServerProcess) -> None:
    """One e-mail, one user."""
    arguments = ("user", "create", "--email", "twice@example.com", "--password", "correct horse")
    installation.run(*arguments)

    done = installation.run(*arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "User already exists. Use another email.\n"


def test_a_user_signs_in_at_the_server(server: ServerProcess) -> None:
    """Who was made through the server can sign in there."""
    server.run("user", "create", "--email", "ada@example.com", "--name", "Ada", "--password", "correct horse")

    answer = httpx.post(
        f"{server.url}/api/auth/sign-in/email",
        json={"email": "ada@example.com", "password": "correct horse"},
        headers={"Origin": server.url},
    )

    assert (answer.status_code, answer.json()["user"]["name"]) == (200, "Ada")
