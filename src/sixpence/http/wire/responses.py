"""Responses. The answer to a change holds only what its ledger row holds, so a replay equals the first answer."""

from typing import Any

import msgspec
from starlette.responses import Response

from sixpence.core.catalog.catalog import PricedBy
from sixpence.service.operations.usage import CreditUsage
from sixpence.service.results.receipts import AccountStatus, OpenedAccount, PlanStatus, Receipt
from sixpence.service.results.results import CreditHistory, CreditHold

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


def changed(result: Receipt | PlanStatus | AccountStatus) -> Response:
    """The answer to a change, with the balance after it."""
    return json(result.wire_fields(), replayed=result.replayed)


def holds(listed: list[CreditHold]) -> Response:
    """Open holds."""
    return json({"holds": listed})


def opened(account: OpenedAccount) -> Response:
    """The answer to making an account: 201 when it was made, 200 when it existed."""
    return json(account.wire_fields(), 201 if account.created else 200, replayed=account.replayed)


def history(page: CreditHistory) -> Response:
    """A page of transactions, newest first."""
    return json(page.wire_fields())


def catalog(priced_by: PricedBy) -> Response:
    """A catalog with its version and with all defaults."""
    return json(priced_by.wire_fields())


def usage(used: CreditUsage) -> Response:
    """Usage by day and feature, newest first."""
    return json(used)
