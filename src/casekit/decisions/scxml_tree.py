"""SCXML as a tree of elements with their lines; what is outside the subset is refused by name.

Document type declarations are refused, and entities with them, so that a small file can't unfold into a large one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.parsers import expat

from attrs import define, field

from casekit.errors import BadInput, Problem

NAMESPACE = "http://www.w3.org/2005/07/scxml"
_DEEPEST = 100
_DOING = ("raise", "send", "cancel", "assign", "if", "log")
_STATES = ("state", "parallel", "final")
_INSIDE: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "scxml": (("initial", "version", "datamodel", "name", "binding"), (*_STATES, "datamodel")),
    "state": (("id", "initial"), (*_STATES, "history", "initial", "transition", "onentry", "onexit", "datamodel")),
    "parallel": (("id",), ("state", "parallel", "history", "transition", "onentry", "onexit", "datamodel")),
    "final": (("id",), ("onentry", "onexit", "donedata")),
    "history": (("id", "type"), ("transition",)),
    "initial": ((), ("transition",)),
    "transition": (("event", "cond", "target", "type"), _DOING),
    "onentry": ((), _DOING),
    "onexit": ((), _DOING),
    "if": (("cond",), (*_DOING, "elseif", "else")),
    "elseif": (("cond",), ()),
    "else": ((), ()),
    "raise": (("event",), ()),
    "send": (("event", "target", "type", "id", "delay"), ("param", "content")),
    "cancel": (("sendid",), ()),
    "assign": (("location", "expr"), ()),
    "log": (("label", "expr"), ()),
    "datamodel": ((), ("data",)),
    "data": (("id", "expr", "src"), ()),
    "donedata": ((), ("param", "content")),
    "param": (("name", "expr"), ()),
    "content": (("expr",), ()),
}
"""Element of the subset → its attributes, and the elements that may stand in it."""
_BEYOND = frozenset(
    [
        "autoforward",
        "delayexpr",
        "eventexpr",
        "exmode",
        "idlocation",
        "location",
        "namelist",
        "profile",
        "sendidexpr",
        "srcexpr",
        "targetexpr",
        "typeexpr",
    ]
)
"""Attributes that SCXML knows and the subset does not."""
_WITH_TEXT = frozenset({"data", "content"})


@define
class Element:
    """One element.

    Attributes:
        name: Its name, without namespace.
        line: Where it begins.
        attributes: Its attributes.
        children: The elements in it.
        text: The text in it, of those that may have one.
    """

    name: str
    line: int
    attributes: Mapping[str, str]
    children: list[Element] = field(factory=list)
    text: str = ""

    def all(self, *names: str) -> list[Element]:
        """The elements of those names in it."""
        return [child for child in self.children if child.name in names]

    def walk(self) -> Iterator[Element]:
        """It and all within, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


class Wrong(Exception):
    """Something at an element that the subset does not have."""

    def __init__(self, element: Element, what: str, do: str) -> None:
        super().__init__(what)
        self.element, self.what, self.do = element, what, do

    def problem(self, where: str) -> Problem:
        """The same for the caller of the import."""
        return Problem(f"{where}: line {self.element.line}: <{self.element.name}>", self.what, self.do)


def parse(text: str | bytes, where: str) -> tuple[Element, list[str]]:
    """The root element, and what was passed over.

    Raises:
        BadInput: no XML, no SCXML, or beyond the subset: every element and attribute, each with its line.
    """
    reading = _Reading(where)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: reading.begins(name, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = reading.ends
    parser.CharacterDataHandler = reading.says
    parser.StartDoctypeDeclHandler = lambda *_: reading.doctype(parser.CurrentLineNumber)
    try:
        parser.Parse(text.encode() if isinstance(text, str) else text, True)
    except expat.ExpatError as wrong:
        raise BadInput.at(f"{where}: line {wrong.lineno}", expat.ErrorString(wrong.code), "repair the XML") from None
    if reading.problems:
        raise BadInput(reading.problems)
    assert reading.root is not None
    return reading.root, reading.notes


class _Reading:
    def __init__(self, where: str) -> None:
        self.where = where
        self.root: Element | None = None
        self.spaces: set[str] = set()
        self.open: list[Element] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def begins(self, full: str, attributes: Mapping[str, str], line: int) -> None:
        space, _, name = full.rpartition(" ")
        if len(self.open) >= _DEEPEST:
            raise BadInput.at(f"{self.where}: line {line}", f"elements are nested more than {_DEEPEST} deep", "make it flatter")
        element = Element(name, line, dict(attributes))
        if self.root is None:
            if name != "scxml" or space not in (NAMESPACE, ""):
                raise BadInput.at(f"{self.where}: line {line}", f"<{name}> is no SCXML document", f"begin with <scxml xmlns={NAMESPACE!r}>")
            if not space:
                self.notes.append(f"line {line}: <scxml> names no namespace; read as SCXML")
            self.root, self.spaces = element, {NAMESPACE, space}
        elif space not in self.spaces or name not in _INSIDE:
            self._wrong(element, "is outside the subset that is read", "take it away; read are " + ", ".join(_INSIDE))
        elif name not in _INSIDE[self.open[-1].name][1] if self.open[-1].name in _INSIDE else False:
            self._wrong(element, f"can't stand in <{self.open[-1].name}>", "move it")
        self._attributes(element)
        if self.open:
            self.open[-1].children.append(element)
        self.open.append(element)

    def ends(self, _name: str) -> None:
        element = self.open.pop()
        element.text = element.text.strip()
        if element.text and element.name not in _WITH_TEXT and element.name in _INSIDE:
            self._wrong(element, f"holds a text ({element.text[:20]!r})", "take it away")

    def says(self, text: str) -> None:
        self.open[-1].text += text

    def doctype(self, line: int) -> None:
        raise BadInput.at(f"{self.where}: line {line}", "a document type declaration (DOCTYPE) is refused", "remove it")

    def _attributes(self, element: Element) -> None:
        known = _INSIDE.get(element.name, ((), ()))[0]
        for name in element.attributes:
            if element.name not in _INSIDE or name in known or " " in name:
                continue
            if name in _BEYOND or any(name in others for others, _ in _INSIDE.values()):
                self._wrong(element, f"the attribute {name} is outside the subset that is read", "take it away")
            else:
                self.notes.append(
                    f"line {element.line}: <{element.name}> has an attribute {name!r}, which SCXML does not know; passed over"
                )

    def _wrong(self, element: Element, what: str, do: str) -> None:
        self.problems.append(Wrong(element, what, do).problem(self.where))
