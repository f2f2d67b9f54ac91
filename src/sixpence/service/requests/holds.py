"""From arguments to requests about holds. What a field may hold stands in `fields`, the rest of asking in `asking`."""

from typing import Any

from sixpence.core.account.commands import CaptureHold, ExtendHold, PlaceHold, ReleaseHold
from sixpence.core.catalog.price import Usage
from sixpence.core.values import metadata as metadata_text
from sixpence.core.values.bounds import GENERATION_ID_LENGTH_MAX, REASON_LENGTH_MAX
from sixpence.ledger.writer.batch import Request
from sixpence.service.requests import fields
from sixpence.service.requests.requests import request


def place(
    account_id: str,
    feature: str,
    *,
    units: int | None,
    usage: Usage | None,
    amount: int | None,
    ttl_seconds: int | None,
    generation_id: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    """A request to set credits aside."""
    used, amount_given = fields.usage_or_amount(units, usage, amount, least=1)
    command = PlaceHold(
        feature=fields.text("feature", feature, fields.NAME_LENGTH_MAX),
        ttl_seconds=fields.ttl_seconds(ttl_seconds),
        usage=used or Usage(),
        amount=amount_given,
        generation_id=fields.optional_text("generation_id", generation_id, GENERATION_ID_LENGTH_MAX),
        metadata=metadata_text.canonical(metadata),
    )
    sent = {
        "feature": feature,
        **fields.usage_sent(units, usage),
        "amount": amount,
        "ttl_seconds": ttl_seconds,
        "generation_id": generation_id,
        "metadata": metadata,
    }
    return request("place_hold", account_id, command, sent, key)


def extend(
    account_id: str, hold_id: str, *, ttl_seconds: int | None, metadata: dict[str, Any] | None, key: str | None
) -> Request:
    """A request to let a hold live longer."""
    command = ExtendHold(
        hold_id=_hold_id(hold_id),
        ttl_seconds=fields.ttl_seconds(ttl_seconds),
        metadata=metadata_text.canonical(metadata),
    )
    sent = {"hold_id": hold_id, "ttl_seconds": ttl_seconds, "metadata": metadata}
    return request("extend_hold", account_id, command, sent, key)


def capture(
    account_id: str,
    hold_id: str,
    *,
    units: int | None,
    usage: Usage | None,
    amount: int | None,
    mode: str | None,
    late: bool,
    generation_id: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    """A request to charge what was really used."""
    used, amount_given = fields.usage_or_amount(units, usage, amount, least=0)
    command = CaptureHold(
        hold_id=_hold_id(hold_id),
        usage=used,
        amount=amount_given,
        mode=fields.capture_mode(mode),
        late=fields.flag("late", late),
        generation_id=fields.optional_text("generation_id", generation_id, GENERATION_ID_LENGTH_MAX),
        metadata=metadata_text.canonical(metadata),
    )
    sent = {
        "hold_id": hold_id,
        **fields.usage_sent(units, usage),
        "amount": amount,
        "mode": mode,
        "late": late or None,
        "generation_id": generation_id,
        "metadata": metadata,
    }
    return request("capture_hold", account_id, command, sent, key)


def release(
    account_id: str, hold_id: str, *, reason: str | None, metadata: dict[str, Any] | None, key: str | None
) -> Request:
    """A request to give back what a hold has set aside."""
    command = ReleaseHold(
        hold_id=_hold_id(hold_id),
        reason=fields.optional_text("reason", reason, REASON_LENGTH_MAX),
        metadata=metadata_text.canonical(metadata),
    )
    return request(
        "release_hold", account_id, command, {"hold_id": hold_id, "reason": reason, "metadata": metadata}, key
    )


def _hold_id(value: str) -> str:
    return fields.text("hold_id", value, fields.ID_LENGTH_MAX)
