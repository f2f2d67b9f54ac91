"""The endpoints of operators for the catalog: which one is in force, and putting another in force."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.core.catalog_toml import from_toml
from sixpence.http import answers
from sixpence.http.bodies import read_body
from sixpence.http.callers import Callers
from sixpence.ledger import catalogs
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService


class NewCatalog(msgspec.Struct, forbid_unknown_fields=True):
    """The body that puts a catalog in force: the text of a `sixpence.toml`."""

    toml: str


def admin_catalog_routes(
    ledger: Ledger, credits: CreditService, callers: Callers, *, body_bytes_max: int
) -> list[Route]:
    """The route `/api/admin/catalog`."""

    async def show(request: Request) -> Response:
        await callers.operator(request)
        return answers.json(await credits.get_catalog())

    async def apply(request: Request) -> Response:
        await callers.operator(request)
        asked = await read_body(request, NewCatalog, bytes_max=body_bytes_max)
        catalog = from_toml(asked.toml)
        before = await credits.get_catalog()
        applied = await ledger.write(lambda connection: catalogs.apply(connection, catalog, now=ledger.now(connection)))
        return answers.json({"version": applied.version, "version_before": before.version})

    return [
        Route("/api/admin/catalog", show, methods=["GET"]),
        Route("/api/admin/catalog", apply, methods=["POST"]),
    ]
