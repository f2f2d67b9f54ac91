"""`sixpence verify`: clean ledgers, changed ones, and databases that cannot be verified."""

import json
import sqlite3
import time
from pathlib import Path

import msgspec
import psycopg

from sixpence.core.account.chain import row_hash
from sixpence.core.account.transaction import FIRST_HEAD
from sixpence.core.values.instant import SECOND
from sixpence.ledger.database.engines import parse_database_url, reading_engine
from sixpence.ledger.database.rows import transaction_from_row
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.verify.resume import ResumePoint
from sixpence.ledger.verify.verify import verify
from sixpence.service.blocking import SyncCreditService
from tests.support.server import ServerProcess, environment_for


def create_account(installation: ServerProcess) -> str:
    """Create a user, and return the id of the account."""
    made = installation.run("user", "create", "--email", "ada@example.com", "--password", "correct horse")
    return made.stdout.split()[-1].rstrip(".")


def test_verify_clean_ledger_of_running_server(server: ServerProcess) -> None:
    """The counts are printed, and the status is 0."""
    account_id = create_account(server)
    server.run("account", "grant", account_id, "10", "--reason", "an outage")

    done = server.run("verify")

    assert (done.returncode, done.stdout, done.stderr) == (0, "1 accounts, 2 transactions: no difference\n", "")


def test_verify_clean_ledger_after_server_was_killed(server: ServerProcess) -> None:
    """The files of a killed server are read as they are."""
    create_account(server)
    server.kill()

    done = server.run("verify")

    assert (done.returncode, done.stdout) == (0, "1 accounts, 1 transactions: no difference\n")


def test_verify_finds_changed_balance(idle: ServerProcess) -> None:
    """The message names the account, and the status is 1."""
    account_id = create_account(idle)
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE credit_accounts SET credits_remaining = 600")

    done = idle.run("verify")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"account '{account_id}': remaining is 600, its ledger says 6\n1 accounts, 1 transactions: 1 difference\n"
    )


def test_verify_finds_changed_row(idle: ServerProcess) -> None:
    """A row with a wrong hash is reported with its account."""
    account_id = create_account(idle)
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE credit_transactions SET amount = 7, balance_after = 7, total_after = 7")

    done = idle.run("verify")

    assert done.returncode == 1
    assert done.stderr.startswith(f"account '{account_id}': ")


def test_verify_decide_finds_consistent_forgery(idle: ServerProcess) -> None:
    """Row, hash and balance were rewritten consistently, but the rules decide another row."""
    account_id = create_account(idle)
    with sqlite3.connect(idle.home / "credits.db") as connection:
        row = transaction_from_row(connection.execute("SELECT * FROM credit_transactions").fetchone())
        generous = msgspec.structs.replace(
            row,
            amount=600,
            balance_after=600,
            total_after=600,
            detail=row.detail.replace('"amount":6,', '"amount":600,'),
            allocations=row.allocations.replace(",6]", ",600]"),
        )
        head = row_hash(FIRST_HEAD, generous)
        connection.execute(
            "UPDATE credit_transactions SET amount = 600, balance_after = 600, total_after = 600,"
            " detail = ?, allocations = ?, hash = ?",
            (generous.detail, generous.allocations, head),
        )
        connection.execute(
            "UPDATE credit_accounts SET credits_remaining = 600, credits_total = 600, head = ?,"
            """ live = replace(replace(live, '"amount":6,', '"amount":600,'), '"remaining":6,', '"remaining":600,')""",
            (head,),
        )

    folded = idle.run("verify")
    decided = idle.run("verify", "--decide")

    assert (folded.returncode, folded.stderr) == (0, "")
    assert decided.returncode == 1
    assert f"transaction 1 of '{account_id}' (signup) is not what the rules say: amount is 600, not 6" in decided.stderr


def test_verify_decide_clean_ledger(server: ServerProcess) -> None:
    """The rules decide the same rows again, and the status is 0."""
    account_id = create_account(server)
    server.run("account", "grant", account_id, "10", "--reason", "an outage")

    done = server.run("verify", "--decide")

    assert (done.returncode, done.stdout) == (0, "1 accounts, 2 transactions: no difference\n")


def test_verify_counts_erased_metadata(idle: ServerProcess) -> None:
    """It is part of the summary, and no difference."""
    database = idle.home / "credits.db"
    with SyncCreditService(f"sqlite:///{database}") as service:
        service.initialize_user_credits("ada@example.com", metadata={"name": "Ada"})
        service.consume_credit("ada@example.com", "video")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE credit_transactions SET metadata = NULL")

    done = idle.run("verify")

    line = "1 accounts, 2 transactions, 1 of them with erased metadata: no difference\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, line, "")


