"""Requests to the ledger: a command with its idempotency key and the fingerprint of what the caller sent.

A fingerprint covers only the arguments that were sent, before defaults and prices, so a later release can add
arguments and defaults without turning retries into conflicts.
Not here: the commands (each is built in its operation) and what a field may hold (`fields`).
"""

from typing import Any

from sixpence.core.account.commands import Command, Key
from sixpence.core.errors import InvalidInputError
from sixpence.core.values import metadata as metadata_text
from sixpence.core.values.bounds import KEY_LENGTH_MAX, REASON_LENGTH_MAX
from sixpence.ledger.database.source_claims import SOURCE_PREFIX
from sixpence.ledger.writer.batch import Request
from sixpence.service.requests import fields


def build_request(
    operation: str, account_id: str, command: Command, sent: dict[str, Any], idempotency_key: str | None
) -> Request:
    """Builds a request for an account, with the caller's key if there is one; `sent` has None for what was left out."""
    account_id = fields.account_id(account_id)
    if idempotency_key is None:
        return Request(account_id, command)
    key = fields.text("idempotency_key", idempotency_key, KEY_LENGTH_MAX)
    return Request(account_id, command, _key(key, operation, account_id, sent))


def build_event_request(
    operation: str,
    account_id: str,
    command: Command,
    sent: dict[str, Any],
    *,
    source_key: str,
    idempotency_key: str | None,
) -> Request:
    """Builds a request whose key is that of an outside event, such as a payment; the caller sends no other key."""
    if idempotency_key is not None:
        raise InvalidInputError("source_key", "was sent beside an idempotency key. Send one of the two.")
    source_key = fields.text("source_key", source_key, KEY_LENGTH_MAX)
    account_id = fields.account_id(account_id)
    # Deliveries of one event are the same request, whichever actor sends them.
    event = {**sent, "actor": None}
    return Request(account_id, command, _key(SOURCE_PREFIX + source_key, operation, account_id, event))


def checked_attribution(reason: str | None, actor: str | None, metadata: dict[str, Any] | None) -> dict[str, Any]:
    """Checks who makes a change and why; gives a command's fields of these names."""
    return {
        "reason": fields.optional_text("reason", reason, REASON_LENGTH_MAX),
        "actor": fields.optional_text("actor", actor, KEY_LENGTH_MAX),
        "metadata": metadata_text.canonical(metadata),
    }


def _key(value: str, operation: str, account_id: str, sent: dict[str, Any]) -> Key:
    covered = {name: _plain(part) for name, part in sent.items() if part is not None}
    return Key(value, metadata_text.fingerprint(operation, account_id, covered))


def _plain(value: Any) -> Any:
    return str.__str__(value) if isinstance(value, str) else value
