"""Responses. The answer to a change holds only what its ledger row holds, so a replay equals the first answer."""

from typing import Any

import msgspec
from starlette.responses import Response

from sixpence.core.catalog.catalog import PricedBy
from sixpence.service.operations.usage import CreditUsage
from sixpence.service.results.receipts import (
    AccountStatus,
    CapturedHold,
    ExtendedHold,
    OpenedAccount,
    PlacedHold,
    PlanStatus,
    Receipt,
    Refund,
    ReleasedHold,
    VoidedGrant,
)
from sixpence.service.results.results import Balance, CreditHistory, CreditHold, CreditTransaction

_REPLAYED = (b"idempotency-replayed", b"true")
_NO_STORE = (b"cache-control", b"no-store")
_JSON = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode


class JsonResponse(Response):
    """A JSON response that must not be cached; it writes its own raw headers."""

    media_type = "application/json"

    def __init__(self, value: Any, status: int = 200, *, replayed: bool = False) -> None:
        # Starlette's own constructor searches the headers for each of these.
        self.status_code, self.background = status, None
        self.body = _encode(value)
        self.raw_headers = [_NO_STORE, (b"content-length", b"%d" % len(self.body)), _JSON]
        if replayed:
            self.raw_headers.append(_REPLAYED)


def json(value: Any, status: int = 200, *, replayed: bool = False) -> Response:
    """A JSON response that must not be cached."""
    return JsonResponse(value, status, replayed=replayed)


def is_replayed(response: Response) -> bool:
    """Whether a response is the answer to a repeated key."""
    return _REPLAYED in response.raw_headers


def consumed(receipt: Receipt) -> Response:
    """The answer to a use that was paid for."""
    row = receipt.transaction
    return _changed(
        receipt,
        {"feature": row.feature_used, "credits_consumed": row.credits_consumed, "generation_id": row.generation_id},
    )


def granted(receipt: Receipt) -> Response:
    """The answer to a grant, whose id is its transaction's."""
    row = receipt.transaction
    return _changed(receipt, {"amount": sum(grant.amount for grant in row.grants), "reason": row.reason})


def placed(receipt: PlacedHold) -> Response:
    """The answer to a placed hold: what is set aside, and until when."""
    row = receipt.transaction
    more = {
        "hold_id": receipt.hold_id,
        "feature": row.feature_used,
        "amount": receipt.amount,
        "price": row.price,
        "covered": row.covered,
        "expires_at": receipt.expires_at,
        "generation_id": row.generation_id,
    }
    return _changed(receipt, more)


def extended(receipt: ExtendedHold) -> Response:
    """The answer to a hold that was extended."""
    row = receipt.transaction
    return _changed(
        receipt, {"hold_id": receipt.hold_id, "feature": row.feature_used, "expires_at": receipt.expires_at}
    )


def captured(receipt: CapturedHold) -> Response:
    """The answer to a captured hold: what was charged, the shortfall, and what was released."""
    row = receipt.transaction
    more = {
        "hold_id": receipt.hold_id,
        "feature": row.feature_used,
        "credits_consumed": receipt.credits_consumed,
        "shortfall": receipt.shortfall,
        "released": receipt.released,
        "late": receipt.late,
        "generation_id": row.generation_id,
    }
    return _changed(receipt, more)


def released(receipt: ReleasedHold) -> Response:
    """The answer to a released hold: what can be spent again."""
    row = receipt.transaction
    more = {"hold_id": receipt.hold_id, "feature": row.feature_used, "released": receipt.released, "reason": row.reason}
    return _changed(receipt, more)


def refunded(receipt: Refund) -> Response:
    """The answer to a refund: what was given back, and of which transaction."""
    more = {"refunded_id": receipt.refunded_id, "refunded": receipt.refunded, "reason": receipt.transaction.reason}
    return _changed(receipt, more)


def voided(receipt: VoidedGrant) -> Response:
    """The answer to a void: what was taken of the grant, the debt, and the shortfall."""
    more = {
        "grant_id": receipt.grant_id,
        "voided": receipt.voided,
        "charged_back": receipt.charged_back,
        "shortfall": receipt.shortfall,
        "reason": receipt.transaction.reason,
    }
    return _changed(receipt, more)


def adjusted(receipt: Receipt) -> Response:
    """The answer to a correction, up or down."""
    row = receipt.transaction
    amount = sum(part.amount for part in row.allocations if part.movement in ("granted", "adjusted"))
    return _changed(receipt, {"amount": amount, "reason": row.reason})


def plan_changed(status: PlanStatus) -> Response:
    """The answer to a change of plan: the plan now, and the one scheduled for the end of its term."""
    return _change_of_balance(status, status.transaction, {"term": status.term}, replayed=status.replayed)


def status_changed(status: AccountStatus) -> Response:
    """The answer to a change of an account's status: open, frozen or closed."""
    return _change_of_balance(status, status.transaction, {"standing": status.standing}, replayed=status.replayed)


def holds(listed: list[CreditHold]) -> Response:
    """Open holds."""
    return json({"holds": listed})


def opened(account: OpenedAccount) -> Response:
    """The answer to making an account: 201 when it was made, 200 when it existed."""
    body = msgspec.structs.asdict(account)
    replayed = body.pop("replayed")
    return json(body, 201 if account.created else 200, replayed=replayed)


def history(page: CreditHistory) -> Response:
    """A page of transactions, newest first."""
    return json({"transactions": [transaction(row) for row in page.transactions], "next_cursor": page.next_cursor})


def catalog(priced_by: PricedBy) -> Response:
    """A catalog with its version and with all defaults."""
    priced = priced_by.catalog
    return json(
        {
            "version": priced_by.version,
            "features": {name: msgspec.structs.asdict(feature) for name, feature in priced.features.items()},
            "plans": {name: msgspec.structs.asdict(plan) for name, plan in priced.plans.items()},
            "default_plan": priced.default_plan,
            "decimals": priced.decimals,
            "grace_days": priced.grace_days,
        }
    )


def usage(used: CreditUsage) -> Response:
    """Usage by day and feature, newest first."""
    return json(used)


def transaction(row: CreditTransaction) -> dict[str, Any]:
    """A transaction as a JSON object."""
    parts = [{"grant_id": part.grant_id, "movement": part.movement, "amount": part.amount} for part in row.allocations]
    return {**msgspec.structs.asdict(row), "allocations": parts}


def _changed(receipt: Receipt, more: dict[str, Any]) -> Response:
    return _change_of_balance(receipt, receipt.transaction, more, replayed=receipt.replayed)


def _change_of_balance(
    balance: Balance, row: CreditTransaction | None, more: dict[str, Any], *, replayed: bool
) -> Response:
    """A change with the balance after it; a no-op has no transaction."""
    body = {
        "transaction_id": None if row is None else row.id,
        "account_id": balance.account_id,
        **more,
        "remaining": balance.remaining,
        "total": balance.total,
        "held": balance.held,
        "subscription_status": balance.subscription_status,
        "version": balance.version,
        "created_at": None if row is None else row.created_at,
    }
    return json(body, replayed=replayed)
