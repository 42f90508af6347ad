"""Verification of the log of entries: streams against it, it against its checkpoints and the one that somebody holds.

The pure part is ``record.held``; here the store is read for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from casekit.desk import checkpoints
from casekit.errors import BadInput, StoreFailed
from casekit.model.time import instant
from casekit.record.checkpoint import Checkpoint, Leaf
from casekit.record.held import Grave, Held, against, buried, fallen, gone, proved_upto, stands, walk
from casekit.record.note import PLAIN, TIMED, Malformed, Note, PublicKey, Signed, Unproved, proved
from casekit.record.verify import Against, Stream, Wrong
from casekit.store import leaves, reading
from casekit.store.signing import Signing, read_signing

if TYPE_CHECKING:
    from casekit.store.shelf import Shelf

GRACE = timedelta(minutes=5)
"""How long before a checkpoint something may have been recorded that it did not see: no command takes as long to commit."""

DISPOSALS = "disposals"
"""The desk log with the graves of streams that were disposed of: ``streams``, a list of ``stream``, ``n``, ``hash``."""


@frozen
class Given:
    """A checkpoint that somebody brings, its signature checked.

    Attributes:
        held: What it says.
        said: What the report says of it.
    """

    held: Held
    said: Against


def read_given(shelf: Shelf, given: str | Path, keys: Sequence[str | Path]) -> Given:
    """The checkpoint in a file (or in the text itself), its signature checked.

    Args:
        shelf: The store that it is held against.
        given: Path of the file, or the text of the signed checkpoint.
        keys: Public keys, or files of them, to trust and no others; none: those of the file beside the keyring, or
            where there is none, those that the store names itself.

    Raises:
        BadInput: it can't be read, is no signed checkpoint, nobody known has signed it, or it is one of another log.
    """
    text = isinstance(given, str) and "\n" in given
    where, signing = "against" if text else str(given), _signing(shelf)
    try:
        note = Note.parse(str(given) if text else _read(given))
        checkpoint = Checkpoint.parse(note.text)
    except Malformed as wrong:
        raise BadInput.at(where, f"this is no signed checkpoint: {wrong}", "use a file that casekit checkpoint make has written") from None
    trusted, trust = _trusted(shelf, signing, keys)
    try:
        signed = proved(note, trusted)
    except Unproved as wrong:
        do = "give the log's public key (--key), or a checkpoint that it has signed" if keys else "say which key to trust: --key"
        raise BadInput.at(where, str(wrong), do) from None
    _same_log(shelf, signing, checkpoint, where)
    seconds = _made(signed, checkpoint)
    made = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    before = "" if made is None else instant(made - GRACE)
    by = tuple(dict.fromkeys(str(evolve(one.key, kind=PLAIN)) if one.key.name == checkpoint.origin else str(one.key) for one in signed))
    said = Against(checkpoint.origin, checkpoint.size, None if made is None else instant(made), by, trust)
    return Given(Held(checkpoint, before), said)


class LogCheck:
    """Checks stream by stream, then the rest.

    Args:
        shelf: Whose log; a transaction that only reads is open.
        given: A checkpoint that somebody brings.
        copy: Whether it is a copy of a store: what was signed since it was made is nothing that it must know.
    """

    def __init__(self, shelf: Shelf, given: Given | None, *, copy: bool = False) -> None:
        self.shelf, self.given = shelf, given
        self._wrong: list[Wrong] = []
        try:
            self._signing = _signing(shelf)
        except StoreFailed as wrong:
            self._signing = None
            self._wrong.append(Wrong("", None, str(wrong), "signing"))
        self._rows = leaves.checkpoints(shelf)
        self._told = checkpoints.told(shelf)
        self._stored = list(self._read())
        self._held = [given.held] if given is not None else []
        remembered = self._signing.last(shelf.tenant) if self._signing is not None and not copy else None
        if remembered is not None and (given is None or remembered != given.held.checkpoint):
            self._held.append(Held(remembered))
        everyone = [*self._stored, *(held.checkpoint for held in self._held)]
        self._log = walk(leaves.leaves(shelf), {0, *(one.size for one in everyone)})
        self._proved = proved_upto(self._log, everyone)
        self._standing = [held for held in self._held if stands(self._log, held.checkpoint)]
        self._graves, self._orphans = _graves(shelf), leaves.orphans(shelf)

    def check(self, stream: Stream, of_stream: Sequence[Leaf]) -> Wrong | None:
        """The first thing in which a stream whose chain stands is not what the log took in, or None."""
        if stream.uuid in self._graves:
            return next(buried(self._graves, (stream.uuid,), self._graves))
        return against(stream, of_stream, self._proved, self._standing)

    def rest(self) -> list[Wrong]:
        """What is wrong with the log as a whole, and what a checkpoint tells that it does not."""
        return [*self._places(), *self._gone(), *self._wrong, *self._checkpoints(), *self._fallen()]

    def said(self) -> Against | None:
        """What the report says of the checkpoint that somebody brings."""
        if self.given is None:
            return None
        size = self.given.said.size
        disposed = tuple(uuid for uuid, of_it in self._orphans.items() if uuid in self._graves and of_it[0].at < size)
        return evolve(self.given.said, later=max(0, self._log.size - size), disposed=disposed)

    def _read(self) -> Iterator[Checkpoint]:
        """The store's own checkpoints whose signatures are right; what is wrong with the others is noted down."""
        for size, text, _ in self._rows:
            try:
                note = Note.parse(text)
                checkpoint = Checkpoint.parse(note.text)
                self._signed(note, checkpoint)
            except (Malformed, Unproved) as wrong:
                self._note(size, f"it is no checkpoint that was signed here: {wrong}", "note")
                continue
            if checkpoint.size != size:
                self._note(size, f"it is a checkpoint of {checkpoint.size} entries", "size")
            yield checkpoint

    def _signed(self, note: Note, checkpoint: Checkpoint) -> None:
        """Whether every signature is of a key that may have signed for that origin, and right."""
        known = [key for key in self._signing.known(self.shelf.tenant) if key.name == checkpoint.origin] if self._signing else []
        named = self._told.get(checkpoint.size, {}).get("keys")
        if len(proved(note, known or _named(named))) < len(note.signatures):
            raise Unproved("one of its signatures is of a key that is not known")

    def _note(self, size: int, what: str, column: str) -> None:
        self._wrong.append(Wrong("", None, what, "checkpoints", str(size), column))

    def _places(self) -> Iterator[Wrong]:
        for place in self._log.before:
            yield Wrong("", None, "no leaf stands before the first", "leaves", str(place), "place")
        if self._log.gap is not None:
            yield Wrong("", None, f"leaf {self._log.gap} is missing", "leaves", str(self._log.gap), "place")

    def _gone(self) -> Iterator[Wrong]:
        for of_it in self._orphans.values():
            wrong = gone(of_it, self._proved, self._graves)
            if wrong is not None:
                yield wrong
        open_graves = {uuid: grave for uuid, grave in self._graves.items() if uuid not in self._orphans}
        here = {uuid for uuid in open_graves if reading.head_of(self.shelf, uuid) is not None}  # said where they were checked
        yield from buried({uuid: grave for uuid, grave in open_graves.items() if uuid not in here}, (), ())

    def _checkpoints(self) -> Iterator[Wrong]:
        """The store's own checkpoints against the log, and against what the desk log tells of them."""
        right = {checkpoint.size: checkpoint for checkpoint in self._stored}
        for size, _, peaks in self._rows:
            checkpoint, said = right.get(size), self._told.get(size)
            if said is None:
                yield Wrong("", None, "the desk log tells of no such checkpoint", "checkpoints", str(size), "size")
            elif checkpoint is not None and (said.get("origin"), said.get("root")) != (checkpoint.origin, checkpoint.root.hex()):
                yield Wrong("", None, "the desk log tells of another checkpoint of this size", "checkpoints", str(size), "note")
            if checkpoint is not None and not stands(self._log, checkpoint):
                yield Wrong("", None, "the log of entries is not the one that it saw", "checkpoints", str(size), "note")
            elif checkpoint is not None and self._log.peaks[size] != peaks:
                yield Wrong("", None, "they are not those of the log of entries", "checkpoints", str(size), "peaks")
        there = {size for size, _, _ in self._rows}
        for size in sorted(set(self._told) - there):
            yield Wrong("", None, "the desk log tells of it, and it is missing", "checkpoints", str(size))

    def _fallen(self) -> Iterator[Wrong]:
        for held in self._held:
            size = held.checkpoint.size
            wrong = fallen(self._log, held, self._stored)
            if wrong is not None:
                yield wrong
            elif size not in self._told:
                what = "the store knows nothing of this checkpoint, which was made of it: what was recorded since was cut"
                yield Wrong("", None, what, "checkpoint", str(size))


