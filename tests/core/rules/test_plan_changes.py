"""Changes of plan in a term: unspent credits are not lost, and no term gives more than its best plan.

The small changes, row by row, are stories (tests/core/cases/stories/plans.txt).
"""

import msgspec
import pytest

from sixpence.core.account.commands import CancelPlan, ChangePlan, PlaceHold, Tick
from sixpence.core.account.transaction import Transaction, write_detail
from sixpence.core.audit.due import check_allowance
from sixpence.core.audit.replay import find_difference
from sixpence.core.catalog.price import Usage
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.rules.decide import decide
from sixpence.core.values.instant import DAY
from tests.core.rules.plan_accounts import HOUR, START, Ada


@pytest.mark.parametrize(
    ("before", "spent", "after", "remaining"),
    [
        ("old", 0, "new", 150),
        ("old", 80, "thousand", 920),
        ("old", 40, "double", 160),
        ("half-thousand", 0, "equal", 500),
        ("drip", 0, "drip-more", 150),
        ("drip", 40, "drip-more", 110),
    ],
)
def test_upgrade_at_the_start_of_a_term_gives_all_that_was_not_spent(
    before: str, spent: int, after: str, remaining: int
) -> None:
    """At the start of a term the new plan gives its whole allowance less what was spent."""
    ada = Ada(before)
    if spent:
        ada.use(spent)

    account = ada.change(after)

    assert account.remaining == remaining


def test_cancelling_an_unlimited_plan_gives_the_rest_of_the_month() -> None:
    """The allowance by the time left, rounded down."""
    ada = Ada()
    ada.change("pro")

    account = ada.run(CancelPlan(), START + HOUR)

    assert (account.plan, account.remaining) == ("free", 99)


def test_cancelled_trial_gives_the_rest_of_the_month() -> None:
    """The trial's end gives the default plan's allowance by the 24 days left of 31."""
    ada = Ada()
    trial = ada.run(ChangePlan(plan="tried", trial=True))
    ada.run(CancelPlan())

    account = ada.run(Tick(), START + 7 * DAY)

    assert (trial.remaining, account.plan, account.remaining) == (50, "free", 77)


def test_upgrade_on_the_last_day_keeps_what_could_be_spent() -> None:
    """The rest of the month is 16; 84 of what there was come beside it, with the same expiry."""
    ada = Ada()

    account = ada.change("half-thousand", START + 30 * DAY)

    assert (account.remaining, ada.parts()) == (100, [16, 84])
    assert {grant.expires_at for grant in account.grants} == {START + 31 * DAY}


def test_upgrade_on_the_last_day_after_a_use_keeps_the_rest() -> None:
    """40 of 100 are spent: 16 come, and 44 stay."""
    ada = Ada()
    ada.use(40)

    account = ada.change("half-thousand", START + 30 * DAY)

    assert (account.remaining, ada.parts()) == (60, [16, 44])


def test_unlimited_plan_and_back_on_the_last_day_gives_the_last_day() -> None:
    """An unlimited plan has no use for credits, so nothing is kept: a day of the allowance comes."""
    ada = Ada()
    ada.change("pro", START + 30 * DAY)

    account = ada.run(CancelPlan(), START + 30 * DAY)

    assert account.remaining == 3


def test_credits_that_a_hold_has_count_as_spent() -> None:
    """Of 100, 30 are held: the new plan gives 150 less 30, and the hold keeps its credits."""
    ada = Ada("old")
    ada.run(PlaceHold(feature="use", ttl_seconds=600, usage=Usage(units=30)))

    account = ada.change("new")

    assert (account.remaining, account.held) == (120, 30)


def test_carried_credits_never_roll_over() -> None:
    """Where the new plan rolls over, its own rest does, and the carried credits expire."""
    ada = Ada()
    ada.change("rolling", START + 30 * DAY)

    account = ada.run(Tick(), START + 31 * DAY)

    assert [(grant.rolled, grant.remaining) for grant in account.grants] == [(False, 60), (True, 1)]
    assert [row.kind for row in ada.rows[2:]] == ["rollover", "expire", "allowance"]


