"""From arguments to requests that bring, spend and take credits, and the fingerprint of what the caller sent.

Absent stays absent: a fingerprint covers the arguments that were given, before defaults and prices.
Holds stand in `asking_holds`, plans and how an account stands in `asking_plans`, what a field may hold in `fields`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sixpence.core.account.commands import Adjust, Command, Consume, EnsureAccount, GrantCredits, Key, Refund, VoidGrant
from sixpence.core.account.grant import DEFAULT_PRIORITY
from sixpence.core.catalog.price import Usage
from sixpence.core.errors import InvalidInputError
from sixpence.core.values import metadata as metadata_text
from sixpence.core.values.bounds import (
    GENERATION_ID_LENGTH_MAX,
    KEY_LENGTH_MAX,
    LABEL_LENGTH_MAX,
    REASON_LENGTH_MAX,
    check_amount,
)
from sixpence.ledger.database.source_claims import SOURCE_PREFIX
from sixpence.ledger.writer.batch import Request
from sixpence.service.requests import fields


def ensure(account_id: str, *, label: str | None, metadata: dict[str, Any] | None, key: str | None) -> Request:
    """A request to make the account if it is not there."""
    command = EnsureAccount(
        label=fields.optional_text("label", label, LABEL_LENGTH_MAX), metadata=metadata_text.canonical(metadata)
    )
    return request("ensure", account_id, command, {"label": label, "metadata": metadata}, key)


def consume(
    account_id: str,
    feature: str,
    *,
    units: int | None,
    usage: Usage | None,
    generation_id: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    """A request to spend the price of one use."""
    command = Consume(
        feature=fields.text("feature", feature, fields.NAME_LENGTH_MAX),
        usage=fields.usage_of(units, usage) or Usage(),
        generation_id=fields.optional_text("generation_id", generation_id, GENERATION_ID_LENGTH_MAX),
        metadata=metadata_text.canonical(metadata),
    )
    sent = {
        "feature": feature,
        **fields.usage_sent(units, usage),
        "generation_id": generation_id,
        "metadata": metadata,
    }
    return request("consume", account_id, command, sent, key)


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
    source_key: str | None,
    key: str | None,
) -> Request:
    """A request to give credits; a source key takes the place of the caller's own key."""
    command = GrantCredits(
        amount=check_amount("amount", amount),
        category=fields.category(category),
        priority=DEFAULT_PRIORITY if priority is None else fields.priority(priority),
        effective_at=fields.instant("effective_at", effective_at),
        expires_at=fields.instant("expires_at", expires_at),
        features=None if features is None else fields.features(features),
        **by(reason, actor, metadata),
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
    if source_key is None:
        return request("grant", account_id, command, sent, key)
    if key is not None:
        raise InvalidInputError("source_key", "was sent beside an idempotency key. Send one of the two.")
    source_key = fields.text("source_key", source_key, KEY_LENGTH_MAX)
    account_id = fields.account_id(account_id)
    # Whoever delivers it again, under whichever API key, it is the same event.
    event = {**sent, "actor": None}
    return Request(account_id, command, _key(SOURCE_PREFIX + source_key, "grant", account_id, event))


def refund(
    account_id: str,
    transaction_id: str,
    *,
    amount: int | None,
    reason: str | None,
    actor: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    """A request to give back what a transaction consumed."""
    command = Refund(
        transaction_id=fields.text("transaction_id", transaction_id, fields.ID_LENGTH_MAX),
        amount=fields.optional_amount("amount", amount, least=1),
        **by(reason, actor, metadata),
    )
    sent = {"transaction_id": transaction_id, "amount": amount, "reason": reason, "actor": actor, "metadata": metadata}
    return request("refund", account_id, command, sent, key)


def void_grant(
    account_id: str,
    grant_id: str,
    *,
    revoke_spent: bool,
    reason: str | None,
    actor: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    """A request to cancel what remains of a grant."""
    command = VoidGrant(
        grant_id=fields.text("grant_id", grant_id, fields.ID_LENGTH_MAX),
        revoke_spent=fields.flag("revoke_spent", revoke_spent),
        **by(reason, actor, metadata),
    )
    # False is what leaving it out means, and a caller cannot be told from one that left it out.
    sent = {
        "grant_id": grant_id,
        "revoke_spent": revoke_spent or None,
        "reason": reason,
        "actor": actor,
        "metadata": metadata,
    }
    return request("void_grant", account_id, command, sent, key)


def adjust(
    account_id: str, amount: int, *, reason: str, actor: str, metadata: dict[str, Any] | None, key: str | None
) -> Request:
    """A request to correct the balance by hand."""
    command = Adjust(
        amount=fields.correction(amount),
        reason=fields.text("reason", reason, REASON_LENGTH_MAX),
        actor=fields.text("actor", actor, KEY_LENGTH_MAX),
        metadata=metadata_text.canonical(metadata),
    )
    sent = {"amount": amount, "reason": reason, "actor": actor, "metadata": metadata}
    return request("adjust", account_id, command, sent, key)


def request(operation: str, account_id: str, command: Command, sent: dict[str, Any], key: str | None) -> Request:
    """A request for an account, under the caller's key if there is one."""
    account_id = fields.account_id(account_id)
    if key is None:
        return Request(account_id, command)
    key = fields.text("idempotency_key", key, KEY_LENGTH_MAX)
    return Request(account_id, command, _key(key, operation, account_id, sent))


def _key(value: str, operation: str, account_id: str, sent: dict[str, Any]) -> Key:
    given = {name: _as_sent(part) for name, part in sent.items() if part is not None}
    return Key(value, metadata_text.fingerprint(operation, account_id, given))


def _as_sent(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, str) else value


def by(reason: str | None, actor: str | None, metadata: dict[str, Any] | None) -> dict[str, Any]:
    """Who does it and why, checked, for a command's fields of these names."""
    return {
        "reason": fields.optional_text("reason", reason, REASON_LENGTH_MAX),
        "actor": fields.optional_text("actor", actor, KEY_LENGTH_MAX),
        "metadata": metadata_text.canonical(metadata),
    }
