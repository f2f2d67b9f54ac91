"""Reading a catalog from a file. Not here: its format (`sixpence.core.catalog.toml`)."""

from pathlib import Path

from sixpence.core.catalog.catalog import Catalog
from sixpence.core.catalog.toml import from_toml
from sixpence.core.errors import CatalogError


def read_catalog(path: str | Path) -> Catalog:
    """The catalog in a `sixpence.toml`; raises `CatalogError` with every problem in it."""
    try:
        return from_toml(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError((f"{path} cannot be read: {error}.",)) from None
