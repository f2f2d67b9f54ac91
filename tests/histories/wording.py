"""A request in two forms: as HTTP sends it, and as the command that the reference runs.

The reference names rows, holds and grants by numbers, which are part of their ids.
"""

from collections.abc import Mapping
from typing import Any

from sixpence.core.account.commands import (
    Adjust,
    CancelPlan,
    CaptureHold,
    ChangePlan,
    Command,
    Consume,
    EnsureAccount,
    ExtendHold,
    Freeze,
    GrantCredits,
    PlaceHold,
    Refund,
    ReleaseHold,
    Unfreeze,
    VoidGrant,
)
from sixpence.core.account.transaction import seq_of
from sixpence.core.catalog.price import Usage
from sixpence.core.values.instant import from_wire
from tests.histories.history import Asked, Body
from tests.lockstep.comparing import number_of

READ = "read"
_PATHS = {
    "consume": "/consume",
    "grant": "/grants",
    "place_hold": "/holds",
    "extend_hold": "/holds/{hold_id}/extend",
    "capture_hold": "/holds/{hold_id}/capture",
    "release_hold": "/holds/{hold_id}/release",
    "refund": "/transactions/{transaction_id}/refund",
    "void_grant": "/grants/{grant_id}/void",
    "adjust": "/adjust",
    "change_plan": "/plan",
    "cancel_plan": "/plan/cancel",
    "freeze": "/freeze",
    "unfreeze": "/unfreeze",
}
_IN_PATH = ("hold_id", "transaction_id", "grant_id")


def to_http(asked: Asked) -> tuple[str, str, dict[str, Any] | None]:
    """The method, the path and the body of a request."""
    account = f"/v1/accounts/{asked.account}"
    if asked.kind == READ:
        return "GET", account, None
    body = {name: value for name, value in asked.fields.items() if name not in _IN_PATH}
    body["metadata"] = {"number": asked.number}
    if asked.kind == "ensure":
        return "POST", "/v1/accounts", {"account_id": asked.account, **body}
    return "POST", account + _PATHS[asked.kind].format_map(asked.fields), body


def to_command(asked: Asked) -> Command:
    """The request's command, with the reference's numbers."""
    fields = asked.fields
    match asked.kind:
        case "ensure":
            return EnsureAccount()
        case "consume":
            return Consume(feature=fields["feature"], usage=_usage(fields) or Usage())
        case "grant":
            return _grant(fields)
        case "place_hold":
            usage, amount = _usage(fields) or Usage(), fields.get("amount")
            ttl_seconds = fields.get("ttl_seconds", 600)
            return PlaceHold(feature=fields["feature"], ttl_seconds=ttl_seconds, usage=usage, amount=amount)
        case "extend_hold":
            return ExtendHold(hold_id=_number(fields["hold_id"]), ttl_seconds=fields.get("ttl_seconds", 600))
        case "capture_hold":
            return CaptureHold(
                hold_id=_number(fields["hold_id"]),
                usage=_usage(fields),
                amount=fields.get("amount"),
                mode=fields.get("mode", "exact"),
                late=fields.get("late", False),
            )
        case "release_hold":
            return ReleaseHold(hold_id=_number(fields["hold_id"]))
        case "refund":
            return Refund(transaction_id=_number(fields["transaction_id"]), amount=fields.get("amount"))
        case "void_grant":
            name = number_of(fields["grant_id"])
            return VoidGrant(grant_id=name, revoke_spent=fields.get("revoke_spent", False))
        case "adjust":
            return Adjust(amount=fields["amount"], reason=fields["reason"], actor="server")
        case "change_plan":
            return ChangePlan(plan=fields["plan"], trial=fields.get("trial", False))
        case "cancel_plan":
            return CancelPlan()
        case "freeze":
            return Freeze()
        case "unfreeze":
            return Unfreeze()
    raise AssertionError(f"no such kind of request: {asked.kind}")


def _grant(fields: Body) -> GrantCredits:
    return GrantCredits(
        amount=fields["amount"],
        category=fields.get("category", "admin"),
        priority=fields.get("priority", 100),
        effective_at=_instant(fields, "effective_at"),
        expires_at=_instant(fields, "expires_at"),
        features=tuple(fields["features"]) if "features" in fields else None,
    )


def _usage(fields: Mapping[str, Any]) -> Usage | None:
    if "units" in fields:
        return Usage(units=fields["units"])
    return Usage(**fields["usage"]) if "usage" in fields else None


def _instant(fields: Body, name: str) -> int | None:
    return from_wire(name, fields[name]) if name in fields else None


def _number(name: str) -> str:
    return str(seq_of(name))
