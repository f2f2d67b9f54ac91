"""Waves as the judge sees them, written down by hand."""

from typing import Any

from sixpence.testing.races.attempts import Attempt, is_success
from sixpence.testing.races.books import Entry
from sixpence.testing.races.calls import Answer, Call
from sixpence.testing.races.judge import Seen
from sixpence.testing.races.wire import NoAnswerError

CALL = Call("POST", "/pictures")


def told(key: str, status: int, **how: Any) -> Attempt:
    """An attempt whose client was answered with this status."""
    return Attempt(key=key, call=CALL, answer=Answer(status, {}, b""), **how)


def cut(key: str) -> Attempt:
    """An attempt whose client hung up."""
    return Attempt(key=key, call=CALL, ending="cut_waiting")


def missed(key: str, why: str = "slow") -> Attempt:
    """An attempt that had no answer although its client stayed."""
    return Attempt(key=key, call=CALL, missing=NoAnswerError(why, "said the test"))


def entry(seq: int, kind: str, amount: int, **more: Any) -> Entry:
    """A transaction whose id is t and its `seq`."""
    nothing = dict.fromkeys(
        ("about", "feature_used", "credits_consumed", "generation_id", "metadata", "reason", "actor"), None
    )
    return Entry(**{**nothing, **more}, id=f"t{seq}", seq=seq, kind=kind, amount=amount)


def seen(*attempts: Attempt, entries: tuple[Entry, ...] = (), worth: int = -1, **more: Any) -> Seen:
    """A wave that is over."""
    return Seen(
        wave="at_once",
        attempts=attempts,
        entries=entries,
        still_busy=more.pop("still_busy", 0),
        succeeded=is_success,
        worth=worth,
    )
