"""Text in pictures: made harmless, broken into lines, measured without a font."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator

_JOINERS = "\u200c\u200d"
"""Signs that are not seen, and that scripts need."""
_LOST = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_NARROW = frozenset("iljtfrI.,:;'|!()[]{} ")
_BROAD = frozenset("mwMWQO@%&—…")
LOST = "\ufffd"


def clean(text: str) -> str:
    """The text on one line, with nothing in it that steers a reader's screen: what can't be shown is U+FFFD."""
    return " ".join("".join(_shown(char) for char in text).split())


def _shown(char: str) -> str:
    if char in " \t\r\n\v\f":
        return " "
    return LOST if unicodedata.category(char) in _LOST and char not in _JOINERS else char


def width(text: str, size: float) -> float:
    """About how broad the text is at a size of type; rather too much than too little."""
    return round(size * sum(_part(char) for char in text), 1)


def _part(char: str) -> float:
    if char in _NARROW:
        return 0.42
    if char in _BROAD:
        return 0.98
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    return 0.0 if unicodedata.combining(char) else 0.74 if char.isupper() else 0.63


def folded(text: str, length: int) -> list[str]:
    """The text in lines of at most so many characters, broken at blanks where there are any."""
    return _lines(text, length, len)


def fitted(text: str, size: float, room: float) -> list[str]:
    """The text in lines that are no broader than there is room, at a size of type."""
    return _lines(text, room, lambda line: width(line, size))


def _lines(text: str, most: float, extent: Callable[[str], float]) -> list[str]:
    found: list[str] = []
    line = ""
    for word in _pieces(clean(text).split(), most, extent):
        if line and extent(f"{line} {word}") > most:
            found.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*found, line] if line else found


def _pieces(words: Iterable[str], most: float, extent: Callable[[str], float]) -> Iterator[str]:
    for word in words:
        piece = ""
        for char in word if extent(word) > most else (word,):
            if piece and extent(piece + char) > most:
                yield piece
                piece = ""
            piece += char
        yield piece


def cut(lines: list[str], most: int) -> list[str]:
    """At most so many lines; that there were more is shown."""
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1]} …"]
