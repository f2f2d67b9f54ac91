"""The studio as one ASGI application: Sixpence's own endpoints, and the studio's beside them.

app = create_studio()           # everything from the environment
app = create_studio(settings, generators={**GENERATORS, "interior": MyModel()})

Not here: what an order goes through (desk.py), how a picture is made (generators/), the page (page/).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from sixpence.integrations.starlette import CreditIntegration
from sixpence.settings import Settings
from sixpence.wiring import create_app
from sixpence_studio.checkout import Checkout
from sixpence_studio.desk import Desk
from sixpence_studio.gallery import Gallery
from sixpence_studio.generators import GENERATORS, Generator
from sixpence_studio.offering import Offering
from sixpence_studio.page_files import page_routes
from sixpence_studio.sweep import sweep
from sixpence_studio.wall import Wall
from sixpence_studio.workshop import Workshop


def create_studio(settings: Settings | None = None, *, generators: Mapping[str, Generator] = GENERATORS) -> Starlette:
    """The studio of an installation; its pictures lie in the folder `studio` of the settings' home.

    `generators` make the pictures, by the feature that each is charged as; a real model is one that can be pickled. One
    server process to a home: a second one would tidy away what the first is just making.
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
    """The studio's parts, put together when the application that they charge through is."""

    def __init__(self, folder: Path, generators: Mapping[str, Generator]) -> None:
        self._generators = generators
        self._workshop = Workshop()
        self._gallery = Gallery(folder)
        self._integration: CreditIntegration | None = None

    def routes(self, integration: CreditIntegration) -> Sequence[BaseRoute]:
        self._integration = integration
        desk = Desk(integration, self._workshop, self._gallery, self._generators)
        wall = Wall(integration, self._gallery)
        return [
            Route("/studio/catalog", Offering(integration, self._generators).show, methods=["GET"]),
            Route("/studio/generations", desk.generate, methods=["POST"]),
            Route("/studio/generations", wall.list, methods=["GET"]),
            Route("/studio/generations/{generation_id:uuid}/{side}", wall.picture, methods=["GET"]),
            Route("/studio/checkout", Checkout(integration).buy, methods=["POST"]),
            *page_routes(),
        ]

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Runs the worker processes, after tidying up what an earlier server left."""
        if self._integration is not None:
            await sweep(self._gallery, self._integration.credits)
        self._workshop.open()
        try:
            yield
        finally:
            self._workshop.close()
