"""Ways to get more than was paid for, or to get an account stuck, that were tried on the rules: none of them works."""

import pytest

from sixpence.core.values.instant import DAY
from tests.core.story_table import StoryState, read_instant, run_story

_OWING = "@0 ensure; @0 plan postpaid; "
_BOUGHT = _OWING + "@0 grant 10 paid until 100; "


def _revoked(state: StoryState, text: str) -> tuple[int, int]:
    """What a void takes back as a debt, and what it cannot."""
    decision, _ = state.run(text)
    assert decision.row is not None
    charged = sum(move.amount for move in decision.row.read_allocations() if move.movement == "charged_back")
    return -charged, decision.row.read_detail().shortfall or 0


def _stays_alive(state: StoryState) -> None:
    """Due changes never bring the total below zero, and credits can still be given."""
    decision, after = state.run("@2030-01-01 tick")
    given, _ = after.run("@2030-01-02 grant 1")

    assert min(row.total_after for row in decision.rows or state.rows) >= 0
    assert decision.account.total >= 0
    assert given.refusal is None


def test_void_takes_the_grace_grants_that_replace_it() -> None:
    """Credits that were refunded after their expiry go with the grant that they came from, and nothing is owed."""
    state = run_story(_BOUGHT + "@1 use sketch 10 units; @200 refund #4")

    decision, after = state.run("@201 void #3 revoke")

    assert [move.movement for row in decision.rows for move in row.read_allocations()] == ["voided"]
    assert (after.account.total, after.account.owed) == (decision.account.remaining, 0)
    _stays_alive(after)


def test_void_does_not_charge_back_adjusted_credits() -> None:
    """Ten given, ten taken by hand: a void finds nothing that was spent."""
    state = run_story(_OWING + "@0 grant 10 paid priority 1; @1 adjust -10; @2 grant 10 promo until 50")

    taken = _revoked(state, "@3 void #3 revoke")

    assert taken == (0, 0)
    _, after = state.run("@3 void #3 revoke")
    _stays_alive(after)


def test_void_charges_what_was_spent_of_a_refunded_grant() -> None:
    """Ten spent, ten back after the expiry, four of them spent: a void takes six, and leaves a debt of four."""
    state = run_story(_BOUGHT + "@1 use sketch 10 units; @200 refund #4; @201 use sketch 4 units")

    taken = _revoked(state, "@202 void #3 revoke")

    assert taken == (4, 0)


def test_refund_to_a_replacement_of_a_voided_grant_pays_the_debt() -> None:
    """It is as if it came from the voided grant itself: it lowers the debt, and gives nothing."""
    story = _BOUGHT + "@1 use sketch 10 units; @200 refund #4; @201 use sketch 4 units; @202 void #3 revoke"
    state = run_story(story)

    decision, after = state.run("@203 refund #6")

    assert state.account.owed == 4
    assert [(move.movement, move.amount) for row in decision.rows for move in row.read_allocations()] == [
        ("refunded", 4)
    ]
    assert (after.account.owed, after.account.remaining, after.account.total) == (0, 6, 6)


def test_void_does_not_charge_back_a_refunded_debt() -> None:
    """Charged back, paid by a second purchase, then refunded: a void of the second finds that nothing was used."""
    story = (
        _OWING
        + "@0 adjust -6; @0 grant 10 paid; @1 use sketch 10 units; @2 void #4 revoke; @3 grant 10 paid; @4 refund #5"
    )

    state = run_story(story)
    charged = _revoked(state, "@5 void #7 revoke")

    assert charged == (0, 10)
    _stays_alive(run_story(story + "; @5 void #7 revoke"))


