"""A catalog in words: where the one in force comes from, and how it differs from the file."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sixpence.core.catalog import Catalog, PricedBy
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


def differences(applied: Catalog, draft: Catalog) -> list[str]:
    """What the draft would change, a sentence each."""
    return [
        *_entries("feature", applied.features, draft.features),
        *_entries("plan", applied.plans, draft.plans),
        *_fields(
            "", {"default_plan": applied.default_plan, "decimals": applied.decimals}, msgspec.structs.asdict(draft)
        ),
    ]


def _entries(kind: str, applied: Mapping[str, Any], draft: Mapping[str, Any]) -> list[str]:
    said = [f"{kind} '{name}' goes" for name in applied if name not in draft]
    said += [f"{kind} '{name}' is new" for name in draft if name not in applied]
    for name in applied:
        if name in draft:
            before, after = msgspec.structs.asdict(applied[name]), msgspec.structs.asdict(draft[name])
            said += _fields(f"{kind} '{name}': ", before, after)
    return said


def _fields(prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [
        f"{prefix}{field} is {before[field]!r} and becomes {after[field]!r}"
        for field in before
        if before[field] != after[field]
    ]
