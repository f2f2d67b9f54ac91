"""A whole installation in this process: `create_app` over a real database, and a client for each kind of caller.

Requests go through ASGI itself. Not here: fixtures (conftest.py), sockets and processes (tests/races).
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
ALLOWED_ORIGIN = "https://front.example.com"
PASSWORD = "correct horse"
OPERATOR_TOKEN = "the token of the tests' own local operator"
JSON = "application/json"
PROBLEM = "application/problem+json"


class Installation:
    """The app over the database at `url`, and clients for it."""

    def __init__(self, url: str, app: Starlette) -> None:
        self.url = url
        self.app = app

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client without a session or a key, which stores cookies. An exception of the app becomes its 500."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers, timeout=30)

    def local_operator(self) -> httpx.AsyncClient:
        """A client with the token of the command line on this machine."""
        return self.client(authorization=f"Bearer {OPERATOR_TOKEN}")

    async def server(self, name: str = "shop") -> httpx.AsyncClient:
        """A server with a new API key."""
        made = await self.local_operator().post("/api/admin/keys", json={"name": name})
        return self.client(authorization=f"Bearer {made.raise_for_status().json()['key']}")

    async def user(self, email: str = "ada@example.com") -> httpx.AsyncClient:
        """The browser of a user who has just signed up, on a page of this site."""
        client = self.client(origin=SITE)
        body = {"email": email, "name": "Ada", "password": PASSWORD}
        (await client.post("/api/auth/sign-up/email", json=body)).raise_for_status()
        return client

    async def operator(self, email: str = "olga@example.com") -> httpx.AsyncClient:
        """The browser of an operator who has signed in."""
        client = self.client(origin=SITE)
        body = {"email": email, "name": "Olga", "password": PASSWORD, "role": "admin"}
        (await self.local_operator().post("/api/admin/users", json=body)).raise_for_status()
        (await client.post("/api/auth/sign-in/email", json=body | {"rememberMe": True})).raise_for_status()
        return client


@asynccontextmanager
async def open_installation(
    url: str,
    home: Path,
    *,
    routes: Callable[[CreditIntegration], Sequence[BaseRoute]] | None = None,
    relay: bool = False,
    **chosen: Any,
) -> AsyncIterator[Installation]:
    """Run an installation over this database, and shut it down at the end; `chosen` are settings.

    Without a relay, only requests change the database.
    """
    own = {
        "home": home,
        "database_url": url,
        "local_operator_token": OPERATOR_TOKEN,
        "allowed_origins": (ALLOWED_ORIGIN,),
    }
    settings = Settings.read({}, relay=relay, **own, **chosen)
    app = create_app(settings, routes=routes)
    async with app.router.lifespan_context(app):
        yield Installation(url, app)


async def user_id(client: httpx.AsyncClient) -> str:
    """The id of the signed-in user, which is also the id of the account."""
    session = await client.get("/api/auth/get-session")
    return str(session.json()["user"]["id"])


async def open_account(client: httpx.AsyncClient, account_id: str) -> str:
    """Make an account as a server does, and return its path."""
    (await client.post("/v1/accounts", json={"account_id": account_id})).raise_for_status()
    return account_path(account_id)


def signup_grant(grant_id: str, granted_at: str) -> dict[str, Any]:
    """The six credits of a new account, as the account's JSON lists them."""
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


# The fields of an account on a plan without a term, beside its balance and its grants.
ACCOUNT_DEFAULTS: dict[str, Any] = {
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

# The fields of a transaction without another subject that is neither a hold nor a change of plan.
TRANSACTION_DEFAULTS: dict[str, Any] = {
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


def account_path(account_id: str) -> str:
    """The path of an account: every byte of its id is percent-encoded, except ASCII letters and digits."""
    return "/v1/accounts/" + "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02X}" for byte in account_id.encode()
    )


def delete_account(url: str, account_id: str) -> None:
    """Delete a user's account, as if the hook at sign-up had never run."""
    numbered = "account_no IN (SELECT account_no FROM credit_accounts WHERE account_id = :id)"
    for table in ("credit_holds", "credit_transactions", "usage_daily", "credit_accounts"):
        run(url, f"DELETE FROM {table} WHERE {numbered}", {"id": account_id})
    # No other account was in its batches.
    run(url, "DELETE FROM outbox WHERE touched LIKE :batch", {"batch": f'[["{account_id}",%'})
