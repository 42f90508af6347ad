"""The tree against the vectors of the reference implementation of Certificate Transparency (RFC 6962), then against itself."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit.record.merkle import EMPTY, Frontier, consistency, consistent, included, inclusion, leaf_hash, node_hash, root

DATA = [bytes.fromhex(x) for x in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
LEAVES = [leaf_hash(data) for data in DATA]
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
INCLUDED = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENT = {
    (1, 1): [],
    (1, 8): INCLUDED[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
"""Leaves, roots and proofs of merkle_tree_test.cc."""


def hexes(hashes: list[bytes]) -> list[str]:
    return [one.hex() for one in hashes]


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_reference(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUDED)
def test_inclusion_proofs_of_the_reference(index: int, size: int) -> None:
    proof = inclusion(LEAVES[:size], index)

    assert hexes(proof) == INCLUDED[index, size]
    assert included(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("before", "size"), CONSISTENT)
def test_consistency_proofs_of_the_reference(before: int, size: int) -> None:
    proof = consistency(LEAVES[:size], before)

    assert hexes(proof) == CONSISTENT[before, size]
    assert consistent(before, size, proof, bytes.fromhex(ROOTS[before]), bytes.fromhex(ROOTS[size]))


def by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, as it stands there."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = max(2**i for i in range(20) if 2**i < len(leaves))
    return sha256(b"\x01" + by_the_book(leaves[:k]) + by_the_book(leaves[k:])).digest()


@given(st.integers(0, 300))
def test_a_growing_tree_has_the_root_of_the_book_at_every_size(size: int) -> None:
    leaves = [leaf_hash(bytes([i % 256, i // 256])) for i in range(size)]
    frontier = Frontier()
    for hashed in leaves[: size // 2]:
        frontier.add(hashed)
    frontier = Frontier.unpacked(frontier.size, frontier.packed())
    for hashed in leaves[size // 2 :]:
        frontier.add(hashed)

    assert (frontier.size, frontier.root()) == (size, by_the_book(leaves))
    with pytest.raises(ValueError, match="peaks"):
        Frontier.unpacked(size, frontier.packed() + bytes(32))


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[bytes], int]:
    size = draw(st.integers(1, 130))
    return [leaf_hash(bytes([i])) for i in range(size)], draw(st.integers(1, size))


def mangled(proof: list[bytes], draw: st.DataObject) -> list[bytes]:
    """The proof with one thing done to it."""
    at = draw.draw(st.integers(0, max(0, len(proof) - 1)))
    other = bytes(31) + b"\x07"
    return draw.draw(
        st.sampled_from(
            [[*proof, other], [other, *proof], proof[:at] + proof[at + 1 :], [*proof[:at], other, *proof[at + 1 :]], proof[::-1]]
        )
    )


@given(trees(), st.data())
def test_a_leaf_is_proved_and_no_other(tree: tuple[list[bytes], int], data: st.DataObject) -> None:
    leaves, place = tree
    index, size, whole = place - 1, len(leaves), root(leaves)
    proof = inclusion(leaves, index)

    assert included(leaves[index], index, size, proof, whole)
    assert not included(leaf_hash(b"another"), index, size, proof, whole)
    assert not included(leaves[index], index, size, proof, EMPTY)
    for other in {index - 1, index + 1, size, -1}:
        assert not included(leaves[index], other, size, proof, whole)
    wrong = mangled(proof, data)
    if wrong != proof:
        assert not included(leaves[index], index, size, wrong, whole)


@given(trees(), st.data())
def test_a_beginning_is_proved_and_no_other(tree: tuple[list[bytes], int], data: st.DataObject) -> None:
    leaves, before = tree
    size, first, whole = len(leaves), root(leaves[:before]), root(leaves)
    proof = consistency(leaves, before)

    assert consistent(before, size, proof, first, whole)
    assert not consistent(before, size, proof, EMPTY, whole)
    assert not consistent(before, size, proof, first, EMPTY)
    assert not consistent(0, size, proof, EMPTY, whole)
    assert not consistent(size + 1, size, proof, first, whole)
    wrong = mangled(proof, data)
    if wrong != proof:
        assert not consistent(before, size, wrong, first, whole)
    for other in {before - 1, before + 1} - {0, size + 1}:
        assert not consistent(other, size, proof, first, whole)


def test_a_leaf_does_not_pass_for_a_node() -> None:
    a, b = leaf_hash(b"a"), leaf_hash(b"b")

    assert leaf_hash(a + b) != node_hash(a, b)
    assert not included(leaf_hash(a + b), 0, 1, [], root([a, b]))


@pytest.mark.parametrize("index", [-1, 8])
def test_there_is_no_proof_of_what_is_not_there(index: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion(LEAVES, index)
    with pytest.raises(ValueError, match="no tree"):
        consistency(LEAVES, index + 1 if index > 0 else 0)
