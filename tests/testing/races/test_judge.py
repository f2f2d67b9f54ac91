"""Judging a wave: what clients were told against what the ledger says, case by case."""

import pytest

from sixpence.testing.races.judge import Seen, judge, moved
from tests.testing.races.seen import cut, entry, missed, seen, told

USE = entry(1, "consume", -1, feature_used="interior")
MORE_USE = entry(2, "consume", -1, feature_used="interior")
GRANT = entry(1, "grant", 50, reason="payment a")
MORE_GRANT = entry(2, "grant", 50, reason="payment a")

CLEAN = {
    "a use that was paid for": seen(told("a", 200), entries=(USE,)),
    "a use that was refused and not paid for": seen(told("a", 200), told("b", 402), entries=(USE,)),
    "two answers to one key that was paid for once": seen(told("a", 200), told("a", 201), entries=(USE,)),
    "a use whose client hung up, not charged": seen(told("a", 200), cut("b"), entries=(USE,)),
    "a use whose client hung up, charged": seen(told("a", 200), cut("b"), entries=(USE, MORE_USE)),
    "a hold that was captured": seen(
        told("a", 200), entries=(entry(1, "hold", -1), entry(2, "capture", 0, about="t1"))
    ),
    "a failure that was refunded": seen(
        told("a", 200), told("b", 500), entries=(USE, MORE_USE, entry(3, "refund", 1, about="t2"))
    ),
    "an allowance that came meanwhile": seen(told("a", 200), entries=(USE, entry(2, "allowance", 100))),
    "an event that was granted": seen(told("a", 200), entries=(GRANT,), worth=50),
    "an event that was granted and answered with failure": seen(
        told("a", 200), told("b", 500), entries=(GRANT, MORE_GRANT), worth=50
    ),
    "a failure that was not charged": seen(told("a", 500, meant="failing")),
    "another request under a key, refused": seen(told("a", 200), told("a", 422, meant="other"), entries=(USE,)),
}

WRONG = {
    "overspend": seen(told("a", 200), told("b", 200), entries=(USE,)),
    "double_charge": seen(told("a", 200), told("a", 200), entries=(USE, MORE_USE)),
    "lost_refund": seen(told("a", 200), told("b", 500), entries=(USE, MORE_USE)),
    "lost_grant": seen(told("a", 200), told("b", 200), entries=(GRANT,), worth=50),
    "double_grant": seen(told("a", 200), told("a", 200), entries=(GRANT, MORE_GRANT), worth=50),
    "key_reused": seen(told("a", 200), told("a", 200, meant="other"), entries=(USE,)),
    "no_answer": seen(told("a", 200), missed("b"), entries=(USE,)),
    "still_working": seen(told("a", 200), entries=(USE,), still_busy=1),
    "leaked_hold": seen(
        told("a", 200),
        cut("b"),
        entries=(USE, entry(2, "hold", -1)),
    ),
    "nothing_proved": seen(told("a", 402), told("b", 402)),
}


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    """What clients were told and what the ledger says agree."""
    assert judge(CLEAN[name]) == []


@pytest.mark.parametrize("kind", WRONG)
def test_each_mistake_is_found_and_alone(kind: str) -> None:
    """Each kind of mistake is one finding of its kind, and no other."""
    assert [finding.kind for finding in judge(WRONG[kind])] == [kind]


@pytest.mark.parametrize("kind", ["double_charge", "lost_refund", "double_grant"])
def test_a_mistake_is_one_credit_away_from_what_may_be(kind: str) -> None:
    """With one transaction less, the same wave is clean."""
    wrong = WRONG[kind]

    right = Seen(**{name: getattr(wrong, name) for name in wrong.__struct_fields__} | {"entries": wrong.entries[:-1]})

    assert judge(right) == []


def test_a_hold_that_had_to_expire_is_a_leak() -> None:
    """That its credits came back by themselves does not mean that somebody ended it."""
    expired = (USE, entry(2, "hold", -1), entry(3, "hold_expire", 1, about="t2"))

    found = judge(seen(told("a", 200), told("b", 500), entries=expired))

    assert [(each.kind, each.says) for each in found] == [
        ("leaked_hold", "1 hold was neither captured nor released after all calls were over; 1 of them had to expire.")
    ]


def test_a_hold_of_before_is_nobodys_leak() -> None:
    """A hold that was placed before the wave and expires in it is not the wave's, nor are the credits that it frees."""
    entries = (USE, entry(2, "hold_expire", 4, about="earlier"))

    assert judge(seen(told("a", 200), entries=entries)) == []


def test_a_call_that_never_reached_the_app_is_not_open() -> None:
    """Where no connection was taken nothing can have been charged, so a charge beyond the others is one too many."""
    entries = (USE, MORE_USE)

    kinds = [each.kind for each in judge(seen(told("a", 200), missed("b", "unreachable"), entries=entries))]

    assert kinds == ["no_answer", "lost_refund"]


def test_a_call_that_was_to_fail_and_succeeded_proves_nothing() -> None:
    """The wave of failures needs failures."""
    found = judge(seen(told("a", 200, meant="failing"), entries=(USE,)))

    assert [each.kind for each in found] == ["nothing_proved"]


def test_a_failing_call_that_was_accepted_and_given_back_is_no_overspend() -> None:
    """An app that sets a hold aside, answers 202 and releases it when the work fails owes nothing."""
    given_back = (entry(1, "hold", -1), entry(2, "release", 1, about="t1"))

    found = judge(seen(told("a", 202, meant="failing"), entries=given_back))

    assert [(each.kind, each.says) for each in found] == [
        (
            "nothing_proved",
            "calls whose work was to fail were answered with success, so what a failure costs was not seen.",
        )
    ]


def test_a_failing_call_that_was_accepted_and_left_held_is_a_leak() -> None:
    """That nothing was paid excuses no hold that nobody ended."""
    found = judge(seen(told("a", 202, meant="failing"), entries=(entry(1, "hold", -1),)))

    assert [each.kind for each in found] == ["nothing_proved", "leaked_hold"]


def test_a_key_that_was_charged_for_each_of_two_requests_is_reused_all_the_same() -> None:
    """It is not told twice, as a key that was charged twice."""
    found = judge(seen(told("a", 200), told("a", 200, meant="other"), entries=(USE, MORE_USE)))

    assert [each.kind for each in found] == ["key_reused"]


def test_a_key_whose_client_hung_up_has_not_failed() -> None:
    """So what is charged beyond it is a key charged twice, and no failure that stayed charged."""
    entries = (USE, MORE_USE, entry(3, "consume", -1))

    found = judge(seen(told("a", 200), cut("b"), entries=entries))

    assert [(each.kind, each.says) for each in found] == [
        ("double_charge", "2 keys may cost 2 credits, and 3 credits were paid.")
    ]


def test_an_overspend_shows_the_calls_that_are_not_in_the_ledger() -> None:
    """Where the app writes its keys down, those that were paid for are not suspected."""
    paid = entry(1, "consume", -1, feature_used="interior", generation_id="picture of a")

    (found,) = judge(seen(told("a", 200), told("b", 200), entries=(paid,)))

    assert found.calls == ("b: POST /pictures: 200",)
    assert found.ledger == ("consume -1 interior: t1",)
    assert found.says == "2 calls succeeded, which is 2 credits, and 1 credit was paid."


def test_what_is_held_has_not_moved() -> None:
    """A hold that is still open is a leak and not a charge."""
    held = seen(cut("a"), entries=(entry(1, "hold", -4),))

    assert moved(held) == 0
