"""Every library in which an app has a transaction, behind one interface, for tests that run with each.

SQLAlchemy, blocking and async, over psycopg, asyncpg and the borrowed SQLite connection; and Django. The app has a
table of notes beside the credits.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any, Protocol

import django
from django.conf import settings
from django.db import connection as django_connection
from django.db import connections as django_connections
from django.db import transaction as django_transaction
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from sixpence.core.catalog.catalog import Catalog, Feature, Plan
from sixpence.ledger.ledger import Clock, Ledger, Limits
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import rows

ADA, BOB = "ada@example.com", "bob@example.com"
SHOP = Catalog(
    features={"sketch": Feature(1), "video": Feature(3)},
    plans={"free": Plan(signup_credits=6), "pro": Plan(rank=1, allowance=30, period="month")},
    default_plan="free",
)
NOTE = "INSERT INTO notes (text) VALUES ('{}')"


class ChangedMindError(Exception):
    """An app's error that rolls its transaction back."""


class OpenTransaction(Protocol):
    """An app's open transaction."""

    connection: Any

    async def note(self, words: str) -> None:
        """Insert a row of the app."""

    async def run(self, statement: str) -> None:
        """Run a statement of the app."""

    async def call(self, method: str, *arguments: Any, **more: Any) -> Any:
        """Call a method of the credit service inside the transaction."""


class Interface(Protocol):
    """An interface to transactions; `begin` commits at the end of its block, and rolls back when that raises."""

    is_async: bool

    def begin(self) -> AbstractAsyncContextManager[OpenTransaction]:
        """Begin a transaction."""

    async def call(self, method: str, *arguments: Any, **more: Any) -> Any:
        """Call a method of the credit service outside of it."""

    async def close(self) -> None:
        """Close the service."""


class _Blocking:
    """An interface with a blocking connection; `begin` opens one, `run` runs a statement on it."""

    is_async = False

    def __init__(
        self,
        credits: SyncCreditService,
        begin: Callable[[], AbstractContextManager[Any]],
        run: Callable[[Any, str], None],
    ) -> None:
        self._credits = credits
        self._begin = begin
        self._run = run

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[OpenTransaction]:
        with self._begin() as connection:
            yield _BlockingTransaction(self._credits, connection, self._run)

    async def call(self, method: str, *arguments: Any, **more: Any) -> Any:
        return getattr(self._credits, method)(*arguments, **more)

    async def close(self) -> None:
        self._credits.close()


class _BlockingTransaction:
    def __init__(self, credits: SyncCreditService, connection: Any, run: Callable[[Any, str], None]) -> None:
        self._credits = credits
        self.connection = connection
        self._run = run

    async def note(self, words: str) -> None:
        self._run(self.connection, NOTE.format(words))

    async def run(self, statement: str) -> None:
        self._run(self.connection, statement)

    async def call(self, method: str, *arguments: Any, **more: Any) -> Any:
        return getattr(self._credits, method)(*arguments, **more, connection=self.connection)


class _Async:
    """An interface on the event loop; `begin` opens an `AsyncConnection`."""

    is_async = True

    def __init__(
        self, credits: CreditService, begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]]
    ) -> None:
        self._credits = credits
        self._begin = begin

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[OpenTransaction]:
        async with self._begin() as connection:
            yield _AsyncTransaction(self._credits, connection)

    async def call(self, method: str, *arguments: Any, **more: Any) -> Any:
        return await getattr(self._credits, method)(*arguments, **more)

    async def close(self) -> None:
        await self._credits.close()


class _AsyncTransaction:
    def __init__(self, credits: CreditService, connection: AsyncConnection) -> None:
        self._credits = credits
        self.connection: Any = connection

    async def note(self, words: str) -> None:
        await self.run(NOTE.format(words))

    async def run(self, statement: str) -> None:
        await self.connection.execute(text(statement))

    async def call(self, method: str, *arguments: Any, **more: Any) -> Any:
        return await getattr(self._credits, method)(*arguments, **more, connection=self.connection)


def notes(url: str) -> list[str]:
    """The app's committed notes."""
    return [words for (words,) in rows(url, "SELECT text FROM notes ORDER BY text")]


def open_interface(name: str, url: str, **settings: Any) -> Interface:
    """The interface of this name over a database that has a table of notes."""
    return INTERFACES[name](url, **settings)


def _ledger(url: str, *, clock: Clock | None = None, limits: Limits | None = None, catalog: Catalog = SHOP) -> Ledger:
    return Ledger(url, clock=clock, limits=limits, catalog=catalog)


def _run_sqlalchemy(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


def _psycopg(url: str, **settings: Any) -> Interface:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    return _Blocking(SyncCreditService(_ledger(url, **settings)), engine.begin, _run_sqlalchemy)


def _session(url: str, **settings: Any) -> Interface:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)

    @contextmanager
    def begin() -> Iterator[Connection]:
        with Session(engine) as session, session.begin():
            yield session.connection()

    return _Blocking(SyncCreditService(_ledger(url, **settings)), begin, _run_sqlalchemy)


def _django(url: str, **settings: Any) -> Interface:
    set_django_up(url)

    @contextmanager
    def begin() -> Iterator[Any]:
        try:
            with django_transaction.atomic():
                yield django_connection
        finally:
            django_connection.close()

    return _Blocking(SyncCreditService(_ledger(url, **settings)), begin, run_django)


def _async_over(driver: str) -> Callable[..., Interface]:
    def over(url: str, **settings: Any) -> Interface:
        engine = create_async_engine(make_url(url).set(drivername=f"postgresql+{driver}"), poolclass=NullPool)
        return _Async(CreditService(_ledger(url, **settings)), engine.begin)

    return over


def _lent(url: str, **settings: Any) -> Interface:
    credits = SyncCreditService(_ledger(url, **settings))
    return _Blocking(credits, credits.transaction, _run_sqlalchemy)


def _lent_async(url: str, **settings: Any) -> Interface:
    credits = CreditService(_ledger(url, **settings))
    return _Async(credits, credits.transaction)


def set_django_up(url: str) -> None:
    """Point Django's default connection at this database."""
    # These tests run in the thread of an event loop, which Django would refuse to block.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"
    parsed = make_url(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parsed.database,
        "USER": parsed.username,
        "PASSWORD": parsed.password or "",
        "HOST": parsed.host,
        "PORT": str(parsed.port),
    }
    if not settings.configured:
        settings.configure(DATABASES={"default": database}, USE_TZ=True)
        django.setup()
    else:
        django_connections.close_all()
        django_connections.settings["default"].update(database)


def run_django(connection: Any, statement: str) -> None:
    """Run a statement on a Django connection."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


INTERFACES: dict[str, Callable[..., Interface]] = {
    "sqlalchemy-psycopg": _psycopg,
    "sqlalchemy-session": _session,
    "sqlalchemy-asyncpg": _async_over("asyncpg"),
    "sqlalchemy-psycopg-async": _async_over("psycopg"),
    "django": _django,
    "transaction-postgresql": _lent,
    "transaction-postgresql-async": _lent_async,
    "transaction-sqlite": _lent,
    "transaction-sqlite-async": _lent_async,
}
