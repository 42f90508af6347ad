"""What is known of others, taken out of texts and looked for in files.

It finds what is on file of somebody: names, numbers, addresses, whatever is sealed with them. What nobody has written
down about them as theirs, it can't know: that takes a person's look.
"""

from __future__ import annotations

import binascii
import io
import re
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import Any

from casekit.model.canonical import Json

BAR = "█████"
"""What stands where something was taken out."""

_SHORTEST = 3
_NUMBER = 7
"""Digits at its end by which a number is known."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST = 64 * 1024 * 1024
_RUN = {"base64": re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}"), "hex": re.compile(rb"(?:[0-9A-Fa-f]{2}){4,}")}
_DEFLATED = re.compile(rb"\x78[\x01\x5e\x9c\xda]")


class Redactor:
    """Takes out what is known of others.

    Args:
        known: Texts that are others': details, and values sealed with them.
        names: Of these, names of people: each of their words is taken out by itself, too. Of a mail address, so is what
            stands before the ``@``.
        own: Texts of the reader, which stay.
    """

    def __init__(self, known: Iterable[str], names: Iterable[str] = (), own: Iterable[str] = ()) -> None:
        mine = {_plain(text) for text in own}
        mine |= {word for text in mine for word in text.split()}
        wanted = {" ".join(text.split()) for text in known}
        wanted |= {word for name in names for word in name.split() if len(word) > _SHORTEST}
        wanted |= {text.partition("@")[0] for text in wanted if "@" in text}
        kept = [text for text in wanted if len(text) >= _SHORTEST and _plain(text) not in mine]
        self.secrets = tuple(sorted(kept, key=lambda text: (-len(text), text)))
        self._pattern = re.compile("|".join(map(_spelled, self.secrets)), re.IGNORECASE) if self.secrets else None

    def text(self, text: str, more: Iterable[str] = ()) -> str:
        """A text without what is known of others, nor ``more`` words that a person has marked."""
        found = self._pattern.sub(BAR, text) if self._pattern else text
        for word in sorted(more, key=len, reverse=True):
            found = re.sub(_spelled(word), BAR, found, flags=re.IGNORECASE)
        return found

    def value(self, value: Any) -> Any:
        """A value without it, through maps and lists."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {name: self.value(inner) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(inner) for inner in value]
        return value

    def within(self, content: bytes, more: Iterable[str] = ()) -> bool:
        """Whether a file holds any of it, as text, packed or encoded."""
        wanted = [form for text in (*self.secrets, *more) for form in _forms(text)]
        return bool(wanted) and any(form in view for view in views(content) for form in wanted)


def views(content: bytes) -> Iterator[bytes]:
    """A file in lower case, and what is packed or encoded in it, one layer deep in each way."""
    for view in (content, *_packed(content)):
        yield view.lower()
        for run in _RUN["base64"].findall(view):
            yield from _decoded(run)
        for run in _RUN["hex"].findall(view):
            yield binascii.unhexlify(run).lower()


def _decoded(run: bytes) -> Iterator[bytes]:
    bare = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    for shift in range(4):  # where a run begins is not known when letters stand before it
        part = bare[shift:]
        yield b64decode(part[: len(part) // 4 * 4 + (len(part) % 4 if len(part) % 4 > 1 else 0)] + b"==").lower()


def _packed(content: bytes) -> Iterator[bytes]:
    for found in _DEFLATED.finditer(content):
        try:
            yield zlib.decompressobj().decompress(content[found.start() :], _MOST)
        except zlib.error:
            continue
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                with archive.open(member) as inside:
                    yield inside.read(_MOST)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, zlib.error, EOFError):
        return


def _forms(text: str) -> set[bytes]:
    """How a text may stand in a file, in lower case as :func:`views` gives it."""
    found: set[bytes] = set()
    for one in (text, text.lower(), text.casefold()):
        for coding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
            found.add(one.encode(coding, "replace").lower())
    return found


def _spelled(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    if len(digits) >= _NUMBER and not re.search(r"[^\W\d_]", text) and not _DAY.fullmatch(text):
        # Whatever stands before its last digits may be left out or be written in another way: +49 30, 0049 (0)30, 030.
        return r"(?:[+(]?\d[\d ()/.-]{0,14}?)?" + r"[^\w]{0,3}".join(digits[-_NUMBER:])
    return r"\s+".join(re.escape(part) for part in text.split())


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def texts(value: Json | Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from texts(inner)
