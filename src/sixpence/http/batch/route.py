"""`POST /v1/batch`: many commands in one request, one JSON object a line, answered line by line while they arrive.

Not here: lines and their answers (`ndjson`, `lines`, `answers`), order and throughput (`runner`).
"""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sixpence.http.batch.answers import LineAnswers
from sixpence.http.batch.ndjson import Lines
from sixpence.http.batch.runner import BatchRun
from sixpence.http.callers.callers import Callers
from sixpence.http.wire import problems
from sixpence.http.wire.error_handlers import refusal_handlers
from sixpence.http.wire.errors import CallerError, MalformedBodyError, UnsupportedMediaTypeError
from sixpence.service.credits import CreditService

MEDIA_TYPE = "application/x-ndjson"
LINES_MAX = 10_000


def batch_routes(
    credits: CreditService,
    callers: Callers,
    *,
    upgrade_url: str,
    is_overloaded: Callable[[], bool],
    body_bytes_max: int,
    batch_bytes_max: int,
) -> list[Route]:
    """The route of batches: a line may be as long as any body, all lines together `batch_bytes_max`.

    While the server `is_overloaded`, lines wait for a few seconds; a single request is refused at once.
    """
    handlers = refusal_handlers(credits, upgrade_url=upgrade_url)

    async def batch(request: Request) -> Response:
        actor, permitted = await callers.admitted_server(request, credits)
        sent = request.headers.get("content-type") or MEDIA_TYPE
        if sent.partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise UnsupportedMediaTypeError(
                f"A batch is {MEDIA_TYPE}, one JSON object a line. Send this content type, or none."
            )
        lines = Lines(request.receive, line_bytes_max=body_bytes_max, bytes_max=batch_bytes_max, lines_max=LINES_MAX)
        answers = LineAnswers(request, permitted, actor, handlers, lambda: callers.server(request))
        return _BatchResponse(lines, BatchRun(lines, answers, is_overloaded))

    return [Route("/v1/batch", batch, methods=["POST"])]


class _BatchResponse(Response):
    """The answers to a batch; the first are sent while lines still arrive."""

    media_type = MEDIA_TYPE

    def __init__(self, lines: Lines, run: BatchRun) -> None:
        super().__init__(headers={"cache-control": "no-store"})
        # The length is not known in advance.
        del self.headers["content-length"]
        self._lines = lines
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the batch and send its answers."""
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._lines.read())
            first = await self._lines.next()
            if first is not None:
                await self._send_all(first, tasks, send)
            elif not self._lines.disconnected:
                empty = MalformedBodyError("The body is empty. Send a JSON object a line.", field="body")
                await problems.of_caller(empty)(scope, receive, send)
            reading.cancel()

    async def _send_all(self, first: bytes | CallerError, tasks: asyncio.TaskGroup, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        tasks.create_task(self._run.start_all(first, tasks))
        async for chunk in self._run.chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
