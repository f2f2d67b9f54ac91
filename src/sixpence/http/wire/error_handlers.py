"""Handlers that turn Sixpence's errors into problems, for its own application and for an app that uses it.

Not here: the body of a problem (`problems`), and unexpected errors (`app`).
"""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from sixpence.core.errors import CreditSystemError, DatabaseSetupError, UnavailableError
from sixpence.core.refusals import AccountNotFoundError, InsufficientCreditsError
from sixpence.http.wire import problems
from sixpence.http.wire.errors import CallerError
from sixpence.service.credits import CreditService

SETUP_RETRY_SECONDS = 60
OPERATOR_PATH = "/api/admin/"

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
Handlers = dict[int | type[Exception], Handler]

_log = structlog.get_logger(__name__)


def refusal_handlers(credits: CreditService, *, upgrade_url: str) -> Handlers:
    """The exception handlers for Starlette and frameworks built on it."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, CreditSystemError)
        if isinstance(error, DatabaseSetupError):
            return _not_set_up(error)
        if isinstance(error, AccountNotFoundError) and request.url.path.startswith(OPERATOR_PATH):
            return _unknown_to_operator(error)
        if not isinstance(error, InsufficientCreditsError):
            return problems.of_error(error)
        try:
            priced_by = await credits.get_catalog()
        except UnavailableError as away:
            # Without the catalog there are no offers. Nothing was charged, and a retry gets the 402.
            return problems.of_error(away)
        return problems.of_insufficient_credits(error, upgrade_url=upgrade_url, offers=priced_by.catalog.offers())

    return {CreditSystemError: refused, CallerError: _caller_refused}


async def _caller_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CallerError)
    return problems.of_caller(error)


def _not_set_up(error: DatabaseSetupError) -> Response:
    # The message names files and settings, which are for the operator and not for the client.
    _log.error("the database cannot be used", problem=error.problem, remedy=error.remedy)
    detail = "The database has to be set up first. Nothing was changed; the server's log says what to do."
    return problems.problem(503, error.code, error.title, detail, {}, {"Retry-After": str(SETUP_RETRY_SECONDS)})


def _unknown_to_operator(error: AccountNotFoundError) -> Response:
    # An operator looks for an account and does not make one: the message for callers names their methods.
    detail = f"There is no account '{error.account_id}'. Take the id from your app, or from `sixpence user create`."
    return problems.problem(problems.STATUSES[error.code], error.code, error.title, detail, error.data())
