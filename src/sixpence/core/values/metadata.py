"""The caller's metadata: a JSON object kept as canonical text, and the fingerprint of a request.

Canonical: no insignificant space, names in the order they were sent, numbers as Python writes them. Duplicate names,
NUL and lone surrogates are refused, since one of the databases could not give them back.
"""

import hashlib
import json
import re
from typing import Any

import msgspec

from sixpence.core.errors import InvalidInputError

METADATA_BYTES_MAX = 16_384
METADATA_DEPTH_MAX = 64

# What opens and closes a level in JSON text, and the strings that only look as if they did.
_LEVELS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')
# json writes a NUL as an escape (after an even number of backslashes) and leaves a lone surrogate as it is.
_UNSTORABLE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")


def canonical(value: dict[str, Any] | None) -> str | None:
    """The canonical text of a metadata object, None for None; raises `InvalidInputError`."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidInputError("metadata", f"{type(value).__name__} is not an object. Send a JSON object.")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError("metadata", f"cannot be written as JSON ({error}). Send plain JSON values.") from None
    if _UNSTORABLE.search(text):
        raise InvalidInputError("metadata", "has a NUL or a lone surrogate. Remove it.")
    size = len(text.encode())
    if size > METADATA_BYTES_MAX:
        raise InvalidInputError("metadata", f"has {size} bytes. Send at most {METADATA_BYTES_MAX}.")
    # Well below what any reader of JSON can follow, and the same however deep the caller's own stack is.
    if _too_deep(text):
        raise InvalidInputError("metadata", f"is nested too deep. Send at most {METADATA_DEPTH_MAX} levels.")
    # A Python dict can hold 1 and "1", which are one name in JSON.
    json.loads(text, object_pairs_hook=_object)
    return text


def from_wire(raw: bytes) -> dict[str, Any] | None:
    """The object in a JSON text, None for `null`; raises `InvalidInputError`, for duplicate names too."""
    if len(raw) > 4 * METADATA_BYTES_MAX:
        raise InvalidInputError("metadata", f"has {len(raw)} bytes. Send at most {METADATA_BYTES_MAX}.")
    try:
        value = json.loads(raw, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("metadata", f"is not valid JSON ({error}).") from None
    if value is not None and not isinstance(value, dict):
        raise InvalidInputError("metadata", f"is a JSON {type(value).__name__}. Send a JSON object.")
    return value


def digest(text: str | None) -> bytes | None:
    """SHA-256 of a canonical text: what stands in the chain in place of the bytes."""
    return None if text is None else hashlib.sha256(text.encode()).digest()


def fingerprint(operation: str, account_id: str, fields: dict[str, Any]) -> bytes:
    """SHA-256 over what the caller asked: the operation, the id and the fields that were sent, order aside.

    Metadata among the fields has passed `canonical`; its names are taken as JSON writes them.
    """
    sent = dict(fields)
    if isinstance(sent.get("metadata"), dict):
        sent["metadata"] = json.loads(json.dumps(sent["metadata"], ensure_ascii=False))
    return hashlib.sha256(msgspec.json.encode([operation, account_id, sent], order="deterministic")).digest()


def _too_deep(text: str) -> bool:
    if text.count("{") + text.count("[") <= METADATA_DEPTH_MAX:
        return False
    depth = 0
    for found in _LEVELS.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found.group(), 0)
        if depth > METADATA_DEPTH_MAX:
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInputError("metadata", f"has the name {twice!r:.60} twice. Send each name once.")
    return named


def _refuse_constant(name: str) -> Any:
    raise InvalidInputError("metadata", f"{name} is not JSON. Send a finite number.")
