"""What a race can find, and for each what usually causes it and what to do. Whether it was found stands in `judge`."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Kind = Literal[
    "overspend",
    "double_charge",
    "lost_refund",
    "lost_grant",
    "double_grant",
    "leaked_hold",
    "key_reused",
    "no_answer",
    "still_working",
    "nothing_proved",
]

# How many calls or transactions a finding shows.
SHOWN_MAX = 6


class Advice(msgspec.Struct, frozen=True):
    """What usually causes a finding, and what to do about it."""

    cause: str
    remedy: str


ADVICE: dict[Kind, Advice] = {
    "overspend": Advice(
        "The app looks at the balance, works, and charges afterwards: what was enough for one call was seen by all of "
        "them, and a charge that was refused in the end is passed over.",
        "Set the price aside before the work (`place_hold`), answer 402 where that is refused, and capture the hold "
        "when the work is good. A check is a preview and never the decision.",
    ),
    "double_charge": Advice(
        "A call that was sent again is charged again: its key does not reach the ledger, or each try makes its own.",
        "Hand the caller's key on as `idempotency_key` to the change that charges.",
    ),
    "lost_refund": Advice(
        "The app charges, then works, and the charge stays when the work fails or is given up.",
        "Set the price aside with `place_hold` and release it whenever the work does not end well; or `refund` the "
        "charge in the same place, for every exception and for cancellation, too.",
    ),
    "lost_grant": Advice(
        "An event was answered with success, so nobody delivers it again, before its credits were given.",
        "Answer 2xx after `grant_credits` has returned, and let whatever it raises become a 5xx.",
    ),
    "double_grant": Advice(
        "The grant does not carry the event's name, so a delivery that is repeated is a grant of its own. Looking "
        "first whether an event is known does not help two deliveries that look at once.",
        "Give the event's or payment's own id as `source_key`: over all accounts it grants once.",
    ),
    "leaked_hold": Advice(
        "On some way out of the work the hold is neither captured nor released: an exception, a client that hung up, "
        "or a stream that was broken off.",
        "Release in `except BaseException` around the work, the whole of a streamed answer included, then raise again.",
    ),
    "key_reused": Advice(
        "The key is known, so the ledger answers with the first charge, and the app works for a request that nobody "
        "paid for.",
        "Say in `metadata` what was asked for (a digest of the body), so that the ledger refuses the key for anything "
        "else, and answer 422.",
    ),
    "no_answer": Advice(
        "The app did not answer calls that nobody had cut off: it was too slow, hung up, took no connection, or does "
        "not speak HTTP/1.1.",
        "Look into its log. Where the work takes longer, raise `timeout_seconds` or stand something faster in for it; "
        "where the app takes fewer connections at once, lower `calls`.",
    ),
    "still_working": Advice(
        "Work went on after the grace time, so what it does to the ledger could not be judged.",
        "Raise `grace_seconds` above what the work takes, or stand something faster in for it.",
    ),
    "nothing_proved": Advice(
        "The calls did not do what the wave is about.",
        "Look at the answers above: the call may lack what the app wants, or the app takes fewer at once than `calls`.",
    ),
}


class Finding(msgspec.Struct, frozen=True):
    """One thing that a wave showed: what, in a sentence; which calls and transactions show it."""

    kind: Kind
    wave: str
    says: str
    calls: tuple[str, ...] = ()
    ledger: tuple[str, ...] = ()

    def __str__(self) -> str:
        advice = ADVICE[self.kind]
        parts = [f"{self.kind} in {self.wave}: {self.says}"]
        parts += _listed("calls", self.calls) + _listed("ledger", self.ledger)
        parts += [f"  cause   {advice.cause}", f"  remedy  {advice.remedy}"]
        return "\n".join(parts)


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    shown = list(lines[:SHOWN_MAX])
    if len(lines) > SHOWN_MAX:
        shown.append(f"and {len(lines) - SHOWN_MAX} more")
    return [f"  {'' if number else title:<7} {line}" for number, line in enumerate(shown)]
