"""Judging a wave: what the clients were told against what the ledger says. Pure; what a finding means is in `findings`.

A key stands for one use (or one event), however often its call was sent. It was served when any of its answers was a
success, failed when all of its answers were refusals or failures, and is open when some client never got its answer: an
open one may have moved credits or not, once. So, of uses: served <= paid <= served + open. Of events, whose failures
are delivered again: served <= granted <= all.
"""

from collections.abc import Sequence

import msgspec

from sixpence.testing.races.attempts import Attempt, Succeeded
from sixpence.testing.races.books import Entry
from sixpence.testing.races.findings import Finding, Kind

# What time does by itself, or an account's first day, is not the app's doing.
_NOT_THE_CALLS = frozenset(("signup", "ensure", "allowance", "rollover", "take_effect", "expire", "plan_change"))
_ENDS = frozenset(("capture", "release", "hold_expire"))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A wave when it was over: its attempts, and the account's new transactions."""

    wave: str
    attempts: Sequence[Attempt]
    entries: Sequence[Entry]
    still_busy: int
    succeeded: Succeeded
    # What one call alone does to the balance: -1 charges a credit, 50 gives fifty.
    worth: int


class Keys(msgspec.Struct, frozen=True):
    """The keys of a wave by what became of them."""

    served: set[str]
    open: set[str]
    failed: set[str]


def judge(seen: Seen) -> list[Finding]:
    """Everything that is wrong with a wave, empty where nothing is."""
    reused = _reused(seen)
    found = [*_unanswered(seen), *_still_working(seen), *reused, *_nothing_proved(seen), *_leaked(seen)]
    if not reused:
        found += _uses(seen) if seen.worth < 0 else _events(seen)
    return found


def keys_of(seen: Seen) -> Keys:
    """The keys of a wave by what became of them; a call that was to be refused is no use of its key."""
    attempts = [each for each in seen.attempts if each.meant != "other"]
    served = {each.key for each in attempts if each.answer is not None and seen.succeeded(each.answer)}
    reached = (each for each in attempts if each.missing is None or each.missing.why != "unreachable")
    open_keys = {each.key for each in reached if each.answer is None} - served
    return Keys(served, open_keys, {each.key for each in attempts} - served - open_keys)


def moved(seen: Seen) -> int:
    """What the calls did to the balance, with what is still held as if it were not."""
    of_calls = sum(entry.amount for entry in seen.entries if _is_of_calls(entry, seen))
    return of_calls - sum(hold.amount for hold in open_holds(seen))


def open_holds(seen: Seen) -> list[Entry]:
    """The holds that were placed in the wave and that nothing has ended."""
    ended = {entry.about for entry in seen.entries if entry.kind in _ENDS}
    return [entry for entry in seen.entries if entry.kind == "hold" and entry.id not in ended]


def _is_of_calls(entry: Entry, seen: Seen) -> bool:
    """Whether the calls brought a transaction about; a hold of before that expires meanwhile is nobody's doing."""
    if entry.kind == "hold_expire":
        return any(entry.about == hold.id for hold in seen.entries if hold.kind == "hold")
    return entry.kind not in _NOT_THE_CALLS


def _uses(seen: Seen) -> list[Finding]:
    keys, price, paid = keys_of(seen), -seen.worth, -moved(seen)
    least, most = len(keys.served) * price, (len(keys.served) + len(keys.open)) * price
    # An app that accepts, fails later and gives back overspends nothing: `_nothing_proved` says what is wrong with it.
    failing = any(each.meant == "failing" for each in seen.attempts)
    if paid < least and not (failing and paid == 0):
        says = (
            f"{_times(len(keys.served), 'call')} succeeded, which is {_credits(least)}, and {_credits(paid)} "
            f"{'was' if paid == 1 else 'were'} paid."
        )
        return [_finding(seen, "overspend", says, keys.served, unless_in_ledger=True)]
    if paid > most and keys.failed:
        says = (
            f"{_credits(paid - most)} beyond what succeeded stayed charged, while "
            f"{_times(len(keys.failed), 'call')} failed."
        )
        return [_finding(seen, "lost_refund", says, keys.failed)]
    if paid > most:
        count = _times(len(keys.served) + len(keys.open), "key")
        says = f"{count} may cost {_credits(most)}, and {_credits(paid)} were paid."
        return [_finding(seen, "double_charge", says, keys.served | keys.open)]
    return []


