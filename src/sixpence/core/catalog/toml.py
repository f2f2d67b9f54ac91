"""Reading a `sixpence.toml` into a catalog. What may be in one, and how problems are named: `catalog_checks.py`."""

import tomllib

from sixpence.core.catalog.catalog import Catalog
from sixpence.core.catalog.validation import from_table
from sixpence.core.errors import CatalogError


def from_toml(text: str) -> Catalog:
    """The catalog of a `sixpence.toml`; raises `CatalogError` with every problem in it."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, a number too long to read, tables too deep
        raise CatalogError((f"it is not valid TOML: {error}.",)) from None
    return from_table(table)
