"""Checkpoints as documents: the signed bytes, the chain that they form, and other documents refused."""

from typing import Any

import msgspec
import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.core.proof.checkpoint import (
    HEAD_BYTES,
    NO_PREVIOUS,
    Checkpoint,
    Head,
    pack_head,
    read_checkpoint,
    unpack_heads,
    write_checkpoint,
)
from sixpence.ledger.checkpoints.signing import SigningKey, is_signed

SIGNED = Checkpoint(
    format=1,
    number=7,
    made_at="2026-11-25T09:30:00.000000Z",
    accounts=2,
    transactions=17,
    root="ab" * 32,
    previous=NO_PREVIOUS,
    public_key="cd" * 32,
    signature="ef" * 64,
)
BYTES = (
    b'sixpence checkpoint\n[1,7,"2026-11-25T09:30:00.000000Z",2,17,"'
    + b"ab" * 32
    + b'","'
    + b"0" * 64
    + b'","'
    + b"cd" * 32
    + b'"]'
)
DIGEST = "127324fa0049404edb0a7856b80a5e6cd000890979da93d366acd18012099dc1"
OTHER: dict[str, Any] = {
    "format": 2,
    "number": 8,
    "made_at": "2026-11-25T09:30:00.000001Z",
    "accounts": 3,
    "transactions": 18,
    "root": "aa" * 32,
    "previous": "1" * 64,
    "public_key": "cc" * 32,
    "signature": "ee" * 64,
}


def said_yes(public_key: str, signature: str, data: bytes) -> bool:
    """Finds that one signature good."""
    return (public_key, signature, data) == (SIGNED.public_key, SIGNED.signature, BYTES)


def test_signed_bytes_are_pinned() -> None:
    """The signed bytes never change: the purpose, then every field but the signature."""
    assert SIGNED.signed_bytes() == BYTES


def test_digest_is_pinned() -> None:
    """The next checkpoint names this one by it."""
    assert SIGNED.digest() == DIGEST


@pytest.mark.parametrize("field", OTHER)
def test_digest_covers_every_field(field: str) -> None:
    """Another value of any field, the signature included, makes another digest."""
    assert msgspec.structs.replace(SIGNED, **{field: OTHER[field]}).digest() != SIGNED.digest()


@pytest.mark.parametrize("field", OTHER)
def test_signature_covers_every_field(field: str) -> None:
    """A document with another value in any field has a fault; the signed one has no fault."""
    changed = msgspec.structs.replace(SIGNED, **{field: OTHER[field]})

    assert SIGNED.fault(said_yes) is None
    assert changed.fault(said_yes) == (
        "its format is 2, and this version of Sixpence knows 1"
        if field == "format"
        else "its signature does not hold: a field, the key or the signature was changed"
    )


def test_any_flipped_bit_of_a_checkpoint_is_found() -> None:
    """Each bit of a signed document is flipped in turn: the result cannot be read, or its signature is invalid."""
    key = SigningKey("ab" * 32)
    unsigned = msgspec.structs.replace(SIGNED, public_key=key.public_key)
    written = write_checkpoint(msgspec.structs.replace(unsigned, signature=key.sign(unsigned.signed_bytes()))).encode()
    assert read_checkpoint(written).fault(is_signed) is None

    unfound = [
        (place, bit)
        for place in range(len(written))
        for bit in range(8)
        if not is_found(written[:place] + bytes([written[place] ^ 1 << bit]) + written[place + 1 :])
    ]

    assert unfound == []


def is_found(document: bytes) -> bool:
    """Whether the document cannot be read or has a fault."""
    try:
        return read_checkpoint(document).fault(is_signed) is not None
    except InvalidInputError:
        return True


def test_read_checkpoint_reads_what_write_checkpoint_wrote() -> None:
    """One line of JSON, field by field; space in it does not matter."""
    written = write_checkpoint(SIGNED)

    assert read_checkpoint(written) == SIGNED
    assert read_checkpoint(written.replace(",", " ,\n ")) == SIGNED
    assert written.count("\n") == 0


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        b"\xff",
        write_checkpoint(SIGNED).replace('"number":7', '"number":7.5'),
        write_checkpoint(SIGNED).replace('"number":7', '"number":"7"'),
        write_checkpoint(SIGNED).replace('"number":7', '"number":-7'),
        write_checkpoint(SIGNED).replace('"number":7', '"number":7,"more":1'),
        write_checkpoint(SIGNED).replace("abab", "ABAB"),
        write_checkpoint(SIGNED).replace("abab", "ab\\n"),
        write_checkpoint(SIGNED).replace('efef"', 'ef"'),
    ],
)
def test_read_checkpoint_refuses_other_documents(document: str | bytes) -> None:
    """The problem is named, with what to give."""
    with pytest.raises(InvalidInputError, match=r"^checkpoint: cannot be read \(.+\)\. Give the document as it was"):
        read_checkpoint(document)


def test_pack_head_is_pinned() -> None:
    """The bytes of a head never change, nor the place of each part."""
    heads = [Head(2**63 - 1, 1, b"h" * 32), Head(5, 2**53 - 1, bytes(32))]

    packed = b"".join(map(pack_head, heads))

    assert packed[:HEAD_BYTES] == b"\x7f" + b"\xff" * 7 + bytes(7) + b"\x01" + b"h" * 32
    assert unpack_heads(packed) == heads


def test_unpack_heads_refuses_other_lengths() -> None:
    """Half a head is refused."""
    with pytest.raises(ValueError, match="95 bytes are no whole number of heads"):
        unpack_heads(bytes(95))
