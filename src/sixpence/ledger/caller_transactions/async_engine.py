"""Engines for transactions on an event loop; only they need greenlet and an async driver."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import URL
from sqlalchemy.pool import NullPool

from sixpence.core.errors import DatabaseSetupError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


def async_engine(url: str | URL, **settings: Any) -> "AsyncEngine":
    """An engine without a pool: its connections belong to an event loop, and no other thread could close a pool.

    Raises `DatabaseSetupError` for a missing package.
    """
    try:
        from sqlalchemy.ext.asyncio import create_async_engine

        return create_async_engine(url, poolclass=NullPool, hide_parameters=True, **settings)
    except ImportError as error:
        problem = f"A transaction on an event loop needs the package {error.name or 'greenlet'}."
        raise DatabaseSetupError(problem, "Install sqlalchemy[asyncio], and for a SQLite file aiosqlite.") from error