def _signing(shelf: Shelf) -> Signing | None:
    """The file beside the keyring; None: it is not there."""
    return read_signing(shelf.signing) if shelf.signing.exists() else None


def _trusted(shelf: Shelf, signing: Signing | None, keys: Sequence[str | Path]) -> tuple[list[PublicKey], str]:
    if keys:
        return [kind for key in keys for one in _keys(key) for kind in (one, *_other(one))], "given"
    if signing is not None:
        return list(signing.known(shelf.tenant)), "signing"
    return [one for said in checkpoints.told(shelf).values() for one in _named(said.get("keys"))], "store"


def _named(keys: object) -> list[PublicKey]:
    """The keys that an entry of the desk log names, in both kinds of signature."""
    found = []
    for text in keys if isinstance(keys, list) else ():
        try:
            key = PublicKey.parse(str(text))
        except Malformed:
            continue
        found += [key, *_other(key)]
    return found


def _other(key: PublicKey) -> list[PublicKey]:
    """The same key for timed signatures: casekit signs in both ways."""
    return [evolve(key, kind=TIMED)] if key.kind == PLAIN else []


def _keys(given: str | Path) -> list[PublicKey]:
    """The public keys that a text or a file says, one a line."""
    path = Path(given)
    try:
        lines = path.read_text("utf-8").splitlines() if path.is_file() else str(given).splitlines()
        return [PublicKey.parse(line) for line in lines if line.strip() and not line.startswith("#")]
    except Malformed as wrong:
        raise BadInput.at("key", f"{given}: {wrong}", "use what casekit checkpoint key says, or the file of it") from None
    except (OSError, UnicodeError) as wrong:
        raise BadInput.at("key", f"{given} can't be read: {wrong}", "check the path") from None


