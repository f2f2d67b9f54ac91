"""Labels for people: what each kind of transaction and each movement is called, and how amounts and times are written.

One table each, so that a new kind or movement without a label is seen at once. Not here: whole sentences
(`sentences`).
"""

from collections.abc import Mapping
from datetime import datetime

from sixpence.core.account.movement import Movement
from sixpence.core.account.transaction import Kind
from sixpence.core.values.instant import to_datetime

# As short as the line of a statement; `feature` and `plan` are the transaction's own.
KINDS: Mapping[Kind, str] = {
    "signup": "account opened on plan {plan}",
    "ensure": "account requested again",
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

# What happened to credits of a grant; the label follows their number.
MOVEMENTS: Mapping[Movement, str] = {
    "granted": "given",
    "scheduled": "promised for later",
    "took_effect": "took effect",
    "consumed": "spent",
    "held": "set aside",
    "released": "given back by the hold",
    "captured": "spent of what was set aside",
    "lapsed": "given back by the hold and expired at once, since the grant had ended",
    "expired": "expired",
    "rolled": "carried over into a new grant",
    "trimmed": "expired, above the new plan's rollover cap",
    "voided": "cancelled",
    "unscheduled": "cancelled before they took effect",
    "adjusted": "taken back by hand",
    "refunded": "refunded",
    "withheld": "refunded in the ledger only, since the grant was cancelled",
    "repaid": "used to pay what was owed",
    "charged_back": "added to what is owed",
}


def kind_label(
    kind: Kind, *, feature: str | None, plan: str, amount: int = 0, credits_consumed: int | None = None
) -> str:
    """Return what a transaction was, in a few words.

    A capture changes the balance by `amount`, and not by what was set aside before, so its label has the price.
    """
    if kind == "capture" and credits_consumed:
        used = f"used {feature or 'a feature'}: {credits(credits_consumed)}"
        earlier = credits_consumed + min(amount, 0)
        if earlier <= 0:
            return used
        return f"{used}, {'' if earlier == credits_consumed else f'{earlier} of it '}set aside earlier"
    return KINDS[kind].format(feature=feature or "a feature", plan=plan or "none")


def format_count(count: int, thing: str) -> str:
    """Return a number with what it counts: "1 credit", "2 credits"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def credits(amount: int) -> str:
    """Return an amount with its unit: "1 credit", "6 credits"."""
    return format_count(amount, "credit")


def format_change(amount: int) -> str:
    """Return a change with its sign: "+6", "-1", and "0" without one."""
    return f"{amount:+}" if amount else "0"


def credits_were(amount: int) -> str:
    """Return an amount with its verb: "1 credit was", "6 credits were"."""
    return f"{credits(amount)} {'was' if amount == 1 else 'were'}"


def format_instant(instant: int) -> str:
    """Return an instant in UTC to the second, without the zone: "2026-01-31 09:30:00"."""
    return f"{to_datetime(instant):%Y-%m-%d %H:%M:%S}"


def format_time(moment: datetime) -> str:
    """Return a UTC time for a sentence: "2026-01-31 09:30:00 UTC"."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
