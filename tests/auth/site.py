"""A small site with the sign-in's routes, served by a real server, for tests over HTTP.

Not here: the tests (tests/http/sign_in).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sixpence.auth.passwords import Passwords
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.user import User
from sixpence.http.callers.cookies import find_user
from sixpence.http.callers.origin import OriginRefusedError, check_origin, origins_of
from sixpence.http.sign_in.routes import sign_in_routes
from tests.auth.serving import listening_socket, served, url_of
from tests.auth.sign_in_setup import SECRET, CountedHashing, SettableClock, SqlDatabase, sqlite_ledger

ADA = {"name": "Ada", "email": "ada@example.com", "password": "correct horse"}
COOKIE = "better-auth.session_token"


class Site:
    """One running site. Its sign-up hook takes `hook_seconds` and raises `hook_fault`, if it is set."""

    def __init__(self, database: SqlDatabase, url: str, base_url: str) -> None:
        self.database = database
        self.url = url
        self.base_url = base_url
        self.clock = SettableClock()
        self.hashing = CountedHashing()
        self.sign_in = EmbeddedSignIn(database, SECRET, self.clock, Passwords(self.hashing))
        self.welcomed: list[User] = []
        self.hook_fault: Exception | None = None
        self.hook_seconds = 0.0

    def app(self) -> Starlette:
        """The sign-in's routes, and another page that shows the signed-in user."""
        routes = sign_in_routes(
            self.sign_in,
            base_url=self.base_url,
            allowed_origins=["https://front.example.com"],
            trusted_proxies=[ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8")],
            on_sign_up=self._welcome,
        )
        return Starlette(routes=[*routes, Route("/whoami", self._whoami, methods=["GET", "POST"])])

    def client(self, **headers: str) -> httpx.Client:
        """A new browser on this site: it stores cookies and sends an `Origin`."""
        return httpx.Client(base_url=self.url, headers={"origin": self.base_url, **headers}, timeout=30)

    def signed_up(self, **changes: Any) -> httpx.Client:
        """A browser in which Ada has just signed up."""
        client = self.client()
        client.post("/api/auth/sign-up/email", json={**ADA, **changes}).raise_for_status()
        return client

    async def _welcome(self, user: User) -> None:
        await asyncio.sleep(self.hook_seconds)
        if self.hook_fault is not None:
            raise self.hook_fault
        self.welcomed.append(user)

    async def _whoami(self, request: Request) -> Response:
        try:
            check_origin(request, origins_of([self.base_url]))
        except OriginRefusedError:
            return JSONResponse({"refused": True}, 403)
        user = await find_user(request, self.sign_in, base_url=self.base_url)
        return JSONResponse({"email": None if user is None else user.email})


@contextmanager
def running_site(folder: Path, base_url: str | None = None) -> Iterator[Site]:
    """Runs a site on a free port over a SQLite file in the folder, with `base_url` as its configured URL."""
    listener = listening_socket()
    database = sqlite_ledger(folder / "credits.db")
    site = Site(database, url_of(listener), base_url or url_of(listener))
    with served(site.app(), listener):
        yield site
    database.close()
