"""`sixpence checkpoint`, and `sixpence verify` with files that were kept elsewhere and with statements."""

import json
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from sixpence.core.proof.checkpoint import HEAD_BYTES
from sixpence.ledger.checkpoints.signing import SigningKey
from tests.support.server import ServerProcess

ADA = "ada@example.com"


def use(installation: ServerProcess, times: int = 1) -> str:
    """Gives an account, made if need be, so many grants, and returns its id."""
    shown = installation.home / "account"
    if not shown.exists():
        made = installation.run("user", "create", "--email", ADA, "--password", "correct horse")
        shown.write_text(made.stdout.split()[-1].rstrip("."))
    for _ in range(times):
        assert installation.run("account", "grant", shown.read_text(), "1", "--reason", "an outage").returncode == 0
    return shown.read_text()


def test_a_checkpoint_is_printed_and_written(installation: ServerProcess) -> None:
    """The same document on stdout and in the file's first line; below it the heads; the ledger agrees with it."""
    use(installation)
    file = installation.home / "monday.checkpoint"

    made = installation.run("checkpoint", "--out", str(file))

    document = json.loads(made.stdout)
    first, heads = file.read_bytes().splitlines()
    assert (made.returncode, json.loads(first)) == (0, document)
    assert made.stderr == f"Written to {file}. Keep it where nobody who can write to the database can.\n"
    assert (document["number"], document["accounts"], len(heads)) == (1, 1, HEAD_BYTES * 4 // 3)
    shown = installation.run("checkpoint", "show")
    key = installation.run("checkpoint", "key")
    assert (json.loads(shown.stdout), key.stdout) == (document, f"{document['public_key']}\n")
    verified = installation.run("verify", "--checkpoint", str(file), "--public-key", document["public_key"])
    assert (verified.returncode, verified.stdout, verified.stderr) == (
        0,
        "1 accounts, 2 transactions: no difference\n",
        "",
    )


def test_the_key_is_kept_for_its_owner_alone(idle: ServerProcess) -> None:
    """It is made when it is first needed; another one that is set signs in its place."""
    first = idle.run("checkpoint", "key").stdout

    kept = idle.home / "signing_key"
    assert (first, stat.S_IMODE(kept.stat().st_mode)) == (f"{SigningKey(kept.read_text()).public_key}\n", 0o600)
    idle.environment["SIXPENCE_SIGNING_KEY"] = "ab" * 32
    assert idle.run("checkpoint", "key").stdout == f"{SigningKey('ab' * 32).public_key}\n"


def test_a_file_that_is_there_is_not_overwritten(idle: ServerProcess) -> None:
    """Nothing is signed then, either."""
    file = idle.home / "monday.checkpoint"
    file.write_text("kept")

    refused = idle.run("checkpoint", "--out", str(file))

    assert (refused.returncode, refused.stdout, file.read_text()) == (1, "", "kept")
    assert refused.stderr == f"--out: {file} is there already. Name a file that is not.\n"
    assert idle.run("checkpoint", "show").stderr == "There is no checkpoint yet. Make one: sixpence checkpoint.\n"


def test_what_cannot_be_written_is_not_signed(idle: ServerProcess) -> None:
    """A folder that is not there is seen before anything is signed, and nothing is left beside a file that can be."""
    file = idle.home / "none" / "monday.checkpoint"

    refused = idle.run("checkpoint", "--out", str(file))

    assert (refused.returncode, refused.stdout) == (1, "")
    problem = "cannot be written (No such file or directory). Nothing was signed."
    assert refused.stderr == f"--out: {file} {problem}\n"
    assert idle.run("checkpoint", "show").stderr == "There is no checkpoint yet. Make one: sixpence checkpoint.\n"
    file.parent.mkdir()
    assert idle.run("checkpoint", "--out", str(file)).returncode == 0
    assert list(file.parent.iterdir()) == [file]


def test_a_printed_document_hides_nothing(idle: ServerProcess) -> None:
    """What `checkpoint` prints, without the heads, does not take the place of the ledger's own comparison."""
    use(idle, 2)
    document = idle.home / "monday.json"
    document.write_text(idle.run("checkpoint").stdout)
    clean = idle.run("verify", "--json", "--checkpoint", str(document))
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("DELETE FROM checkpoint_heads")

    told = idle.run("verify", "--checkpoint", str(document))

    assert (clean.returncode, json.loads(clean.stdout)["checkpoints"]) == (0, {"kept": 1, "compared": 1})
    assert (told.returncode, "its heads, 0 of 1, are not those that were signed" in told.stderr) == (1, True)


def test_a_restored_backup_is_told(idle: ServerProcess) -> None:
    """The whole folder of Monday is put back on Wednesday: right in itself, and not what Tuesday's file says."""
    account_id = use(idle)
    idle.run("checkpoint")
    copy = idle.home / "copy.db"
    shutil.copy(idle.home / "credits.db", copy)
    use(idle, 2)
    tuesday = idle.home / "tuesday.checkpoint"
    made_at = json.loads(idle.run("checkpoint", "--out", str(tuesday)).stdout)["made_at"]
    clean = idle.run("verify", "--checkpoint", str(tuesday))
    restore(idle, copy)

    alone, told = idle.run("verify"), idle.run("verify", "--checkpoint", str(tuesday))

    assert (clean.returncode, alone.returncode) == (0, 0)
    assert (told.returncode, told.stdout) == (1, "")
    lost = f"checkpoint 2 of {made_at} covers its transactions up to 4, and they end at 2"
    assert f"{tuesday}: checkpoint 2 of {made_at} is not in the ledger: an older copy was restored" in told.stderr
    assert f"{tuesday}: account '{account_id}': {lost}: the newest were removed, or an older copy of " in told.stderr
    assert told.stderr.endswith("1 accounts, 2 transactions: 2 differences\n")


def test_a_lost_tail_is_told_without_a_file(idle: ServerProcess) -> None:
    """Where the checkpoints are still there, they tell."""
    use(idle, 2)
    idle.run("checkpoint")
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("DELETE FROM credit_transactions WHERE seq = 3")

    told = idle.run("verify")

    assert told.returncode == 1
    assert "and they end at 2: the newest were removed, or an older copy of the database was restored" in told.stderr


def test_another_key_is_told(idle: ServerProcess) -> None:
    """Whoever signed with a key of their own is not trusted; without a key a note says whose word is taken."""
    use(idle)
    idle.run("checkpoint")
    key = idle.run("checkpoint", "key").stdout.strip()

    trusted, noted = idle.run("verify", "--public-key", "ab" * 32), idle.run("verify")

    told = f"checkpoint 1 is signed with the public key {key}, which is not trusted"
    assert (trusted.returncode, told in trusted.stderr) == (1, True)
    assert (noted.returncode, noted.stderr.startswith("note: checkpoints are signed with")) == (0, True)


def test_what_is_no_public_key_is_refused(idle: ServerProcess) -> None:
    """It is not a key that nobody has, but a mistake."""
    refused = idle.run("verify", "--public-key", "AB" * 32)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is not 64 hexadecimal digits in lower case. Take it from: sixpence checkpoint key." in refused.stderr


@pytest.mark.parametrize("content", ["", "{}", "half of it"])
def test_a_file_that_is_no_checkpoint_is_refused(idle: ServerProcess, content: str) -> None:
    """By its name, before the ledger is looked at."""
    file = idle.home / "broken"
    file.write_text(content)

    refused = idle.run("verify", "--checkpoint", str(file))

    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{file}: cannot be read (" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_statement_proves_itself(installation: ServerProcess, tmp_path: Path) -> None:
    """Without any database; changed in one digit it is told in words."""
    account_id = use(installation)
    key = json.loads(installation.run("checkpoint").stdout)["public_key"]
    file = tmp_path / "statement.json"
    file.write_text(installation.run("account", "statement", account_id, "--json").stdout)
    elsewhere = ServerProcess(
        tmp_path, {**installation.environment, "SIXPENCE_DATABASE_URL": "sqlite:///none.db"}, workers=1
    )

    borne_out = elsewhere.run("verify", str(file), "--public-key", key)
    of_another = elsewhere.run("verify", str(file), "--public-key", "ab" * 32)
    noted = elsewhere.run("verify", str(file))
    file.write_text(file.read_text().replace('"amount": 1,', '"amount": 9,', 1))
    changed = elsewhere.run("verify", str(file))

    assert (borne_out.returncode, borne_out.stderr) == (0, "")
    assert borne_out.stdout.startswith(f"Account '{account_id}' from ")
    assert f"signed with {key}, attests all of the movements that are shown." in borne_out.stdout
    assert (noted.returncode, noted.stderr.startswith("note: the signature shows that whoever has the key")) == (
        0,
        True,
    )
    assert (of_another.returncode, changed.returncode, changed.stdout) == (1, 1, "")
    assert f"it is signed with the public key {key}, which is none of those that are trusted" in of_another.stderr
    assert changed.stderr == f"{file}: movements[1].amount is 9, its rows say 1\n"


def test_what_came_after_the_checkpoint_is_said(idle: ServerProcess) -> None:
    """From which transaction on no signature covers the statement, and that its end is nobody's word."""
    account_id = use(idle)
    idle.run("checkpoint")
    use(idle)
    file = idle.home / "statement.json"
    file.write_text(idle.run("account", "statement", account_id, "--json").stdout)

    said = idle.run("verify", str(file))

    assert said.returncode == 0
    assert "attests 2 of the movements that are shown." in said.stdout
    assert "From transaction 3 of " in said.stdout
    assert said.stdout.endswith(
        "No row after the period is signed, so that rows at its end may have been left out, or its end moved.\n"
    )


def test_a_statement_is_proved_by_itself(idle: ServerProcess) -> None:
    """What says something of a ledger is refused beside it."""
    file = idle.home / "statement.json"
    file.write_text("{}")

    refused = idle.run("verify", str(file), "--decide", "--json")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("--decide, --json: a statement is proved by itself. Leave that out, or STATEMENT.")


def test_a_statement_without_a_proof_proves_nothing(idle: ServerProcess) -> None:
    """Before the first checkpoint: that is said, with status 1."""
    account_id = use(idle)
    file = idle.home / "statement.json"
    file.write_text(idle.run("account", "statement", account_id, "--json").stdout)

    told = idle.run("verify", str(file))

    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == f"{file}: it carries no proof\n"


def restore(installation: ServerProcess, copy: Path) -> None:
    """Puts the copy back in the place of the database."""
    for suffix in ("", "-wal", "-shm"):
        (installation.home / f"credits.db{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, installation.home / "credits.db")
