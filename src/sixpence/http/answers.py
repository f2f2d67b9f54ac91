"""The bodies of answers. An answer to a change holds only what its ledger row holds, so a replay equals the first."""

from typing import Any

import msgspec
from starlette.responses import Response

from sixpence.core.catalog import PricedBy
from sixpence.service.answers import CreditHistory, CreditTransaction, OpenedAccount, Receipt

REPLAYED = {"Idempotency-Replayed": "true"}


def json(value: Any, status: int = 200, *, replayed: bool = False) -> Response:
    """A JSON response that no cache keeps."""
    headers = {"Cache-Control": "no-store", **(REPLAYED if replayed else {})}
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def consumed(receipt: Receipt) -> Response:
    """The answer to a use that was paid for."""
    row = receipt.transaction
    return _changed(
        receipt,
        {"feature": row.feature_used, "credits_consumed": row.credits_consumed, "generation_id": row.generation_id},
    )


def granted(receipt: Receipt) -> Response:
    """The answer to a grant."""
    row = receipt.transaction
    return _changed(receipt, {"amount": sum(part.amount for part in row.allocations), "reason": row.reason})


def opened(account: OpenedAccount) -> Response:
    """The answer to making an account: 201 when it was made, 200 when it was there."""
    body = msgspec.structs.asdict(account)
    replayed = body.pop("replayed")
    return json(body, 201 if account.created else 200, replayed=replayed)


def history(page: CreditHistory) -> Response:
    """A page of transactions, newest first."""
    return json({"transactions": [transaction(row) for row in page.transactions], "next_cursor": page.next_cursor})


def catalog(priced_by: PricedBy) -> Response:
    """A catalog with the number of its version, its defaults written out."""
    priced = priced_by.catalog
    return json(
        {
            "version": priced_by.version,
            "features": {name: msgspec.structs.asdict(feature) for name, feature in priced.features.items()},
            "plans": {name: msgspec.structs.asdict(plan) for name, plan in priced.plans.items()},
            "default_plan": priced.default_plan,
            "decimals": priced.decimals,
        }
    )


def transaction(row: CreditTransaction) -> dict[str, Any]:
    """A transaction as it stands in an answer."""
    parts = [{"grant_id": part.grant_id, "movement": part.movement, "amount": part.amount} for part in row.allocations]
    return {**msgspec.structs.asdict(row), "allocations": parts}


def _changed(receipt: Receipt, more: dict[str, Any]) -> Response:
    body = {
        "transaction_id": receipt.transaction.id,
        "account_id": receipt.account_id,
        **more,
        "remaining": receipt.remaining,
        "total": receipt.total,
        "held": receipt.held,
        "subscription_status": receipt.subscription_status,
        "version": receipt.version,
        "created_at": receipt.transaction.created_at,
    }
    return json(body, replayed=receipt.replayed)
