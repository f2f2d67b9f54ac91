"""From arguments to requests: every field checked by name, and the fingerprint of what the caller sent.

Absent stays absent: a fingerprint covers the arguments that were given, before defaults and prices.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast, get_args

from sixpence.core import metadata as metadata_text
from sixpence.core.bounds import (
    GENERATION_ID_LENGTH_MAX,
    KEY_LENGTH_MAX,
    LABEL_LENGTH_MAX,
    PRIORITY_MAX,
    REASON_LENGTH_MAX,
    check_account_id,
    check_amount,
    check_text,
    shown,
)
from sixpence.core.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Key
from sixpence.core.errors import InvalidInputError
from sixpence.core.grant import DEFAULT_PRIORITY, Category
from sixpence.core.instant import from_datetime
from sixpence.ledger.batch import Request

NAME_LENGTH_MAX = 63
FEATURES_MAX = 100


def ensure(account_id: str, *, label: str | None, metadata: dict[str, Any] | None, key: str | None) -> Request:
    """A request to make the account if it is not there."""
    command = EnsureAccount(label=_text("label", label, LABEL_LENGTH_MAX), metadata=metadata_text.canonical(metadata))
    return _request("ensure", account_id, command, {"label": label, "metadata": metadata}, key)


def consume(
    account_id: str, feature: str, *, generation_id: str | None, metadata: dict[str, Any] | None, key: str | None
) -> Request:
    """A request to spend the price of one use."""
    command = Consume(
        feature=checked_text("feature", feature, NAME_LENGTH_MAX),
        generation_id=_text("generation_id", generation_id, GENERATION_ID_LENGTH_MAX),
        metadata=metadata_text.canonical(metadata),
    )
    sent = {"feature": feature, "generation_id": generation_id, "metadata": metadata}
    return _request("consume", account_id, command, sent, key)


def grant(
    account_id: str,
    amount: int,
    *,
    reason: str | None,
    category: str | None,
    priority: int | None,
    effective_at: datetime | None,
    expires_at: datetime | None,
    features: Sequence[str] | None,
    actor: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    """A request to give credits."""
    command = GrantCredits(
        amount=check_amount("amount", amount),
        category="admin" if category is None else _category(category),
        priority=DEFAULT_PRIORITY if priority is None else _priority(priority),
        effective_at=instant("effective_at", effective_at),
        expires_at=instant("expires_at", expires_at),
        features=None if features is None else _features(features),
        reason=_text("reason", reason, REASON_LENGTH_MAX),
        actor=_text("actor", actor, KEY_LENGTH_MAX),
        metadata=metadata_text.canonical(metadata),
    )
    sent = {
        "amount": amount,
        "reason": reason,
        "category": category,
        "priority": priority,
        "effective_at": command.effective_at,
        "expires_at": command.expires_at,
        "features": None if features is None else [str.__str__(name) for name in features],
        "actor": actor,
        "metadata": metadata,
    }
    return _request("grant", account_id, command, sent, key)


def change_plan(
    account_id: str,
    plan: str,
    *,
    reason: str | None,
    actor: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    """A request to put the account on a plan."""
    command = ChangePlan(
        plan=checked_text("plan", plan, NAME_LENGTH_MAX),
        reason=_text("reason", reason, REASON_LENGTH_MAX),
        actor=_text("actor", actor, KEY_LENGTH_MAX),
        metadata=metadata_text.canonical(metadata),
    )
    sent = {"plan": plan, "reason": reason, "actor": actor, "metadata": metadata}
    return _request("change_plan", account_id, command, sent, key)


def checked_account_id(account_id: str) -> str:
    """The account's id as plain text."""
    return str.__str__(check_account_id(account_id))


def checked_text(field: str, value: str, length_max: int) -> str:
    """The text as plain text: a member of an enumeration is hashed and stored as what it stands for."""
    return str.__str__(check_text(field, value, length_max=length_max))


def instant(field: str, moment: datetime | None) -> int | None:
    """The instant of a time that may be left out."""
    if moment is not None and not isinstance(moment, datetime):
        raise InvalidInputError(field, f"{shown(moment)} is not a datetime. Send an aware one.")
    return None if moment is None else from_datetime(field, moment)


def _request(operation: str, account_id: str, command: Command, sent: dict[str, Any], key: str | None) -> Request:
    account_id = checked_account_id(account_id)
    if key is None:
        return Request(account_id, command)
    key = checked_text("idempotency_key", key, KEY_LENGTH_MAX)
    given = {name: _as_sent(value) for name, value in sent.items() if value is not None}
    return Request(account_id, command, Key(key, metadata_text.fingerprint(operation, account_id, given)))


def _as_sent(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, str) else value


def _text(field: str, value: str | None, length_max: int) -> str | None:
    return None if value is None else checked_text(field, value, length_max)


def _category(value: str) -> Category:
    if value not in get_args(Category):
        raise InvalidInputError("category", f"{value!r:.60} is none of {', '.join(get_args(Category))}.")
    return cast(Category, str.__str__(value))


def _priority(value: int) -> int:
    check_amount("priority", value, least=0)
    if value > PRIORITY_MAX:
        raise InvalidInputError("priority", f"{value} is out of range. Send an integer from 0 to {PRIORITY_MAX}.")
    return value


def _features(values: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)) or not 1 <= len(values) <= FEATURES_MAX:
        raise InvalidInputError("features", f"is not a list of 1 to {FEATURES_MAX} features. Leave it out for all.")
    return tuple(dict.fromkeys(checked_text("features", value, NAME_LENGTH_MAX) for value in values))
