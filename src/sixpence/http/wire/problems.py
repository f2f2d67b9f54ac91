"""Errors as problem details (RFC 9457): one table from codes to statuses, and the body.

The facts of an error are at the top level beside `code`, `title`, `detail` and `status`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from math import ceil
from time import time
from typing import Any

import msgspec
from starlette.responses import Response

from sixpence.auth import errors as auth
from sixpence.core import errors as core
from sixpence.core import refusals
from sixpence.http.wire.errors import BodyTooLargeError, CallerError

MEDIA_TYPE = "application/problem+json"

STATUSES: Mapping[str, int] = {
    refusals.InsufficientCreditsError.code: 402,
    refusals.AccountNotFoundError.code: 404,
    refusals.TransactionNotFoundError.code: 404,
    refusals.UnknownFeatureError.code: 422,
    refusals.UnknownPlanError.code: 422,
    refusals.BalanceLimitError.code: 409,
    refusals.GrantLimitError.code: 409,
    refusals.GrantPeriodError.code: 422,
    refusals.IdempotencyConflictError.code: 422,
    refusals.AccountFrozenError.code: 403,
    refusals.AccountClosedError.code: 403,
    refusals.UnpricedUsageError.code: 422,
    refusals.FairUseError.code: 429,
    refusals.HoldNotFoundError.code: 404,
    refusals.HoldEndedError.code: 409,
    refusals.NotRefundableError.code: 409,
    refusals.RefundLimitError.code: 409,
    refusals.GrantNotFoundError.code: 404,
    refusals.GrantEndedError.code: 409,
    refusals.AdjustLimitError.code: 409,
    refusals.TrialRefusedError.code: 409,
    refusals.SourceClaimedError.code: 409,
    core.InvalidInputError.code: 422,
    core.CatalogError.code: 422,
    core.NotPermittedError.code: 401,
    core.QueueFullError.code: 503,
    core.AccountBusyError.code: 503,
    core.DatabaseUnavailableError.code: 503,
    core.OutcomeUnknownError.code: 503,
    core.ServiceClosedError.code: 503,
    core.TransactionEndedError.code: 503,
    core.DatabaseSetupError.code: 503,
    core.CheckpointNotFoundError.code: 404,
    core.CheckpointRefusedError.code: 409,
    core.InternalError.code: 500,
    auth.EmailTakenError.code: 422,
    auth.WrongPasswordError.code: 401,
    auth.PasswordTooShortError.code: 422,
    auth.PasswordTooLongError.code: 422,
    auth.TooManySignInsError.code: 429,
    auth.UserNotFoundError.code: 404,
    auth.ApiKeyNotFoundError.code: 404,
}


def of_insufficient_credits(
    error: refusals.InsufficientCreditsError, *, upgrade_url: str, offers: Sequence[Any]
) -> Response:
    """The 402: the refusal, where to upgrade, and the plans on offer."""
    body = error.problem(upgrade_url=upgrade_url, offers=offers)
    return Response(msgspec.json.encode(body), STATUSES[error.code], media_type=MEDIA_TYPE)


def of_error(error: core.CreditSystemError) -> Response:
    """The response to an error of the service; too few credits have their own."""
    headers = {}
    if isinstance(error, core.UnavailableError | auth.TooManySignInsError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    elif isinstance(error, refusals.FairUseError) and error.opens_at is not None:
        headers["Retry-After"] = str(_seconds_until(error.opens_at))
    return problem(STATUSES[error.code], error.code, error.title, str(error), error.data(), headers)


def of_caller(error: CallerError) -> Response:
    """The response to a request that HTTP refuses before it reaches the service."""
    return problem(error.status, error.code, error.title, error.detail, error.facts, error.headers)


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The response for a bare HTTP status, such as 404 for an unknown path."""
    if status == BodyTooLargeError.status:
        # Python 3.13 changed the phrase; our code stays.
        return problem(status, BodyTooLargeError.code, BodyTooLargeError.title, detail, {}, headers)
    title = HTTPStatus(status).phrase
    return problem(status, title.lower().replace(" ", "-"), title, detail, {}, headers)


def _seconds_until(instant: str) -> int:
    """The whole seconds until an instant, at least 1."""
    return max(1, ceil(datetime.fromisoformat(instant).timestamp() - time()))


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    facts: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; its own members win over a fact of the same name."""
    body = {**facts, "code": code, "title": title, "detail": detail, "status": status, "type": "about:blank"}
    return Response(msgspec.json.encode(body), status, dict(headers or {}), MEDIA_TYPE)
