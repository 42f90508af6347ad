"""What lies beside the journal, held to it: keys, search index, definitions, sequences, pointers, documents' contents.

None of it is hashed into a chain, and all of it can be told from what is: a data key opens what it sealed, the
search index says what the envelopes of a party ever said, a definition is what its address and the desk log say, a
sequence stands where the last number was drawn, a content is what its digest says.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from attrs import frozen

from casekit.desk.parties import FOUND_BY, normalised
from casekit.desk.sealing import opened
from casekit.desk.work import Work
from casekit.errors import CasekitError, StoreFailed
from casekit.model.canonical import Json, decode
from casekit.record.verify import Stream, Wrong
from casekit.store import auditing
from casekit.store.keys import Key, KeyRow
from casekit.store.shelf import Shelf


@frozen
class Found:
    """What lies beside one stream.

    Attributes:
        search: Its rows in the search index: field, keyed digest.
        key: Its data key's row; None: it has none.
    """

    search: set[tuple[str, bytes]]
    key: KeyRow | None


class Beside:
    """Checks stream by stream, then the rest.

    Args:
        work: A transaction that only reads.
        keys: Whether the keyring is at hand: without it, nothing is said about what only it can tell.
    """

    def __init__(self, work: Work, *, keys: bool = True) -> None:
        self.keys = keys
        self.work = work
        self.shelf = work.shelf
        self._pinned: set[str] = set()
        self._published: dict[str, tuple[Any, ...]] = {}
        self._shut: set[str] = set()
        self._foreign: set[str] = set()
        self._indexed: set[str] = set()
        self._keyless: dict[str, int] = {}
        self._sequences = auditing.sequences(self.shelf)
        self._patterns = [(name, _pattern(name)) for name in self._sequences]
        self._highest: dict[str, int] = {}
        self._unnumbered: list[Wrong] = []

    def check(self, stream: Stream, found: Found) -> Wrong | None:
        """The first thing that is wrong beside a stream whose journal stands, or None."""
        if found.key is not None and self.keys:
            try:
                self.shelf.vault.unlock(found.key)
            except (StoreFailed, ValueError) as wrong:
                return Wrong(stream.uuid, None, str(wrong), "data_keys", stream.uuid)
        if stream.kind == "party":
            return self._party(stream, found)
        if stream.kind == "case":
            return self._case(stream, found)
        return self._log(stream, found)

    def rest(self) -> list[Wrong]:
        """What is wrong beside the record as a whole."""
        keyless = [
            Wrong(uuid, n, "the key is gone, and no erasure says so", "data_keys", uuid)
            for uuid, n in self._keyless.items()
            if uuid not in self._shut | self._foreign
        ]
        indexed = [
            Wrong(uuid, self._keyless[uuid], "a party whose key is not here is in the search index", "search", uuid)
            for uuid in sorted(self._indexed & self._foreign)
        ]
        return [*keyless, *indexed, *self._unnumbered, *self._counted(), *self._defined(), *self._nobodys(), *self._meta()]

    def _party(self, stream: Stream, found: Found) -> Wrong | None:
        uuid, sealed = stream.uuid, decode(stream.head).get("sealed")
        if sealed is None:
            if found.key is not None:
                return Wrong(uuid, stream.n, "the key of an erased party is there still, or again", "data_keys", uuid)
            return Wrong(uuid, stream.n, "an erased party is still in the search index", "search", uuid) if found.search else None
        if found.key is None:
            self._keyless[uuid] = stream.n
            if found.search:
                self._indexed.add(uuid)
            return None
        if not self.keys:
            return None
        try:
            wanted = findable(self.shelf, stream, self.shelf.vault.unlock(found.key))
        except (StoreFailed, ValueError) as wrong:
            return Wrong(uuid, stream.n, f"what is sealed can't be opened: {wrong}", "data_keys", uuid)
        for (field, digest), n in wanted.items():
            if (field, digest) not in found.search:
                return Wrong(uuid, n, f"the party can't be found by its {field}", "search", uuid)
        if len(found.search) > len(wanted):
            return Wrong(uuid, None, "the search index has a row that no entry tells of", "search", uuid)
        return None

    def _case(self, stream: Stream, found: Found) -> Wrong | None:
        head = decode(stream.head)
        self._pinned |= {head["definition"], head["edition"]}
        if found.key is None and (n := sealed_by_itself(stream)):
            self._keyless[stream.uuid] = n
        if (number := head.get("number")) is not None:
            self._number(stream, number)
        if found.search:
            return Wrong(stream.uuid, None, "only parties are in the search index", "search", stream.uuid)
        return self._contents(stream)

    def _number(self, stream: Stream, number: str) -> None:
        if not self._draws(number):
            self._unnumbered.append(Wrong(stream.uuid, 1, f"no sequence has drawn the number {number}", "sequences"))

    def _draws(self, number: str | None) -> bool:
        """Takes down that a number was drawn, that of a case which is gone too; whether a sequence could have."""
        matches = [(name, match) for name, pattern in self._patterns if (match := pattern.fullmatch(number or ""))]
        for name, match in matches:
            self._highest[name] = max(self._highest.get(name, 0), int(match[1]))
        return bool(matches)

    def _contents(self, stream: Stream) -> Wrong | None:
        """Whether the contents of documents are there and are what their digests say."""
        for row in stream.rows.get("documents", ()):
            try:
                self.shelf.files.get(row[8])
            except CasekitError as wrong:
                return Wrong(stream.uuid, row[0], str(wrong), "documents", f"{row[0]}.{row[1]}", "digest")
        return None

    def _log(self, stream: Stream, found: Found) -> Wrong | None:
        if found.key is None and (n := sealed_by_itself(stream)):
            self._keyless[stream.uuid] = n
        for entry in stream.entries:
            try:
                self._tells(stream.listed[0], decode(entry[11])["about"])
            except (KeyError, TypeError, AttributeError) as wrong:
                return Wrong(
                    stream.uuid, entry[1], f"it tells nothing that this desk log tells: {type(wrong).__name__} {wrong}", column="body"
                )
        if found.search:
            return Wrong(stream.uuid, None, "only parties are in the search index", "search", stream.uuid)
        return None

    def _tells(self, log: str, about: Json) -> None:
        if log == "definitions":
            self._published[about["digest"]] = (about["digest"], about["kind"], about["name"], about["version"])
        if log == "erasures":
            self._shut.update(about["shut"])
        if log == "disposals":
            for left in about.get("streams", ()):
                self._draws(left.get("number"))
        if log == "imports":
            self._foreign.update(about["locked"])
            self._foreign.difference_update(about.get("unlocked", ()))

    def _counted(self) -> list[Wrong]:
        """Numbers are drawn without gaps: a sequence stands at the highest of its numbers."""
        return [
            Wrong(
                "", None, f"it stands at {value}, and the highest number drawn is {self._highest.get(name, 0)}", "sequences", name, "value"
            )
            for name, value in self._sequences.items()
            if value != self._highest.get(name, 0)
        ]

    def _defined(self) -> list[Wrong]:
        """Whether every definition is what its address and the desk log say, and none is missing."""
        wrong, missing = [], set(self._published) | self._pinned
        for digest, kind, name, version, body in auditing.definitions(self.shelf):
            missing.discard(digest)
            said = self._published.get(digest)
            if said is None:
                wrong.append(Wrong("", None, "the desk log tells of no such definition", "definitions", digest))
            elif hashlib.sha256(body.encode()).hexdigest() != digest:
                wrong.append(Wrong("", None, "the text is not the one that its address says", "definitions", digest, "body"))
            else:
                columns = zip(("digest", "kind", "name", "version"), (digest, kind, name, version), said, strict=True)
                wrong += [Wrong("", None, f"the desk log says {b!r}", "definitions", digest, c) for c, a, b in columns if a != b]
        return wrong + [Wrong("", None, "it was published, and is missing", "definitions", digest) for digest in sorted(missing)]

    def _nobodys(self) -> list[Wrong]:
        """Rows that belong to no stream, to no tenant, or point to no entry."""
        wrong = []
        for table in auditing.OF_STREAMS:
            for sid, count in auditing.strays(self.shelf, table):
                wrong.append(Wrong("", None, f"{count} rows belong to no stream of this tenant", table, str(sid)))
        for table in auditing.OF_TENANTS:
            wrong += [Wrong("", None, f"rows of a tenant {t!r} who has no stream", table) for t in auditing.outsiders(self.shelf, table)]
        for table, named, row, count in auditing.hidden(self.shelf):
            wrong.append(Wrong("", None, f"{count} rows of a tenant {named!r} who has no stream", table, row))
        wrong += [Wrong("", None, "a key whose owner is no stream", "data_keys", owner) for owner in auditing.ownerless(self.shelf)]
        for table in auditing.POINTERS:
            for sid, n in auditing.pointing_nowhere(self.shelf, table):
                wrong.append(Wrong("", n, "it points to no entry of that time", table, f"{sid}.{n}"))
        return wrong

    def _meta(self) -> list[Wrong]:
        """What the store says of itself: which keyring is its own, and nothing else."""
        said = auditing.meta(self.shelf)
        known = said if not self.keys else {"keyring": self.shelf.vault.ring.check} if said else {}
        return [
            Wrong("", None, "it is not what this store would say", "meta", name)
            for name in sorted({*said, *known})
            if said.get(name) != known.get(name)
        ]


def findable(shelf: Shelf, stream: Stream, key: Key) -> dict[tuple[str, bytes], int]:
    """Everything that a party is found by: field and keyed digest, with the entry that first said it.

    That is whatever it was ever called, but for what was wrong and was put right.

    Raises:
        StoreFailed: what is sealed does not open with this key.
    """
    wanted: dict[tuple[str, bytes], int] = {}
    last: Json = {}
    for entry in stream.entries:
        said = decode(entry[11])
        fixed = said["about"].get("rectified", {}).get("details", ())
        for row in _digests(shelf, {name: value for name, value in last.items() if name in fixed}):
            wanted.pop(row, None)
        for change in said["changes"]:
            sealed = change.get("set", {}).get("sealed")
            if not sealed:
                continue
            inside = opened(lambda _: key, shelf.tenant, stream.uuid, "party", {stream.uuid: sealed["envelope"]})
            if not inside and sealed["fields"]:
                raise StoreFailed("it was sealed with another key")
            last = inside
            for row in _digests(shelf, inside):
                wanted.setdefault(row, entry[1])
    return wanted


def _digests(shelf: Shelf, inside: Json) -> list[tuple[str, bytes]]:
    plain = ((name, normalised(name, value)) for name, value in inside.items() if name in FOUND_BY)
    return [(name, shelf.vault.search(name, value)) for name, value in plain if value]


def sealed_by_itself(stream: Stream) -> int:
    """The first entry that needs the key of the case itself; 0: none does."""
    record, data = f'"{stream.uuid}":"v1.', f'"{stream.uuid}":{{"envelope"'
    inside = [entry[1] for entry in stream.entries if record in entry[11] or data in entry[11]]
    filed = [row[0] for row in stream.rows.get("documents", ())]
    return min((*inside, *filed), default=0)


def _pattern(name: str) -> re.Pattern[str]:
    """What matches the numbers of a sequence: its name, with digits where it has ``#``."""
    return re.compile(r"(\d+)".join(re.escape(part) for part in name.split("#")), re.ASCII)
