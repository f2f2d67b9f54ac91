"""The endpoint that an app has when credits are "just a column": each request is its own transaction.

Starlette on uvicorn, set up as ours is. Lives here: the app and its server. Not here: what a wallet does on a database
(`naive_postgres`, `naive_sqlite`). Run by `python -m bench.contenders.naive PORT DATABASE_URL`, with the key in
BENCH_KEY.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from bench.contenders.naive_postgres import PostgresWallet
from bench.contenders.naive_sqlite import SQLiteWallet


class Wallet(Protocol):
    """Credits on a database."""

    async def open(self) -> None:
        """Prepare for the first request."""

    async def spend(self, account_id: str, feature: str, key: str) -> int | None:
        """Spend one credit under the key; return what remains, None without credits."""

    async def close(self) -> None:
        """Close the connections."""


def build_app(wallet: Wallet, key: str) -> Starlette:
    """The app over a wallet."""
    authorization = f"Bearer {key}"

    async def consume(request: Request) -> Response:
        if request.headers.get("authorization") != authorization:
            return JSONResponse({"error": "unauthorized"}, 401)
        body = await request.json()
        account_id = request.path_params["account_id"]
        remaining = await wallet.spend(account_id, body["feature"], request.headers["idempotency-key"])
        if remaining is None:
            return JSONResponse({"error": "insufficient credits"}, 402)
        return JSONResponse({"account_id": account_id, "feature": body["feature"], "remaining": remaining})

    async def livez(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await wallet.open()
        yield
        await wallet.close()

    routes = [
        Route("/v1/accounts/{account_id}/consume", consume, methods=["POST"]),
        Route("/livez", livez, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    """Serve until a signal stops it."""
    port, database = int(sys.argv[1]), sys.argv[2]
    wallet: Wallet = SQLiteWallet(database) if database.startswith("sqlite") else PostgresWallet(database)
    config = Config(
        build_app(wallet, os.environ["BENCH_KEY"]),
        port=port,
        interface="asgi3",
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    Server(config).run()


if __name__ == "__main__":
    main()
