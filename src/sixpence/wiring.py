"""From settings to objects: the only module that connects the parts and chooses a database.

app = create_app()                       # everything from the environment
app = create_app(settings, routes=...)   # with an app's own routes after Sixpence's
"""

import sixpence.http  # noqa: F401 - first, since it names a missing extra

# isort: split
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from sixpence.auth.api_keys import ApiKeys
from sixpence.auth.passwords import Passwords
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.user import User
from sixpence.auth.users import Users
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog
from sixpence.http.app import build_app
from sixpence.http.batch.route import batch_routes
from sixpence.http.callers.callers import Callers
from sixpence.http.callers.origin import origins_of
from sixpence.http.endpoints.accounts import account_routes
from sixpence.http.endpoints.admin import admin_routes
from sixpence.http.endpoints.checkpoints import checkpoint_routes
from sixpence.http.endpoints.health import health_routes
from sixpence.http.endpoints.user import user_routes
from sixpence.http.sign_in.routes import sign_in_routes
from sixpence.integrations.starlette import CreditIntegration
from sixpence.ledger.database.engines import SQLiteFile
from sixpence.ledger.ledger import BATCHES_IN_FLIGHT, Ledger, Limits
from sixpence.ledger.relay.relay import Relay
from sixpence.ledger.sqlite.store import system_clock
from sixpence.service.catalog_file import read_catalog
from sixpence.service.credits import CreditService
from sixpence.settings import Settings

CATALOG_FILE = Path("sixpence.toml")


class Sixpence(msgspec.Struct, frozen=True):
    """The connected parts of one installation; each is opened at its first use."""

    settings: Settings
    ledger: Ledger
    credits: CreditService
    sign_in: EmbeddedSignIn
    users: Users
    api_keys: ApiKeys
    callers: Callers


def chosen_catalog(settings: Settings) -> Catalog:
    """The catalog of the file in the settings, else of `sixpence.toml` in this folder, else the default one."""
    if settings.catalog:
        return read_catalog(settings.catalog)
    return read_catalog(CATALOG_FILE) if CATALOG_FILE.exists() else DEFAULT_CATALOG


def open_ledger(settings: Settings) -> Ledger:
    """Opens the ledger of the database in the settings."""
    ledger = Ledger(
        settings.database,
        catalog=chosen_catalog(settings),
        limits=Limits(
            queue_size_max=settings.queue_size_max,
            batch_size_max=settings.batch_size_max,
            wait_seconds_max=settings.wait_seconds_max,
            batches_in_flight=settings.batches_in_flight or BATCHES_IN_FLIGHT,
        ),
        unsafe_durability=settings.unsafe_durability,
    )
    if isinstance(ledger.address, SQLiteFile) and not settings.database_url:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ledger


def wire(settings: Settings, ledger: Ledger | None = None) -> Sixpence:
    """Connects the parts that the settings describe; a `ledger` replaces the one of the settings."""
    ledger = ledger or open_ledger(settings)
    passwords = Passwords()
    sign_in = EmbeddedSignIn(ledger, settings.cookie_secret(), system_clock, passwords)
    api_keys = ApiKeys(ledger, system_clock)
    return Sixpence(
        settings=settings,
        ledger=ledger,
        credits=CreditService(ledger),
        sign_in=sign_in,
        users=sign_in.users,
        api_keys=api_keys,
        callers=Callers(
            sign_in,
            api_keys,
            base_url=settings.site,
            origins=origins_of([settings.site, *settings.origins]),
            local_operator_token=settings.local_operator_token,
        ),
    )


def create_app(
    settings: Settings | None = None,
    *,
    routes: Callable[[CreditIntegration], Sequence[BaseRoute]] | None = None,
) -> Starlette:
    """The ASGI application of an installation; `routes` adds an app's own, which the integration can charge for."""
    return app_of(wire(settings or Settings.read()), routes=routes)


def app_of(parts: Sixpence, *, routes: Callable[[CreditIntegration], Sequence[BaseRoute]] | None = None) -> Starlette:
    """The ASGI application of connected parts. A relay runs with it, and its shutdown closes the parts."""
    settings = parts.settings
    body_bytes_max = settings.body_bytes_max

    async def on_sign_up(user: User) -> None:
        await parts.credits.initialize_user_credits(user.id, idempotency_key=f"signup:{user.id}")

    def is_overloaded() -> bool:
        return parts.ledger.wait_seconds > settings.queue_seconds_max

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if settings.relay:
                await stack.enter_async_context(Relay(parts.ledger).running())
            yield
        await parts.credits.close()

    integration = CreditIntegration(parts.credits, parts.callers, upgrade_url=settings.upgrade_url)
    own_routes = routes(integration) if routes is not None else ()
    return build_app(
        [
            *sign_in_routes(
                parts.sign_in,
                base_url=settings.site,
                allowed_origins=settings.origins,
                trusted_proxies=settings.proxies,
                on_sign_up=on_sign_up,
            ),
            *user_routes(parts.credits, parts.callers, body_bytes_max=body_bytes_max),
            *admin_routes(
                parts.ledger, parts.credits, parts.users, parts.api_keys, parts.callers, body_bytes_max=body_bytes_max
            ),
            *account_routes(parts.credits, parts.callers, body_bytes_max=body_bytes_max),
            *batch_routes(
                parts.credits,
                parts.callers,
                upgrade_url=settings.upgrade_url,
                is_overloaded=is_overloaded,
                body_bytes_max=body_bytes_max,
                batch_bytes_max=settings.batch_bytes_max,
            ),
            *checkpoint_routes(parts.credits, parts.callers, signing_key=settings.checkpoint_key),
            *health_routes(parts.credits),
            *own_routes,
        ],
        parts.credits,
        upgrade_url=settings.upgrade_url,
        allowed_origins=settings.allowed_origins,
        is_overloaded=is_overloaded,
        under_way_max=settings.under_way_max,
        lifespan=lifespan,
    )
