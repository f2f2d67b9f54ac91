"""What a field may hold. Each value is checked under its field's name, before the database is used.

Not here: building requests (`requests`), and bounds that the core checks as well (`core.values.bounds`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast, get_args

import msgspec

from sixpence.core.account.commands import CaptureMode
from sixpence.core.account.grant import Category
from sixpence.core.account.transaction import Kind
from sixpence.core.catalog.price import Usage
from sixpence.core.errors import InvalidInputError
from sixpence.core.values.bounds import AMOUNT_MAX, PRIORITY_MAX, check_account_id, check_amount, check_text, shown
from sixpence.core.values.instant import from_datetime

NAME_LENGTH_MAX = 63
ID_LENGTH_MAX = 63
FEATURES_MAX = 100
TTL_SECONDS_MAX = 30 * 86_400
TTL_SECONDS = 600


def account_id(value: str) -> str:
    """The account's id as plain text."""
    return str.__str__(check_account_id(value))


def text(field: str, value: str, length_max: int) -> str:
    """The text as a plain `str`: a member of an enumeration is hashed and stored as its value."""
    return str.__str__(check_text(field, value, length_max=length_max))


def optional_text(field: str, value: str | None, length_max: int) -> str | None:
    """An optional text, None if it was left out."""
    return None if value is None else text(field, value, length_max)


def instant(field: str, moment: datetime | None) -> int | None:
    """The instant of an optional time."""
    if moment is not None and not isinstance(moment, datetime):
        raise InvalidInputError(field, f"{shown(moment)} is not a datetime. Send an aware one.")
    return None if moment is None else from_datetime(field, moment)


def optional_amount(field: str, value: int | None, *, least: int) -> int | None:
    """An optional amount of at least `least`."""
    return None if value is None else check_amount(field, value, least=least)


def correction(value: int) -> int:
    """An amount to add or (negative) take, not 0."""
    if type(value) is not int:
        raise InvalidInputError("amount", f"{shown(value)} is not a whole number. Send an integer, like 5 or -5.")
    if not 1 <= abs(value) <= AMOUNT_MAX:
        problem = f"is out of range. Send an integer from -{AMOUNT_MAX} to {AMOUNT_MAX}, but not 0."
        raise InvalidInputError("amount", f"{shown(value)} {problem}")
    return value


def flag(field: str, value: bool) -> bool:
    """True or False; 1 and 0 are refused."""
    if type(value) is not bool:
        raise InvalidInputError(field, f"{shown(value)} is not true or false. Send one of these.")
    return value


def ttl_seconds(value: int | None) -> int:
    """How long a hold lives, 600 seconds by default."""
    if value is None:
        return TTL_SECONDS
    check_amount("ttl_seconds", value)
    if value > TTL_SECONDS_MAX:
        problem = f"{value} is out of range. Send an integer from 1 to {TTL_SECONDS_MAX}, which is 30 days."
        raise InvalidInputError("ttl_seconds", problem)
    return value


def usage_of(units: int | None, usage: Usage | None) -> Usage | None:
    """The usage that `units` or `usage` gives, None without either; raises if both were sent."""
    if usage is not None and not isinstance(usage, Usage):
        raise InvalidInputError("usage", f"{shown(usage)} is not a Usage. Send Usage(model=..., input_tokens=...).")
    if units is not None and usage is not None:
        raise InvalidInputError("units", "was sent beside usage. Send one of the two.")
    if units is not None:
        return Usage(units=check_amount("units", units, least=0))
    if usage is None:
        return None
    for name in ("units", "input_tokens", "cached_input_tokens", "output_tokens"):
        optional_amount(f"usage.{name}", getattr(usage, name), least=0)
    model = optional_text("usage.model", usage.model, NAME_LENGTH_MAX)
    return msgspec.structs.replace(usage, model=model)


def usage_or_amount(
    units: int | None, usage: Usage | None, amount: int | None, *, least: int
) -> tuple[Usage | None, int | None]:
    """The usage, or the amount that replaces its price; raises if both were sent."""
    used = usage_of(units, usage)
    if used is not None and amount is not None:
        other = "units" if units is not None else "usage"
        raise InvalidInputError("amount", f"was sent beside {other}. Send one of the two.")
    return used, optional_amount("amount", amount, least=least)


def usage_and_amount(
    units: int | None, usage: Usage | None, amount: int | None, *, least: int
) -> tuple[Usage | None, int | None]:
    """The usage, the amount, or an amount with the model alone; raises if more was sent."""
    if amount is None or units is not None or usage is None or usage.model is None:
        return usage_or_amount(units, usage, amount, least=least)
    used = usage_of(None, usage)
    if usage != Usage(model=usage.model):
        raise InvalidInputError(
            "amount", "was sent beside tokens. Send one of the two; beside an amount only the model."
        )
    return used, optional_amount("amount", amount, least=least)


def usage_sent(units: int | None, usage: Usage | None) -> dict[str, Any]:
    """Units and usage as the caller sent them, for the fingerprint."""
    return {"units": units, "usage": None if usage is None else msgspec.to_builtins(usage)}


def category(value: str | None) -> Category:
    """A grant's category, `admin` by default."""
    if value is None:
        return "admin"
    if value not in get_args(Category):
        raise InvalidInputError("category", f"{value!r:.60} is not one of {', '.join(get_args(Category))}.")
    return cast(Category, str.__str__(value))


def kind(value: str | None) -> Kind | None:
    """An optional kind of transaction."""
    if value is None:
        return None
    if value not in get_args(Kind):
        raise InvalidInputError("kind", f"{shown(value)} is not one of {', '.join(get_args(Kind))}.")
    return cast(Kind, str.__str__(value))


def priority(value: int) -> int:
    """A grant's priority, 0 to 1000."""
    check_amount("priority", value, least=0)
    if value > PRIORITY_MAX:
        raise InvalidInputError("priority", f"{value} is out of range. Send an integer from 0 to {PRIORITY_MAX}.")
    return value


def features(values: Sequence[str]) -> tuple[str, ...]:
    """The features that a grant is limited to, without duplicates."""
    if not isinstance(values, (list, tuple)) or not 1 <= len(values) <= FEATURES_MAX:
        raise InvalidInputError("features", f"is not a list of 1 to {FEATURES_MAX} features. Leave it out for all.")
    return tuple(dict.fromkeys(text("features", value, NAME_LENGTH_MAX) for value in values))


def capture_mode(value: str | None) -> CaptureMode:
    """What a capture does when the credits do not suffice, `exact` by default."""
    if value is None:
        return "exact"
    if value not in get_args(CaptureMode):
        raise InvalidInputError("mode", f"{shown(value)} is not one of {', '.join(get_args(CaptureMode))}.")
    return cast(CaptureMode, str.__str__(value))
