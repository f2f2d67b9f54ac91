"""The studio as one ASGI application: Sixpence's own endpoints, and the studio's beside them.

app = create_studio()           # everything from the environment
app = create_studio(settings, generators={**GENERATORS, "interior": MyModel()})

Not here: how an order is served (order_endpoint.py), how a picture is made (generators/), the page (page/).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from sixpence.integrations.starlette import CreditIntegration
from sixpence.settings import Settings
from sixpence.wiring import create_app
from sixpence_studio.endpoints.catalog import CatalogEndpoint
from sixpence_studio.endpoints.checkout import Checkout
from sixpence_studio.endpoints.gallery import GalleryEndpoint
from sixpence_studio.endpoints.orders import OrderEndpoint
from sixpence_studio.endpoints.page_files import page_routes
from sixpence_studio.gallery import Gallery
from sixpence_studio.generators import GENERATORS, Generator
from sixpence_studio.orders.worker_pool import WorkerPool
from sixpence_studio.sweep import sweep


def create_studio(settings: Settings | None = None, *, generators: Mapping[str, Generator] = GENERATORS) -> Starlette:
    """Return the studio as an ASGI application; it stores its pictures in the folder `studio` of the settings' home.

    `generators` make the pictures, by the feature that each is charged as; each must be picklable. Run one server
    process per home: a second one would remove pictures that the first is still making.
    """
    chosen = settings or Settings.read()
    studio = _Studio(chosen.home / "studio", generators)
    app = create_app(chosen, routes=studio.routes)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Starlette) -> AsyncIterator[None]:
        async with studio.opened(), inner(served):
            yield

    app.router.lifespan_context = lifespan
    return app


class _Studio:
    """The studio's parts; `routes` connects them to the application that charges for them."""

    def __init__(self, folder: Path, generators: Mapping[str, Generator]) -> None:
        self._generators = generators
        self._worker_pool = WorkerPool()
        self._gallery = Gallery(folder)
        self._integration: CreditIntegration | None = None

    def routes(self, integration: CreditIntegration) -> Sequence[BaseRoute]:
        self._integration = integration
        orders = OrderEndpoint(integration, self._worker_pool, self._gallery, self._generators)
        pictures = GalleryEndpoint(integration, self._gallery)
        return [
            Route("/studio/catalog", CatalogEndpoint(integration, self._generators).show, methods=["GET"]),
            Route("/studio/generations", orders.generate, methods=["POST"]),
            Route("/studio/generations", pictures.list, methods=["GET"]),
            Route("/studio/generations/{generation_id:uuid}/{side}", pictures.picture, methods=["GET"]),
            Route("/studio/checkout", Checkout(integration).buy, methods=["POST"]),
            *page_routes(),
        ]

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Runs the worker processes, after cleaning up what an earlier server left behind."""
        if self._integration is not None:
            await sweep(self._gallery, self._integration.credits)
        self._worker_pool.open()
        try:
            yield
        finally:
            self._worker_pool.close()
