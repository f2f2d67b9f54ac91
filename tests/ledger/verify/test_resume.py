"""Resuming an interrupted verification: from the saved point, on the same ledger and on no other."""

from itertools import count

import msgspec
import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.engines import parse_database_url, reading_engine
from sixpence.ledger.verify.resume import ResumePoint
from sixpence.ledger.verify.verify import Report, verify
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import rows, run

NAMES = [f"user-{number}@example.com" for number in range(6)]


class StoppedError(Exception):
    """Interrupts a run."""


@pytest.fixture
def ledger(url: str) -> str:
    """Six accounts with two transactions each."""
    with SyncCreditService(url) as service:
        for name in NAMES:
            service.initialize_user_credits(name)
            service.consume_credit(name, "video", metadata={"n": 1})
    return url


def run_verify(url: str, *, point: ResumePoint | None = None, ends_after: int = 0, decide: bool = False) -> "Run":
    """Run verify, saving a resume point after each account; interrupt it after `ends_after` of them, if given."""
    saved: list[ResumePoint] = []

    def save(point: ResumePoint) -> None:
        saved.append(point)
        if len(saved) == ends_after:
            raise StoppedError

    engine = reading_engine(parse_database_url(url))
    try:
        with engine.connect() as connection:
            report = verify(connection, resume_from=point, save=save, save_interval_seconds=0, decide=decide)
    except StoppedError:
        return Run(None, saved)
    finally:
        engine.dispose()
    return Run(report, saved)


class Run(msgspec.Struct):
    """The report, None if the run was interrupted, and all saved resume points."""

    report: Report | None
    saved: list[ResumePoint]


def stopped(url: str, accounts: int) -> ResumePoint:
    """The resume point of a run that was interrupted after this many accounts."""
    return run_verify(url, ends_after=accounts).saved[-1]


def numbers(url: str) -> list[int]:
    """The accounts' numbers in the order of verification."""
    return [number for (number,) in rows(url, "SELECT account_no FROM credit_accounts ORDER BY account_no")]


@pytest.mark.parametrize("accounts", range(1, 6))
def test_resume_skips_verified_accounts(ledger: str, accounts: int) -> None:
    """The counts are those of both runs together, and a note names the skipped accounts."""
    point = stopped(ledger, accounts)

    resumed = run_verify(ledger, point=point)

    assert resumed.report is not None
    assert (resumed.report.accounts, resumed.report.transactions, resumed.report.clean) == (6, 12, True)
    assert [saved.accounts for saved in resumed.saved] == list(range(accounts + 1, 7))
    (note,) = resumed.report.notes
    assert note.startswith(f"{accounts} accounts with {2 * accounts} transactions were verified by 20")


def test_resume_point_has_counts_and_marks(ledger: str) -> None:
    """The last account, the counts, and transactions that identify the ledger."""
    first, second = numbers(ledger)[:2]
    heads = dict(rows(ledger, "SELECT account_no, hash FROM credit_transactions WHERE seq = 2"))

    point = stopped(ledger, 2)

    assert (point.account_no, point.accounts, point.transactions, point.erased) == (second, 2, 4, 0)
    assert [(mark.account_no, mark.seq, mark.hash) for mark in point.marks] == [
        (number, 2, heads[number].hex()) for number in (first, second)
    ]
    assert msgspec.json.decode(msgspec.json.encode(point), type=ResumePoint) == point


def test_resume_reports_earlier_differences(ledger: str) -> None:
    """A difference that was found before the interruption is in the final report."""
    wrong = numbers(ledger)[0]
    run(ledger, "UPDATE credit_accounts SET credits_remaining = 7 WHERE account_no = :no", {"no": wrong})
    point = stopped(ledger, 3)

    resumed = run_verify(ledger, point=point)

    assert resumed.report is not None
    assert [difference.partition(": ")[2] for difference in resumed.report.differences] == [
        "remaining is 7, its ledger says 5"
    ]


def test_resume_does_not_verify_skipped_accounts_again(ledger: str) -> None:
    """A change in an account that was verified before is found only by a run from the beginning."""
    point = stopped(ledger, 3)
    run(ledger, "UPDATE credit_accounts SET credits_remaining = 7 WHERE account_no = :no", {"no": numbers(ledger)[0]})

    resumed, restarted = run_verify(ledger, point=point), run_verify(ledger)

    assert resumed.report is not None
    assert restarted.report is not None
    assert (resumed.report.clean, restarted.report.clean) == (True, False)


def test_resume_verifies_remaining_accounts(ledger: str) -> None:
    """A change in an account that the first run did not reach is found."""
    point = stopped(ledger, 3)
    run(ledger, "UPDATE credit_accounts SET credits_remaining = 7 WHERE account_no = :no", {"no": numbers(ledger)[4]})

    resumed = run_verify(ledger, point=point)

    assert resumed.report is not None
    assert len(resumed.report.differences) == 1


