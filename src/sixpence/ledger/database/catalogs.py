"""The applied catalogs: the version in force, and how the next is applied. An applied version never changes."""

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache

import msgspec
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from sixpence.core.catalog.catalog import Catalog, PricedBy, from_document
from sixpence.core.catalog.from_python import check_catalog
from sixpence.core.errors import DatabaseSetupError
from sixpence.core.values.instant import INSTANT_MAX
from sixpence.ledger.database.tables import catalog_versions, credit_accounts

# Errors of reading an invalid document.
_UNREADABLE = (msgspec.MsgspecError, TypeError, ValueError)

VersionRow = tuple[int, int, str]
"""A version's number, the time at which it was applied, and its document."""

_VERSIONS = select(catalog_versions).order_by(catalog_versions.c.version)


class CatalogCache:
    """The decoded catalogs up to one version. A version's document never changes, so the cache is never stale."""

    def __init__(self) -> None:
        self._priced_by: PricedBy | None = None

    def current(self, version: int | None, read_versions: Callable[[int, int], Iterable[VersionRow]]) -> PricedBy:
        """The catalog of `version` with all earlier ones.

        `read_versions(above, up_to)` returns the rows of new versions, in order; it is called only when there are any.
        """
        if version is None:
            raise DatabaseSetupError("The database has no catalog.", "Run: sixpence catalog apply.")
        known = self._priced_by
        if known is not None and known.version > version:
            known = None  # the database was replaced, by a restored copy for example
        for number, applied_at, document in () if _number(known) == version else read_versions(_number(known), version):
            earlier = () if known is None else (*known.earlier, msgspec.structs.replace(known, earlier=()))
            known = PricedBy(number, _decode_catalog(number, document), applied_at, earlier)
        if known is None or known.version != version:
            raise DatabaseSetupError(f"Catalog version {version} is missing.", "Run: sixpence verify.")
        self._priced_by = known
        return known


class CatalogReader:
    """The catalog in force, for readers: its version is read each time, its document only when it is new."""

    def __init__(self) -> None:
        self._cache = CatalogCache()

    def current(self, connection: Connection) -> PricedBy:
        """The catalog in force, with all earlier ones."""
        return self.of_version(connection, connection.scalar(select(func.max(catalog_versions.c.version))))

    def of_version(self, connection: Connection, version: int | None) -> PricedBy:
        """The catalog of this version, which must be the newest, with all earlier ones."""

        def read_versions(above: int, up_to: int) -> list[VersionRow]:
            missing = _VERSIONS.where(catalog_versions.c.version.between(above + 1, up_to))
            return [(row.version, row.applied_at, row.document) for row in connection.execute(missing)]

        return self._cache.current(version, read_versions)


def find_current(connection: Connection) -> PricedBy | None:
    """The catalog in force, without earlier ones; None before the first."""
    newest = select(catalog_versions).order_by(catalog_versions.c.version.desc()).limit(1)
    row = connection.execute(newest).first()
    return None if row is None else PricedBy(row.version, _decode_catalog(row.version, row.document), row.applied_at)


def apply(connection: Connection, catalog: Catalog, *, now: int) -> PricedBy:
    """Apply the catalog as a new version; does nothing when it is already in force.

    A version's time is never before the previous one's, even after the clock was set back. Raises `CatalogError`.
    """
    check_catalog(catalog)
    while True:
        current = find_current(connection)
        if current is not None and current.catalog.digest() == catalog.digest():
            return current
        applied_at = now if current is None else max(now, current.applied_at)
        applied = _insert(connection, PricedBy(_number(current) + 1, catalog, applied_at))
        if applied is not None:
            return applied


def apply_first(connection: Connection, catalog: Catalog, *, now: int) -> PricedBy:
    """The catalog in force; without one, the given catalog becomes the first. Raises `CatalogError`."""
    check_catalog(catalog)
    while True:
        current = find_current(connection) or _insert(connection, PricedBy(1, catalog, now))
        if current is not None:
            return current


def count_accounts(connection: Connection, plans: Collection[str]) -> dict[str, int]:
    """The number of accounts on each of these plans."""
    plan = credit_accounts.c.subscription_status
    counted = select(plan.label("plan"), func.count().label("accounts")).where(plan.in_(plans)).group_by(plan)
    return {**dict.fromkeys(plans, 0), **{row.plan: row.accounts for row in connection.execute(counted)}}


def list_faults(connection: Connection) -> list[str]:
    """The faults of the applied catalogs, as sentences: missing numbers, changed documents, times out of order."""
    rows = connection.execute(select(catalog_versions).order_by(catalog_versions.c.version)).all()
    faults = [] if rows else ["there is no catalog, so nothing says what things cost"]
    last_at = 0
    for number, row in enumerate(rows, 1):
        if row.version != number:
            return [*faults, f"catalog version {number} is missing"]
        if not _is_unchanged(row.document, row.digest):
            faults.append(f"catalog version {number}: its document is not the one that was applied")
        if not isinstance(row.applied_at, int) or not last_at <= row.applied_at <= INSTANT_MAX:
            faults.append(
                f"catalog version {number}: applied at {row.applied_at!r:.60}, not at or after the one before"
            )
            return faults
        last_at = row.applied_at
    return faults


def _is_unchanged(document: str, digest: str) -> bool:
    try:
        catalog = from_document(document)
        return catalog.document() == document and catalog.digest() == digest
    except _UNREADABLE:
        return False


def _insert(connection: Connection, priced_by: PricedBy) -> PricedBy | None:
    """Add a version; None when another process took its number first, so that the caller reads again."""
    catalog = priced_by.catalog
    row = {"digest": catalog.digest(), "document": catalog.document(), "applied_at": priced_by.applied_at}
    try:
        with connection.begin_nested():
            connection.execute(insert(catalog_versions).values(version=priced_by.version, **row))
    except IntegrityError:
        return None
    return priced_by


def _number(priced_by: PricedBy | None) -> int:
    return 0 if priced_by is None else priced_by.version


def _decode_catalog(version: int, document: str) -> Catalog:
    """The catalog of a version's document; raises `DatabaseSetupError` for an invalid document."""
    try:
        return _decoded(document)
    except _UNREADABLE as error:
        problem = f"Catalog version {version} cannot be read: {str(error).removesuffix('.')}."
        remedy = "Put its row of the table catalog_versions back from a backup; if no transaction names it, delete it."
        raise DatabaseSetupError(problem, remedy) from error


@lru_cache(maxsize=1000)
def _decoded(document: str) -> Catalog:
    """The catalog of a document, decoded once for all workers and readers of the process."""
    return from_document(document)
