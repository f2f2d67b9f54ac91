"""The endpoints on signed checkpoints: servers read them, operators make them."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Callers
from sixpence.http.wire import responses
from sixpence.http.wire.queries import checkpoint_query
from sixpence.ledger.checkpoints.signing import SigningKey
from sixpence.service.credits import CreditService


def checkpoint_routes(
    credits: CreditService, callers: Callers, *, signing_key: Callable[[], SigningKey]
) -> list[Route]:
    """The routes on checkpoints; `signing_key` is called when a checkpoint has to be signed."""

    async def make(request: Request) -> Response:
        """Make a checkpoint now."""
        await callers.operator(request)
        return responses.json(await credits.make_checkpoint(signing_key()), 201)

    async def key(request: Request) -> Response:
        """The public key of what this server signs."""
        await callers.operator(request)
        return responses.json({"public_key": signing_key().public_key})

    return [
        Route("/v1/checkpoint", callers.server_admission(credits)(_checkpoint), methods=["GET"]),
        Route("/api/admin/checkpoint", callers.operator_admission(credits)(_checkpoint), methods=["GET"]),
        Route("/api/admin/checkpoint", make, methods=["POST"]),
        Route("/api/admin/checkpoint/key", key, methods=["GET"]),
    ]


async def _checkpoint(request: Request, credits: CreditService) -> Response:
    """The newest checkpoint, or the one with the number in the query."""
    return responses.json(await credits.get_checkpoint(checkpoint_query(request)))
