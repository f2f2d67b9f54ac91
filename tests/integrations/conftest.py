"""Fixtures: an app that charges, on each framework, and Ada who uses it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sixpence.integrations.starlette import CreditIntegration
from sixpence.settings import Settings
from sixpence.wiring import Sixpence, app_of, wire
from tests.http.installation import SITE, Installation, delete_account, user_id
from tests.integrations.asgi_browser import AsgiBrowser
from tests.integrations.charging_apps import APPS, Done
from tests.ledger.databases import verify_clean


class ChargingApp:
    """An app that charges, the work it has done, and its credits."""

    def __init__(self, parts: Sixpence, url: str, framework: str) -> None:
        self.url = url
        self.done: Done = []
        self.integration = CreditIntegration(parts.credits, parts.callers, upgrade_url="https://app.example.com/buy")
        self.credits = parts.credits
        self._app = APPS[framework](self.integration, self.done)

    def client(self, cookies: httpx.Cookies | None = None) -> httpx.AsyncClient:
        """A browser on a page of the app."""
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=SITE, headers={"origin": SITE}, cookies=cookies)


@pytest.fixture(scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Sixpence, str, httpx.Cookies, str]]:
    """An installation in which Ada has signed up: its parts, its database, her cookies and her id."""
    home = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home / 'credits.db'}"
    wired = wire(Settings(home=home, database_url=url))
    app = app_of(wired)
    async with app.router.lifespan_context(app):
        ada = await Installation(url, app).user()
        yield wired, url, ada.cookies, await user_id(ada)
    verify_clean(url)


@pytest.fixture(params=["starlette", "fastapi"])
def charging_app(request: pytest.FixtureRequest, parts: tuple[Sixpence, str, httpx.Cookies, str]) -> ChargingApp:
    """The app, once on each framework; Ada has no account yet."""
    wired, url, _, account_id = parts
    delete_account(url, account_id)
    return ChargingApp(wired, url, request.param)


@pytest.fixture
def ada(charging_app: ChargingApp, parts: tuple[Sixpence, str, httpx.Cookies, str]) -> httpx.AsyncClient:
    """Ada's browser on the app."""
    return charging_app.client(parts[2])


@pytest.fixture
def browser(charging_app: ChargingApp, ada: httpx.AsyncClient) -> AsgiBrowser:
    """Ada's browser at the level of ASGI messages."""
    return AsgiBrowser(charging_app.integration, ada)


@pytest.fixture
def account_id(parts: tuple[Sixpence, str, httpx.Cookies, str]) -> str:
    """The id of Ada's account."""
    return parts[3]
