"""Judging a wave: the clients' answers compared with the ledger. Pure. The advice on findings is in `findings`.

A key is one use (or one event), however often its call was sent. It is served if any of its answers was a success,
failed if all of its answers were refusals or failures, and open if some client never got its answer: an open one may
have moved credits or not, but only once. So for uses: served <= paid <= served + open. For events, whose failures are
delivered again: served <= granted <= all.
"""

from collections.abc import Sequence

import msgspec

from sixpence.testing.races.client.attempts import Attempt, Succeeded
from sixpence.testing.races.judging.findings import Finding, Kind
from sixpence.testing.races.ledgers.ledger import Transaction

# Transactions that time brings, or an account's first day: no call made them.
_NOT_BY_CALLS = frozenset(("signup", "ensure", "allowance", "rollover", "take_effect", "expire", "plan_change"))
_HOLD_ENDS = frozenset(("capture", "release", "hold_expire"))


class WaveRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A finished wave: its attempts, and the account's new transactions."""

    wave: str
    attempts: Sequence[Attempt]
    transactions: Sequence[Transaction]
    busy_requests: int
    succeeded: Succeeded
    # The change of the balance by a single call: -1 charges a credit, 50 grants fifty.
    worth: int


class KeyOutcomes(msgspec.Struct, frozen=True):
    """The keys of a wave by their outcome."""

    served: set[str]
    open: set[str]
    failed: set[str]


def judge(record: WaveRecord) -> list[Finding]:
    """List the findings of a wave; empty if nothing is wrong."""
    reused = _find_reused_keys(record)
    findings = [
        *_find_unanswered(record),
        *_find_still_working(record),
        *reused,
        *_find_nothing_proved(record),
        *_find_leaked_holds(record),
    ]
    if not reused:
        findings += _judge_uses(record) if record.worth < 0 else _judge_events(record)
    return findings


def group_keys(record: WaveRecord) -> KeyOutcomes:
    """Group the keys of a wave by outcome. A call that the app should refuse is no use of its key."""
    attempts = [each for each in record.attempts if each.purpose != "other"]
    served = {each.key for each in attempts if each.answer is not None and record.succeeded(each.answer)}
    reached = (each for each in attempts if each.no_answer is None or each.no_answer.reason != "unreachable")
    open_keys = {each.key for each in reached if each.answer is None} - served
    return KeyOutcomes(served, open_keys, {each.key for each in attempts} - served - open_keys)


def sum_moved(record: WaveRecord) -> int:
    """The change of the balance by the wave's calls, as if its open holds were released."""
    by_calls = sum(each.amount for each in record.transactions if _is_by_calls(each, record))
    return by_calls - sum(hold.amount for hold in list_open_holds(record))


def list_open_holds(record: WaveRecord) -> list[Transaction]:
    """The holds that were placed in the wave and are still open."""
    ended = {each.about for each in record.transactions if each.kind in _HOLD_ENDS}
    return [each for each in record.transactions if each.kind == "hold" and each.id not in ended]


def _is_by_calls(transaction: Transaction, record: WaveRecord) -> bool:
    """Whether the calls caused a transaction. The expiry of a hold from before the wave is caused by none."""
    if transaction.kind == "hold_expire":
        return any(transaction.about == hold.id for hold in record.transactions if hold.kind == "hold")
    return transaction.kind not in _NOT_BY_CALLS


def _judge_uses(record: WaveRecord) -> list[Finding]:
    keys, price, paid = group_keys(record), -record.worth, -sum_moved(record)
    least, most = len(keys.served) * price, (len(keys.served) + len(keys.open)) * price
    # An app that answers 202, fails later and refunds overspends nothing: `_find_nothing_proved` reports it.
    is_failing = any(each.purpose == "failing" for each in record.attempts)
    if paid < least and not (is_failing and paid == 0):
        says = (
            f"{_count(len(keys.served), 'call')} succeeded, which is {_credits(least)}, and {_credits(paid)} "
            f"{'was' if paid == 1 else 'were'} paid."
        )
        return [_finding(record, "overspend", says, keys.served, unless_in_ledger=True)]
    if paid > most and keys.failed:
        says = (
            f"{_credits(paid - most)} beyond the successful calls stayed charged, while "
            f"{_count(len(keys.failed), 'call')} failed."
        )
        return [_finding(record, "lost_refund", says, keys.failed)]
    if paid > most:
        count = _count(len(keys.served) + len(keys.open), "key")
        says = f"{count} may cost {_credits(most)}, and {_credits(paid)} were paid."
        return [_finding(record, "double_charge", says, keys.served | keys.open)]
    return []


