"""Making checkpoints: what is new is taken into the log, its root is signed, and the desk log says so.

Commands know nothing of it. New entries are taken in by a few thousand at a time, each in a short transaction, and the
tree grows from its last peaks on: a checkpoint costs what is new, and one look at every head.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve, frozen

from casekit.desk.library import log
from casekit.desk.turn import Call, Spec
from casekit.desk.work import new_uuid
from casekit.errors import BadInput, StoreFailed
from casekit.model.actor import Actor
from casekit.model.canonical import Json, decode
from casekit.model.time import add, duration, moment
from casekit.record.checkpoint import Checkpoint, Leaf
from casekit.record.merkle import Frontier
from casekit.record.note import Malformed, Note, PublicKey, Unproved, named, proved
from casekit.store import leaves, reading
from casekit.store.shelf import Shelf, Taken, writing
from casekit.store.signing import Signing, make_signing, read_signing, renamed, rotated
from casekit.store.tables import CHECKPOINTS
from casekit.store.writing import Conflict

if TYPE_CHECKING:
    from casekit.desk.desk import Desk
    from casekit.desk.work import Work

CHECKPOINT = Spec("checkpoint", "checkpoint.make")
ROTATE = Spec("rotate", "checkpoint.rotate")
LIST = Spec("checkpoints", "journal.verify")
LOG = "checkpoints"
"""The desk log that tells of checkpoints and of keys."""

BATCH = 2000
"""Leaves in one transaction: a writer never waits long for it."""

_TRIES = 100
_LOWEST = -(2**63)
_T = TypeVar("_T")


@frozen
class Made:
    """A checkpoint of a tenant's log.

    Attributes:
        origin: Which log.
        size: How many entries it has taken in.
        root: The root of their tree, in hexadecimal.
        made: When the desk log says that it was made.
        note: The signed checkpoint: what to keep elsewhere.
        fresh: Whether it was made just now; else nothing had been recorded since.
    """

    origin: str
    size: int
    root: str
    made: str
    note: str
    fresh: bool = False


def make(desk: Desk, actor: Actor, origin: str = "") -> Made:
    """Takes in what is new and signs a checkpoint; where nothing is new, gives the last one.

    Args:
        desk: The desk.
        actor: Who makes it.
        origin: What the log is to be called from now on, the tenant behind it: a name that nobody else has, such as
            ``example.com/casekit``. Without one, that of the signing keys; a changed one makes another log of it.

    Raises:
        Denied: the actor may not.
        BadInput: the origin is no name.
        StoreFailed: the store has fallen behind what was signed before, or its log is damaged; nothing is signed.
    """
    desk.bus.authorise(Call(ROTATE if origin else CHECKPOINT, actor), None)
    if origin and not named(origin):
        raise BadInput.at("origin", f"{origin!r} is no name of a log", "use a name such as example.com/casekit: no blanks, no plus sign")
    shelf = desk.shelf(actor.tenant)
    signing = _signing(shelf, origin)
    if origin:
        signing = renamed(signing, origin)
        signing.write()
    return _again(lambda: _make(desk, shelf, actor, signing))


def rotate(desk: Desk, actor: Actor) -> Made:
    """A fresh key signs from now on. The checkpoint that it gives is signed by both keys, so that whoever trusts the old
    one can go over to the new; the old one's secret half is gone then.

    Raises:
        Denied: the actor may not.
        StoreFailed: as of :func:`make`.
    """
    desk.bus.authorise(Call(ROTATE, actor), None)
    shelf = desk.shelf(actor.tenant)
    signing = _signing(shelf)
    fresh = rotated(signing)
    about = {"key": str(fresh.public(actor.tenant)), "before": str(signing.public(actor.tenant))}
    _again(lambda: _say(desk, shelf, actor, "rotate", about))
    made = _again(lambda: _make(desk, shelf, actor, fresh, before=signing.seed))
    evolve(fresh, signed=read_signing(shelf.signing).signed).write()
    return made


def if_due(desk: Desk, actor: Actor, every: str) -> Made | None:
    """Makes a checkpoint where the last is older than that (ISO 8601) and something was recorded since.

    Raises:
        StoreFailed: as of :func:`make`.
    """
    shelf = desk.shelf(actor.tenant)
    head = reading.log_of(shelf, LOG)
    if head is not None and add(head.recorded, duration(every), "UTC") > desk.now():
        return None
    made = _again(lambda: _make(desk, shelf, actor, _signing(shelf)))
    return made if made.fresh else None


def listed(desk: Desk, actor: Actor, batch: Work | None = None) -> tuple[Made, ...]:
    """Every checkpoint of the tenant's log, the latest first; a denied attempt is part of the batch in which it is made."""
    desk.bus.authorise(Call(LIST, actor), None, batch=batch)
    shelf = desk.shelf(actor.tenant)
    there = told(shelf)
    return tuple(_value(note, there.get(size, {}).get("made", "")) for size, note, _ in reversed(leaves.checkpoints(shelf)))


