"""Streams against the log of their entries, and the log against checkpoints: what was cut, changed or put in since.

Pure over what the store reads. A chain shows that a stream is whole in itself; the log shows that it is the one that
was there: the log's leaves give its root, and who holds a checkpoint holds the root that it must have.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from attrs import define, field, frozen

from casekit.record.checkpoint import Checkpoint, Leaf
from casekit.record.merkle import Frontier
from casekit.record.verify import Stream, Wrong


@frozen
class Grave:
    """What a disposal has left of a stream.

    Attributes:
        n: How many entries it had.
        hash: The link of the last.
    """

    n: int
    hash: bytes


@frozen
class Held:
    """A checkpoint that somebody holds.

    Attributes:
        checkpoint: What it says.
        before: Instant before which everything recorded must be in the log that it saw; empty: it does not say when it was made.
    """

    checkpoint: Checkpoint
    before: str = ""


@define
class Log:
    """The log as it was walked.

    Attributes:
        size: Leaves, from the first on without a gap.
        roots: Size → root, of the sizes that were wanted.
        peaks: Size → packed peaks, of the same.
        marks: Size → the leaf that stands there: the first that a checkpoint of that size has not seen.
        before: Places before the first that are there all the same.
        gap: Place at which the log breaks off although it goes on; None: it does not.
        last: The last leaf before the end or the gap.
    """

    size: int = 0
    roots: dict[int, bytes] = field(factory=dict)
    peaks: dict[int, bytes] = field(factory=dict)
    marks: dict[int, Leaf] = field(factory=dict)
    before: list[int] = field(factory=list)
    gap: int | None = None
    last: Leaf | None = None


def walk(leaves: Iterable[Leaf], wanted: Iterable[int]) -> Log:
    """Walks a log from its first leaf on.

    Args:
        leaves: In the order of their places.
        wanted: The sizes at which the root is asked for.
    """
    log, sizes, frontier = Log(), frozenset(wanted), Frontier()
    _mark(log, frontier, sizes)
    for leaf in leaves:
        if leaf.at < 0:
            log.before.append(leaf.at)
            continue
        if leaf.at != log.size:
            log.gap = log.size
            break
        if leaf.at in sizes:
            log.marks[leaf.at] = leaf
        frontier.add(leaf.hashed)
        log.size, log.last = frontier.size, leaf
        _mark(log, frontier, sizes)
    return log


def _mark(log: Log, frontier: Frontier, sizes: frozenset[int]) -> None:
    if frontier.size in sizes:
        log.roots[frontier.size] = frontier.root()
        log.peaks[frontier.size] = frontier.packed()


def stands(log: Log, checkpoint: Checkpoint) -> bool:
    """Whether the log still begins as the checkpoint saw it."""
    return log.roots.get(checkpoint.size) == checkpoint.root


def fallen(log: Log, held: Held, others: Iterable[Checkpoint]) -> Wrong | None:
    """What a checkpoint tells that the log does not; None: the log still begins as it was.

    Args:
        log: Walked, with the sizes of all these checkpoints wanted.
        held: The checkpoint that is held.
        others: The store's own, whose signatures are right: they tell up to where the log may still be what it was.
    """
    checkpoint = held.checkpoint
    if stands(log, checkpoint):
        return None
    if log.size < checkpoint.size:
        what = f"the checkpoint tells of {checkpoint.size} entries, and the log has {log.size}"
        if log.last is not None and log.gap is None:
            what += f"; its last is entry {log.last.n} of stream {log.last.stream}"
        what += ": what followed was cut, or the store is an older copy than the checkpoint"
    else:
        what = f"the first {checkpoint.size} entries of the log are not those that the checkpoint saw"
        kept = max((other.size for other in others if other.size < checkpoint.size and stands(log, other)), default=0)
        first = log.marks.get(kept)
        if first is not None:
            what += f"; what changed is entry {first.n} of stream {first.stream} (leaf {kept}) or comes after it"
    return Wrong("", None, what, "checkpoint", str(checkpoint.size))


def proved_upto(log: Log, checkpoints: Iterable[Checkpoint]) -> int:
    """How many leaves are proved to be what was taken in: as many as the largest checkpoint saw that stands."""
    return max((checkpoint.size for checkpoint in checkpoints if stands(log, checkpoint)), default=0)


def against(stream: Stream, leaves: Sequence[Leaf], proved: int, held: Iterable[Held]) -> Wrong | None:
    """The first thing in which a stream is not what the log took in; None: nothing.

    Args:
        stream: A stream whose chain stands.
        leaves: The leaves that tell of it, in the order of their places.
        proved: How many leaves of the log are proved: where one of these differs, it is the stream that was changed.
        held: Checkpoints that somebody holds and that stand: what says it was recorded before they were made must be in
            what they saw.
    """
    for place, leaf in enumerate(leaves, start=1):
        if leaf.n != place:
            return _leaf(leaf, f"in its place should be entry {place} of the stream", "n")
        there = place <= len(stream.entries)
        if there and stream.entries[place - 1][12] == leaf.hash:
            continue
        if leaf.at >= proved:
            what = "the log has taken in another entry than the stream has" if there else "the log tells of an entry that is not there"
            return _leaf(leaf, what, "hash" if there else "n")
        if there:
            return Wrong(stream.uuid, place, f"it was rewritten after the log took it in (leaf {leaf.at})", column="hash")
        return Wrong(stream.uuid, place, f"entry {place} is missing: the log took it in (leaf {leaf.at}), and it was cut since")
    for one in held:
        wrong = _unseen(stream, leaves, one)
        if wrong is not None:
            return wrong
    return None


def _unseen(stream: Stream, leaves: Sequence[Leaf], held: Held) -> Wrong | None:
    """The first entry that says it was there when a checkpoint was made, and that the checkpoint did not see."""
    seen = sum(leaf.at < held.checkpoint.size for leaf in leaves)
    for entry in stream.entries[seen:]:
        if entry[2] < held.before:
            size = held.checkpoint.size
            what = f"it says it was recorded before the checkpoint of {size} entries was made, which did not see it: it was put in later"
            return Wrong(stream.uuid, entry[1], f"{what}, or the clock was set back", column="recorded")
    return None


def gone(leaves: Sequence[Leaf], proved: int, graves: Mapping[str, Grave]) -> Wrong | None:
    """What is wrong with a stream of which there are leaves only; None: it was disposed of, and its grave says so.

    Args:
        leaves: The leaves that tell of it, in the order of their places.
        proved: How many leaves of the log are proved.
        graves: Stream → what a disposal has left of it.
    """
    first, grave = leaves[0], graves.get(leaves[0].stream)
    if grave is None:
        if first.at >= proved:
            return _leaf(first, "there is no such stream", "stream")
        what = f"the stream is gone: the log took in {len(leaves)} of its entries, the first as leaf {first.at}"
        return Wrong(first.stream, 1, what)
    for place, leaf in enumerate(leaves, start=1):
        if leaf.n != place:
            return _leaf(leaf, f"in its place should be entry {place} of the stream", "n")
        if leaf.n > grave.n or (leaf.n == grave.n and leaf.hash != grave.hash):
            return _leaf(leaf, f"it is not the stream that was disposed of with {grave.n} entries", "hash")
    if len(leaves) < grave.n:
        what = f"it was disposed of with {grave.n} entries, and the log has taken in {len(leaves)}: what it was can't be proved"
        return Wrong(first.stream, len(leaves) + 1, what, "leaves")
    return None


def buried(graves: Mapping[str, Grave], there: Container[str], leaves: Container[str]) -> Iterator[Wrong]:
    """What is wrong with tombstones: streams that are here all the same, and those of which the log knows nothing.

    Args:
        graves: Stream → what a disposal has left of it.
        there: The streams that are here.
        leaves: Those of which there are leaves only.
    """
    for uuid, grave in graves.items():
        if uuid in there:
            yield Wrong(uuid, None, "it was disposed of, and is here still, or again", "streams", uuid)
        elif uuid not in leaves:
            what = f"a tombstone tells of it with {grave.n} entries, and the log has taken in none: nothing proves that it ever was"
            yield Wrong(uuid, 1, what, "leaves")


def _leaf(leaf: Leaf, what: str, column: str) -> Wrong:
    return Wrong(leaf.stream, leaf.n, what, "leaves", str(leaf.at), column)
