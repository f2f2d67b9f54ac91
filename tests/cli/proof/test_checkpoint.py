"""`sixpence checkpoint`, and `sixpence verify` with checkpoint files and with statements."""

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


def grant_credits(installation: ServerProcess, times: int = 1) -> str:
    """Create the account if it does not exist, grant a credit `times` times, and return its id."""
    shown = installation.home / "account"
    if not shown.exists():
        made = installation.run("user", "create", "--email", ADA, "--password", "correct horse")
        shown.write_text(made.stdout.split()[-1].rstrip("."))
    for _ in range(times):
        assert installation.run("account", "grant", shown.read_text(), "1", "--reason", "an outage").returncode == 0
    return shown.read_text()


def test_checkpoint_prints_and_writes_document(installation: ServerProcess) -> None:
    """stdout and the file's first line have the document; the heads follow; the ledger agrees."""
    grant_credits(installation)
    file = installation.home / "monday.checkpoint"

    made = installation.run("checkpoint", "--out", str(file))

    document = json.loads(made.stdout)
    first, heads = file.read_bytes().splitlines()
    assert (made.returncode, json.loads(first)) == (0, document)
    assert made.stderr == f"Written to {file}. Keep it where nobody with write access to the database can change it.\n"
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


def test_signing_key_is_private(idle: ServerProcess) -> None:
    """It is created at its first use; SIXPENCE_SIGNING_KEY replaces it."""
    first = idle.run("checkpoint", "key").stdout

    kept = idle.home / "signing_key"
    assert (first, stat.S_IMODE(kept.stat().st_mode)) == (f"{SigningKey(kept.read_text()).public_key}\n", 0o600)
    idle.environment["SIXPENCE_SIGNING_KEY"] = "ab" * 32
    assert idle.run("checkpoint", "key").stdout == f"{SigningKey('ab' * 32).public_key}\n"


def test_checkpoint_out_refuses_existing_file(idle: ServerProcess) -> None:
    """And nothing is signed."""
    file = idle.home / "monday.checkpoint"
    file.write_text("kept")

    refused = idle.run("checkpoint", "--out", str(file))

    assert (refused.returncode, refused.stdout, file.read_text()) == (1, "", "kept")
    assert refused.stderr == f"--out: {file} exists already. Name a new file.\n"
    assert idle.run("checkpoint", "show").stderr == "There is no checkpoint yet. Make one: sixpence checkpoint.\n"


def test_checkpoint_out_refuses_missing_folder(idle: ServerProcess) -> None:
    """A missing folder is found before signing, and a written file has nothing beside it."""
    file = idle.home / "none" / "monday.checkpoint"

    refused = idle.run("checkpoint", "--out", str(file))

    assert (refused.returncode, refused.stdout) == (1, "")
    problem = "cannot be written (No such file or directory). Nothing was signed."
    assert refused.stderr == f"--out: {file} {problem}\n"
    assert idle.run("checkpoint", "show").stderr == "There is no checkpoint yet. Make one: sixpence checkpoint.\n"
    file.parent.mkdir()
    assert idle.run("checkpoint", "--out", str(file)).returncode == 0
    assert list(file.parent.iterdir()) == [file]


def test_verify_with_document_without_heads_still_reads_stored_heads(idle: ServerProcess) -> None:
    """The printed document has no heads, and does not replace the ledger's own."""
    grant_credits(idle, 2)
    document = idle.home / "monday.json"
    document.write_text(idle.run("checkpoint").stdout)
    clean = idle.run("verify", "--json", "--checkpoint", str(document))
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("DELETE FROM checkpoint_heads")

    differs = idle.run("verify", "--checkpoint", str(document))

    assert (clean.returncode, json.loads(clean.stdout)["checkpoints"]) == (0, {"kept": 1, "compared": 1})
    assert (differs.returncode, "its heads, 0 of 1, are not those that were signed" in differs.stderr) == (1, True)


def test_verify_finds_restored_backup(idle: ServerProcess) -> None:
    """Monday's copy is consistent, but differs from Tuesday's checkpoint file."""
    account_id = grant_credits(idle)
    idle.run("checkpoint")
    copy = idle.home / "copy.db"
    shutil.copy(idle.home / "credits.db", copy)
    grant_credits(idle, 2)
    tuesday = idle.home / "tuesday.checkpoint"
    made_at = json.loads(idle.run("checkpoint", "--out", str(tuesday)).stdout)["made_at"]
    clean = idle.run("verify", "--checkpoint", str(tuesday))
    restore(idle, copy)

    consistent, differs = idle.run("verify"), idle.run("verify", "--checkpoint", str(tuesday))

    assert (clean.returncode, consistent.returncode) == (0, 0)
    assert (differs.returncode, differs.stdout) == (1, "")
    lost = f"checkpoint 2 of {made_at} covers its transactions up to 4, and they end at 2"
    assert f"{tuesday}: checkpoint 2 of {made_at} is not in the ledger: an older copy was restored" in differs.stderr
    assert f"{tuesday}: account '{account_id}': {lost}: the newest were removed, or an older copy of " in differs.stderr
    assert differs.stderr.endswith("1 accounts, 2 transactions: 2 differences\n")


