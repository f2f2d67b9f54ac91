"""Records of waves, attempts and transactions for tests of the judge."""

from typing import Any

from sixpence.testing.races.client.attempts import Attempt, is_success
from sixpence.testing.races.client.calls import Answer, Call
from sixpence.testing.races.client.connection import NoAnswerError
from sixpence.testing.races.judging.judge import WaveRecord
from sixpence.testing.races.ledgers.ledger import Transaction

CALL = Call("POST", "/pictures")


def answered(key: str, status: int, **options: Any) -> Attempt:
    """An attempt that got an answer with this status."""
    return Attempt(key=key, call=CALL, answer=Answer(status, {}, b""), **options)


def hung_up(key: str) -> Attempt:
    """An attempt whose client hung up."""
    return Attempt(key=key, call=CALL, ending="cut_waiting")


def unanswered(key: str, reason: str = "slow") -> Attempt:
    """An attempt that got no answer although its client waited."""
    return Attempt(key=key, call=CALL, no_answer=NoAnswerError(reason, "said the test"))


def transaction(seq: int, kind: str, amount: int, **fields: Any) -> Transaction:
    """A transaction with the id `t` + `seq`."""
    defaults = dict.fromkeys(
        ("about", "feature_used", "credits_consumed", "generation_id", "metadata", "reason", "actor"), None
    )
    return Transaction(**{**defaults, **fields}, id=f"t{seq}", seq=seq, kind=kind, amount=amount)


def wave_record(
    *attempts: Attempt, transactions: tuple[Transaction, ...] = (), worth: int = -1, busy_requests: int = 0
) -> WaveRecord:
    """A finished wave."""
    return WaveRecord(
        wave="at_once",
        attempts=attempts,
        transactions=transactions,
        busy_requests=busy_requests,
        succeeded=is_success,
        worth=worth,
    )
