"""Behaviour on a terminal only: prompts, drawn tables, the progress bar."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.ledger.long_ledger import write_long_accounts
from tests.support.server import SIXPENCE, ServerProcess

# The text to type after each prompt.
Answers = tuple[tuple[str | re.Pattern[str], str], ...]
# Runs the command on its own terminal; input to this process is typed there.
ON_A_TERMINAL = (
    sys.executable,
    "-c",
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
)


def run_on_terminal(installation: ServerProcess, *arguments: str, answers: Answers = ()) -> tuple[int, str]:
    """Run a command on a terminal, answer each prompt when it appears, and return the status and the output."""
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


def test_password_prompt_repeats_and_hides(idle: ServerProcess) -> None:
    """The typed password does not appear on the screen."""
    answers = (("Password", "correct horse"), ("Repeat the password", "correct horse"))

    status, shown = run_on_terminal(idle, "user", "create", "--email", "ada@example.com", answers=answers)

    assert status == 0
    assert "Created the user ada@example.com" in shown
    assert "correct horse" not in shown


def test_password_prompt_asks_again_after_mismatch(idle: ServerProcess) -> None:
    """A typing error creates no user with an unknown password."""
    answers = (
        ("Password", "correct horse"),
        ("Repeat the password", "correct hrose"),
        ("Password", "correct horse"),
        ("Repeat the password", "correct horse"),
    )

    status, shown = run_on_terminal(idle, "user", "create", "--email", "ada@example.com", answers=answers)

    assert status == 0
    assert "do not match" in shown


def test_table_is_drawn_on_terminal(idle: ServerProcess) -> None:
    """Rows are drawn on a terminal; brackets in a name are no markup."""
    idle.run("key", "create", "--name", "[red]web[/red]")

    status, shown = run_on_terminal(idle, "key", "list")

    assert status == 0
    assert "[red]web[/red]" in shown
    assert "━" in shown or "─" in shown


def test_verify_shows_progress_on_terminal(idle: ServerProcess) -> None:
    """Verify draws a bar, and then prints the result."""
    idle.run("user", "create", "--email", "ada@example.com", "--password", "correct horse")

    status, shown = run_on_terminal(idle, "verify")

    assert status == 0
    assert "Verifying" in shown
    assert shown.rstrip().endswith("1 accounts, 1 transactions: no difference")


def test_verify_stopped_by_ctrl_c_can_be_resumed(idle: ServerProcess) -> None:
    """The bar has rate and time left; Ctrl-C saves the progress, prints how to resume, and ends with 2."""
    names = [f"user-{number}@example.com" for number in range(10)]
    write_long_accounts(f"sqlite:///{idle.home / 'credits.db'}", names, 6_000)

    status, shown = run_on_terminal(
        idle, "verify", "--resume", "so far.json", answers=((re.compile(r"[\d,]+ transactions a second"), "\x03"),)
    )
    saved = (idle.home / "so far.json").exists()
    resumed = idle.run("verify", "--resume", "so far.json")

    assert (status, saved) == (2, True)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert re.search(r"\d+% [\d,]+ transactions a second \d:\d\d:\d\d", plain) is not None
    assert "Stopped before the end. Resume with: " in shown
    assert " verify --resume 'so far.json'" in shown
    assert (resumed.returncode, resumed.stdout) == (0, "10 accounts, 60000 transactions: no difference\n")
    assert re.match(r"note: \d accounts with \d+000 transactions were verified by 20", resumed.stderr) is not None
    assert not (idle.home / "so far.json").exists()


def test_home_folder_with_space(idle: ServerProcess, tmp_path: Path) -> None:
    """A path with a space works like any other."""
    idle.environment["SIXPENCE_HOME"] = str(tmp_path / "my credits")

    made = idle.run("key", "create")

    assert made.returncode == 0
    assert (tmp_path / "my credits" / "credits.db").exists()


def test_catalog_apply_asks_for_confirmation(idle: ServerProcess) -> None:
    """The changes are printed first; "no" keeps the catalog, "yes" and --yes apply the file."""
    idle.run("catalog", "show")
    (idle.home / "sixpence.toml").write_text("[features.film]\n[plans.free]\n")
    command = ("catalog", "apply", "sixpence.toml")

    refused, prompted = run_on_terminal(idle, *command, answers=(("Put it in force?", "n"),))
    accepted, _ = run_on_terminal(idle, *command, answers=(("Put it in force?", "y"),))
    (idle.home / "sixpence.toml").write_text("[features.sketch]\n[plans.free]\n")
    confirmed, shown = run_on_terminal(idle, *command, "--yes")

    assert (refused, accepted, confirmed) == (1, 0, 0)
    assert "- feature film is new: a call costs 1" in prompted
    assert "Nothing was changed." in prompted
    assert "Put it in force?" not in shown
    assert "is in force as version 3; before it was 2." in shown
