"""A proof that was ended before its end goes on from there, on the same ledger and on no other."""

from itertools import count

import msgspec
import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.engines import parse_database_url, reading_engine
from sixpence.ledger.verify.resume import Passed
from sixpence.ledger.verify.verify import Report, verify
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import rows, run

NAMES = [f"user-{number}@example.com" for number in range(6)]


class StoppedError(Exception):
    """What ends a run before its end."""


@pytest.fixture
def ledger(url: str) -> str:
    """Six accounts with two transactions each."""
    with SyncCreditService(url) as service:
        for name in NAMES:
            service.initialize_user_credits(name)
            service.consume_credit(name, "video", metadata={"n": 1})
    return url


def run_verify(url: str, *, passed: Passed | None = None, ends_after: int = 0, decide: bool = False) -> "Run":
    """A run that is ended, if wanted, once so many accounts are kept."""
    kept: list[Passed] = []

    def keep(passed: Passed) -> None:
        kept.append(passed)
        if len(kept) == ends_after:
            raise StoppedError

    engine = reading_engine(parse_database_url(url))
    try:
        with engine.connect() as connection:
            report = verify(connection, passed=passed, keep=keep, kept_each_seconds=0, decide=decide)
    except StoppedError:
        return Run(None, kept)
    finally:
        engine.dispose()
    return Run(report, kept)


class Run(msgspec.Struct):
    """The report, if the run came to its end, and all that was kept on the way."""

    report: Report | None
    kept: list[Passed]


def stopped(url: str, accounts: int) -> Passed:
    """What a run has kept that was ended after so many accounts."""
    return run_verify(url, ends_after=accounts).kept[-1]


def numbers(url: str) -> list[int]:
    """The accounts' numbers in the order in which they are proved."""
    return [number for (number,) in rows(url, "SELECT account_no FROM credit_accounts ORDER BY account_no")]


@pytest.mark.parametrize("accounts", range(1, 6))
def test_a_run_goes_on_where_one_was_stopped(ledger: str, accounts: int) -> None:
    """The counts are those of both together; what was proved is not proved again, which the report says."""
    passed = stopped(ledger, accounts)

    went_on = run_verify(ledger, passed=passed)

    assert went_on.report is not None
    assert (went_on.report.accounts, went_on.report.transactions, went_on.report.clean) == (6, 12, True)
    assert [kept.accounts for kept in went_on.kept] == list(range(accounts + 1, 7))
    (note,) = went_on.report.notes
    assert note.startswith(f"{accounts} accounts with {2 * accounts} transactions were proved by 20")


def test_what_is_kept_is_what_was_proved(ledger: str) -> None:
    """The account, the counts, and transactions by which the ledger is known again."""
    first, second = numbers(ledger)[:2]
    heads = dict(rows(ledger, "SELECT account_no, hash FROM credit_transactions WHERE seq = 2"))

    passed = stopped(ledger, 2)

    assert (passed.account_no, passed.accounts, passed.transactions, passed.erased) == (second, 2, 4, 0)
    assert [(mark.account_no, mark.seq, mark.hash) for mark in passed.marks] == [
        (number, 2, heads[number].hex()) for number in (first, second)
    ]
    assert msgspec.json.decode(msgspec.json.encode(passed), type=Passed) == passed


def test_what_the_first_run_found_is_told_at_the_end(ledger: str) -> None:
    """A difference of before the stop is one of the whole."""
    wrong = numbers(ledger)[0]
    run(ledger, "UPDATE credit_accounts SET credits_remaining = 7 WHERE account_no = :no", {"no": wrong})
    passed = stopped(ledger, 3)

    went_on = run_verify(ledger, passed=passed)

    assert went_on.report is not None
    assert [difference.partition(": ")[2] for difference in went_on.report.differences] == [
        "remaining is 7, its ledger says 5"
    ]


def test_what_changes_behind_it_is_not_seen(ledger: str) -> None:
    """An account that was proved before is not looked at again: its note says so, and a run from the start finds it."""
    passed = stopped(ledger, 3)
    run(ledger, "UPDATE credit_accounts SET credits_remaining = 7 WHERE account_no = :no", {"no": numbers(ledger)[0]})

    went_on, anew = run_verify(ledger, passed=passed), run_verify(ledger)

    assert went_on.report is not None
    assert anew.report is not None
    assert (went_on.report.clean, anew.report.clean) == (True, False)


def test_what_lies_ahead_is_seen(ledger: str) -> None:
    """An account that was not reached is proved as it stands now."""
    passed = stopped(ledger, 3)
    run(ledger, "UPDATE credit_accounts SET credits_remaining = 7 WHERE account_no = :no", {"no": numbers(ledger)[4]})

    went_on = run_verify(ledger, passed=passed)

    assert went_on.report is not None
    assert len(went_on.report.differences) == 1


