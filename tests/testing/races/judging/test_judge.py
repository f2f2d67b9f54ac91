"""Judging a wave: the clients' answers compared with the ledger, case by case."""

import pytest

from sixpence.testing.races.judging.judge import WaveRecord, judge, sum_moved
from tests.testing.races.judging.wave_records import answered, hung_up, transaction, unanswered, wave_record

pytestmark = pytest.mark.slow

USE = transaction(1, "consume", -1, feature_used="interior")
MORE_USE = transaction(2, "consume", -1, feature_used="interior")
GRANT = transaction(1, "grant", 50, reason="payment a")
MORE_GRANT = transaction(2, "grant", 50, reason="payment a")

CLEAN = {
    "a use that was paid for": wave_record(answered("a", 200), transactions=(USE,)),
    "a use that was refused and not paid for": wave_record(answered("a", 200), answered("b", 402), transactions=(USE,)),
    "two answers to one key that was paid for once": wave_record(
        answered("a", 200), answered("a", 201), transactions=(USE,)
    ),
    "a use whose client hung up, not charged": wave_record(answered("a", 200), hung_up("b"), transactions=(USE,)),
    "a use whose client hung up, charged": wave_record(answered("a", 200), hung_up("b"), transactions=(USE, MORE_USE)),
    "a hold that was captured": wave_record(
        answered("a", 200), transactions=(transaction(1, "hold", -1), transaction(2, "capture", 0, about="t1"))
    ),
    "a failure that was refunded": wave_record(
        answered("a", 200), answered("b", 500), transactions=(USE, MORE_USE, transaction(3, "refund", 1, about="t2"))
    ),
    "an allowance that came meanwhile": wave_record(
        answered("a", 200), transactions=(USE, transaction(2, "allowance", 100))
    ),
    "an event that was granted": wave_record(answered("a", 200), transactions=(GRANT,), worth=50),
    "an event that was granted and answered with failure": wave_record(
        answered("a", 200), answered("b", 500), transactions=(GRANT, MORE_GRANT), worth=50
    ),
    "a failure that was not charged": wave_record(answered("a", 500, purpose="failing")),
    "another request under a key, refused": wave_record(
        answered("a", 200), answered("a", 422, purpose="other"), transactions=(USE,)
    ),
}

WRONG = {
    "overspend": wave_record(answered("a", 200), answered("b", 200), transactions=(USE,)),
    "double_charge": wave_record(answered("a", 200), answered("a", 200), transactions=(USE, MORE_USE)),
    "lost_refund": wave_record(answered("a", 200), answered("b", 500), transactions=(USE, MORE_USE)),
    "lost_grant": wave_record(answered("a", 200), answered("b", 200), transactions=(GRANT,), worth=50),
    "double_grant": wave_record(answered("a", 200), answered("a", 200), transactions=(GRANT, MORE_GRANT), worth=50),
    "key_reused": wave_record(answered("a", 200), answered("a", 200, purpose="other"), transactions=(USE,)),
    "no_answer": wave_record(answered("a", 200), unanswered("b"), transactions=(USE,)),
    "still_working": wave_record(answered("a", 200), transactions=(USE,), busy_requests=1),
    "leaked_hold": wave_record(
        answered("a", 200),
        hung_up("b"),
        transactions=(USE, transaction(2, "hold", -1)),
    ),
    "nothing_proved": wave_record(answered("a", 402), answered("b", 402)),
}


@pytest.mark.parametrize("name", CLEAN)
def test_judge_finds_nothing_in_clean_wave(name: str) -> None:
    """The answers and the ledger agree."""
    assert judge(CLEAN[name]) == []


@pytest.mark.parametrize("kind", WRONG)
def test_judge_finds_each_kind_of_mistake(kind: str) -> None:
    """Each kind of mistake gives one finding of its kind, and no other."""
    assert [finding.kind for finding in judge(WRONG[kind])] == [kind]


