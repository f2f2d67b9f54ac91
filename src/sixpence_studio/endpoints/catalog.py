"""`GET /studio/catalog`: the features with their prices and options, and the sample rooms, as the page reads them."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sixpence.integrations.starlette import CreditIntegration
from sixpence_studio.generators import Area, Choice, Generator
from sixpence_studio.rooms import ROOMS, Room


class CatalogEndpoint:
    """Shows the generators that the catalog sells."""

    def __init__(self, integration: CreditIntegration, generators: Mapping[str, Generator]) -> None:
        self._integration = integration
        self._generators = generators

    async def show(self, _request: Request) -> Response:
        """The features in the generators' order, and the rooms."""
        sold = (await self._integration.get_catalog()).features
        features = [
            _feature(generator, credits=sold[generator.name].credits, title=sold[generator.name].title)
            for generator in self._generators.values()
            if generator.name in sold
        ]
        body = {"features": features, "rooms": [_room(room) for room in ROOMS]}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})


def room_path(room: Room) -> str:
    """Return the URL path of a sample room's picture."""
    return f"/studio/rooms/{room.name}{room.path.suffix}"


def _feature(generator: Generator, *, credits: int, title: str) -> dict[str, Any]:
    return {
        "name": generator.name,
        "title": title or generator.title,
        "description": generator.description,
        "credits": credits,
        "options": [_choice(option) for option in generator.options if isinstance(option, Choice)],
        "takes_area": any(isinstance(option, Area) for option in generator.options),
    }


def _choice(option: Choice) -> dict[str, Any]:
    choices = [{"value": value, "label": label} for value, label in option.values]
    return {"name": option.name, "label": option.label, "default": option.default, "choices": choices}


def _room(room: Room) -> dict[str, str]:
    return {"name": room.name, "title": room.title, "kind": room.kind, "url": room_path(room)}