def test_accounts_that_came_since_are_counted(ledger: str) -> None:
    """Those behind it are named as not proved; those ahead are proved."""
    passed = stopped(ledger, 6)
    with SyncCreditService(ledger) as service:
        service.initialize_user_credits("late@example.com")
    behind = sum(number <= passed.account_no for number in numbers(ledger)) - 6

    went_on = run_verify(ledger, passed=passed)

    assert went_on.report is not None
    assert went_on.report.accounts == 7 - behind
    assert any("1 accounts have come since among those" in note for note in went_on.report.notes) == (behind == 1)


def test_accounts_that_are_gone_are_found(ledger: str) -> None:
    """What was there is not there: that is a difference, though it is behind."""
    passed = stopped(ledger, 3)
    remove(ledger, numbers(ledger)[1])

    went_on = run_verify(ledger, passed=passed)

    assert went_on.report is not None
    assert [difference[:39] for difference in went_on.report.differences] == ["1 accounts are gone that were there by "]


@pytest.mark.parametrize("stops", [0, 1])
def test_an_account_that_is_gone_is_found_beside_one_that_came(ledger: str, stops: int) -> None:
    """Their number is the same, and they are not: also where the run that saw it was stopped in its turn."""
    passed = stopped(ledger, 3)
    remove(ledger, numbers(ledger)[1])
    come_behind(ledger, passed)
    for _ in range(stops):
        passed = run_verify(ledger, passed=passed, ends_after=1).kept[-1]

    went_on = run_verify(ledger, passed=passed)

    assert went_on.report is not None
    assert [difference[:39] for difference in went_on.report.differences] == ["1 accounts are gone that were there by "]
    assert any("1 accounts have come since among those" in note for note in went_on.report.notes)


def test_an_account_that_came_is_no_difference_in_a_later_run_either(ledger: str) -> None:
    """A run that was stopped again still knows who was not proved, and what is gone since."""
    first = stopped(ledger, 3)
    come_behind(ledger, first)
    second = run_verify(ledger, passed=first, ends_after=1).kept[-1]

    third = run_verify(ledger, passed=second)
    remove(ledger, numbers(ledger)[1])
    fourth = run_verify(ledger, passed=second)

    assert third.report is not None
    assert fourth.report is not None
    assert (third.report.accounts, third.report.differences) == (6, [])
    assert [note[:39] for note in third.report.notes[1:]] == ["1 accounts have come since among those,"]
    assert [difference[:23] for difference in fourth.report.differences] == ["1 accounts are gone tha"]


def test_an_account_that_does_not_say_when_it_came_is_a_difference(ledger: str) -> None:
    """One without any row takes the place of one that was there."""
    passed = stopped(ledger, 3)
    remove(ledger, numbers(ledger)[1])
    run(ledger, "INSERT INTO credit_accounts (account_no, account_id) VALUES (7, 'eve@example.com')")

    went_on = run_verify(ledger, passed=passed)

    assert went_on.report is not None
    (told,) = went_on.report.differences
    assert told.startswith("the accounts that were proved by 20")
    assert told.endswith(" are not those that are there now; begin anew to know more")


def remove(url: str, number: int) -> None:
    """Takes an account away with its rows."""
    for table in ("credit_accounts", "credit_transactions"):
        run(url, f"DELETE FROM {table} WHERE account_no = :no", {"no": number})


def come_behind(url: str, passed: Passed) -> None:
    """A new account whose number was passed."""
    names = (f"late-{number}@example.com" for number in count())
    with SyncCreditService(url) as service:
        service.initialize_user_credits(next(name for name in names if account_no(name) < passed.account_no))


def test_it_does_not_go_on_in_another_ledger(ledger: str) -> None:
    """One that began with another catalog, or lacks a transaction that was seen."""
    passed = stopped(ledger, 3)
    other = msgspec.structs.replace(passed, catalog="another")
    mark = passed.marks[1]
    unknown = msgspec.structs.replace(passed, marks=[msgspec.structs.replace(mark, seq=9)])
    forged = msgspec.structs.replace(passed, marks=[msgspec.structs.replace(mark, hash="00" * 32)])

    assert _refused(ledger, other) == "it is of another ledger, which began with another catalog"
    for lost in (unknown, forged):
        seq, number = lost.marks[0].seq, mark.account_no
        assert _refused(ledger, lost) == (
            f"transaction {seq} of account number {number}, which it has seen, is not in this ledger"
        )


def test_it_goes_on_as_it_was_begun(ledger: str) -> None:
    """With deciding anew or without: half of the accounts would be proved of less than is said."""
    passed = stopped(ledger, 3)

    assert _refused(ledger, passed, decide=True) == "it was begun without deciding anew"


def _refused(url: str, passed: Passed, *, decide: bool = False) -> str:
    with pytest.raises(InvalidInputError) as refused:
        run_verify(url, passed=passed, decide=decide)
    return refused.value.problem.removeprefix("what was kept cannot be gone on from: ").partition(". Begin")[0]