def _same_log(shelf: Shelf, signing: Signing | None, checkpoint: Checkpoint, where: str) -> None:
    """Refuses a checkpoint of a log that this store never was."""
    origins = {str(said.get("origin")) for said in checkpoints.told(shelf).values()}
    origins |= {key.name for key in signing.known(shelf.tenant)} if signing is not None else set()
    if origins and checkpoint.origin not in origins:
        known = ", ".join(sorted(origins))
        raise BadInput.at(where, f"it is a checkpoint of the log {checkpoint.origin}; this is {known}", "check the store and the tenant")


def _made(signed: Sequence[Signed], checkpoint: Checkpoint) -> int | None:
    """When the log itself says that it made a checkpoint; a witness has seen it later."""
    return min((one.time for one in signed if one.time is not None and one.key.name == checkpoint.origin), default=None)


def _graves(shelf: Shelf) -> dict[str, Grave]:
    found: dict[str, Grave] = {}
    for _, about, _ in checkpoints.entries(shelf, DISPOSALS):
        for said in about.get("streams", ()):
            try:
                found[str(said["stream"])] = Grave(int(said["n"]), bytes.fromhex(said["hash"]))
            except (KeyError, TypeError, ValueError):
                continue
    return found


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as wrong:
        raise BadInput.at(str(path), f"can't be read: {wrong.strerror}", "check the path") from None


__all__ = ["DISPOSALS", "GRACE", "Given", "LogCheck", "read_given"]
