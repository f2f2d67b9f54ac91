"""The endpoints of operators on the catalog: show the one in force, compare it with another, apply another."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.core.catalog.diff import differences, list_affected_plans
from sixpence.core.catalog.toml import from_toml
from sixpence.http.callers.callers import Callers
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import read_body
from sixpence.ledger.database import catalogs
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService


class NewCatalog(msgspec.Struct, forbid_unknown_fields=True):
    """A catalog to compare or to apply: the text of a `sixpence.toml`."""

    toml: str


def admin_catalog_routes(
    ledger: Ledger, credits: CreditService, callers: Callers, *, body_bytes_max: int
) -> list[Route]:
    """The routes `/api/admin/catalog` and `/api/admin/catalog/diff`."""

    async def show(request: Request) -> Response:
        await callers.operator(request)
        return responses.json(msgspec.structs.replace(await credits.get_catalog(), earlier=()))

    async def diff(request: Request) -> Response:
        await callers.operator(request)
        catalog = from_toml((await read_body(request, NewCatalog, bytes_max=body_bytes_max)).toml)
        in_force = await credits.get_catalog()
        affected = list_affected_plans(in_force.catalog, catalog)
        accounts = await ledger.read(lambda connection: catalogs.count_accounts(connection, affected))
        changes = differences(in_force.catalog, catalog)
        return responses.json({"version": in_force.version, "differences": changes, "accounts": accounts})

    async def apply(request: Request) -> Response:
        await callers.operator(request)
        body = await read_body(request, NewCatalog, bytes_max=body_bytes_max)
        catalog = from_toml(body.toml)
        before = await credits.get_catalog()
        applied = await ledger.write(lambda connection: catalogs.apply(connection, catalog, now=ledger.now(connection)))
        return responses.json({"version": applied.version, "version_before": before.version})

    return [
        Route("/api/admin/catalog", show, methods=["GET"]),
        Route("/api/admin/catalog", apply, methods=["POST"]),
        Route("/api/admin/catalog/diff", diff, methods=["POST"]),
    ]
