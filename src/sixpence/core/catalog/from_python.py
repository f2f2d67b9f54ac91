"""A catalog made in Python, held to the very checks that a `sixpence.toml` meets (`catalog_checks.py`).

Nothing is checked here but that each thing is of its kind, which a file cannot get wrong in this way.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from sixpence.core.catalog.catalog import Catalog, TokenRates
from sixpence.core.catalog.toml_section import below
from sixpence.core.catalog.validation import from_table
from sixpence.core.errors import CatalogError
from sixpence.core.values.bounds import shown


def check_catalog(catalog: Catalog) -> None:
    """Raise `CatalogError` with every problem in the catalog, each named as it would be in a `sixpence.toml`."""
    problems = tuple(_misplaced("", catalog, _kind_of_catalog()))
    if problems:
        raise CatalogError(problems)
    from_table(_plain(catalog))


@cache
def _kind_of_catalog() -> inspect.Type:
    return inspect.type_info(Catalog)


def _misplaced(path: str, value: Any, kind: inspect.Type) -> Iterator[str]:
    """What stands where a struct, a dict of structs or a tuple of them belongs and is none."""
    if isinstance(kind, inspect.UnionType):
        if value is not None:
            yield from _misplaced(path, value, next(each for each in kind.types if each != inspect.NoneType()))
    elif isinstance(kind, inspect.StructType):
        if type(value) is not kind.cls:
            yield f"{path or 'catalog'}: {shown(value)} is not a {kind.cls.__name__}. Give one."
            return
        for field in kind.fields:
            yield from _misplaced(below(path, field.name), getattr(value, field.name), field.type)
    elif isinstance(kind, inspect.DictType):
        if not isinstance(value, dict):
            yield f"{path}: {shown(value)} is not a dict. Give one, with what it holds by its name."
            return
        for name, entry in value.items():
            if isinstance(name, str):
                yield from _misplaced(below(path, name), entry, kind.value_type)
            else:
                yield f"{path}: {shown(name)} is not a name. Give text."
    elif isinstance(kind, inspect.VarTupleType):
        if not isinstance(value, tuple):
            yield f"{path}: {shown(value)} is not a tuple. Give one."
            return
        for place, entry in enumerate(value, 1):
            yield from _misplaced(f"{path}[{place}]", entry, kind.item_type)


def _plain(value: Any) -> Any:
    """The value as a file would say it: structs as tables, and what is default is not there."""
    if isinstance(value, TokenRates):  # a model that costs nothing says so, by every rate
        return msgspec.structs.asdict(value)
    if isinstance(value, msgspec.Struct):
        settings = ((field, getattr(value, field.name)) for field in msgspec.structs.fields(value))
        return {field.name: _plain(setting) for field, setting in settings if not _is_default(setting, field)}
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value


def _is_default(setting: Any, field: msgspec.structs.FieldInfo) -> bool:
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    # True is 1 and 0.0 is 0 to Python, and neither is an amount.
    return type(setting) is type(default) and bool(setting == default)
