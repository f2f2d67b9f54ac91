"""The catalogs that were applied: which one prices now, and applying the next. An applied version never changes."""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from sixpence.core.catalog import Catalog, PricedBy, from_document
from sixpence.core.errors import DatabaseSetupError
from sixpence.ledger.schema import catalog_versions


class CatalogCache:
    """The decoded catalog of one version; a version's text cannot change, so nothing here can be stale."""

    def __init__(self) -> None:
        self._priced_by: PricedBy | None = None

    def current(self, version: int | None, read_document: Callable[[int], str]) -> PricedBy:
        """The catalog of `version`, read only when it is not the one at hand."""
        if version is None:
            raise DatabaseSetupError("The database has no catalog.", "Run: sixpence catalog apply.")
        if self._priced_by is None or self._priced_by.version != version:
            self._priced_by = PricedBy(version, from_document(read_document(version)))
        return self._priced_by


class CatalogReader:
    """The catalog in force, for readers: its version is read each time, its text only when it is new."""

    def __init__(self) -> None:
        self._cache = CatalogCache()

    def current(self, connection: Connection) -> PricedBy:
        """The catalog that prices now."""
        return self._cache.current(
            connection.scalar(select(func.max(catalog_versions.c.version))),
            lambda version: str(
                connection.scalar(select(catalog_versions.c.document).where(catalog_versions.c.version == version))
            ),
        )


def find_current(connection: Connection) -> PricedBy | None:
    """The catalog in force, None where none was ever applied."""
    newest = select(catalog_versions).order_by(catalog_versions.c.version.desc()).limit(1)
    row = connection.execute(newest).first()
    return None if row is None else PricedBy(row.version, from_document(row.document))


def apply(connection: Connection, catalog: Catalog, *, now: int) -> PricedBy:
    """Make the catalog the one in force, as a new version; does nothing where it is in force already."""
    while True:
        current = find_current(connection)
        if current is not None and current.catalog.digest() == catalog.digest():
            return current
        applied = _insert(connection, PricedBy(1 if current is None else current.version + 1, catalog), now=now)
        if applied is not None:
            return applied


def apply_first(connection: Connection, catalog: Catalog, *, now: int) -> PricedBy:
    """The catalog in force; where there is none, the given one becomes the first."""
    while True:
        current = find_current(connection) or _insert(connection, PricedBy(1, catalog), now=now)
        if current is not None:
            return current


def list_faults(connection: Connection) -> list[str]:
    """What is wrong with the applied catalogs, in plain words: numbers run from 1, documents are as applied."""
    rows = connection.execute(select(catalog_versions).order_by(catalog_versions.c.version)).all()
    faults = [] if rows else ["there is no catalog, so nothing says what things cost"]
    for number, row in enumerate(rows, 1):
        if row.version != number:
            return [*faults, f"catalog version {number} is missing"]
        if not _as_applied(row.document, row.digest):
            faults.append(f"catalog version {number}: its document is not the one that was applied")
    return faults


def _as_applied(document: str, digest: str) -> bool:
    try:
        return from_document(document).digest() == digest
    except (msgspec.MsgspecError, TypeError, ValueError):
        return False


def _insert(connection: Connection, priced_by: PricedBy, *, now: int) -> PricedBy | None:
    """Add a version; None where another process was first with its number, so that one has to look again."""
    catalog = priced_by.catalog
    row = {"digest": catalog.digest(), "document": catalog.document(), "applied_at": now}
    try:
        with connection.begin_nested():
            connection.execute(insert(catalog_versions).values(version=priced_by.version, **row))
    except IntegrityError:
        return None
    return priced_by