def public_key(desk: Desk, actor: Actor, batch: Work | None = None) -> PublicKey:
    """The key that others check the tenant's checkpoints with; made where there is none yet. Batches as of :func:`listed`."""
    desk.bus.authorise(Call(LIST, actor), None, batch=batch)
    return _signing(desk.shelf(actor.tenant)).public(actor.tenant)


def told(shelf: Shelf) -> dict[int, Json]:
    """What the desk log tells of checkpoints: size → origin, root, keys, and when it was made."""
    return {about.get("size", 0): about | {"made": recorded} for kind, about, recorded in entries(shelf, LOG) if kind == "checkpoint"}


def entries(shelf: Shelf, name: str) -> list[tuple[str, Json, str]]:
    """The entries of a desk log that can be read: kind, what they are about, when recorded."""
    head = reading.log_of(shelf, name)
    found = []
    for entry in reading.entries_of(shelf, head.sid) if head is not None else ():
        try:
            about = decode(entry[11])["about"]
        except (ValueError, KeyError, TypeError):
            continue  # what is wrong with it is for the check of its stream to say
        if isinstance(about, dict):
            found.append((entry[7], about, entry[2]))
    return found


def take_in(shelf: Shelf) -> None:
    """Takes everything into the log that is not in it yet, stream by stream.

    Raises:
        Taken: another does the same.
        StoreFailed: a stream lacks an entry.
    """
    place, after, pending = leaves.size(shelf), _LOWEST, list[Leaf]()
    while page := leaves.grown(shelf, after, leaves.AT_ONCE):
        streams = {sid: (uuid, taken) for sid, uuid, taken in page}
        for sid, n, hash_ in leaves.untaken(shelf, page):
            uuid, taken = streams[sid]
            if n != taken + 1:
                raise StoreFailed(f"stream {uuid} lacks entry {taken + 1}: no checkpoint is made of it (run verify)")
            streams[sid] = (uuid, n)
            pending.append(Leaf(place, uuid, n, hash_))
            place += 1
            if len(pending) >= BATCH:
                _put(shelf, pending)
        after = page[-1][0]
    _put(shelf, pending)


def _signing(shelf: Shelf, origin: str = "") -> Signing:
    """The signing keys; made where there are none and nothing was signed yet, or another log is asked for.

    Raises:
        StoreFailed: they are gone.
        BadInput: the shelf lies in a host's transaction: what may still be taken back is not signed.
    """
    shelf.demand_own("signing")
    if not origin and not shelf.signing.exists() and leaves.last_checkpoint(shelf) is not None:
        raise StoreFailed(
            f"{shelf.signing}: the keys that sign for this store are not there (restore them, or begin another log: --origin)"
        )
    return make_signing(shelf.signing, origin)


def _put(shelf: Shelf, pending: list[Leaf]) -> None:
    if pending:
        with writing(shelf) as connection:
            leaves.put(shelf, connection, pending)
        pending.clear()


def _make(desk: Desk, shelf: Shelf, actor: Actor, signing: Signing, *, before: bytes | None = None) -> Made:
    last, origin = leaves.last_checkpoint(shelf), signing.origin_of(actor.tenant)
    if last is not None and last[1].startswith(f"{origin}\n") and (made := _idle(shelf, last[0])):
        return _value(last[1], made)
    take_in(shelf)
    frontier = _grown(shelf, signing, last)
    checkpoint = Checkpoint(origin, frontier.size, frontier.root())
    note = str(signing.sign(actor.tenant, checkpoint, int(moment(desk.now()).timestamp()), before=before))
    signing.remember(actor.tenant, checkpoint)
    keys = [str(signing.public(actor.tenant))]
    about = {"origin": origin, "size": checkpoint.size, "root": checkpoint.root.hex(), "keys": keys}
    said = _say(desk, shelf, actor, "checkpoint", about, row=(actor.tenant, checkpoint.size, note, frontier.packed()))
    return _value(note, said, fresh=True)


