"""Validating a catalog made in Python, by the same checks as a `sixpence.toml`.

Only the types are checked here, since a file cannot get those wrong. Not here: all other checks (`validation`).
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from sixpence.core.catalog.catalog import Catalog, TokenRates
from sixpence.core.catalog.toml_section import join_path
from sixpence.core.catalog.validation import from_table
from sixpence.core.errors import CatalogError
from sixpence.core.values.bounds import shown


def check_catalog(catalog: Catalog) -> None:
    """Raise `CatalogError` with every problem in the catalog, each named as in a `sixpence.toml`."""
    problems = tuple(_find_type_problems("", catalog, _catalog_type()))
    if problems:
        raise CatalogError(problems)
    from_table(_to_table(catalog))


@cache
def _catalog_type() -> inspect.Type:
    return inspect.type_info(Catalog)


def _find_type_problems(path: str, value: Any, kind: inspect.Type) -> Iterator[str]:
    """Yield a problem for each value of a wrong type, where a struct, a dict or a tuple is expected."""
    if isinstance(kind, inspect.UnionType):
        if value is not None:
            yield from _find_type_problems(path, value, next(each for each in kind.types if each != inspect.NoneType()))
    elif isinstance(kind, inspect.StructType):
        if type(value) is not kind.cls:
            yield f"{path or 'catalog'}: {shown(value)} is not a {kind.cls.__name__}. Give one."
            return
        for field in kind.fields:
            yield from _find_type_problems(join_path(path, field.name), getattr(value, field.name), field.type)
    elif isinstance(kind, inspect.DictType):
        if not isinstance(value, dict):
            yield f"{path}: {shown(value)} is not a dict. Give one, with each entry by its name."
            return
        for name, entry in value.items():
            if isinstance(name, str):
                yield from _find_type_problems(join_path(path, name), entry, kind.value_type)
            else:
                yield f"{path}: {shown(name)} is not a name. Give text."
    elif isinstance(kind, inspect.VarTupleType):
        if not isinstance(value, tuple):
            yield f"{path}: {shown(value)} is not a tuple. Give one."
            return
        for place, entry in enumerate(value, 1):
            yield from _find_type_problems(f"{path}[{place}]", entry, kind.item_type)


def _to_table(value: Any) -> Any:
    """Return the value as a file would have it: structs as tables, without defaults."""
    if isinstance(value, TokenRates):  # a free model must name its rates, too
        return msgspec.structs.asdict(value)
    if isinstance(value, msgspec.Struct):
        settings = ((field, getattr(value, field.name)) for field in msgspec.structs.fields(value))
        return {field.name: _to_table(setting) for field, setting in settings if not _is_default(setting, field)}
    if isinstance(value, dict):
        return {name: _to_table(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [_to_table(entry) for entry in value]
    return value


def _is_default(setting: Any, field: msgspec.structs.FieldInfo) -> bool:
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    # True is 1 and 0.0 is 0 to Python, and neither is an amount.
    return type(setting) is type(default) and bool(setting == default)
