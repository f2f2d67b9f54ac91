"""The ledger in words: what each kind of transaction and each movement is called where a person reads it.

One table each, so that a new kind or movement without words is seen at once. Whole sentences about a transaction stand
in `explanation_words`.
"""

from collections.abc import Mapping
from datetime import datetime

from sixpence.core.account.movement import Movement
from sixpence.core.account.transaction import Kind
from sixpence.core.values.instant import to_datetime

# As short as the line of a statement; `feature` and `plan` are the transaction's own.
KINDS: Mapping[Kind, str] = {
    "signup": "account opened on plan {plan}",
    "ensure": "account asked for again",
    "grant": "credits granted",
    "consume": "used {feature}",
    "hold": "set aside for {feature}",
    "hold_extend": "more time for a hold on {feature}",
    "capture": "used {feature}, from a hold",
    "release": "hold on {feature} released",
    "hold_expire": "hold on {feature} timed out",
    "refund": "refund of {feature}",
    "void": "grant cancelled",
    "adjust": "corrected by hand",
    "plan_change": "change of plan, on {plan} now",
    "allowance": "allowance of plan {plan}",
    "rollover": "unspent allowance rolled over",
    "take_effect": "scheduled credits took effect",
    "expire": "credits expired",
    "freeze": "account frozen",
    "unfreeze": "account unfrozen",
    "close": "account closed",
}

# What happened to so many credits of a grant, after their number.
MOVEMENTS: Mapping[Movement, str] = {
    "granted": "given",
    "scheduled": "promised for later",
    "took_effect": "took effect",
    "consumed": "spent",
    "held": "set aside",
    "released": "given back by the hold",
    "captured": "spent of what was set aside",
    "lapsed": "given back by the hold and over at once, since the grant had ended",
    "expired": "expired",
    "rolled": "carried over into a new grant",
    "trimmed": "ended, above what the new plan lets stay",
    "voided": "cancelled",
    "unscheduled": "cancelled before they took effect",
    "adjusted": "taken back by hand",
    "refunded": "refunded",
    "withheld": "refunded in the books only, since the grant was cancelled",
    "repaid": "used to pay what was owed",
    "charged_back": "added to what is owed",
}


def of_kind(kind: Kind, *, feature: str | None, plan: str) -> str:
    """What a transaction was, in a few words."""
    return KINDS[kind].format(feature=feature or "a feature", plan=plan or "none")


def counted(count: int, thing: str) -> str:
    """A number with what is counted: "1 credit", "2 credits"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def credits(amount: int) -> str:
    """An amount as a person reads it: "1 credit", "6 credits"."""
    return counted(amount, "credit")


def credits_were(amount: int) -> str:
    """An amount with its verb: "1 credit was", "6 credits were"."""
    return f"{credits(amount)} {'was' if amount == 1 else 'were'}"


def day_and_time(instant: int) -> str:
    """An instant to the second: "2026-01-31 09:30:00"; always UTC, which whoever shows it says."""
    return f"{to_datetime(instant):%Y-%m-%d %H:%M:%S}"


def when(moment: datetime) -> str:
    """A time of UTC in a sentence: "2026-01-31 09:30:00 UTC"."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
