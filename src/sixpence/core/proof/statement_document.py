"""A statement's document as it was sent: decoding it strictly, and finding where it differs from the expected one.

Not here: which document is expected (`statement_proof`).
"""

import json
from typing import Any


class StatementDiffersError(ValueError):
    """A statement that its proof does not confirm; `str()` is the first difference."""


def read_document(data: bytes) -> dict[str, Any]:
    """Decode a statement's JSON object; raises `StatementDiffersError` where decoders could read it differently."""
    try:
        document = json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise StatementDiffersError(f"it cannot be read as JSON ({error})") from None
    if not isinstance(document, dict):
        raise StatementDiffersError(f"it is a JSON {type(document).__name__} and not an object")
    return document


def first_difference(expected: Any, shown: Any, at: str = "") -> str | None:
    """Return the first difference between two documents, None without one; 1, 1.0 and true differ, too."""
    if isinstance(expected, dict) and isinstance(shown, dict):
        return _difference_by_name(expected, shown, f"{at}." if at else "")
    if isinstance(expected, list) and isinstance(shown, list):
        return _difference_by_place(expected, shown, at)
    if type(expected) is not type(shown) or expected != shown:
        return f"{at} is {shown!r:.80}, its rows say {expected!r:.80}"
    return None


def _difference_by_name(expected: dict[str, Any], shown: dict[str, Any], at: str) -> str | None:
    for name, value in expected.items():
        difference = (
            f"{at}{name} is missing" if name not in shown else first_difference(value, shown[name], f"{at}{name}")
        )
        if difference is not None:
            return difference
    return next((f"{at}{name!r:.60} is not part of a statement" for name in shown if name not in expected), None)


def _difference_by_place(expected: list[Any], shown: list[Any], at: str) -> str | None:
    for place, (one, other) in enumerate(zip(expected, shown, strict=False)):
        difference = first_difference(one, other, f"{at}[{place}]")
        if difference is not None:
            return difference
    if len(expected) != len(shown):
        return f"{at} has {len(shown)} entries, its rows make {len(expected)}"
    return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(name for name in names if names.count(name) > 1)!r:.60} is there twice")
    return named


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a value")