def test_verify_notes_account_ahead_of_clock(idle: ServerProcess) -> None:
    """The status stays 0."""
    ahead = Ledger(f"sqlite:///{idle.home / 'credits.db'}", clock=lambda: time.time_ns() // 1_000 + 3_600 * SECOND)
    with SyncCreditService(ahead) as service:
        service.initialize_user_credits("ada@example.com")

    done = idle.run("verify")

    assert (done.returncode, done.stdout) == (0, "1 accounts, 1 transactions: no difference\n")
    assert done.stderr.startswith("note: account 'ada@example.com': its last transaction, of ")


def test_verify_finds_changed_balance_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """As on SQLite."""
    installation = ServerProcess(tmp_path, environment_for(tmp_path, postgres_url), workers=1)
    installation.run("db", "upgrade")
    account_id = create_account(installation)
    clean = installation.run("verify")
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE credit_accounts SET credits_remaining = 600")

    done = installation.run("verify")

    assert (clean.returncode, clean.stdout) == (0, "1 accounts, 1 transactions: no difference\n")
    assert done.returncode == 1
    assert done.stderr.startswith(f"account '{account_id}': remaining is 600, its ledger says 6\n")


def test_verify_refuses_missing_file(idle: ServerProcess) -> None:
    """And creates none."""
    done = idle.run("verify")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"database: the file {idle.home / 'credits.db'} does not exist. "
        "Name one with --database or SIXPENCE_DATABASE_URL.\n"
    )
    assert list(idle.home.iterdir()) == []


def test_verify_refuses_database_without_schema(tmp_path: Path, postgres_url: str) -> None:
    """A database without the schema is not a clean ledger."""
    installation = ServerProcess(tmp_path, environment_for(tmp_path, postgres_url), workers=1)

    done = installation.run("verify")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"database: {postgres_url} is at step none, not at 0004. Run: sixpence db upgrade.\n"


def test_verify_as_json(idle: ServerProcess) -> None:
    """One document on stdout, with and without differences."""
    account_id = create_account(idle)
    clean = idle.run("verify", "--json")
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE credit_accounts SET credits_remaining = 600")

    done = idle.run("verify", "--json")

    counts = {"accounts": 1, "transactions": 1, "erased": 0, "checkpoints": {"kept": 0, "compared": 0}}
    difference = f"account '{account_id}': remaining is 600, its ledger says 6"
    assert (clean.returncode, clean.stderr, done.returncode, done.stderr) == (0, "", 1, "")
    assert json.loads(clean.stdout) == {"clean": True, **counts, "differences": [], "notes": []}
    assert json.loads(done.stdout) == {"clean": False, **counts, "differences": [difference], "notes": []}


def test_verify_resumes_and_notes_it(idle: ServerProcess) -> None:
    """The run continues after the saved progress, and removes the file at the end."""
    create_two_accounts(idle)
    file = idle.home / "so far.json"
    file.write_bytes(msgspec.json.encode(progress_after_one_account(idle)))

    done = idle.run("verify", "--resume", "so far.json")

    assert (done.returncode, done.stdout) == (0, "2 accounts, 2 transactions: no difference\n")
    assert done.stderr.startswith("note: 1 accounts with 1 transactions were verified by 20")
    assert not file.exists()


def test_verify_removes_resume_file_at_end(idle: ServerProcess) -> None:
    """Also after differences."""
    create_account(idle)
    clean = idle.run("verify", "--resume", "kept.json")
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE credit_accounts SET credits_remaining = 600")

    differs = idle.run("verify", "--resume", "kept.json")

    assert (clean.returncode, differs.returncode) == (0, 1)
    assert [path.name for path in idle.home.glob("kept*")] == []


def test_verify_resume_refuses_foreign_file(idle: ServerProcess) -> None:
    """A mistyped file name overwrites nothing."""
    create_account(idle)
    for text in ("a letter to a friend", '{"format": 3}', "[]", '{"x":' + "[" * 100_000):
        (idle.home / "letter").write_text(text)

        done = idle.run("verify", "--resume", "letter")

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("--resume: letter was not written by sixpence verify (")
        assert (idle.home / "letter").read_text() == text


def test_verify_resume_refuses_missing_folder(idle: ServerProcess) -> None:
    """At once, not when there is progress to save."""
    create_account(idle)

    done = idle.run("verify", "--resume", "nowhere/kept.json")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--resume: the folder of nowhere/kept.json does not exist. Create it, or name another file.\n"


def test_verify_resume_refuses_progress_of_another_ledger(idle: ServerProcess) -> None:
    """The file stays, and the status is 2."""
    create_two_accounts(idle)
    kept = msgspec.structs.replace(progress_after_one_account(idle), catalog="another")
    (idle.home / "kept.json").write_bytes(msgspec.json.encode(kept))

    done = idle.run("verify", "--resume", "kept.json")

    assert (done.returncode, done.stdout) == (2, "")
    assert "another ledger, which began with another catalog" in done.stderr
    assert (idle.home / "kept.json").exists()


def create_two_accounts(installation: ServerProcess) -> None:
    """Create a ledger with two accounts."""
    with SyncCreditService(f"sqlite:///{installation.home / 'credits.db'}") as service:
        for name in ("ada@example.com", "bob@example.com"):
            service.initialize_user_credits(name)


def progress_after_one_account(installation: ServerProcess) -> ResumePoint:
    """The progress that a run saves after the first account."""
    kept: list[ResumePoint] = []
    engine = reading_engine(parse_database_url(f"sqlite:///{installation.home / 'credits.db'}"))
    with engine.connect() as connection:
        verify(connection, save=kept.append, save_interval_seconds=0)
    engine.dispose()
    return kept[0]
