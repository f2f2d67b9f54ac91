"""Answers to the lines of a batch: each is the answer of the single request, an error included.

Not here: what a line holds (`lines`), and when it runs (`runner`).
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog
from starlette.requests import Request
from starlette.responses import Response

from sixpence.core.errors import (
    CreditSystemError,
    InternalError,
    InvalidInputError,
    NotPermittedError,
    QueueFullError,
)
from sixpence.http.batch.lines import Line
from sixpence.http.wire import problems, responses
from sixpence.http.wire.error_handlers import Handlers
from sixpence.http.wire.errors import CallerError, InvalidApiKeyError
from sixpence.service.credits import CreditService

# A line, or why it cannot be read.
ReadLine: TypeAlias = Line | CallerError | CreditSystemError

_log = structlog.get_logger(__name__)


class LineAnswers:
    """Runs lines as `actor` on `credits`, which stop working once the API key is revoked; `handlers` answer errors.

    `check_key` looks the API key up and raises `InvalidApiKeyError` when it is no longer valid.
    """

    def __init__(
        self,
        request: Request,
        credits: CreditService,
        actor: str,
        handlers: Handlers,
        check_key: Callable[[], Awaitable[object]],
    ) -> None:
        self._request = request
        self._credits = credits
        self._actor = actor
        self._handlers = handlers
        self._check_key = check_key
        self._key_revoked = False

    async def answer(self, line: ReadLine) -> Response:
        """Run a line and answer it; raises `QueueFullError`, after which it may run again."""
        try:
            if self._key_revoked:
                raise NotPermittedError
            return await self._run(line)
        except QueueFullError:
            raise
        except Exception as error:  # noqa: BLE001 - any error ends its own line alone
            return await self.refusal(error)

    async def refusal(self, error: Exception) -> Response:
        """The answer to a line that ended in this error."""
        if isinstance(error, NotPermittedError):
            error = InvalidApiKeyError(str(error))
        if isinstance(error, InvalidApiKeyError):
            # The key is no longer valid, so the lines that follow are refused unread.
            self._key_revoked = True
        try:
            if isinstance(error, CallerError | CreditSystemError):
                handler = next(self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers)
                return await handler(self._request, error)
        except Exception as defect:  # noqa: BLE001 - as above
            error = defect
        _log.error("a line of a batch failed", exc_info=error)
        return problems.of_error(InternalError())

    async def _run(self, line: ReadLine) -> Response:
        try:
            if isinstance(line, Exception):
                raise line
            return await line.run(self._credits, self._actor)
        except (InvalidInputError, CallerError):
            # The line failed before the database could check the key, and authentication comes before validation.
            await self._check_key()
            raise


def answer_line(index: int, response: Response) -> bytes:
    """The answer as a line: the index, the status and the body. A problem's body holds its own status."""
    body = bytes(response.body)
    if response.status_code >= 400:
        return b'{"index":%d,%b\n' % (index, body[1:])
    replayed = b'"replayed":true,' if responses.is_replayed(response) else b""
    return b'{"index":%d,"status":%d,%b%b\n' % (index, response.status_code, replayed, body[1:])
