"""Where the app of a race runs: at a URL, or as an ASGI or WSGI app that is served here while the race lasts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from inspect import iscoroutinefunction
from typing import Any, Protocol

import msgspec

from sixpence.testing.races.asgi_server import AsgiServer
from sixpence.testing.races.calls import Place, place_at
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.wire import Line, NoAnswerError
from sixpence.testing.races.wsgi_server import ThreadedWsgiServer


class Work(Protocol):
    """What can be seen of an app from inside: how many requests it is at work on, and what it raised."""

    raised: list[str]

    @property
    def busy(self) -> int:
        """How many requests are at work now."""


class UnseenWork:
    """The work of an app in another process: nothing can be seen of it."""

    busy = 0

    def __init__(self) -> None:
        self.raised: list[str] = []


class Served(msgspec.Struct, frozen=True):
    """A running app; `unseen` says that nothing can be told of its work."""

    place: Place
    work: Work
    unseen: bool = False

    @property
    def quiet_seconds(self) -> float:
        """How long its ledger must not change before it counts as at rest."""
        return 0.5 if self.unseen else 0.1


@asynccontextmanager
async def served(app: Any, *, timeout_seconds: float) -> AsyncIterator[Served]:
    """The app while it runs; raises `RaceError` where it does not take a connection or is no app."""
    if isinstance(app, str):
        place = place_at(app)
        await _reach(place, timeout_seconds)
        yield Served(place, UnseenWork(), unseen=True)
        return
    if not callable(app):
        raise RaceError(f"{app!r} is no app. Give a URL, an ASGI app (FastAPI) or a WSGI app (Flask, Django).")
    server = AsgiServer(app) if _is_asgi(app) else ThreadedWsgiServer(app)
    async with server.listening() as place:
        yield Served(place, server)


def _is_asgi(app: Any) -> bool:
    return iscoroutinefunction(app) or iscoroutinefunction(type(app).__call__)


async def _reach(place: Place, timeout_seconds: float) -> None:
    try:
        line = await Line.open(place, timeout_seconds=timeout_seconds)
    except NoAnswerError as missing:
        raise RaceError(
            f"Nobody takes a connection at {place} ({missing.detail}). Start the app first, or give the app itself, "
            "which is then served while the race lasts."
        ) from missing
    line.cut()
