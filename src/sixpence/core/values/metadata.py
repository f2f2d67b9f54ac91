"""The caller's metadata: a JSON object stored as canonical text, and the fingerprint of a request.

Canonical: no insignificant space, names in the order they were sent, numbers as Python writes them. Duplicate names,
NUL and lone surrogates are refused, since not every database can store them.
"""

import hashlib
import json
import re
from typing import Any

import msgspec

from sixpence.core.errors import InvalidInputError

METADATA_BYTES_MAX = 16_384
METADATA_DEPTH_MAX = 64

# The brackets of JSON text; strings are matched whole, so that brackets in them do not count.
_LEVELS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')
# json writes a NUL as an escape (after an even number of backslashes) and leaves a lone surrogate as it is.
_UNSTORABLE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")


def canonical(value: dict[str, Any] | None) -> str | None:
    """Return the canonical text of a metadata object, None for None; raises `InvalidInputError`."""
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
    # Well below the limit of any JSON decoder, and independent of how deep the caller's own stack is.
    if _too_deep(text):
        raise InvalidInputError("metadata", f"is nested too deep. Send at most {METADATA_DEPTH_MAX} levels.")
    # A Python dict can have the names 1 and "1", which are the same in JSON.
    json.loads(text, object_pairs_hook=_object)
    return text


def from_wire(raw: bytes) -> dict[str, Any] | None:
    """Return the object in a JSON text, None for `null`; raises `InvalidInputError`, also for duplicate names."""
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
    """Return SHA-256 of a canonical text, which the chain covers in place of the text."""
    return None if text is None else hashlib.sha256(text.encode()).digest()


def fingerprint(operation: str, account_id: str, fields: dict[str, Any]) -> bytes:
    """Return SHA-256 over the request: the operation, the id and the fields that were sent, in any order.

    Metadata among the fields has passed `canonical`; its names count as JSON writes them.
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
