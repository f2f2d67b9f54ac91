"""The kinds of findings of a race, each with its usual cause and remedy. Not here: how they are found (`judge`)."""

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

# A finding lists at most this many calls, and as many transactions.
SHOWN_MAX = 6


class Advice(msgspec.Struct, frozen=True):
    """The usual cause of a finding, and its remedy."""

    cause: str
    remedy: str


ADVICE: dict[Kind, Advice] = {
    "overspend": Advice(
        "The app reads the balance, works, and charges afterwards. The balance was enough for each call alone, so all "
        "of them passed the check, and the app ignores the refusal of a later charge.",
        "Reserve the price before the work (`place_hold`), answer 402 if that is refused, and capture the hold when "
        "the work has succeeded. A balance check is a preview, never the decision.",
    ),
    "double_charge": Advice(
        "A repeated call is charged again: its key does not reach the ledger, or each try makes a new one.",
        "Pass the caller's key as `idempotency_key` to the change that charges.",
    ),
    "lost_refund": Advice(
        "The app charges, then works, and the charge stays when the work fails or is cancelled.",
        "Reserve the price with `place_hold` and release the hold unless the work succeeds; or `refund` the charge in "
        "the same place, for every exception and for cancellation, too.",
    ),
    "lost_grant": Advice(
        "An event was answered with success, so it is not delivered again, before its credits were granted.",
        "Answer 2xx after `grant_credits` has returned, and turn its exceptions into a 5xx.",
    ),
    "double_grant": Advice(
        "The grant does not carry the event's id, so a repeated delivery is a new grant. Checking first whether an "
        "event is known does not help against two deliveries at the same time.",
        "Pass the id of the event or payment as `source_key`: it grants once over all accounts.",
    ),
    "leaked_hold": Advice(
        "One way out of the work neither captures nor releases the hold: an exception, a client that hung up, or a "
        "stream that broke off.",
        "Release in `except BaseException` around the work, including the whole streamed answer, then raise again.",
    ),
    "key_reused": Advice(
        "The key is known, so the ledger answers with the first charge, and the app works for a request that nobody "
        "paid for.",
        "Put a digest of the request's body into `metadata`, so that the ledger refuses the key for another request, "
        "and answer 422.",
    ),
    "no_answer": Advice(
        "The app did not answer calls whose clients waited: it was too slow, hung up, accepted no connection, or does "
        "not speak HTTP/1.1.",
        "Look into its log. If the work takes longer, raise `timeout_seconds` or replace the work by something faster; "
        "if the app accepts fewer connections at once, lower `calls`.",
    ),
    "still_working": Advice(
        "Work continued after the grace time, so its changes to the ledger could not be judged.",
        "Raise `grace_seconds` above the duration of the work, or replace the work by something faster.",
    ),
    "nothing_proved": Advice(
        "The calls did not do what the wave tests.",
        "Look at the answers above: the call may lack something that the app requires, or the app accepts fewer calls "
        "at once than `calls`.",
    ),
}


class Finding(msgspec.Struct, frozen=True):
    """A finding of a wave: one sentence, and the calls and transactions that show it."""

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