def _judge_events(record: WaveRecord) -> list[Finding]:
    keys, each, granted = group_keys(record), record.worth, sum_moved(record)
    every = keys.served | keys.open | keys.failed
    if granted < len(keys.served) * each:
        events = f"{_count(len(keys.served), 'event')} of {_credits(each)}"
        says = f"{events} succeeded, and the ledger granted {_credits(granted)}."
        return [_finding(record, "lost_grant", says, keys.served, unless_in_ledger=True)]
    if granted > len(every) * each:
        says = f"{_count(len(every), 'event')} of {_credits(each)} granted {_credits(granted)}."
        return [_finding(record, "double_grant", says, every)]
    return []


def _find_leaked_holds(record: WaveRecord) -> list[Finding]:
    expired = [each for each in record.transactions if each.kind == "hold_expire" and _is_by_calls(each, record)]
    leaked = [*map(str, list_open_holds(record)), *map(str, expired)]
    if not leaked:
        return []
    says = f"{_count(len(leaked), 'hold')} {'was' if len(leaked) == 1 else 'were'} neither captured nor released"
    says += " after all calls were over" + (f"; {len(expired)} of them had to expire." if expired else ".")
    suspects = [str(each) for each in record.attempts if each.answer is None or not record.succeeded(each.answer)]
    return [Finding("leaked_hold", record.wave, says, tuple(suspects), tuple(leaked))]


def _find_reused_keys(record: WaveRecord) -> list[Finding]:
    answered = [each for each in record.attempts if each.purpose == "other" and each.answer is not None]
    served = [each for each in answered if each.answer is not None and record.succeeded(each.answer)]
    if not served:
        return []
    subject = "it was" if len(served) == 1 else "they were"
    says = f"{_count(len(served), 'key')} served another request than the one that {subject} used for."
    return [Finding("key_reused", record.wave, says, tuple(map(str, served)), tuple(map(str, record.transactions)))]


def _find_unanswered(record: WaveRecord) -> list[Finding]:
    unanswered = [each for each in record.attempts if each.no_answer is not None]
    if not unanswered:
        return []
    count = f"{len(unanswered)} of {_count(len(record.attempts), 'call')}"
    says = f"{count} had no complete answer, although no client hung up."
    return [Finding("no_answer", record.wave, says, tuple(map(str, unanswered)))]


def _find_still_working(record: WaveRecord) -> list[Finding]:
    if not record.busy_requests:
        return []
    says = f"{_count(record.busy_requests, 'call')} still ran at the end of the grace time."
    return [Finding("still_working", record.wave, says)]


def _find_nothing_proved(record: WaveRecord) -> list[Finding]:
    keys = group_keys(record)
    failing = [each for each in record.attempts if each.purpose == "failing"]
    answered = [each for each in record.attempts if each.answer is not None]
    if failing and keys.served:
        served = [str(each) for each in failing if each.key in keys.served]
        says = "calls whose work should fail were answered with success, so the cost of a failure was not seen."
        return [Finding("nothing_proved", record.wave, says, tuple(served))]
    if failing and not answered:
        return [Finding("nothing_proved", record.wave, "no call was answered.", tuple(map(str, failing)))]
    if not failing and not keys.served:
        says = "no call succeeded, so the cost of a success was not seen."
        return [Finding("nothing_proved", record.wave, says, tuple(map(str, answered or record.attempts)))]
    return []


def _finding(
    record: WaveRecord, kind: Kind, says: str, suspects: set[str], *, unless_in_ledger: bool = False
) -> Finding:
    """A finding with the attempts of the suspected keys, on request without the keys that the ledger mentions."""
    if unless_in_ledger:
        written = {key for key in suspects if any(_mentions(each, key) for each in record.transactions)}
        suspects = suspects - written
    calls = tuple(str(each) for each in record.attempts if each.key in suspects)
    return Finding(kind, record.wave, says, calls, tuple(str(each) for each in record.transactions if each.amount))


def _mentions(transaction: Transaction, key: str) -> bool:
    """Whether a field that an app fills contains the key."""
    return any(key in str(field) for field in (transaction.generation_id, transaction.metadata, transaction.reason))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _credits(number: int) -> str:
    return _count(number, "credit")
