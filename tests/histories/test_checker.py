"""The checker: a correct history passes, and every planted fault is found under its name."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sixpence.core.values.instant import SECOND, to_wire
from tests.histories.checker import check
from tests.histories.history import Call, History, Row
from tests.histories.made_history import MadeHistory
from tests.histories.wording import READ

Spoilt = Callable[[History], History]


@pytest.fixture
def history() -> History:
    """A history with each kind of request, on an account that begins with three credits."""
    made = MadeHistory()
    made.ask("ensure", key="make it")
    made.ask("grant", amount=5, reason="enough")
    use = made.ask("consume", key="use it", feature="sketch")
    made.ask(READ)
    hold = made.ask("place_hold", feature="sketch", amount=4, ttl_seconds=600)
    made.ask("capture_hold", hold_id=hold.body["hold_id"], amount=3)
    made.ask("refund", transaction_id=use.body["transaction_id"])
    made.ask("consume", feature="video", units=40)
    made.ask("place_hold", feature="sketch", ttl_seconds=1)
    made.ask("capture_hold", hold_id=hold.body["hold_id"])
    made.ask(READ)
    return made.history()


def found_in(history: History) -> list[str]:
    """The names of the faults that the checker finds."""
    return [fault.what for fault in check(history).faults]


def test_correct_history_has_no_fault(history: History) -> None:
    """Changes, reads, refusals and due rows all match, and all are counted."""
    verdict = check(history)

    assert verdict.faults == []
    assert verdict.counts == {
        "accounts": 1,
        "calls": 11,
        "changes acknowledged": 7,
        "hold-ended": 1,
        "insufficient-credits": 1,
        "looks": 2,
        "refusals": 2,
        "rows": 8,
        "sent again under their key": 0,
    }


def with_call(history: History, number: int, **changes: Any) -> History:
    """The history with one call changed."""
    calls = [replace(call, **changes) if call.asked.number == number else call for call in history.calls]
    return replace(history, calls=calls)


def with_body(history: History, number: int, **changes: Any) -> History:
    """The history with something else in one answer."""
    body = {**history.calls[number - 1].body, **changes}
    return with_call(history, number, body=body, text=json.dumps(body))


def with_rows(history: History, change: Callable[[Sequence[Row]], list[Row]]) -> History:
    """The history with other rows."""
    return replace(history, rows=change(history.rows))


def with_another(history: History, number: int, **changes: Any) -> History:
    """The history with a call made once more."""
    again: Call = replace(history.calls[number - 1], **changes)
    return replace(history, calls=[*history.calls, again])


def late(history: History, number: int, seconds: int) -> History:
    """The history with a call made later."""
    call = history.calls[number - 1]
    assert call.returned_at is not None
    moved = seconds * SECOND
    return with_call(history, number, called_at=call.called_at + moved, returned_at=call.returned_at + moved)


def overwritten(rows: Sequence[Row]) -> list[Row]:
    """A lost update: the use was counted, and the hold after it began from the balance before."""
    return [replace(row, remaining=row.remaining + 1) if row.seq >= 4 else row for row in rows]


SPOILT: dict[str, tuple[Spoilt, str]] = {
    "an acknowledged change is not there": (
        lambda history: with_rows(history, lambda rows: list(rows[:-2])),
        "lost",
    ),
    "a row is missing": (lambda history: with_rows(history, lambda rows: [*rows[:3], *rows[4:]]), "gap"),
    "a seq is there twice": (lambda history: with_rows(history, lambda rows: [*rows, rows[2]]), "gap"),
    "one request has two rows": (
        lambda history: with_rows(history, lambda rows: [*rows, replace(rows[2], seq=9)]),
        "twice",
    ),
    "nobody asked for a row": (
        lambda history: replace(history, calls=[call for call in history.calls if call.asked.number != 7]),
        "unasked",
    ),
    "a row is of no request and of no time": (
        lambda history: with_rows(history, lambda rows: [*rows, replace(rows[2], seq=9, number=None, key=None)]),
        "impossible row",
    ),
    "a refused request has a row": (
        lambda history: with_rows(history, lambda rows: [*rows, replace(rows[2], seq=9, number=8, key=None)]),
        "refused yet written",
    ),
    "two answers have one seq": (lambda history: with_body(history, 3, version=2), "elsewhere"),
    "an answer names another transaction": (
        lambda history: with_body(history, 3, transaction_id=history.calls[1].body["transaction_id"]),
        "elsewhere",
    ),
    "a key gets another answer": (
        lambda history: with_another(history, 3, text="{}", replayed=True),
        "answers differ",
    ),
    "a key is answered as new twice": (lambda history: with_another(history, 3), "done again"),
    "a key is refused after it was accepted": (
        lambda history: with_another(history, 3, called_at=history.calls[-1].called_at, status=402),
        "key forgotten",
    ),
    "a later change comes first": (lambda history: late(history, 3, 60), "order"),
    "a read is behind": (lambda history: late(history, 4, 60), "stale read"),
    "a read is ahead": (lambda history: late(history, 4, -6), "order"),
    "a row has a time before its request": (
        lambda history: with_rows(history, lambda rows: [replace(row, at=row.at - 10 * SECOND) for row in rows]),
        "wrong time",
    ),
    "an update is lost": (lambda history: with_rows(history, overwritten), "wrong row"),
    "an answer has another balance": (lambda history: with_body(history, 3, remaining=8), "wrong answer"),
    "an answer charges something else": (lambda history: with_body(history, 6, credits_consumed=4), "wrong answer"),
    "an answer has another time": (
        lambda history: with_body(history, 3, created_at=history.calls[1].body["created_at"]),
        "wrong answer",
    ),
    "a read has another balance": (lambda history: with_body(history, 4, held=1), "wrong read"),
    "a read misses a grant": (lambda history: with_body(history, 4, grants=[]), "wrong read"),
    "a read is beyond the ledger": (lambda history: with_body(history, 11, version=9), "wrong read"),
    "a refusal says less than there is": (lambda history: with_body(history, 8, available=3), "wrong refusal"),
    "a refusal has another reason": (lambda history: with_body(history, 10, state="released"), "wrong refusal"),
    "a hold expires before its time": (
        lambda history: with_rows(history, lambda rows: [*rows[:-1], replace(rows[-1], at=rows[-1].at - 1)]),
        "impossible row",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_planted_fault_is_found(history: History, name: str) -> None:
    """Each fault that is planted in the correct history is found."""
    spoil, what = SPOILT[name]

    found = found_in(spoil(history))

    assert what in found


def test_unexplained_refusal_is_found() -> None:
    """The account had credits during the whole call, so no version explains the refusal."""
    made = MadeHistory()
    made.ask("ensure")
    refused = made.ask("consume", feature="sketch", units=60)
    made.ask("grant", amount=100, reason="enough")
    history = made.history()
    moved = 60 * SECOND
    asked_later = replace(refused, called_at=refused.called_at + moved, returned_at=refused.called_at + moved + SECOND)

    assert found_in(history) == []
    assert found_in(replace(history, calls=[history.calls[0], history.calls[2], asked_later])) == ["wrong refusal"]


def test_refusals_before_the_account_exists() -> None:
    """A read and a use before its creation are refused; a later read may not be."""
    made = MadeHistory()
    missed = made.ask(READ)
    made.ask("consume", feature="sketch")
    ensured = made.ask("ensure")
    history = made.history()
    later = replace(missed, called_at=ensured.called_at + 9 * SECOND, returned_at=ensured.called_at + 10 * SECOND)

    assert found_in(history) == []
    assert found_in(replace(history, calls=[later, *history.calls[1:]])) == ["wrong refusal"]


def test_refusal_may_be_of_any_version_during_the_call() -> None:
    """A refusal sent before a grant and answered after it may be of the version before the grant."""
    made = MadeHistory()
    made.ask("ensure")
    refused = made.ask("consume", feature="sketch", units=60)
    granted = made.ask("grant", amount=100, reason="enough")
    assert granted.returned_at is not None
    waited = replace(refused, returned_at=granted.returned_at + SECOND)

    found = found_in(replace(made.history(), calls=[made.calls[0], waited, granted]))

    assert found == []


def test_a_refusal_for_the_time_alone() -> None:
    """A grant that ends while its request waits may be refused for that, and one that ends later may not."""
    made = MadeHistory()
    made.ask("ensure")
    expires_at = to_wire(made.clock + 3 * SECOND)
    refused = made.ask("grant", amount=5, reason="enough", expires_at=expires_at)
    lasting = {**refused.asked.fields, "expires_at": to_wire(made.clock + 60 * SECOND)}
    longer = replace(refused, asked=replace(refused.asked, fields=lasting))

    assert found_in(made.history()) == []
    assert found_in(replace(made.history(), calls=[made.calls[0], longer])) == ["wrong refusal"]


@pytest.mark.parametrize("changes", [{"status": None}, {"status": 503, "body": {"code": "outcome-unknown"}}])
def test_request_without_an_answer_may_have_a_row(history: History, changes: dict[str, Any]) -> None:
    """Without an answer, the row may exist, or, if it were the last one, be missing."""
    unanswered = with_call(history, 9, **{"body": {}, "text": "", **changes})
    not_done = with_rows(unanswered, lambda rows: list(rows[:-2]))
    not_seen = replace(not_done, calls=[call for call in not_done.calls if call.asked.number < 11])

    assert (found_in(unanswered), found_in(not_seen)) == ([], [])


def test_unavailable_is_not_done(history: History) -> None:
    """A 503 means that nothing was done."""
    unavailable = with_call(history, 9, status=503, body={"code": "overloaded"}, text="")

    assert found_in(unavailable) == ["refused yet written"]


def test_replayed_key_is_no_fault(history: History) -> None:
    """The same answer long after, marked as replayed, breaks no order."""
    last = history.calls[-1]
    again = with_another(history, 3, called_at=last.called_at, returned_at=last.returned_at, replayed=True)

    assert found_in(again) == []


def test_second_capture_is_found(history: History) -> None:
    """The reference refuses a second capture that was accepted and is in the ledger."""
    capture = next(row for row in history.rows if row.kind == "capture")
    last = history.calls[-1]
    second = replace(capture, seq=9, id="another", number=12, at=last.called_at + 2 * SECOND)
    answer = {**history.calls[5].body, "version": 9, "transaction_id": "another"}
    asked = replace(history.calls[5].asked, number=12)
    call = replace(last, asked=asked, called_at=last.called_at + SECOND, returned_at=None, body=answer, text="")

    found = found_in(History([*history.calls, call], [*history.rows, second], history.priced_by))

    assert found == ["impossible row"]
