"""Reading a `sixpence.toml` into a catalog. Not here: the checks and the names of problems (`validation`)."""

import tomllib

from sixpence.core.catalog.catalog import Catalog
from sixpence.core.catalog.validation import from_table
from sixpence.core.errors import CatalogError


def from_toml(text: str) -> Catalog:
    """Read the catalog of a `sixpence.toml`; raises `CatalogError` with every problem in it."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, a number too long to read, tables too deep
        raise CatalogError((f"it is not valid TOML: {error}.",)) from None
    return from_table(table)
