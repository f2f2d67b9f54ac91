"""Ways to get more than was paid for, or to get an account stuck, that were tried on the rules: none of them works."""

import pytest

from sixpence.core.values.instant import DAY
from tests.core.story_table import Told, read_instant, tell

_OWING = "@0 ensure; @0 plan postpaid; "
_BOUGHT = _OWING + "@0 grant 10 paid until 100; "


def _revoked(told: Told, text: str) -> tuple[int, int]:
    """What a void takes back as a debt, and what it cannot."""
    decision, _ = told.and_then(text)
    assert decision.row is not None
    charged = sum(move.amount for move in decision.row.read_allocations() if move.movement == "charged_back")
    return -charged, decision.row.read_detail().shortfall or 0


def _stays_alive(told: Told) -> None:
    """Whatever time brings, the total is never below zero, and credits can be given."""
    decision, after = told.and_then("@2030-01-01 tick")
    given, _ = after.and_then("@2030-01-02 grant 1")

    assert min(row.total_after for row in decision.rows or told.rows) >= 0
    assert decision.account.total >= 0
    assert given.refusal is None


def test_voiding_a_grant_takes_what_stands_for_it() -> None:
    """Credits that were refunded after their expiry go with the grant that they came from, and nothing is owed."""
    told = tell(_BOUGHT + "@1 use sketch 10 units; @200 refund #4")

    decision, after = told.and_then("@201 void #3 revoke")

    assert [move.movement for row in decision.rows for move in row.read_allocations()] == ["voided"]
    assert (after.account.total, after.account.owed) == (decision.account.remaining, 0)
    _stays_alive(after)


def test_what_was_corrected_away_is_not_charged_back() -> None:
    """Ten given, ten taken by hand: a void finds nothing that was spent."""
    told = tell(_OWING + "@0 grant 10 paid priority 1; @1 adjust -10; @2 grant 10 promo until 50")

    taken = _revoked(told, "@3 void #3 revoke")

    assert taken == (0, 0)
    _, after = told.and_then("@3 void #3 revoke")
    _stays_alive(after)


def test_an_expired_grant_that_was_refunded_is_charged_for_what_was_spent_after_all() -> None:
    """Ten spent, ten back after the expiry, four of them spent: a void takes six, and leaves a debt of four."""
    told = tell(_BOUGHT + "@1 use sketch 10 units; @200 refund #4; @201 use sketch 4 units")

    taken = _revoked(told, "@202 void #3 revoke")

    assert taken == (4, 0)


def test_a_refund_of_what_stood_for_a_voided_grant_pays_the_debt() -> None:
    """It is as if it came from the voided grant itself: it lowers what is owed, and gives nothing."""
    story = _BOUGHT + "@1 use sketch 10 units; @200 refund #4; @201 use sketch 4 units; @202 void #3 revoke"
    told = tell(story)

    decision, after = told.and_then("@203 refund #6")

    assert told.account.owed == 4
    assert [(move.movement, move.amount) for row in decision.rows for move in row.read_allocations()] == [
        ("refunded", 4)
    ]
    assert (after.account.owed, after.account.remaining, after.account.total) == (0, 6, 6)


def test_a_debt_that_was_refunded_is_not_charged_back_again() -> None:
    """Charged back, paid by a second purchase, then refunded: a void of the second finds that nothing was used."""
    story = (
        _OWING
        + "@0 adjust -6; @0 grant 10 paid; @1 use sketch 10 units; @2 void #4 revoke; @3 grant 10 paid; @4 refund #5"
    )

    told = tell(story)
    charged = _revoked(told, "@5 void #7 revoke")

    assert charged == (0, 10)
    _stays_alive(tell(story + "; @5 void #7 revoke"))


