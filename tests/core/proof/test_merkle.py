"""Merkle trees: known roots, paths that lead there and nowhere else, and trees in parts."""

import pytest

from sixpence.core.proof.merkle import EMPTY, leaf_hash, path_to, root_by_path, root_of

LEAVES = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
# The roots over the first so many of these leaves, as logs of certificates have them (RFC 6962, section 2.1).
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = range(1, 34)


def hashes(size: int) -> list[bytes]:
    """The hashes of so many different leaves."""
    return [leaf_hash(place.to_bytes(2, "big")) for place in range(size)]


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_root_of_is_that_of_the_standard(size: int) -> None:
    """Trees of zero to eight leaves have the known roots."""
    root = root_of([leaf_hash(leaf) for leaf in LEAVES[:size]])

    assert root.hex() == ROOTS[size]


def test_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    """No leaf and no node can have this hash."""
    assert root_of([]) == EMPTY
    assert leaf_hash(b"") != EMPTY


@pytest.mark.parametrize("size", SIZES)
def test_path_to_leads_to_the_root(size: int) -> None:
    """From each place of trees of any size, with no more neighbours than the tree is high."""
    leaves = hashes(size)

    paths = [path_to(leaves, place) for place in range(size)]

    assert all(len(path) <= (size - 1).bit_length() for path in paths)
    assert {
        root_by_path(leaf, path, place=place, size=size)
        for place, (leaf, path) in enumerate(zip(leaves, paths, strict=True))
    } == {root_of(leaves)}


@pytest.mark.parametrize("size", SIZES)
def test_path_leads_to_the_root_only_from_its_own_place(size: int) -> None:
    """In another place, or in a tree of a size with another shape, the same path gives no root or another one."""
    leaves = hashes(size)
    root = root_of(leaves)

    others = [
        root_by_path(leaves[place], path_to(leaves, place), place=other, size=size)
        for place in range(size)
        for other in (*range(-1, place), *range(place + 1, size + 2))
    ]

    assert root not in others


@pytest.mark.parametrize("change", ["longer", "shorter", "other"])
def test_changed_path_does_not_lead_to_the_root(change: str) -> None:
    """With a neighbour too many or too few it does not fit; another neighbour gives another root."""
    leaves = hashes(11)
    path = path_to(leaves, 6)
    changed = {"longer": [*path, path[0]], "shorter": path[:-1], "other": [leaves[0], *path[1:]]}[change]

    root = root_by_path(leaves[6], changed, place=6, size=11)

    assert (root is None) == (change != "other")
    assert root != root_of(leaves)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("part", [1, 2, 4, 8])
def test_roots_of_parts_make_the_root_of_the_whole(size: int, part: int) -> None:
    """A tree in parts of 2^k leaves has the root, and the paths, of the whole tree."""
    leaves = hashes(size)
    parts = [leaves[first : first + part] for first in range(0, size, part)]

    roots = [root_of(each) for each in parts]

    assert root_of(roots) == root_of(leaves)
    assert [path_to(parts[place // part], place % part) + path_to(roots, place // part) for place in range(size)] == [
        path_to(leaves, place) for place in range(size)
    ]