def test_refund_to_a_restricted_grant_pays_debt_beyond_what_was_used() -> None:
    """A debt that was refunded is charged back upon another use; the refund of that use pays it."""
    state = run_story(
        _OWING + "@0 adjust -6; @0 grant 10 for sketch; @1 use sketch 10 units; @2 use sketch 10 units; "
        "@3 grant 10 paid; @4 refund #6; @5 void #7 revoke"
    )

    _, after = state.run("@6 refund #5")

    assert (state.account.owed, state.account.total) == (10, 10)
    assert (after.account.owed, after.account.total, after.account.remaining) == (0, 10, 10)
    _, corrected = after.run("@7 adjust -10")
    _stays_alive(corrected)


@pytest.mark.parametrize("high", ["pro", "postpaid", "fair"])
def test_changing_plans_back_and_forth_gives_an_allowance_once(high: str) -> None:
    """A month, a plan without a period, a year and back, again and again: the month gave 100, the year a share."""
    state = run_story("@0 ensure; @0 plan basic; @1 use sketch 100 units")
    given = state.account.total

    for turn in range(5):
        for plan in (high, "yearly", high, "basic"):
            decision, after = state.run(f"@{turn + 2} plan {plan}")
            state = after if decision.refusal is None else state

    rows = [row.read_detail() for row in state.rows]
    by_plan = [(terms.by_plan, terms.amount) for detail in rows for terms in detail.grants if terms.by_plan]
    ended = -sum(move.amount for row in state.rows for move in row.read_allocations() if move.movement == "expired")
    assert given == 106
    assert sum(amount for plan, amount in by_plan if plan == "basic") == 100
    # What ended unspent was not given: the year gives its share again for the time left.
    assert sum(amount for plan, amount in by_plan if plan == "yearly") - ended <= 100


def test_trial_in_between_gives_nothing_twice() -> None:
    """A term that a trial suspended is resumed after the trial, with what is left of it."""
    state = run_story("@0 ensure; @0 plan basic; @1 use sketch 100 units; @2 plan try trial; @3 plan pro")

    decision, _ = state.run("@4 plan basic")

    assert decision.refusal is None
    assert decision.account.subscription is not None
    assert (decision.account.subscription.anchor, decision.account.subscription.given) == (read_instant("0"), 100)


def test_capture_on_a_frozen_account_charges_only_the_hold() -> None:
    """An exact capture beyond the hold is refused; `up_to_available` takes the hold and names the shortfall."""
    state = run_story("@0 ensure; @0 grant 100; @1 hold sketch 1 units; @2 freeze")

    exact, _ = state.run("@3 capture #3 101 credits")
    as_far, after = state.run("@3 capture #3 101 credits up to what is there")

    assert exact.refusal is not None
    assert (exact.refusal.code, exact.refusal.data()["available"]) == ("insufficient-credits", 1)
    assert as_far.row is not None
    assert (as_far.row.credits_consumed, as_far.row.read_detail().shortfall) == (1, 100)
    assert after.account.remaining == state.account.remaining


def test_another_unlimited_plan_keeps_the_fair_use_count() -> None:
    """Three uses an hour; a plan that counts by the day in between, and the fourth use is still refused."""
    state = run_story(
        "@0 ensure; @0 plan fair; @1 use sketch; @2 use sketch; @3 use sketch; @4 plan club; @5 use sketch; "
        "@6 plan pro; @7 cancel; @8 plan fair"
    )

    decision, _ = state.run("@9 use sketch")

    assert decision.refusal is not None
    assert decision.refusal.code == "fair-use-limit"


def test_repeated_grace_grants_never_exceed_what_was_bought() -> None:
    """Refunded and spent again, over and over after its expiry: what can be charged back is the last use alone."""
    state = run_story(_BOUGHT + "@1 use sketch 10 units")
    seq, day = 4, DAY // 1_000_000

    for turn in range(1, 4):
        _, state = state.run(f"@{turn * 40 * day} refund #{seq}")
        _, state = state.run(f"@{turn * 40 * day + 1} use sketch 10 units")
        seq = state.account.seq

    root = f"@{130 * day} void #3 revoke"
    assert _revoked(state, root) == (10, 0)
