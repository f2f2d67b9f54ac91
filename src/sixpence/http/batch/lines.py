"""What a line of a batch may ask: the body of a single request, with the ids of its path and the key of its header.

Each line is asked and answered by the functions of the single request. Not here: order and pace (`batch_run`).
"""

from typing import Literal, Protocol

import msgspec
from starlette.responses import Response

from sixpence.core.errors import InvalidInputError
from sixpence.http.endpoints.accounts import NewAccount, NewGrant, grant, make_account
from sixpence.http.endpoints.corrections import NewRefund, refund
from sixpence.http.endpoints.holds import (
    Capture,
    Extension,
    NewHold,
    Release,
    capture_hold,
    extend_hold,
    place_hold,
    release_hold,
)
from sixpence.http.endpoints.user import Consumption, consume
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import decoded
from sixpence.service.credits import CreditService

Op = Literal["consume", "place_hold", "capture_hold", "release_hold", "extend_hold", "grant", "refund", "ensure"]


class Line(Protocol):
    """A line that can be read."""

    account_id: str
    idempotency_key: str | None

    async def answer(self, credits: CreditService, actor: str) -> Response:
        """Do it, and give the single request's answer; raises what that is refused with."""


class _Asked(msgspec.Struct):
    op: Op


class _Consume(Consumption, kw_only=True, forbid_unknown_fields=True):
    op: str
    account_id: str
    idempotency_key: str | None = None

    async def answer(self, credits: CreditService, _actor: str) -> Response:
        return responses.consumed(await consume(credits, self.account_id, self, self.idempotency_key))


class _PlaceHold(NewHold, kw_only=True, forbid_unknown_fields=True):
    op: str
    account_id: str
    idempotency_key: str | None = None

    async def answer(self, credits: CreditService, _actor: str) -> Response:
        return responses.placed(await place_hold(credits, self.account_id, self, self.idempotency_key))


class _CaptureHold(Capture, kw_only=True, forbid_unknown_fields=True):
    op: str
    account_id: str
    hold_id: str
    idempotency_key: str | None = None

    async def answer(self, credits: CreditService, _actor: str) -> Response:
        return responses.captured(
            await capture_hold(credits, self.account_id, self.hold_id, self, self.idempotency_key)
        )


class _ReleaseHold(Release, kw_only=True, forbid_unknown_fields=True):
    op: str
    account_id: str
    hold_id: str
    idempotency_key: str | None = None

    async def answer(self, credits: CreditService, _actor: str) -> Response:
        return responses.released(
            await release_hold(credits, self.account_id, self.hold_id, self, self.idempotency_key)
        )


class _ExtendHold(Extension, kw_only=True, forbid_unknown_fields=True):
    op: str
    account_id: str
    hold_id: str
    idempotency_key: str | None = None

    async def answer(self, credits: CreditService, _actor: str) -> Response:
        return responses.extended(await extend_hold(credits, self.account_id, self.hold_id, self, self.idempotency_key))


class _Grant(NewGrant, kw_only=True, forbid_unknown_fields=True):
    op: str
    account_id: str
    idempotency_key: str | None = None

    async def answer(self, credits: CreditService, actor: str) -> Response:
        given = grant(credits, self.account_id, self, actor=actor, key=self.idempotency_key)
        return responses.granted(await given)


class _Refund(NewRefund, kw_only=True, forbid_unknown_fields=True):
    op: str
    account_id: str
    transaction_id: str
    idempotency_key: str | None = None

    async def answer(self, credits: CreditService, actor: str) -> Response:
        given = refund(credits, self.account_id, self.transaction_id, self, actor=actor, key=self.idempotency_key)
        return responses.refunded(await given)


class _Ensure(NewAccount, kw_only=True, forbid_unknown_fields=True):
    op: str
    idempotency_key: str | None = None

    async def answer(self, credits: CreditService, _actor: str) -> Response:
        return responses.opened(await make_account(credits, self, self.idempotency_key))


_SHAPES: dict[Op, type[Line]] = {
    "consume": _Consume,
    "place_hold": _PlaceHold,
    "capture_hold": _CaptureHold,
    "release_hold": _ReleaseHold,
    "extend_hold": _ExtendHold,
    "grant": _Grant,
    "refund": _Refund,
    "ensure": _Ensure,
}


def line_in(text: bytes) -> Line:
    """What these bytes ask; raises as `read_body` does."""
    line = decoded(text, _SHAPES[decoded(text, _Asked).op])
    key = line.idempotency_key
    if key is not None and (not key.isascii() or key != key.strip(" ")):
        # The single request could not send it: there the same name would be another key, or none.
        problem = "is not what the header Idempotency-Key can hold. Send ASCII, without space around it."
        raise InvalidInputError("idempotency_key", problem)
    return line


def goes_alone(line: Line) -> bool:
    """Whether it looks at its account before it is in the writer's queue, so that nothing may pass it there."""
    return isinstance(line, _Grant) and line.source_key is not None
