"""The app of a race while it runs: at a URL, or as an ASGI or WSGI app that is served here for the race."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from inspect import iscoroutinefunction
from typing import Any, Protocol

import msgspec

from sixpence.testing.races.client.address import Address, address_from_url
from sixpence.testing.races.client.connection import Connection, NoAnswerError
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.servers.asgi_server import AsgiServer
from sixpence.testing.races.servers.wsgi_server import ThreadedWsgiServer


class Activity(Protocol):
    """The activity of an app in this process: its running requests, and the exceptions that it raised."""

    raised: list[str]

    @property
    def busy(self) -> int:
        """The number of running requests."""


class UnknownActivity:
    """The activity of an app in another process, which cannot be observed."""

    busy = 0

    def __init__(self) -> None:
        self.raised: list[str] = []


class RunningApp(msgspec.Struct, frozen=True):
    """A running app; a remote one runs in another process, so its activity is unknown."""

    address: Address
    activity: Activity
    is_remote: bool = False

    @property
    def quiet_seconds(self) -> float:
        """How long the ledger must not change before the app counts as idle."""
        return 0.5 if self.is_remote else 0.1


@asynccontextmanager
async def run_app(app: Any, *, timeout_seconds: float) -> AsyncIterator[RunningApp]:
    """Run the app inside the context; raises `RaceError` for one that accepts no connection or is no app."""
    if isinstance(app, str):
        address = address_from_url(app)
        await _connect_once(address, timeout_seconds)
        yield RunningApp(address, UnknownActivity(), is_remote=True)
        return
    if not callable(app):
        raise RaceError(f"{app!r} is no app. Give a URL, an ASGI app (FastAPI) or a WSGI app (Flask, Django).")
    server = AsgiServer(app) if _is_asgi(app) else ThreadedWsgiServer(app)
    async with server.listen() as address:
        yield RunningApp(address, server)


def _is_asgi(app: Any) -> bool:
    return iscoroutinefunction(app) or iscoroutinefunction(type(app).__call__)


async def _connect_once(address: Address, timeout_seconds: float) -> None:
    try:
        connection = await Connection.open(address, timeout_seconds=timeout_seconds)
    except NoAnswerError as error:
        raise RaceError(
            f"Nothing accepts a connection at {address} ({error.detail}). Start the app first, or give the app itself, "
            "which is then served for the race."
        ) from error
    connection.abort()
