"""`sixpence verify`: a clean ledger, one that somebody changed, and what cannot be verified."""

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


def with_an_account(installation: ServerProcess) -> str:
    """Makes a user and gives the id of the account."""
    made = installation.run("user", "create", "--email", "ada@example.com", "--password", "correct horse")
    return made.stdout.split()[-1].rstrip(".")


def test_a_clean_ledger_while_the_server_runs(server: ServerProcess) -> None:
    """What was counted is said, and the status is 0."""
    account_id = with_an_account(server)
    server.run("account", "grant", account_id, "10", "--reason", "an outage")

    done = server.run("verify")

    assert (done.returncode, done.stdout, done.stderr) == (0, "1 accounts, 2 transactions: no difference\n", "")


def test_a_clean_ledger_after_a_kill(server: ServerProcess) -> None:
    """What a killed server left is verified as it lies there."""
    with_an_account(server)
    server.kill()

    done = server.run("verify")

    assert (done.returncode, done.stdout) == (0, "1 accounts, 1 transactions: no difference\n")


def test_a_changed_balance_is_named(idle: ServerProcess) -> None:
    """A balance that the ledger does not bear out is told with the account, and the status is 1."""
    account_id = with_an_account(idle)
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE credit_accounts SET credits_remaining = 600")

    done = idle.run("verify")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"account '{account_id}': remaining is 600, its ledger says 6\n1 accounts, 1 transactions: 1 difference\n"
    )


def test_a_changed_row_is_named(idle: ServerProcess) -> None:
    """A row whose hash does not fit is told with its account."""
    account_id = with_an_account(idle)
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE credit_transactions SET amount = 7, balance_after = 7, total_after = 7")

    done = idle.run("verify")

    assert done.returncode == 1
    assert done.stderr.startswith(f"account '{account_id}': ")


def test_a_ledger_that_only_adds_up_is_found_by_deciding_anew(idle: ServerProcess) -> None:
    """Somebody who rewrites a row, its hash and the balance is found by the rules, which would not have given that."""
    account_id = with_an_account(idle)
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


def test_a_clean_ledger_decided_anew(server: ServerProcess) -> None:
    """What the rules wrote is what they write again, and the status is 0."""
    account_id = with_an_account(server)
    server.run("account", "grant", account_id, "10", "--reason", "an outage")

    done = server.run("verify", "--decide")

    assert (done.returncode, done.stdout) == (0, "1 accounts, 2 transactions: no difference\n")


def test_erased_metadata_is_counted(idle: ServerProcess) -> None:
    """What was blanked is told in the line, and is no difference."""
    database = idle.home / "credits.db"
    with SyncCreditService(f"sqlite:///{database}") as service:
        service.initialize_user_credits("ada@example.com", metadata={"name": "Ada"})
        service.consume_credit("ada@example.com", "video")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE credit_transactions SET metadata = NULL")

    done = idle.run("verify")

    line = "1 accounts, 2 transactions, 1 of them with erased metadata: no difference\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, line, "")


def test_an_account_ahead_of_the_clock_is_noted(idle: ServerProcess) -> None:
    """It is told in words, and the status stays 0."""
    ahead = Ledger(f"sqlite:///{idle.home / 'credits.db'}", clock=lambda: time.time_ns() // 1_000 + 3_600 * SECOND)
    with SyncCreditService(ahead) as service:
        service.initialize_user_credits("ada@example.com")

    done = idle.run("verify")

    assert (done.returncode, done.stdout) == (0, "1 accounts, 1 transactions: no difference\n")
    assert done.stderr.startswith("note: account 'ada@example.com': its last transaction, of ")


def test_a_changed_balance_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """The same on a server's database."""
    installation = ServerProcess(tmp_path, environment_for(tmp_path, postgres_url), workers=1)
    installation.run("db", "upgrade")
    account_id = with_an_account(installation)
    clean = installation.run("verify")
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE credit_accounts SET credits_remaining = 600")

    done = installation.run("verify")

    assert (clean.returncode, clean.stdout) == (0, "1 accounts, 1 transactions: no difference\n")
    assert done.returncode == 1
    assert done.stderr.startswith(f"account '{account_id}': remaining is 600, its ledger says 6\n")


def test_no_file_is_refused(idle: ServerProcess) -> None:
    """Verifying what is not there makes nothing."""
    done = idle.run("verify")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"database: there is no file {idle.home / 'credits.db'}. Name one with --database or SIXPENCE_DATABASE_URL.\n"
    )
    assert list(idle.home.iterdir()) == []