def test_credits_for_some_features_do_not_leave_more_owed_than_was_used() -> None:
    """A debt that was refunded is charged back upon another use; the refund of that use pays it."""
    told = tell(
        _OWING + "@0 adjust -6; @0 grant 10 for sketch; @1 use sketch 10 units; @2 use sketch 10 units; "
        "@3 grant 10 paid; @4 refund #6; @5 void #7 revoke"
    )

    _, after = told.and_then("@6 refund #5")

    assert (told.account.owed, told.account.total) == (10, 10)
    assert (after.account.owed, after.account.total, after.account.remaining) == (0, 10, 10)
    _, corrected = after.and_then("@7 adjust -10")
    _stays_alive(corrected)


@pytest.mark.parametrize("high", ["pro", "postpaid", "fair"])
def test_going_to_and_fro_between_periods_gives_an_allowance_once(high: str) -> None:
    """A month, a plan without a period, a year and back, again and again: the month gave 100, the year a share."""
    told = tell("@0 ensure; @0 plan basic; @1 use sketch 100 units")
    given = told.account.total

    for turn in range(5):
        for plan in (high, "yearly", high, "basic"):
            decision, after = told.and_then(f"@{turn + 2} plan {plan}")
            told = after if decision.refusal is None else told

    rows = [row.read_detail() for row in told.rows]
    by_plan = [(terms.by_plan, terms.amount) for detail in rows for terms in detail.grants if terms.by_plan]
    assert given == 106
    assert sum(amount for plan, amount in by_plan if plan == "basic") == 100
    assert sum(amount for plan, amount in by_plan if plan == "yearly") <= 100


def test_a_trial_between_gives_nothing_twice() -> None:
    """A term that a trial pushed aside goes on after the trial, with what is left of it."""
    told = tell("@0 ensure; @0 plan basic; @1 use sketch 100 units; @2 plan try trial; @3 plan pro")

    decision, _ = told.and_then("@4 plan basic")

    assert decision.refusal is None
    assert decision.account.subscription is not None
    assert (decision.account.subscription.anchor, decision.account.subscription.given) == (read_instant("0"), 100)


def test_a_frozen_account_is_charged_what_it_holds_and_no_more() -> None:
    """Exactly beyond the hold is refused; as far as it goes takes the hold, and says what it lacks."""
    told = tell("@0 ensure; @0 grant 100; @1 hold sketch 1 units; @2 freeze")

    exact, _ = told.and_then("@3 capture #3 101 credits")
    as_far, after = told.and_then("@3 capture #3 101 credits up to what is there")

    assert exact.refusal is not None
    assert (exact.refusal.code, exact.refusal.data()["available"]) == ("insufficient-credits", 1)
    assert as_far.row is not None
    assert (as_far.row.credits_consumed, as_far.row.read_detail().shortfall) == (1, 100)
    assert after.account.remaining == told.account.remaining


def test_another_unlimited_plan_does_not_forget_what_was_used() -> None:
    """Three uses an hour; a plan that counts by the day in between, and the fourth use is still refused."""
    told = tell(
        "@0 ensure; @0 plan fair; @1 use sketch; @2 use sketch; @3 use sketch; @4 plan club; @5 use sketch; "
        "@6 plan pro; @7 cancel; @8 plan fair"
    )

    decision, _ = told.and_then("@9 use sketch")

    assert decision.refusal is not None
    assert decision.refusal.code == "fair-use-limit"


def test_a_year_of_grace_is_never_more_than_was_bought() -> None:
    """Refunded and spent again, over and over after its expiry: what can be charged back is the last use alone."""
    told = tell(_BOUGHT + "@1 use sketch 10 units")
    seq, day = 4, DAY // 1_000_000

    for turn in range(1, 4):
        _, told = told.and_then(f"@{turn * 40 * day} refund #{seq}")
        _, told = told.and_then(f"@{turn * 40 * day + 1} use sketch 10 units")
        seq = told.account.seq

    root = f"@{130 * day} void #3 revoke"
    assert _revoked(told, root) == (10, 0)
