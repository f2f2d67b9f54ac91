"""A checkpoint: a small signed document with the state of every account's chain at one moment.

Its root is that of a Merkle tree over the accounts' heads, in the order of their numbers; each names the digest of the
one before, so that checkpoints form a chain. Not here: making and checking signatures (`ledger.checkpoints.signing`).
"""

import hashlib
import struct
from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from sixpence.core.errors import InvalidInputError
from sixpence.core.proof import merkle
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import from_wire, to_wire
from sixpence.core.values.wire_value import WireValue

FORMAT = 1
# What the first checkpoint names as the one before.
NO_PREVIOUS = "0" * 64
# So many heads are stored in one row: a power of two, so that each row is a whole part of the tree.
HEADS_PER_CHUNK = 4_096

Count = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Signature = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}\Z")]
# Whether the key made the signature over these bytes: (public_key, signature, data).
SignatureCheck = Callable[[str, str, bytes], bool]

_PLACED = struct.Struct(">QQ32s")
HEAD_BYTES = _PLACED.size
# No signature over anything else can be taken for one over a checkpoint.
_PURPOSE = b"sixpence checkpoint\n"


class Head(msgspec.Struct, frozen=True, gc=False):
    """The end of an account's chain: its last transaction's `seq` and hash."""

    account_no: int
    seq: int
    hash: bytes


class Checkpoint(WireValue, msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The document. Digests, the key (Ed25519, RFC 8032) and the signature are in lower-case hexadecimal digits.

    `transactions` is how many the ledger had, `accounts` how many accounts had any.
    """

    format: Count
    number: Count
    made_at: str
    accounts: Count
    transactions: Count
    root: Digest
    previous: Digest
    public_key: Digest
    signature: Signature

    def signed_bytes(self) -> bytes:
        """Return the bytes that are signed: every field but the signature, in their order, as one JSON array."""
        return _PURPOSE + _encode(msgspec.structs.astuple(self)[:-1])

    def digest(self) -> str:
        """Return the digest by which the next checkpoint names this one; it covers the signature, too."""
        return hashlib.sha256(self.signed_bytes() + self.signature.encode()).hexdigest()

    def fault(self, is_signed: SignatureCheck) -> str | None:
        """Return what is wrong with the document itself; None where its signature is valid."""
        if self.format != FORMAT:
            return f"its format is {self.format}, and this version of Sixpence knows {FORMAT}"
        if not _is_instant(self.made_at):
            return f"its time is {self.made_at!r:.60}, which is not a time"
        if not is_signed(self.public_key, self.signature, self.signed_bytes()):
            return "its signature does not hold: a field, the key or the signature was changed"
        return None


def _is_instant(text: str) -> bool:
    try:
        return to_wire(from_wire("made_at", text)) == text
    except InvalidInputError:
        return False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Checkpoint).decode


def read_checkpoint(text: str | bytes) -> Checkpoint:
    """Decode a checkpoint's document; raises `InvalidInputError` for any other text. The signature is not checked."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError("checkpoint", f"cannot be read ({error}). Give the document as it was made.") from None


def write_checkpoint(checkpoint: Checkpoint) -> str:
    """Return the checkpoint's document, in one line."""
    return _encode(checkpoint).decode()


def pack_head(head: Head) -> bytes:
    """Return the bytes of a head, a leaf of the tree: number and `seq` in eight bytes each, then the hash."""
    return _PLACED.pack(head.account_no, head.seq, head.hash)


def unpack_heads(packed: bytes) -> list[Head]:
    """Decode heads that were packed one after another; raises `ValueError` for any other length."""
    if len(packed) % HEAD_BYTES:
        raise ValueError(f"{len(packed)} bytes are no whole number of heads")
    return [Head(*placed) for placed in _PLACED.iter_unpack(packed)]


def leaf_hashes(packed: bytes) -> Sequence[bytes]:
    """Return the leaf hashes of packed heads."""
    return [merkle.leaf_hash(packed[at : at + HEAD_BYTES]) for at in range(0, len(packed), HEAD_BYTES)]
