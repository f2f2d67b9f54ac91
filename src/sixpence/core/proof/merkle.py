"""A Merkle tree as in RFC 6962, section 2.1: its root, the path from one leaf to it, and the root that a path leads to.

A leaf is hashed behind the byte 0, two nodes behind the byte 1, so that neither can be taken for the other; a node
without a neighbour moves up unchanged. Leaves can be split into parts of 2^k leaves each (the last may have fewer): the
root over the roots of the parts is the same. Not here: what a leaf is (`checkpoint`).
"""

import hashlib
from collections.abc import Iterable, Sequence

# The root of a tree without leaves.
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of leaves, or over the roots of equal parts."""
    level = list(hashes)
    if not level:
        return EMPTY
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path_to(hashes: Sequence[bytes], place: int) -> list[bytes]:
    """Return the neighbours on the path from the hash in that place, from 0, to the root, the nearest first."""
    level = list(hashes)
    path = []
    while len(level) > 1:
        neighbour = place ^ 1
        if neighbour < len(level):
            path.append(level[neighbour])
        level, place = _above(level), place >> 1
    return path


def root_by_path(leaf: bytes, path: Iterable[bytes], *, place: int, size: int) -> bytes | None:
    """Return the root that the path gives a leaf's hash in that place of `size`; None where the path does not fit."""
    if not 0 <= place < size:
        return None
    neighbours = iter(path)
    node, width = leaf, size
    while width > 1:
        if place ^ 1 < width:
            neighbour = next(neighbours, None)
            if neighbour is None:
                return None
            node = _node(neighbour, node) if place & 1 else _node(node, neighbour)
        place, width = place >> 1, (width + 1) >> 1
    return node if next(neighbours, None) is None else None


def _above(level: list[bytes]) -> list[bytes]:
    above = [_node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return above + level[-1:] if len(level) % 2 else above


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
