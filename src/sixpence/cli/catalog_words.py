"""Where the catalog in force comes from, and whether the file says something else, in words."""

from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.catalog.diff import differences
from sixpence.settings import Settings
from sixpence.wiring import CATALOG_FILE, chosen_catalog


def in_force(applied: PricedBy, settings: Settings) -> str:
    """Which version prices, and how it differs from the catalog's file, one line each."""
    file = settings.catalog or (str(CATALOG_FILE) if CATALOG_FILE.exists() else "")
    if not file:
        return f"version {applied.version}"
    different = differences(applied.catalog, chosen_catalog(settings))
    if not different:
        return f"version {applied.version}, as in {file}"
    return "\n".join(
        [
            f"version {applied.version}, which {file} would change:",
            *(f"- {difference}" for difference in different),
            f"To put the file in force: sixpence catalog apply {file}",
        ]
    )