def test_verify_finds_lost_tail_without_file(idle: ServerProcess) -> None:
    """The checkpoints in the database are enough if they are intact."""
    grant_credits(idle, 2)
    idle.run("checkpoint")
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("DELETE FROM credit_transactions WHERE seq = 3")

    differs = idle.run("verify")

    assert differs.returncode == 1
    assert "and they end at 2: the newest were removed, or an older copy of the database was restored" in differs.stderr


def test_verify_refuses_untrusted_key(idle: ServerProcess) -> None:
    """Another key is a difference; without a trusted key a note names the key."""
    grant_credits(idle)
    idle.run("checkpoint")
    key = idle.run("checkpoint", "key").stdout.strip()

    trusted, noted = idle.run("verify", "--public-key", "ab" * 32), idle.run("verify")

    signed = f"checkpoint 1 is signed with the public key {key}"
    assert (trusted.returncode, signed in trusted.stderr) == (1, True)
    assert (noted.returncode, noted.stderr.startswith("note: checkpoints are signed with")) == (0, True)


def test_verify_refuses_invalid_public_key(idle: ServerProcess) -> None:
    """It is a usage error, not an untrusted key."""
    refused = idle.run("verify", "--public-key", "AB" * 32)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is not 64 lower-case hexadecimal digits. Copy it from: sixpence checkpoint key." in refused.stderr


@pytest.mark.parametrize("content", ["", "{}", "half of it"])
def test_verify_refuses_invalid_checkpoint_file(idle: ServerProcess, content: str) -> None:
    """The file is named, before the ledger is read."""
    file = idle.home / "broken"
    file.write_text(content)

    refused = idle.run("verify", "--checkpoint", str(file))

    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{file}: cannot be read (" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_verify_statement_without_database(installation: ServerProcess, tmp_path: Path) -> None:
    """One changed digit is reported."""
    account_id = grant_credits(installation)
    key = json.loads(installation.run("checkpoint").stdout)["public_key"]
    file = tmp_path / "statement.json"
    file.write_text(installation.run("account", "statement", account_id, "--json").stdout)
    elsewhere = ServerProcess(
        tmp_path, {**installation.environment, "SIXPENCE_DATABASE_URL": "sqlite:///none.db"}, workers=1
    )

    confirmed = elsewhere.run("verify", str(file), "--public-key", key)
    of_another = elsewhere.run("verify", str(file), "--public-key", "ab" * 32)
    noted = elsewhere.run("verify", str(file))
    file.write_text(file.read_text().replace('"amount": 1,', '"amount": 9,', 1))
    changed = elsewhere.run("verify", str(file))

    assert (confirmed.returncode, confirmed.stderr) == (0, "")
    assert confirmed.stdout.startswith(f"Account '{account_id}' from ")
    assert f"signed with {key}, attests all of the movements." in confirmed.stdout
    assert (noted.returncode, noted.stderr.startswith("note: the signature was made with the key ")) == (
        0,
        True,
    )
    assert (of_another.returncode, changed.returncode, changed.stdout) == (1, 1, "")
    assert f"it is signed with the public key {key}, which is not a trusted one" in of_another.stderr
    assert changed.stderr == f"{file}: movements[1].amount is 9, its rows say 1\n"


def test_verify_statement_reports_unsigned_movements(idle: ServerProcess) -> None:
    """The output has the first unsigned transaction, and that the end is not signed."""
    account_id = grant_credits(idle)
    idle.run("checkpoint")
    grant_credits(idle)
    file = idle.home / "statement.json"
    file.write_text(idle.run("account", "statement", account_id, "--json").stdout)

    done = idle.run("verify", str(file))

    assert done.returncode == 0
    assert "attests 2 of the movements." in done.stdout
    assert "The movements from transaction 3 of " in done.stdout
    assert done.stdout.endswith(
        "No row after the period is signed, so rows at its end may be missing, or its end may have been moved.\n"
    )


def test_verify_statement_refuses_ledger_options(idle: ServerProcess) -> None:
    """Options for a ledger are a usage error."""
    file = idle.home / "statement.json"
    file.write_text("{}")

    refused = idle.run("verify", str(file), "--decide", "--json")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("--decide, --json: not valid with STATEMENT, which is verified without a ledger.")


def test_verify_statement_without_proof(idle: ServerProcess) -> None:
    """Before the first checkpoint a statement has no proof: status 1."""
    account_id = grant_credits(idle)
    file = idle.home / "statement.json"
    file.write_text(idle.run("account", "statement", account_id, "--json").stdout)

    differs = idle.run("verify", str(file))

    assert (differs.returncode, differs.stdout) == (1, "")
    assert differs.stderr == f"{file}: it carries no proof\n"


def restore(installation: ServerProcess, copy: Path) -> None:
    """Put the copy in the place of the database."""
    for suffix in ("", "-wal", "-shm"):
        (installation.home / f"credits.db{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, installation.home / "credits.db")
