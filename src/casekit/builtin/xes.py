"""Event logs in XES (IEEE 1849), read trace by trace in flat memory.

Plain or gzipped, told apart by their first bytes. Document type declarations are refused, and entities with
them, so that a small file can't unfold into a large one. Defaults of ``<global>`` are not applied: an event
has the attributes that the file gives it.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from xml.parsers import expat

from casekit.sdk import LOG_KINDS, BadInput, LogAttribute, LogEvent, LogHeader, LogKind, LogTrace, log_time

_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_DEEPEST = 64
_KINDS = frozenset(LOG_KINDS)
_BARE = frozenset(("list", "container"))
_ANY = frozenset(("string", "id"))
_NAMED: dict[str, LogKind] = {kind: kind for kind in LOG_KINDS}
_KNOWN = 10_000
"""Texts of values that are remembered as being in order: in a log the same ones come again and again."""
_TEXTS = {
    "int": (re.compile(r"\s*[+-]?[0-9]+\s*"), "a whole number, such as 157"),
    "float": (re.compile(r"\s*(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN)\s*"), "a number, such as 35.0"),
    "boolean": (re.compile(r"\s*(?:true|false|1|0)\s*"), "true or false"),
}
_INSIDE: dict[str, frozenset[str]] = {
    "": frozenset(("log",)),
    "log": _KINDS | {"extension", "global", "classifier", "trace"},
    "trace": _KINDS | {"event"},
    "list": _KINDS | {"values"},
    "extension": frozenset(),
    "classifier": frozenset(),
}
"""Element → elements that may stand in it; those not named take attributes only."""
_KEYED = frozenset(("log", "trace", "event"))


def read_xes(path: str | Path, progress: Callable[[int, int], None] | None = None) -> Iterator[LogTrace]:
    """The traces of an XES file, one after another; the file is read as they are asked for.

    Args:
        path: The file, plain or gzipped, whatever its name.
        progress: Called now and then with the bytes of the file that are read, and its size.

    Raises:
        BadInput: the file can't be read, is not XES or is damaged; names file and line. Traces that came before
            the damage were already given.
    """
    reading = _Reading(str(path))
    with _opened(path) as raw:
        size = os.fstat(raw.fileno()).st_size
        for _ in reading.over(raw):
            yield from reading.taken()
            if progress:
                progress(raw.tell(), size)


def read_header(path: str | Path) -> LogHeader:
    """What an XES file says about itself before its first trace; no more of it is read.

    Raises:
        BadInput: as of :func:`read_xes`.
    """
    reading = _Reading(str(path))
    with _opened(path) as raw:
        for _ in reading.over(raw):
            if reading.header:
                return reading.header
    raise AssertionError("a log that has ended has a header")


def _opened(path: str | Path) -> BufferedReader:
    try:
        return Path(path).open("rb")
    except OSError as wrong:
        raise BadInput.at(str(path), f"can't be read: {wrong.strerror}", "check the path") from None


class _Element:
    """An element that is open. Most have nothing inside, and there are many: what is inside is made when it comes."""

    __slots__ = ("events", "keyed", "line", "members", "said", "tag")

    def __init__(self, tag: str, said: dict[str, str], line: int) -> None:
        self.tag, self.said, self.line = tag, said, line
        self.members: list[LogAttribute] | None = None
        if tag in _KEYED:
            self.keyed: dict[str, LogAttribute] = {}
            self.events: list[LogEvent] = []

    def add(self, *attributes: LogAttribute) -> None:
        """Takes in attributes that stand in it, where keys may come twice."""
        self.members = [*(self.members or ()), *attributes]


class _Reading:
    """One pass over a file: open elements, and traces that are finished but not yet taken."""

    def __init__(self, file: str) -> None:
        self.header: LogHeader | None = None
        self._file = file
        self._open = [_Element("", {}, 0)]
        self._done: list[LogTrace] = []
        self._count = 0
        self._fine: set[tuple[str, str]] = set()
        self._extensions: dict[str, str] = {}
        self._classifiers: dict[str, str] = {}
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def over(self, raw: BufferedReader) -> Iterator[None]:
        """Read the file to its end, and stop after each piece."""
        stream = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == _GZIP else raw
        while piece := self._piece(stream):
            self._parse(piece)
            yield
        self._parse(b"", last=True)
        yield

    def taken(self) -> list[LogTrace]:
        """The traces finished since this was last asked."""
        taken, self._done = self._done, []
        return taken

    def _piece(self, stream: BufferedReader | gzip.GzipFile) -> bytes:
        try:
            return stream.read(_CHUNK)
        except (EOFError, OSError, zlib.error) as wrong:
            raise self._wrong(f"the file is damaged or breaks off: {wrong}", "fetch it again") from None

    def _parse(self, piece: bytes, last: bool = False) -> None:
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as wrong:
            said = f"{expat.ErrorString(wrong.code)}, column {wrong.offset + 1}"
            raise BadInput.at(f"{self._file}:{wrong.lineno}", f"not well-formed XML: {said}", "repair it, or export it again") from None
        except (LookupError, ValueError) as wrong:
            if self._count or len(self._open) > 1:
                raise
            raise self._wrong(f"its encoding can't be read: {wrong}", "save it as UTF-8") from None

    def _wrong(self, what: str, do: str) -> BadInput:
        return BadInput.at(f"{self._file}:{self._parser.CurrentLineNumber}", what, do)

    def _doctype(self, *_: object) -> None:
        raise self._wrong("has a document type declaration (DOCTYPE), which is refused", "remove it, and write its entities out")

    def _start(self, name: str, said: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        opened = self._open
        parent = opened[-1].tag
        if tag not in _INSIDE.get(parent, _KINDS):
            raise self._misplaced(tag, parent)
        if tag in _KINDS:
            value = said.get("value")
            if value is None or not said.get("key") or (tag not in _ANY and (tag, value) not in self._fine):
                self._check(tag, said)
        elif tag == "trace":
            self._count += 1
            self._head(opened[1])
        if len(opened) > _DEEPEST:
            raise self._wrong(f"attributes are nested deeper than {_DEEPEST} elements", "flatten them")
        # The parser takes long to say its line, and an attribute is never asked for it.
        opened.append(_Element(tag, said, 0 if tag in _KINDS else self._parser.CurrentLineNumber))

    def _misplaced(self, tag: str, parent: str) -> BadInput:
        if not parent:
            return self._wrong(f"not XES: its root is <{tag}>", "give an XES file, whose root is <log>")
        if tag == "event" and parent == "log":
            return self._wrong("an <event> stands outside a trace", "put it into the <trace> of its case")
        return self._wrong(f"<{tag}> can't stand in <{parent}>", "see IEEE 1849 for what can")

    def _check(self, kind: str, said: dict[str, str]) -> None:
        if not said.get("key"):
            raise self._wrong(f"a <{kind}> has no key", 'give it one: key="…"')
        if kind in _BARE:
            return
        value = said.get("value")
        if value is None:
            raise self._wrong(f"{said['key']!r} has no value", 'give it one: value="…"')
        if kind in _ANY:
            return
        if kind == "date":
            log_time(value, f"{self._file}:{self._parser.CurrentLineNumber}")
        else:
            shape, wanted = _TEXTS[kind]
            if not shape.fullmatch(value):
                raise self._wrong(f"{said['key']!r} is {value!r}, which is no {kind}", f"write {wanted}")
        if len(self._fine) < _KNOWN:
            self._fine.add((kind, value))

    def _end(self, _name: str) -> None:
        ended = self._open.pop()
        tag = ended.tag
        if tag in _KINDS:
            self._attribute(ended)
        elif tag == "event":
            self._event(ended)
        elif tag == "trace":
            name = _text(ended.keyed, "concept:name")
            self._done.append(LogTrace(name or str(self._count), ended.keyed, tuple(ended.events), ended.line))
        elif tag == "values":
            self._open[-1].add(*(ended.members or ()))
        elif tag == "extension":
            self._extensions[ended.said.get("prefix", "")] = ended.said.get("uri", "")
        elif tag == "classifier":
            self._classifiers[ended.said.get("name", "")] = ended.said.get("keys", "")
        elif tag == "log":
            self._head(ended)

    def _attribute(self, ended: _Element) -> None:
        said = ended.said
        key = said["key"]
        made = LogAttribute(key, _NAMED[ended.tag], said.get("value", ""), tuple(ended.members) if ended.members else ())
        parent = self._open[-1]
        if parent.tag not in _KEYED:
            parent.add(made)
        elif key in parent.keyed:
            raise self._wrong(f"the key {key!r} stands twice in one {parent.tag}", "keep one, or put them into a list")
        else:
            parent.keyed[key] = made

    def _event(self, ended: _Element) -> None:
        name = _text(ended.keyed, "concept:name") or ""
        self._open[-1].events.append(LogEvent(name, _text(ended.keyed, "time:timestamp"), ended.keyed, ended.line))

    def _head(self, log: _Element) -> None:
        if self.header is None:
            self.header = LogHeader(dict(log.keyed), dict(self._extensions), dict(self._classifiers))


def _text(attributes: dict[str, LogAttribute], key: str) -> str | None:
    found = attributes.get(key)
    return found.value if found else None
