"""What a line of a batch is answered with: the body of the single request's answer, whatever becomes of it.

Not here: what a line asks (`batch_lines`), and when it is done (`batch_run`).
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

# What a line asks, or why that cannot be read.
Asked: TypeAlias = Line | CallerError | CreditSystemError

_log = structlog.get_logger(__name__)


class LineAnswers:
    """Answers lines in the name of `actor` with `credits` that may be withdrawn; `handlers` know what is refused.

    `check_key` asks by itself whether the key still lets in, and raises `InvalidApiKeyError` where it does not.
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
        self._shut_out = False

    async def answer(self, asked: Asked) -> Response:
        """Do what a line asks and answer it; raises `QueueFullError`, which may be asked again."""
        try:
            if self._shut_out:
                raise NotPermittedError
            return await self._done(asked)
        except QueueFullError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is ends its line, and the others go on
            return await self.refusal(error)

    async def refusal(self, error: Exception) -> Response:
        """The answer to a line that ended in this error."""
        if isinstance(error, NotPermittedError):
            error = InvalidApiKeyError(str(error))
        if isinstance(error, InvalidApiKeyError):
            # The key lets nobody in any more, so what follows is not even looked at.
            self._shut_out = True
        try:
            if isinstance(error, CallerError | CreditSystemError):
                handler = next(self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers)
                return await handler(self._request, error)
        except Exception as defect:  # noqa: BLE001 - as above
            error = defect
        _log.error("a line of a batch failed", exc_info=error)
        return problems.of_error(InternalError())

    async def _done(self, asked: Asked) -> Response:
        try:
            if isinstance(asked, Exception):
                raise asked
            return await asked.run(self._credits, self._actor)
        except (InvalidInputError, CallerError):
            # Nothing was asked of the database, which looks at the key; and who is asking comes before what they sent.
            await self._check_key()
            raise


def line_of(index: int, response: Response) -> bytes:
    """The answer as a line: its body with what stands around it elsewhere. A problem says its status itself."""
    body = bytes(response.body)
    if response.status_code >= 400:
        return b'{"index":%d,%b\n' % (index, body[1:])
    replayed = b'"replayed":true,' if responses.is_replayed(response) else b""
    return b'{"index":%d,"status":%d,%b%b\n' % (index, response.status_code, replayed, body[1:])