def test_resume_notes_new_accounts(ledger: str) -> None:
    """New accounts before the resume point are noted as not verified; those after it are verified."""
    point = stopped(ledger, 6)
    with SyncCreditService(ledger) as service:
        service.initialize_user_credits("late@example.com")
    behind = sum(number <= point.account_no for number in numbers(ledger)) - 6

    resumed = run_verify(ledger, point=point)

    assert resumed.report is not None
    assert resumed.report.accounts == 7 - behind
    assert any("1 newer accounts are among those" in note for note in resumed.report.notes) == (behind == 1)


def test_resume_finds_removed_accounts(ledger: str) -> None:
    """A verified account that was removed since is a difference."""
    point = stopped(ledger, 3)
    remove(ledger, numbers(ledger)[1])

    resumed = run_verify(ledger, point=point)

    assert resumed.report is not None
    assert [difference[:32] for difference in resumed.report.differences] == ["1 accounts were removed since 20"]


@pytest.mark.parametrize("stops", [0, 1])
def test_resume_finds_removed_account_beside_new_one(ledger: str, stops: int) -> None:
    """The number of accounts is the same, and the accounts are not; also after a second interruption."""
    point = stopped(ledger, 3)
    remove(ledger, numbers(ledger)[1])
    add_account_before(ledger, point)
    for _ in range(stops):
        point = run_verify(ledger, point=point, ends_after=1).saved[-1]

    resumed = run_verify(ledger, point=point)

    assert resumed.report is not None
    assert [difference[:32] for difference in resumed.report.differences] == ["1 accounts were removed since 20"]
    assert any("1 newer accounts are among those" in note for note in resumed.report.notes)


def test_second_resume_remembers_new_accounts(ledger: str) -> None:
    """After a second interruption the new account is still noted, and a removed one is still found."""
    first = stopped(ledger, 3)
    add_account_before(ledger, first)
    second = run_verify(ledger, point=first, ends_after=1).saved[-1]

    third = run_verify(ledger, point=second)
    remove(ledger, numbers(ledger)[1])
    fourth = run_verify(ledger, point=second)

    assert third.report is not None
    assert fourth.report is not None
    assert (third.report.accounts, third.report.differences) == (6, [])
    assert [note[:34] for note in third.report.notes[1:]] == ["1 newer accounts are among those, "]
    assert [difference[:23] for difference in fourth.report.differences] == ["1 accounts were removed"]


def test_resume_finds_replaced_account_without_rows(ledger: str) -> None:
    """An account without rows replaces one that was verified."""
    point = stopped(ledger, 3)
    remove(ledger, numbers(ledger)[1])
    run(ledger, "INSERT INTO credit_accounts (account_no, account_id) VALUES (7, 'eve@example.com')")

    resumed = run_verify(ledger, point=point)

    assert resumed.report is not None
    (difference,) = resumed.report.differences
    assert difference.startswith("the accounts that were verified by 20")
    assert difference.endswith(" are not the current ones; verify from the beginning")


def remove(url: str, number: int) -> None:
    """Removes an account with its rows."""
    for table in ("credit_accounts", "credit_transactions"):
        run(url, f"DELETE FROM {table} WHERE account_no = :no", {"no": number})


def add_account_before(url: str, point: ResumePoint) -> None:
    """A new account whose number is before the resume point."""
    names = (f"late-{number}@example.com" for number in count())
    with SyncCreditService(url) as service:
        service.initialize_user_credits(next(name for name in names if account_no(name) < point.account_no))


def test_resume_refuses_another_ledger(ledger: str) -> None:
    """A ledger that began with another catalog, or lacks a verified transaction."""
    point = stopped(ledger, 3)
    other = msgspec.structs.replace(point, catalog="another")
    mark = point.marks[1]
    unknown = msgspec.structs.replace(point, marks=[msgspec.structs.replace(mark, seq=9)])
    forged = msgspec.structs.replace(point, marks=[msgspec.structs.replace(mark, hash="00" * 32)])

    assert _refused(ledger, other) == "it is of another ledger, which began with another catalog"
    for lost in (unknown, forged):
        seq, number = lost.marks[0].seq, mark.account_no
        assert _refused(ledger, lost) == (
            f"transaction {seq} of account number {number}, which it has verified, is not in this ledger"
        )


def test_resume_refuses_another_decide_option(ledger: str) -> None:
    """Otherwise the rules would decide only half of the accounts again."""
    point = stopped(ledger, 3)

    assert _refused(ledger, point, decide=True) == "it was begun without --decide"


def _refused(url: str, point: ResumePoint, *, decide: bool = False) -> str:
    with pytest.raises(InvalidInputError) as refused:
        run_verify(url, point=point, decide=decide)
    return refused.value.problem.removeprefix("cannot resume from this file: ").partition(". Start")[0]
