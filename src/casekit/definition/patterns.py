r"""Patterns of JSON Schema, read as ECMA-262 means them, in Python's own engine.

The two dialects differ in small ways that let a text pass where it should not: Python's ``$`` stands before a
last line end, its ``\d`` knows the digits of every script. A pattern is translated once; what can't be
translated is refused when the definition loads.
"""

from __future__ import annotations

import re
from functools import lru_cache

from casekit.errors import BadInput

_SPACES = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_SETS = {"d": "0-9", "w": "A-Za-z0-9_", "s": _SPACES}
_PLAIN = frozenset("tnrfv")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_QUANTIFIER = re.compile(r"\{[0-9]{1,4}(,([0-9]{1,4})?)?\}")


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, ready to search with.

    Raises:
        BadInput: it is no pattern, or uses what the dialects read differently.
    """
    try:
        return re.compile(_Reader(pattern).read())
    except (re.error, OverflowError, RecursionError) as wrong:
        raise BadInput.at("pattern", f"{pattern!r} is no pattern: {wrong}", "write it as ECMA-262 has it") from None


class _Reader:
    """Goes through a pattern once, and writes it anew."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def read(self) -> str:
        parts = []
        while self.at < len(self.pattern):
            parts.append(self._part())
        return "".join(parts)

    def _part(self) -> str:
        sign = self.pattern[self.at]
        if sign == "\\":
            return self._escape(within=False)
        if sign == "[":
            return self._class()
        if sign == "{":
            return self._take(_QUANTIFIER, "a brace that counts nothing")
        self.at += 1
        if sign == "$":
            return r"\Z"
        if sign == ".":
            return "[^\n\r\u2028\u2029]"
        if sign == "(" and self.pattern.startswith("?", self.at) and not self.pattern.startswith("?:", self.at):
            raise self._refused("a kind of group that not every reader knows")
        if sign in "]}":
            raise self._refused(f"a {sign} that closes nothing")
        if sign in "*+?" and self.pattern.startswith("+", self.at):
            raise self._refused("a quantifier that not every reader knows")
        return sign

    def _class(self) -> str:
        parts = ["["]
        self.at += 1
        if self.pattern.startswith("^", self.at):
            parts.append("^")
            self.at += 1
        if self.pattern.startswith("]", self.at):
            raise self._refused("an empty class")
        while not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise self._refused("a class that is never closed")
            sign = self.pattern[self.at]
            if sign == "\\":
                parts.append(self._escape(within=True))
                continue
            self.at += 1
            parts.append("\\" + sign if sign in "[&~|" else sign)
        self.at += 1
        return "".join(parts) + "]"

    def _escape(self, *, within: bool) -> str:
        match = _ESCAPE.match(self.pattern, self.at)
        if match is None:
            raise self._refused("a backslash at its end")
        self.at = match.end()
        code, letter = match[1] or match[2], match[3]
        if code:
            return re.escape(chr(int(code, 16)))
        if letter in _SETS:
            return _SETS[letter] if within else f"[{_SETS[letter]}]"
        if letter.lower() in _SETS and not within:
            return f"[^{_SETS[letter.lower()]}]"
        if letter in _PLAIN or (letter.isascii() and not letter.isalnum() and letter != "_"):
            return "\\" + letter
        raise self._refused(f"\\{letter}, which not every reader knows")

    def _take(self, form: re.Pattern[str], what: str) -> str:
        match = form.match(self.pattern, self.at)
        if match is None:
            raise self._refused(what)
        self.at = match.end()
        if self.pattern.startswith("+", self.at):
            raise self._refused("a quantifier that not every reader knows")
        return match[0]

    def _refused(self, what: str) -> BadInput:
        return BadInput.at("pattern", f"{self.pattern!r} uses {what}", "write it with literals, classes, groups and quantifiers")
