"""From arguments to requests about an account's plan and how it stands: open, frozen, closed."""

from typing import Any

from sixpence.core.account.commands import CancelPlan, ChangePlan, Close, Freeze, Unfreeze
from sixpence.ledger.writer.batch import Request
from sixpence.service.requests import fields
from sixpence.service.requests.requests import by, request


def change_plan(
    account_id: str,
    plan: str,
    *,
    trial: bool,
    reason: str | None,
    actor: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    """A request to put the account on a plan."""
    command = ChangePlan(
        plan=fields.text("plan", plan, fields.NAME_LENGTH_MAX),
        trial=fields.flag("trial", trial),
        **by(reason, actor, metadata),
    )
    sent = {"plan": plan, "trial": trial or None, "reason": reason, "actor": actor, "metadata": metadata}
    return request("change_plan", account_id, command, sent, key)


def cancel_plan(account_id: str, **said: Any) -> Request:
    """A request to let the plan run to its end."""
    return _said("cancel_plan", account_id, CancelPlan, **said)


def freeze(account_id: str, **said: Any) -> Request:
    """A request to let nothing more be spent."""
    return _said("freeze", account_id, Freeze, **said)


def unfreeze(account_id: str, **said: Any) -> Request:
    """A request to end a freeze."""
    return _said("unfreeze", account_id, Unfreeze, **said)


def close(account_id: str, **said: Any) -> Request:
    """A request to end the account."""
    return _said("close", account_id, Close, **said)


def _said(
    operation: str,
    account_id: str,
    command: type[CancelPlan | Freeze | Unfreeze | Close],
    *,
    reason: str | None,
    actor: str | None,
    metadata: dict[str, Any] | None,
    key: str | None,
) -> Request:
    sent = {"reason": reason, "actor": actor, "metadata": metadata}
    return request(operation, account_id, command(**by(reason, actor, metadata)), sent, key)
