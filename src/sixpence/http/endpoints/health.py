"""Whether the process lives, and whether it can serve now."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.wire import responses
from sixpence.service.credits import CreditService


def health_routes(credits: CreditService) -> list[Route]:
    """`/livez` answers while the process does; `/readyz` only while the database does, too."""

    async def livez(_request: Request) -> Response:
        return responses.json({"status": "live"})

    async def readyz(_request: Request) -> Response:
        # An unreachable database raises, and becomes a 503 problem with Retry-After.
        priced_by = await credits.get_catalog()
        return responses.json({"status": "ready", "catalog_version": priced_by.version})

    return [Route("/livez", livez, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]
