"""Wiring: the chosen database and catalog, an app's own routes, and the shutdown."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from sixpence.core.catalog.catalog import DEFAULT_CATALOG
from sixpence.core.catalog.toml import from_toml
from sixpence.core.errors import CatalogError, ServiceClosedError
from sixpence.ledger.database.engines import PostgresServer, SQLiteFile
from sixpence.settings import Settings
from sixpence.wiring import app_of, chosen_catalog, create_app, open_ledger, wire
from tests.http.installation import open_installation

PRICES = """
[features.photo]
credits = 3
[plans.free]
signup_credits = 9
"""


def test_default_database_is_file_in_home(tmp_path: Path) -> None:
    """The default database is a SQLite file in a new home folder; it is not opened yet."""
    ledger = open_ledger(Settings(home=tmp_path / "my home"))

    assert ledger.address == SQLiteFile(str(tmp_path / "my home" / "credits.db"))
    assert list((tmp_path / "my home").iterdir()) == []


def test_database_url_chooses_postgresql() -> None:
    """A PostgreSQL URL is used unchanged."""
    ledger = open_ledger(Settings(database_url="postgresql://app:x@db.example.com/credits"))

    assert ledger.address == PostgresServer("postgresql://app:x@db.example.com/credits")


def test_chosen_catalog(tmp_path: Path) -> None:
    """The catalog is the file in the settings; without one it is the default catalog."""
    (tmp_path / "prices.toml").write_text(PRICES)

    assert chosen_catalog(Settings(catalog=str(tmp_path / "prices.toml"))) == from_toml(PRICES)
    assert chosen_catalog(Settings()) == DEFAULT_CATALOG


def test_missing_catalog_file_is_refused(tmp_path: Path) -> None:
    """An unreadable file is reported with its name, before anything starts."""
    with pytest.raises(CatalogError) as refused:
        create_app(Settings(home=tmp_path, catalog=str(tmp_path / "missing.toml")))

    assert "missing.toml cannot be read" in refused.value.problems[0]


async def test_chosen_catalog_prices(tmp_path: Path) -> None:
    """The chosen catalog sets a new account's credits and the price of a use."""
    (tmp_path / "prices.toml").write_text(PRICES)
    url = f"sqlite:///{tmp_path / 'credits.db'}"

    async with open_installation(url, tmp_path, catalog=str(tmp_path / "prices.toml")) as running:
        shop = await running.server()
        made = await shop.post("/v1/accounts", json={"account_id": "a"})
        used = await shop.post("/v1/accounts/a/consume", json={"feature": "photo"})

    assert (made.json()["remaining"], used.json()["credits_consumed"], used.json()["remaining"]) == (9, 3, 6)


async def test_own_routes_come_after_sixpences(tmp_path: Path) -> None:
    """An app's routes come after Sixpence's, so a route for every path hides none of them."""

    async def page(_request: Request) -> Response:
        return PlainTextResponse("a page")

    everything = Mount("/", routes=[Route("/{path:path}", page)])
    async with open_installation(f"sqlite:///{tmp_path / 'c.db'}", tmp_path, routes=lambda _: [everything]) as running:
        client = running.client()
        answers = [await client.get(path) for path in ("/", "/studio", "/livez", "/v1/catalog")]

    assert [(answer.status_code, answer.text) for answer in answers[:2]] == [(200, "a page")] * 2
    assert [answer.status_code for answer in answers[2:]] == [200, 401]


async def test_app_works_below_prefix(tmp_path: Path) -> None:
    """In a mounted app, ids with a slash are found."""
    async with open_installation(f"sqlite:///{tmp_path / 'c.db'}", tmp_path) as running:
        shop = await running.server()
        await shop.post("/v1/accounts", json={"account_id": "team/7"})
        outer = Starlette(routes=[Mount("/credits", running.app)])
        headers = {"authorization": shop.headers["authorization"]}
        transport = httpx.ASGITransport(outer)
        async with httpx.AsyncClient(transport=transport, base_url="http://app.example.com", headers=headers) as client:
            shown = await client.get("/credits/v1/accounts/team%2F7")

    assert (shown.status_code, shown.json()["account_id"]) == (200, "team/7")


async def test_shutdown_closes_ledger(tmp_path: Path) -> None:
    """At shutdown pending commands are finished, and later ones are refused."""
    parts = wire(Settings(home=tmp_path))
    app = app_of(parts)

    async with app.router.lifespan_context(app):
        await parts.credits.initialize_user_credits("a")

    with pytest.raises(ServiceClosedError):
        await parts.credits.get_user_credits("a")
