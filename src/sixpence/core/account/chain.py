"""The hash chain: which fields of a row it covers, and the formats in which they are hashed.

Each row names the format of its hash. A new format never changes old rows; new rows use the newest one. Not here: when
a hash is compared (`fold`).
"""

import hashlib
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from sixpence.core.account.transaction import Transaction

Fields = tuple[Any, ...]

HASH_FORMAT = 2

_ABSENT = b"\xff\xff\xff\xff"
_packed = msgspec.msgpack.Encoder().encode
# The fields that the chain covers, in their order: all but the metadata's bytes.
hashed_fields: Callable[[Transaction], Fields] = attrgetter(
    *("account_no", "account_id", "seq", "id", "kind"),
    *("amount", "balance_after", "total_after", "held_after", "plan"),
    *("feature_used", "credits_consumed", "generation_id", "metadata_digest"),
    *("detail", "allocations", "idempotency_key", "fingerprint"),
    *("created_at", "recorded_at"),
)


def row_hash(previous: bytes, row: Transaction) -> bytes:
    """SHA-256 over the number of the row's format, the previous row's hash and the fields (invariant 5).

    Raises `LookupError` for an unknown format. The row's own `hash` is ignored.
    """
    return digest(row.hash_format, previous, hashed_fields(row))


def digest(form: int, previous: bytes, fields: Fields) -> bytes:
    """The hash of fields in that format, after a row with the hash `previous`."""
    written = _FORMATS[form](fields)
    return hashlib.sha256(bytes((form,)) + previous + written).digest()


def _length_prefixed(fields: Fields) -> bytes:
    """Format 1: each field behind its length in four bytes; absent is 2^32 - 1, an integer its decimal digits."""
    parts = []
    for field in fields:
        if field is None:
            parts.append(_ABSENT)
        else:
            data = field if isinstance(field, bytes) else str(field).encode()
            parts += (len(data).to_bytes(4, "big"), data)
    return b"".join(parts)


# Format 2: one MessagePack array of the fields, each in its shortest form, which begins with its kind and length.
_FORMATS: Mapping[int, Callable[[Fields], bytes]] = {1: _length_prefixed, 2: _packed}