def test_carried_credits_count_in_the_term_that_gave_them() -> None:
    """40 of a week stay beside a month's 30, and 25 of them are used: back in the week, it has 45 of 70 to give."""
    ada = Ada("week")
    ada.change("short")
    assert (ada.account.remaining, ada.parts()) == (70, [30, 40])
    ada.use(25)
    assert ada.parts() == [30, 15]
    ada.change("top")

    account = ada.change("week")

    assert account.remaining == 45


def test_credits_of_a_trial_are_carried_into_the_paid_plan() -> None:
    """A day is left of the month that the trial interrupted: its 3 come, and 47 of the trial stay until its end."""
    ada = Ada()
    at = START + 30 * DAY
    ada.run(ChangePlan(plan="tried", trial=True), at)

    account = ada.change("tried", at)

    assert (account.remaining, ada.parts()) == (50, [3, 47])
    assert ada.run(Tick(), at + 7 * DAY).remaining == 100


def _changed(rules: int) -> tuple[Ada, Transaction]:
    """Ada before an upgrade in the middle of a month, and its row as that version of the rules decides it."""
    ada = Ada()
    ada.use(40)
    decision = decide(ada.account, ChangePlan(plan="thousand"), clock=START + DAY, priced_by=ada.priced_by, rules=rules)
    assert decision.row is not None
    return ada, decision.row


@pytest.mark.parametrize(("rules", "granted", "given"), [(1, 900, 1_000), (2, 960, 1_000)])
def test_replay_decides_a_change_by_the_rules_it_names(rules: int, granted: int, given: int) -> None:
    """In version 1 the 60 that ended unspent counted as given; under the other version neither row is right."""
    ada, row = _changed(rules)
    detail = row.read_detail()
    renamed = msgspec.structs.replace(row, detail=write_detail(msgspec.structs.replace(detail, rules=3 - rules)))

    ada.audit(row)

    assert detail.rules == rules
    assert detail.subscription is not None
    assert ([terms.amount for terms in detail.grants], detail.subscription.given) == ([granted], given)
    assert find_difference(ada.account, row, ada.priced_by) is None
    assert find_difference(ada.account, renamed, ada.priced_by) is not None


def test_change_that_ends_nothing_unspent_names_no_version() -> None:
    """All versions decide it alike, and its text is that of an older row."""
    ada = Ada()
    ada.use(100)

    ada.change("thousand")

    assert "rules" not in ada.rows[-1].detail
    assert "counted_in" not in ada.rows[-1].detail


def test_text_of_a_change_with_carried_credits_is_pinned() -> None:
    """The version comes last in the row, and the term of carried credits last in their terms."""
    ada = Ada()

    ada.change("half-thousand", START + 30 * DAY)

    text = ada.rows[-1].detail
    assert text.endswith(',"rules":2}')
    assert '"by_plan":"free","counted_in":"month"}]' in text


@pytest.mark.parametrize("rules", [0, 3])
def test_audit_finds_unknown_version_of_the_rules(rules: int) -> None:
    """A row of rules that are not known here is refused."""
    ada, row = _changed(2)
    detail = msgspec.structs.replace(row.read_detail(), rules=rules)

    with pytest.raises(BrokenLedgerError, match=f"is decided by version {rules} of the rules, which is unknown"):
        ada.audit(msgspec.structs.replace(row, detail=write_detail(detail)))


@pytest.mark.parametrize(
    ("amount", "rules", "found"),
    [
        (84, 2, None),
        (85, 2, "carries over 85 unspent credits, more than it ends"),
        (1, 1, "carries over 1 unspent credits, more than it ends"),
    ],
)
def test_audit_finds_carried_credits_that_did_not_end(amount: int, rules: int, found: str | None) -> None:
    """A row carries over at most what it ends; in version 1 nothing."""
    ada = Ada()
    ada.use(16)
    before = ada.account
    ada.change("half-thousand", START + 30 * DAY)
    row = ada.rows[-1]
    detail = row.read_detail()
    carried = msgspec.structs.replace(detail.more_grants[0], amount=amount)
    forged = msgspec.structs.replace(detail, more_grants=(carried,), rules=rules)

    def check() -> None:
        check_allowance(before, row, forged, row.read_allocations())

    if found is None:
        with pytest.raises(BrokenLedgerError, match="gives 16 of an allowance and counts 0"):
            check()
    else:
        with pytest.raises(BrokenLedgerError, match=found):
            check()