def _events(seen: Seen) -> list[Finding]:
    keys, each, given = keys_of(seen), seen.worth, moved(seen)
    every = keys.served | keys.open | keys.failed
    if given < len(keys.served) * each:
        says = f"{_times(len(keys.served), 'event')} of {_credits(each)} succeeded, and {_credits(given)} came."
        return [_finding(seen, "lost_grant", says, keys.served, unless_in_ledger=True)]
    if given > len(every) * each:
        says = f"{_times(len(every), 'event')} of {_credits(each)} gave {_credits(given)}."
        return [_finding(seen, "double_grant", says, every)]
    return []


def _leaked(seen: Seen) -> list[Finding]:
    expired = [entry for entry in seen.entries if entry.kind == "hold_expire" and _is_of_calls(entry, seen)]
    leaked = [*map(str, open_holds(seen)), *map(str, expired)]
    if not leaked:
        return []
    says = f"{_times(len(leaked), 'hold')} {'was' if len(leaked) == 1 else 'were'} neither captured nor released"
    says += " after all calls were over" + (f"; {len(expired)} of them had to expire." if expired else ".")
    suspects = [str(each) for each in seen.attempts if each.answer is None or not seen.succeeded(each.answer)]
    return [Finding("leaked_hold", seen.wave, says, tuple(suspects), tuple(leaked))]


def _reused(seen: Seen) -> list[Finding]:
    answered = [each for each in seen.attempts if each.meant == "other" and each.answer is not None]
    served = [each for each in answered if each.answer is not None and seen.succeeded(each.answer)]
    if not served:
        return []
    many = "it was" if len(served) == 1 else "they were"
    says = f"{_times(len(served), 'key')} served another request than the one that {many} used for."
    return [Finding("key_reused", seen.wave, says, tuple(map(str, served)), tuple(map(str, seen.entries)))]


def _unanswered(seen: Seen) -> list[Finding]:
    missing = [each for each in seen.attempts if each.missing is not None]
    if not missing:
        return []
    says = f"{len(missing)} of {_times(len(seen.attempts), 'call')} had no whole answer, though no client hung up."
    return [Finding("no_answer", seen.wave, says, tuple(map(str, missing)))]


def _still_working(seen: Seen) -> list[Finding]:
    if not seen.still_busy:
        return []
    says = f"{_times(seen.still_busy, 'call')} went on when the grace time was over."
    return [Finding("still_working", seen.wave, says)]


def _nothing_proved(seen: Seen) -> list[Finding]:
    keys = keys_of(seen)
    failing = [each for each in seen.attempts if each.meant == "failing"]
    answered = [each for each in seen.attempts if each.answer is not None]
    if failing and keys.served:
        served = [str(each) for each in failing if each.key in keys.served]
        says = "calls whose work was to fail were answered with success, so what a failure costs was not seen."
        return [Finding("nothing_proved", seen.wave, says, tuple(served))]
    if failing and not answered:
        return [Finding("nothing_proved", seen.wave, "no call was answered.", tuple(map(str, failing)))]
    if not failing and not keys.served:
        says = "not one call succeeded, so nothing was seen of what a success costs."
        return [Finding("nothing_proved", seen.wave, says, tuple(map(str, answered or seen.attempts)))]
    return []


def _finding(seen: Seen, kind: Kind, says: str, suspects: set[str], *, unless_in_ledger: bool = False) -> Finding:
    """The finding with the attempts of these keys; those that the ledger names are left out where wanted."""
    if unless_in_ledger:
        written = {key for key in suspects if any(_names(entry, key) for entry in seen.entries)}
        suspects = suspects - written
    calls = tuple(str(each) for each in seen.attempts if each.key in suspects)
    return Finding(kind, seen.wave, says, calls, tuple(str(entry) for entry in seen.entries if entry.amount))


def _names(entry: Entry, key: str) -> bool:
    """Whether a transaction carries the key where an app can put it."""
    return any(key in str(said) for said in (entry.generation_id, entry.metadata, entry.reason))


def _times(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _credits(number: int) -> str:
    return _times(number, "credit")