def _say(desk: Desk, shelf: Shelf, actor: Actor, kind: str, about: Json, row: tuple[Any, ...] | None = None) -> str:
    """One more entry on the desk log, and the checkpoint with it; gives when it was recorded."""
    work = desk.work(shelf)
    log(work, LOG, kind, about, actor=actor.name, recorded=desk.now(), command=new_uuid())
    if row is not None:
        work.add(CHECKPOINTS, row)
    work.flush()
    return work.log(LOG).recorded


def _idle(shelf: Shelf, size: int) -> str:
    """Where nothing was recorded since the checkpoint of that size but the entry that tells of it: when it was made."""
    new, head = leaves.grown(shelf, _LOWEST, 2), reading.log_of(shelf, LOG)
    own = head is not None and [found[1:] for found in new] == [(head.uuid, head.n - 1)]
    return head.recorded if head is not None and own and leaves.size(shelf) == size else ""


def _grown(shelf: Shelf, signing: Signing, last: tuple[int, str, bytes] | None) -> Frontier:
    """The tree over the whole log, from the last checkpoint's peaks on.

    Raises:
        StoreFailed: the log is not the one that was signed before.
    """
    signed, frontier = signing.last(shelf.tenant), _begun(shelf.tenant, signing, last)
    _same(frontier, signed)
    for leaf in leaves.leaves(shelf, frontier.size):
        if leaf.at != frontier.size:
            raise StoreFailed(f"the log of entries lacks leaf {frontier.size}: no checkpoint is made of it (run verify)")
        frontier.add(leaf.hashed)
        _same(frontier, signed)
    if signed is not None and signed.size > frontier.size:
        raise StoreFailed(
            f"the store has {frontier.size} entries, and a checkpoint of {signed.size} was signed for it: it was cut, or is an older copy ({_DO})"
        )
    return frontier


def _begun(tenant: str, signing: Signing, last: tuple[int, str, bytes] | None) -> Frontier:
    """The tree as the last checkpoint left it, where its signature is right; else an empty one, and everything is hashed again."""
    if last is None:
        return Frontier()
    try:
        note = Note.parse(last[1])
        proved(note, signing.known(tenant))
        frontier, checkpoint = Frontier.unpacked(last[0], last[2]), Checkpoint.parse(note.text)
    except (Unproved, ValueError):
        return Frontier()
    signed = signing.last(tenant)
    right = (checkpoint.size, checkpoint.root) == (frontier.size, frontier.root())
    return frontier if right and (signed is None or signed.size >= frontier.size) else Frontier()


def _same(frontier: Frontier, signed: Checkpoint | None) -> None:
    if signed is not None and frontier.size == signed.size and frontier.root() != signed.root:
        raise StoreFailed(f"the first {signed.size} entries of the store are not those for which a checkpoint was signed ({_DO})")


_DO = "run verify; to go on with an older copy, give its log another origin: --origin"


def _again(once: Callable[[], _T]) -> _T:
    """Does something that others may be doing at the same time. Whoever fails, another has come further: it ends."""
    for _ in range(_TRIES):
        try:
            return once()
        except (Conflict, Taken):
            time.sleep(random.uniform(0.0, 0.05))  # noqa: S311 - so that two do not meet again at once
    return once()


def _value(note: str, made: str, *, fresh: bool = False) -> Made:
    try:
        checkpoint = Checkpoint.parse(Note.parse(note).text)
    except Malformed as wrong:
        raise StoreFailed(f"a checkpoint in the store can't be read: {wrong} (run verify)") from None
    return Made(checkpoint.origin, checkpoint.size, checkpoint.root.hex(), made, note, fresh)


__all__ = ["CHECKPOINT", "Made", "entries", "if_due", "listed", "make", "public_key", "rotate", "take_in", "told"]
