"""The Merkle tree of RFC 6962 and RFC 9162 over SHA-256: roots, and proofs of inclusion and of consistency.

A leaf is hashed behind a zero byte, a node behind a one, so that neither passes for the other. Proofs are made from
the hashes of all leaves; checking one needs nothing but the proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Self

from attrs import define, field

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""

SIZE = 32
"""Bytes of a hash."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others."""
    return sha256(b"\x01" + left + right).digest()


@define
class Frontier:
    """The right edge of a growing tree: enough to add leaves and to give the root, however large the tree is.

    Attributes:
        size: Leaves so far.
        peaks: Roots of the full subtrees that the size consists of, the largest first: one for each bit of ``size``.
    """

    size: int = 0
    peaks: list[bytes] = field(factory=list)

    def add(self, hashed: bytes) -> None:
        """One more leaf, by its hash."""
        size = self.size
        while size & 1:
            hashed = node_hash(self.peaks.pop(), hashed)
            size >>= 1
        self.peaks.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            root = node_hash(peak, root)
        return root

    def packed(self) -> bytes:
        """The peaks, one behind the other."""
        return b"".join(self.peaks)

    @classmethod
    def unpacked(cls, size: int, packed: bytes) -> Self:
        """The frontier of a tree of that size.

        Raises:
            ValueError: the peaks are not as many as the size asks for.
        """
        if len(packed) != SIZE * size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks")
        return cls(size, [packed[i : i + SIZE] for i in range(0, len(packed), SIZE)])


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of leaves."""
    frontier = Frontier()
    for hashed in leaves:
        frontier.add(hashed)
    return frontier.root()


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that a leaf is in the tree: the hashes beside its way up.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"there is no leaf {index} in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion(leaves[:k], index), root(leaves[k:])]
    return [*inclusion(leaves[k:], index - k), root(leaves[:k])]


def consistency(leaves: Sequence[bytes], before: int) -> list[bytes]:
    """The proof that the tree of the first ``before`` leaves is the beginning of this one.

    Raises:
        ValueError: there never was a tree of that size, or it was empty.
    """
    if not 0 < before <= len(leaves):
        raise ValueError(f"there is no tree of {before} leaves before one of {len(leaves)}")
    return _subproof(leaves, before, known=True)


def _subproof(leaves: Sequence[bytes], before: int, *, known: bool) -> list[bytes]:
    if before == len(leaves):
        return [] if known else [root(leaves)]
    k = _split(len(leaves))
    if before <= k:
        return [*_subproof(leaves[:k], before, known=known), root(leaves[k:])]
    return [*_subproof(leaves[k:], before - k, known=False), root(leaves[:k])]


def _split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1


def included(hashed: bytes, index: int, size: int, proof: Sequence[bytes], wanted: bytes) -> bool:
    """Whether a proof shows that a leaf is in the tree with that root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, up = index, size - 1, hashed
    for beside in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            up = node_hash(beside, up)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            up = node_hash(up, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and up == wanted


def consistent(before: int, size: int, proof: Sequence[bytes], first: bytes, second: bytes) -> bool:
    """Whether a proof shows that the tree with root ``first`` is the beginning of that with ``second`` (RFC 9162, 2.1.4.2)."""
    if not 0 < before <= size:
        return False
    if before == size:
        return not proof and first == second
    path = list(proof) if before & (before - 1) else [first, *proof]
    if not path:
        return False
    place, last = before - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for beside in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first and new == second
