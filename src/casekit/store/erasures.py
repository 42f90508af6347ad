"""The ledger of erasures: a file beside the keyring that says who was erased, so that a restored backup is erased again.

A backup that was made before an erasure holds the key of the person who was erased since. So the entries of the desk
log ``erasures`` are kept outside the store too, one a line, as they stand there: ids and hashes, nothing personal.
The file is only ever added to. An entry counts only where its hash follows from one before it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import frozen

from casekit.errors import BadInput, StoreFailed
from casekit.record.bundle import entry_cells, entry_members
from casekit.record.entry import START, header, link
from casekit.store.private import put

FORMAT = 1


@frozen
class Line:
    """One entry of a tenant's log of erasures.

    Attributes:
        tenant: Whose.
        stream: UUID of the log.
        entry: In the order of ``entry.COLUMNS``.
    """

    tenant: str
    stream: str
    entry: tuple[Any, ...]

    @property
    def hash(self) -> bytes:
        """Its link."""
        found: bytes = self.entry[12]
        return found


def ledger_beside(keys: Path) -> Path:
    """Where the ledger lies: beside the keyring."""
    return keys.with_name(keys.name + ".erasures")


def append(path: Path, lines: Iterable[Line]) -> None:
    """Adds lines, durably; those that stand there are not written again. A ledger of nobody is a ledger too. What a
    crash has torn is taken away.

    Raises:
        StoreFailed: it can't be read or written.
        BadInput: what is there is no ledger.
    """
    try:
        there = path.read_bytes() if path.exists() else None
        known, torn = _parsed(there or b"", str(path))
        hashes = {line.hash for line in known}
        fresh = b"".join(_text(line) for line in lines if line.hash not in hashes)
        if there is None or torn:
            put(path, b"".join(map(_text, known)) + fresh)
        elif fresh:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "ab") as file:
                file.write((b"" if there.endswith(b"\n") or not there else b"\n") + fresh)
                file.flush()
                os.fsync(file.fileno())
    except OSError as wrong:
        raise StoreFailed(f"{path}: the ledger of erasures can't be written: {wrong.strerror} (check rights and disk space)") from wrong


def read(path: Path) -> tuple[Line, ...]:
    """All lines of a ledger, proved: each follows from one before it.

    Raises:
        StoreFailed: it can't be read.
        BadInput: it is none, a line is torn, or does not follow.
    """
    try:
        lines, torn = _parsed(path.read_bytes(), str(path))
    except OSError as wrong:
        raise StoreFailed(f"{path}: the ledger of erasures can't be read: {wrong.strerror} (check the path)") from wrong
    if torn:
        do = "write it anew from its store: casekit erasures. Where that is gone, take the line away: an erasure may be missing then"
        raise BadInput.at(f"{path}, line {torn[0]}", "the line is torn", do)
    known: dict[tuple[str, str, int], set[bytes]] = {}
    for line in sorted(lines, key=lambda line: line.entry[1]):
        tenant, stream, n = line.tenant, line.stream, line.entry[1]
        before = {START} if n == 1 else known.get((tenant, stream, n - 1), set())
        made = header(tenant, stream, *line.entry[:11])
        if not any(link(one, made, line.entry[11]) == line.hash for one in before):
            raise BadInput.at(str(path), f"entry {n} of {stream} does not follow from one before it", "use the ledger as it was written")
        known.setdefault((tenant, stream, n), set()).add(line.hash)
    return lines


def _text(line: Line) -> bytes:
    said = {"v": FORMAT, "tenant": line.tenant, "stream": line.stream, "entry": entry_members(line.entry)}
    return json.dumps(said, sort_keys=True).encode() + b"\n"


def _parsed(content: bytes, where: str) -> tuple[tuple[Line, ...], list[int]]:
    """The lines, and the numbers of those that are torn: begun as a line, and not whole."""
    found, torn = [], []
    for number, text in enumerate(content.split(b"\n"), start=1):
        if not text:
            continue
        try:
            said = json.loads(text)
            found.append(Line(said["tenant"], said["stream"], entry_cells(said["entry"])))
            known = said["v"] == FORMAT
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            if isinstance(wrong, ValueError) and text.startswith(b'{"entry"'):
                torn.append(number)
                continue
            known = False
        if not known:
            raise BadInput.at(f"{where}, line {number}", "it is no line of a ledger of erasures", "use the file beside the keyring")
    return tuple(found), torn
