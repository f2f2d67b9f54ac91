"""Ledgers of the first version of the rules stay clean, and continue under the current one; on both databases."""

from collections.abc import Iterator

import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.commands import CaptureHold, ChangePlan, PlaceHold
from sixpence.core.account.fold import fold
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import DAY
from tests.ledger.databases import run_verify, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import forge
from tests.ledger.writer.worker_driver import ADA, CATALOG, WorkerDriver, open_driver, reopen_driver


@pytest.fixture
def driver(url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits; at the end verify decides every row again."""
    driver = open_driver(url, clock)
    yield driver
    driver.store.close()
    verify_clean(url, decide=True)


def _continue_by_first_rules(rows: list[Transaction], at: int, hold_id: str) -> list[Transaction]:
    """The rows, and those of an upgrade and a capture under an unlimited plan as the first version decided them."""
    account = fold(Account(account_no=account_no(ADA), account_id=ADA), rows)
    continued = list(rows)
    for command in (ChangePlan(plan="pro"), ChangePlan(plan="all"), CaptureHold(hold_id=hold_id, amount=12)):
        decision = decide(account, command, clock=at, priced_by=PricedBy(1, CATALOG, 0), rules=1)
        account = decision.account
        continued += decision.rows
    return continued


def test_ledger_of_the_first_rules_is_clean_and_continues(driver: WorkerDriver, url: str, clock: MovedClock) -> None:
    """Its rows are decided again by their own version, and the next rows by the current one."""
    driver.row(ChangePlan(plan="basic"))
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=600, amount=8))
    forge(url, lambda rows: _continue_by_first_rules(rows, clock(), hold.id))

    report = run_verify(url, decide=True)

    later = reopen_driver(url, clock)
    rows = [later.row(ChangePlan(plan="basic")), later.row(ChangePlan(plan="pro"))]
    later.store.close()
    assert (report.differences, report.transactions) == ([], 6)
    # The first rules counted all 30 of the day as given, so that nothing is left of it.
    assert [row.amount for row in rows] == [0, 0]


def test_upgrade_gives_all_that_was_not_spent(driver: WorkerDriver, clock: MovedClock) -> None:
    """At the start of a day: 10 credits end unspent, and the higher plan gives its 30."""
    driver.row(ChangePlan(plan="basic"))

    row = driver.row(ChangePlan(plan="pro"))

    assert (row.amount, row.balance_after) == (20, 36)


def test_upgrade_at_the_end_of_a_term_carries_credits_over(driver: WorkerDriver, clock: MovedClock) -> None:
    """An hour is left of the day: 1 of 30 comes, 9 of the 10 stay beside it, and both end with the day."""
    driver.row(ChangePlan(plan="basic"))
    clock.move(hours=23)

    row = driver.row(ChangePlan(plan="pro"))

    clock.move(hours=1)
    assert (row.amount, row.balance_after) == (0, 16)
    assert [terms.amount for terms in row.read_detail().grants] == [1, 9]
    assert {terms.expires_at for terms in row.read_detail().grants} == {row.created_at + DAY // 24}
    assert driver.row(ChangePlan(plan="all")).balance_after == 6


def test_capture_under_an_unlimited_plan_charges_what_was_held(driver: WorkerDriver) -> None:
    """Eight were held, and twelve are used under the unlimited plan."""
    driver.row(ChangePlan(plan="basic"))
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=600, amount=8))
    driver.row(ChangePlan(plan="all"))

    row = driver.row(CaptureHold(hold_id=hold.id, amount=12))

    assert (row.credits_consumed, row.balance_after) == (8, 6)
