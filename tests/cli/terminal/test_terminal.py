"""What only a person at a terminal meets: a password that is asked for, tables, a progress bar."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.ledger.long_ledger import write_long_accounts
from tests.support.server import SIXPENCE, ServerProcess

# What is to be typed once something is shown.
Answers = tuple[tuple[str | re.Pattern[str], str], ...]
# Gives the command a terminal of its own; what is written to this process is typed there.
ON_A_TERMINAL = (
    sys.executable,
    "-c",
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
)


def typed(installation: ServerProcess, *arguments: str, answers: Answers = ()) -> tuple[int, str]:
    """Runs a command on a terminal, answers each prompt once it is shown, and gives the status and what was shown."""
    with subprocess.Popen(
        [*ON_A_TERMINAL, *SIXPENCE, *arguments],
        cwd=installation.home,
        env={**installation.environment, "TERM": "xterm", "COLUMNS": "200"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        shown = ""
        seen = 0
        for prompt, answer in answers:
            shows = re.compile(re.escape(prompt)) if isinstance(prompt, str) else prompt
            while not shows.search(shown[seen:]):
                part = os.read(process.stdout.fileno(), 4096)
                assert part, shown
                shown += part.decode()
            seen = len(shown)
            process.stdin.write(f"{answer}\n".encode())
            process.stdin.flush()
        while part := os.read(process.stdout.fileno(), 4096):
            shown += part.decode()
        return process.wait(60), shown


def test_a_password_is_asked_for_twice_and_not_shown(idle: ServerProcess) -> None:
    """What is typed does not appear on the screen."""
    answers = (("Password", "correct horse"), ("The same again", "correct horse"))

    status, shown = typed(idle, "user", "create", "--email", "ada@example.com", answers=answers)

    assert status == 0
    assert "Made the user ada@example.com" in shown
    assert "correct horse" not in shown


def test_two_different_passwords_are_asked_for_again(idle: ServerProcess) -> None:
    """A slip of the finger makes no user with a password that nobody knows."""
    answers = (
        ("Password", "correct horse"),
        ("The same again", "correct hrose"),
        ("Password", "correct horse"),
        ("The same again", "correct horse"),
    )

    status, shown = typed(idle, "user", "create", "--email", "ada@example.com", answers=answers)

    assert status == 0
    assert "do not match" in shown


def test_a_person_gets_a_drawn_table(idle: ServerProcess) -> None:
    """On a terminal rows are drawn; a name in brackets is a name and not a colour."""
    idle.run("key", "create", "--name", "[red]web[/red]")

    status, shown = typed(idle, "key", "list")

    assert status == 0
    assert "[red]web[/red]" in shown
    assert "━" in shown or "─" in shown


def test_a_person_sees_progress(idle: ServerProcess) -> None:
    """Verifying shows a bar, and then what was found."""
    idle.run("user", "create", "--email", "ada@example.com", "--password", "correct horse")

    status, shown = typed(idle, "verify")

    assert status == 0
    assert "Verifying" in shown
    assert shown.rstrip().endswith("1 accounts, 1 transactions: no difference")


def test_a_person_who_stops_a_proof_can_go_on(idle: ServerProcess) -> None:
    """The bar has a rate and the time left; Ctrl-C keeps what was proved, says how to go on, and ends with 2."""
    names = [f"user-{number}@example.com" for number in range(10)]
    write_long_accounts(f"sqlite:///{idle.home / 'credits.db'}", names, 6_000)

    status, shown = typed(
        idle, "verify", "--resume", "so far.json", answers=((re.compile(r"[\d,]+ transactions a second"), "\x03"),)
    )
    kept = (idle.home / "so far.json").exists()
    went_on = idle.run("verify", "--resume", "so far.json")

    assert (status, kept) == (2, True)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert re.search(r"\d+% [\d,]+ transactions a second \d:\d\d:\d\d", plain) is not None
    assert "Stopped before the end. Go on with: " in shown
    assert " verify --resume 'so far.json'" in shown
    assert (went_on.returncode, went_on.stdout) == (0, "10 accounts, 60000 transactions: no difference\n")
    assert re.match(r"note: \d accounts with \d+000 transactions were verified by 20", went_on.stderr) is not None
    assert not (idle.home / "so far.json").exists()


def test_a_folder_with_a_space(idle: ServerProcess, tmp_path: Path) -> None:
    """A path with a space in it is as good as any other."""
    idle.environment["SIXPENCE_HOME"] = str(tmp_path / "my credits")

    made = idle.run("key", "create")

    assert made.returncode == 0
    assert (tmp_path / "my credits" / "credits.db").exists()


def test_a_catalog_is_applied_only_when_one_says_so(idle: ServerProcess) -> None:
    """What changes is shown, then asked; a no leaves the catalog as it is, a yes and --yes apply it."""
    idle.run("catalog", "show")
    (idle.home / "sixpence.toml").write_text("[features.film]\n[plans.free]\n")
    command = ("catalog", "apply", "sixpence.toml")

    refused, asked = typed(idle, *command, answers=(("Put it in force?", "n"),))
    accepted, _ = typed(idle, *command, answers=(("Put it in force?", "y"),))
    (idle.home / "sixpence.toml").write_text("[features.sketch]\n[plans.free]\n")
    unasked, shown = typed(idle, *command, "--yes")

    assert (refused, accepted, unasked) == (1, 0, 0)
    assert "- feature film is new: a call costs 1" in asked
    assert "Nothing was changed." in asked
    assert "Put it in force?" not in shown
    assert "is in force as version 3; before it was 2." in shown