@pytest.mark.parametrize("kind", ["double_charge", "lost_refund", "double_grant"])
def test_judge_boundary_is_one_transaction(kind: str) -> None:
    """With one transaction less, the same wave is clean."""
    wrong = WRONG[kind]

    right = WaveRecord(
        **{name: getattr(wrong, name) for name in wrong.__struct_fields__} | {"transactions": wrong.transactions[:-1]}
    )

    assert judge(right) == []


def test_leaked_hold_includes_expired_hold() -> None:
    """Its credits returned by expiry, not by a release."""
    expired = (USE, transaction(2, "hold", -1), transaction(3, "hold_expire", 1, about="t2"))

    found = judge(wave_record(answered("a", 200), answered("b", 500), transactions=expired))

    assert [(each.kind, each.says) for each in found] == [
        ("leaked_hold", "1 hold was neither captured nor released after all calls were over; 1 of them had to expire.")
    ]


def test_leaked_hold_excludes_hold_from_before_wave() -> None:
    """Neither the hold nor the credits that its expiry frees belong to the wave."""
    transactions = (USE, transaction(2, "hold_expire", 4, about="earlier"))

    assert judge(wave_record(answered("a", 200), transactions=transactions)) == []


def test_unreachable_call_is_not_open() -> None:
    """A call without a connection cannot be charged, so a further charge is one too many."""
    transactions = (USE, MORE_USE)

    kinds = [
        each.kind
        for each in judge(wave_record(answered("a", 200), unanswered("b", "unreachable"), transactions=transactions))
    ]

    assert kinds == ["no_answer", "lost_refund"]


def test_failing_call_that_succeeds_proves_nothing() -> None:
    """The wave `failures` needs failures."""
    found = judge(wave_record(answered("a", 200, purpose="failing"), transactions=(USE,)))

    assert [each.kind for each in found] == ["nothing_proved"]


def test_failing_call_with_released_hold_is_no_overspend() -> None:
    """An app that places a hold, answers 202 and releases the hold when the work fails owes nothing."""
    given_back = (transaction(1, "hold", -1), transaction(2, "release", 1, about="t1"))

    found = judge(wave_record(answered("a", 202, purpose="failing"), transactions=given_back))

    assert [(each.kind, each.says) for each in found] == [
        (
            "nothing_proved",
            "calls whose work should fail were answered with success, so the cost of a failure was not seen.",
        )
    ]


def test_failing_call_with_open_hold_is_leaked_hold() -> None:
    """An open hold is a leak, although nothing was paid."""
    found = judge(wave_record(answered("a", 202, purpose="failing"), transactions=(transaction(1, "hold", -1),)))

    assert [each.kind for each in found] == ["nothing_proved", "leaked_hold"]


def test_key_reused_and_charged_twice_is_one_finding() -> None:
    """The second charge is not reported as a double charge, too."""
    found = judge(wave_record(answered("a", 200), answered("a", 200, purpose="other"), transactions=(USE, MORE_USE)))

    assert [each.kind for each in found] == ["key_reused"]


def test_hung_up_key_is_open_not_failed() -> None:
    """So a charge beyond it is a double charge, not a lost refund."""
    transactions = (USE, MORE_USE, transaction(3, "consume", -1))

    found = judge(wave_record(answered("a", 200), hung_up("b"), transactions=transactions))

    assert [(each.kind, each.says) for each in found] == [
        ("double_charge", "2 keys may cost 2 credits, and 3 credits were paid.")
    ]


def test_overspend_lists_calls_missing_in_ledger() -> None:
    """If the app stores its keys in the ledger, the paid ones are not listed."""
    paid = transaction(1, "consume", -1, feature_used="interior", generation_id="picture of a")

    (found,) = judge(wave_record(answered("a", 200), answered("b", 200), transactions=(paid,)))

    assert found.calls == ("b: POST /pictures: 200",)
    assert found.ledger == ("consume -1 interior: t1",)
    assert found.says == "2 calls succeeded, which is 2 credits, and 1 credit was paid."


def test_sum_moved_excludes_open_holds() -> None:
    """An open hold is a leak, not a charge."""
    record = wave_record(hung_up("a"), transactions=(transaction(1, "hold", -4),))

    assert sum_moved(record) == 0