def test_no_ledger_is_refused(tmp_path: Path, postgres_url: str) -> None:
    """A database without the schema is not a ledger without differences."""
    installation = ServerProcess(tmp_path, environment_for(tmp_path, postgres_url), workers=1)

    done = installation.run("verify")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"database: {postgres_url} is at step none, not at 0004. Run: sixpence db upgrade.\n"


def test_the_report_as_json(idle: ServerProcess) -> None:
    """One document on stdout, whether there is a difference or not."""
    account_id = with_an_account(idle)
    clean = idle.run("verify", "--json")
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE credit_accounts SET credits_remaining = 600")

    done = idle.run("verify", "--json")

    counts = {"accounts": 1, "transactions": 1, "erased": 0, "checkpoints": {"kept": 0, "compared": 0}}
    told = f"account '{account_id}': remaining is 600, its ledger says 6"
    assert (clean.returncode, clean.stderr, done.returncode, done.stderr) == (0, "", 1, "")
    assert json.loads(clean.stdout) == {"clean": True, **counts, "differences": [], "notes": []}
    assert json.loads(done.stdout) == {"clean": False, **counts, "differences": [told], "notes": []}


def test_a_run_goes_on_and_says_so(idle: ServerProcess) -> None:
    """What an earlier run has kept is gone on from; the end removes it."""
    with_two_accounts(idle)
    file = idle.home / "so far.json"
    file.write_bytes(msgspec.json.encode(stopped_after_one(idle)))

    done = idle.run("verify", "--resume", "so far.json")

    assert (done.returncode, done.stdout) == (0, "2 accounts, 2 transactions: no difference\n")
    assert done.stderr.startswith("note: 1 accounts with 1 transactions were verified by 20")
    assert not file.exists()


def test_a_run_that_comes_to_its_end_leaves_no_file(idle: ServerProcess) -> None:
    """There is nothing to go on from, also where differences were found."""
    with_an_account(idle)
    clean = idle.run("verify", "--resume", "kept.json")
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute("UPDATE credit_accounts SET credits_remaining = 600")

    differs = idle.run("verify", "--resume", "kept.json")

    assert (clean.returncode, differs.returncode) == (0, 1)
    assert [path.name for path in idle.home.glob("kept*")] == []


def test_a_file_of_anything_else_is_left_alone(idle: ServerProcess) -> None:
    """A slip of the finger overwrites nothing."""
    with_an_account(idle)
    for text in ("a letter to a friend", '{"format": 3}', "[]", '{"x":' + "[" * 100_000):
        (idle.home / "letter").write_text(text)

        done = idle.run("verify", "--resume", "letter")

        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("resume: letter is not what a run of sixpence verify has kept (")
        assert (idle.home / "letter").read_text() == text


def test_no_folder_for_the_file_is_said_before_anything(idle: ServerProcess) -> None:
    """Not after an hour, when there is something to be kept."""
    with_an_account(idle)

    done = idle.run("verify", "--resume", "nowhere/kept.json")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "resume: there is no folder for nowhere/kept.json. Name another file.\n"


def test_what_was_kept_of_another_ledger_is_refused(idle: ServerProcess) -> None:
    """The file stays, and the status says that nothing is known."""
    with_two_accounts(idle)
    kept = msgspec.structs.replace(stopped_after_one(idle), catalog="another")
    (idle.home / "kept.json").write_bytes(msgspec.json.encode(kept))

    done = idle.run("verify", "--resume", "kept.json")

    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "cannot resume from this file: "
        "it is of another ledger, which began with another catalog. Start again" in done.stderr
    )
    assert (idle.home / "kept.json").exists()


def with_two_accounts(installation: ServerProcess) -> None:
    """A ledger of two accounts."""
    with SyncCreditService(f"sqlite:///{installation.home / 'credits.db'}") as service:
        for name in ("ada@example.com", "bob@example.com"):
            service.initialize_user_credits(name)


def stopped_after_one(installation: ServerProcess) -> ResumePoint:
    """What a run keeps once it has proved the first account."""
    kept: list[ResumePoint] = []
    engine = reading_engine(parse_database_url(f"sqlite:///{installation.home / 'credits.db'}"))
    with engine.connect() as connection:
        verify(connection, save=kept.append, save_interval_seconds=0)
    engine.dispose()
    return kept[0]
