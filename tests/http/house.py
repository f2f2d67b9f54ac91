"""A whole installation in this process: `create_app` over a real database, and those who may call it.

Requests go through ASGI itself; tests over sockets and processes are in tests/races. Not here: fixtures (conftest.py).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from sixpence.integrations.starlette import CreditIntegration
from sixpence.settings import Settings
from sixpence.wiring import create_app
from tests.ledger.databases import run

SITE = "http://127.0.0.1:8000"
FRONT = "https://front.example.com"
PASSWORD = "correct horse"
OPERATOR_TOKEN = "the token of the tests' own local operator"
JSON = "application/json"
PROBLEM = "application/problem+json"


class House:
    """The app over the database at `url`, and clients of every kind for it."""

    def __init__(self, url: str, app: Starlette) -> None:
        self.url = url
        self.app = app

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Somebody nobody knows, who keeps cookies; an app that fails answers as a server would."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers, timeout=30)

    def local_operator(self) -> httpx.AsyncClient:
        """The command line on this machine."""
        return self.client(authorization=f"Bearer {OPERATOR_TOKEN}")

    async def server(self, name: str = "shop") -> httpx.AsyncClient:
        """A server with an API key of its own."""
        made = await self.local_operator().post("/api/admin/keys", json={"name": name})
        return self.client(authorization=f"Bearer {made.raise_for_status().json()['key']}")

    async def user(self, email: str = "ada@example.com") -> httpx.AsyncClient:
        """Somebody who has just signed up, on a page of this site."""
        client = self.client(origin=SITE)
        body = {"email": email, "name": "Ada", "password": PASSWORD}
        (await client.post("/api/auth/sign-up/email", json=body)).raise_for_status()
        return client

    async def operator(self, email: str = "olga@example.com") -> httpx.AsyncClient:
        """An operator who has signed in."""
        client = self.client(origin=SITE)
        body = {"email": email, "name": "Olga", "password": PASSWORD, "role": "admin"}
        (await self.local_operator().post("/api/admin/users", json=body)).raise_for_status()
        (await client.post("/api/auth/sign-in/email", json=body | {"rememberMe": True})).raise_for_status()
        return client


@asynccontextmanager
async def opened_house(
    url: str,
    home: Path,
    *,
    routes: Callable[[CreditIntegration], Sequence[BaseRoute]] | None = None,
    relay: bool = False,
    **chosen: Any,
) -> AsyncIterator[House]:
    """An installation over this database, ended in good order; `chosen` are settings.

    Without a relay nothing changes by itself between two looks at the database.
    """
    own = {"home": home, "database_url": url, "local_operator_token": OPERATOR_TOKEN, "allowed_origins": (FRONT,)}
    settings = Settings.read({}, relay=relay, **own, **chosen)
    app = create_app(settings, routes=routes)
    async with app.router.lifespan_context(app):
        yield House(url, app)


async def user_id(client: httpx.AsyncClient) -> str:
    """The id of the user whom this client is signed in as, which is the account's, too."""
    session = await client.get("/api/auth/get-session")
    return str(session.json()["user"]["id"])


async def open_account(client: httpx.AsyncClient, account_id: str) -> str:
    """Make an account as a server does, and give the path that stands for it."""
    (await client.post("/v1/accounts", json={"account_id": account_id})).raise_for_status()
    return path_of(account_id)


def signup_grant(grant_id: str, granted_at: str) -> dict[str, Any]:
    """The six credits that came with an account, as an account shows them."""
    return {
        "id": grant_id,
        "category": "signup",
        "amount": 6,
        "remaining": 6,
        "held": 0,
        "priority": 100,
        "effective_at": granted_at,
        "expires_at": None,
        "features": None,
        "pending": False,
        "over": None,
        "rolled": False,
    }


# What an account on a plan without a term shows beside its balance and its grants.
NOTHING_TO_COME: dict[str, Any] = {
    "standing": "open",
    "owed": 0,
    "overdraft": 0,
    "scheduled": 0,
    "next_allowance_at": None,
    "next_allowance_amount": 0,
    "term_ends_at": None,
    "trial": False,
    "waiting_plan": None,
    "fair_use": None,
}

# What a transaction shows that is about nothing else, and neither a hold nor a change of plan.
NOTHING_ELSE: dict[str, Any] = {
    "about": None,
    "usage": None,
    "shortfall": None,
    "refunded": None,
    "late": False,
    "covered": False,
    "hold_expires_at": None,
    "grants": [],
    "previous_plan": None,
    "term": None,
}


def path_of(account_id: str) -> str:
    """The path of an account: its id's UTF-8 bytes, each that is no letter or digit percent-encoded."""
    return "/v1/accounts/" + "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02X}" for byte in account_id.encode()
    )


def forget(url: str, account_id: str) -> None:
    """Leave a user without an account: somebody whose hook at sign-up never ran."""
    numbered = "account_no IN (SELECT account_no FROM credit_accounts WHERE account_id = :id)"
    for table in ("credit_holds", "credit_transactions", "usage_daily", "credit_accounts"):
        run(url, f"DELETE FROM {table} WHERE {numbered}", {"id": account_id})
    # The account was alone in its batches.
    run(url, "DELETE FROM outbox WHERE touched LIKE :batch", {"batch": f'[["{account_id}",%'})
