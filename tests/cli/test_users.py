"""`sixpence user create`: through a server, without one, and on PostgreSQL."""

import httpx

from tests.support.server import ServerProcess


def test_user_create_opens_account(installation: ServerProcess) -> None:
    """A new user has the signup credits."""
    made = installation.run("user", "create", "--email", "ada@example.com", "--password", "correct horse")

    account_id = made.stdout.split()[-1].rstrip(".")
    shown = installation.run("account", "show", account_id).stdout
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == f"Created the user ada@example.com, with the account {account_id}.\n"
    assert "remaining    6" in shown


def test_user_create_reads_password_from_stdin(installation: ServerProcess) -> None:
    """One line is read from stdin, and not printed."""
    made = installation.run("user", "create", "--email", "grace@example.com", "--operator", typed="battery staple\n")

    assert made.returncode == 0
    assert made.stdout.startswith("Created the operator grace@example.com")
    assert "battery" not in made.stdout + made.stderr


def test_user_create_reads_password_from_environment(idle: ServerProcess) -> None:
    """SIXPENCE_PASSWORD keeps the password off the command line, which others can read."""
    idle.environment["SIXPENCE_PASSWORD"] = "battery staple"

    made = idle.run("user", "create", "--email", "grace@example.com")

    assert (made.returncode, made.stderr) == (0, "")


def test_user_create_refuses_missing_password(installation: ServerProcess) -> None:
    """Without a terminal there is no prompt, and no user is created."""
    done = installation.run("user", "create", "--email", "nobody@example.com")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("password: missing.")


def test_user_create_refuses_taken_email(installation: ServerProcess) -> None:
    """One e-mail has one user."""
    arguments = ("user", "create", "--email", "twice@example.com", "--password", "correct horse")
    installation.run(*arguments)

    done = installation.run(*arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "User already exists. Use another email.\n"


def test_created_user_signs_in_at_server(server: ServerProcess) -> None:
    """A user created through the server can sign in there."""
    server.run("user", "create", "--email", "ada@example.com", "--name", "Ada", "--password", "correct horse")

    answer = httpx.post(
        f"{server.url}/api/auth/sign-in/email",
        json={"email": "ada@example.com", "password": "correct horse"},
        headers={"Origin": server.url},
    )

    assert (answer.status_code, answer.json()["user"]["name"]) == (200, "Ada")
