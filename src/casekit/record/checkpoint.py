"""The checkpoint (C2SP tlog-checkpoint): what a log was at one size, in three lines that can be signed and kept elsewhere.

The log of a tenant has a leaf for each entry of each of its streams, in the order in which they were taken in;
within a stream, in the order of its entries. Who holds a checkpoint can tell whether the log is still the same up
to there: nothing of it cut, changed, put in between or brought into another order.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Self

from attrs import frozen

from casekit.record.merkle import SIZE, leaf_hash
from casekit.record.note import Malformed, exact

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@frozen
class Leaf:
    """An entry as the log has taken it in.

    Attributes:
        at: Place in the log, from 0.
        stream: UUID of the stream.
        n: The entry's place in the stream.
        hash: Its link.
    """

    at: int
    stream: str
    n: int
    hash: bytes

    @property
    def data(self) -> bytes:
        """The bytes of the leaf: canonical JSON of hash, n and stream. Its place is the tree's business."""
        return leaf_data(self.stream, self.n, self.hash)

    @property
    def hashed(self) -> bytes:
        """The hash of the leaf."""
        return leaf_hash(self.data)


def leaf_data(stream: str, n: int, hash_: bytes) -> bytes:
    """The bytes of a leaf."""
    return f'{{"hash":"{hash_.hex()}","n":{n},"stream":"{stream}"}}'.encode()


@frozen
class Checkpoint:
    """What a log was.

    Attributes:
        origin: Which log.
        size: How many leaves it had.
        root: The root of its tree.
        more: Further lines; casekit writes none, and reads what others wrote.
    """

    origin: str
    size: int
    root: bytes
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in (self.origin, self.size, b64encode(self.root).decode(), *self.more))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint that the text of a note says.

        Raises:
            Malformed: it is none.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise Malformed("a checkpoint has three lines or more, and none is empty: origin, size, root")
        origin, size, root, *more = lines
        if not _SIZE.fullmatch(size) or int(size) >= 2**63:
            raise Malformed(f"{size!r} is no size of a log")
        digest = exact(root)
        if len(digest) != SIZE:
            raise Malformed(f"{root!r} is no root of a log")
        return cls(origin, int(size), digest, tuple(more))
