"""What an SCXML document declares: its states with their paths here, its variables with their kinds, its events with
what they carry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from attrs import evolve, frozen

from casekit.decisions.check_lifecycle import ID
from casekit.decisions.compiled import INTERNAL
from casekit.decisions.grammar import RESERVED
from casekit.decisions.scxml_tree import Element, Wrong
from casekit.decisions.scxml_words import PROCESSOR, Names, Word, event_fields, literal, value
from casekit.definition.casetype import ALWAYS

STATES = ("state", "parallel", "final", "history")
HANDLER = ""
"""Context of what a state does: any event, or none, may have led there."""
ERROR = "error.execution"
_OPTIONAL = ("sendid", "origintype", "invokeid")
_PROTECTED = ("_name", "_sessionid", "_event", "_ioprocessors", "_x")


@frozen
class Site:
    """A place at which an event is sent or raised.

    Attributes:
        event: Its name in the document.
        element: The element that does it.
        context: Event under which that is done; None: without one.
        carries: Field of the event → the word for it, or the text of an expression.
    """

    event: str
    element: Element
    context: str | None
    carries: Mapping[str, Word | str]


class Document:
    """A document, looked through.

    Attributes:
        paths: Id of a state → its path.
        alphabet: Events that the document names, in document order.
        variables: Name → the word for it.
        start: Field of case data → what it begins with.
    """

    def __init__(self, root: Element, resources: Callable[[str], str]) -> None:
        self.root, self.resources = root, resources
        self.elements: dict[str, Element] = {}
        self.paths: dict[str, str] = {}
        self._place(root, "")
        if not self.paths:
            raise Wrong(root, "has no state", "give it one")
        name = root.attributes.get("name", "")
        # One case is one session, and its name is as good an id as any: it does not change.
        self.constants = {"_name": literal(name or None, root), "_sessionid": literal(name or "session", root)}
        self.finals = {self.idof(e) for e in self.elements.values() if any(child.name == "final" for child in e.children)}
        self.fails = any(self.failing(e) or self.guarded(e) for e in root.walk())
        self.alphabet = self._events()
        self.blocks = tuple(self._blocks())
        self.sites = tuple(self._sites())
        self.in_handlers = False
        self.read = self._fields_read()
        self._busy: set[str] = set()
        self.variables, self.start = self._declared()
        self._infer()

    def idof(self, element: Element) -> str:
        """The id of a state."""
        return element.attributes["id"]

    def names(self, context: str | None) -> Names:
        """What an expression may name where an event of that name is bound; :data:`HANDLER`: any, or none; None: none."""
        states = {id_: "False" if self.elements[id_].name == "history" else f"at('{path}')" for id_, path in self.paths.items()}
        event: dict[str, Word] | None = None
        bound = ""
        if context == HANDLER:
            event, bound = {"name": Word("event.name", "string")}, "known(event.name)"
        elif context is not None:
            event, bound = self.carried(context), "True"
        return Names(self.variables, states, self.constants, event, bound)

    def carried(self, event: str) -> dict[str, Word]:
        """What every event of a name carries."""
        if event in self._busy:
            return {}  # an event that hands on what it has come with
        self._busy.add(event)
        try:
            return self._carried(event)
        finally:
            self._busy.discard(event)

    def _carried(self, event: str) -> dict[str, Word]:
        sites = [site for site in self.sites if site.event == event]
        found = {"name": literal(event, self.root)}
        for path in self.read.get(event, ()):
            words = [self._carries(site, path) for site in sites]
            given = [word for word in words if word is not None]
            if not given and path in _OPTIONAL:
                found[path] = Word("", "none", sure=False)
            elif given and (len(given) == len(words) or path in _OPTIONAL):
                kind = next((word.kind for word in given if word.kind not in ("", "none")), "")
                sure = len(given) == len(words) and all(word.sure for word in given)
                found.setdefault(path, Word(f"event.{field_name(path)}", kind, sure))
        if not any(site.carries.get("type") == literal("external", self.root) for site in sites) and "origin" in self.read.get(event, ()):
            found["origin"] = Word("", "none", sure=False)  # blank but in what comes from outside
        return found

    def matching(self, transition: Element) -> tuple[str | None, ...]:
        """The events that a transition listens to; ``(None,)``: to none, it is eventless."""
        if "event" not in transition.attributes:
            return (None,)
        tokens = [_token(word) for word in transition.attributes["event"].split()]
        return tuple(e for e in self.alphabet if any(t in ("*", e) or e.startswith(f"{t}.") for t in tokens))

    def _blocks(self) -> Iterator[tuple[Element, str | None]]:
        """What is done somewhere, each with the event that is bound then."""
        for element in self.root.walk():
            if element.name in ("onentry", "onexit", "initial", "history"):
                owner = element.all("transition")[0] if element.name in ("initial", "history") and element.all("transition") else element
                yield owner, HANDLER
            elif element.name in STATES:
                for transition in element.all("transition"):
                    yield from ((transition, event) for event in self.matching(transition))

    def _sites(self) -> Iterator[Site]:
        """Every place at which an event is sent or raised."""
        for block, context in self.blocks:
            for element in block.walk():
                if element.name == "raise":
                    yield Site(element.attributes.get("event", ""), element, context, {"type": literal("internal", element)})
                elif element.name == "send" and not self.failing(element):
                    yield Site(element.attributes.get("event", ""), element, context, _sent(element))
        for id_ in self.finals:
            for final in self.elements[id_].all("final"):
                donedata = final.all("donedata")
                yield Site(f"done.state.{id_}", final, HANDLER, _payload(donedata[0]) if donedata else {})
        if self.fails:
            yield Site(ERROR, self.root, None, {"type": literal("platform", self.root)})

    def failing(self, element: Element) -> bool:
        """Whether it can only fail, which SCXML answers with an event: a variable that is not there, a target that is no address."""
        if element.name == "assign":
            location = element.attributes.get("location", "")
            return location in _PROTECTED or not any(e.name == "data" and e.attributes.get("id") == location for e in self.root.walk())
        target = element.attributes.get("target", "#_internal")
        if element.name == "send" and target.startswith(("#_", "http")) and target != "#_internal":
            raise Wrong(element, f"the target {target!r} is outside the subset that is read", "send to the session itself")
        return element.name == "send" and target != "#_internal"

    def guarded(self, element: Element) -> bool:
        """Whether it is what a state does, and reads a field of an event that may not be there."""
        return element.name in ("onentry", "onexit") and any(event_fields(text) for text in _expressions(element))

    def _place(self, element: Element, above: str) -> None:
        for number, child in enumerate(element.children, start=1):
            if child.name not in STATES:
                continue
            id_ = child.attributes.get("id") or f"{above.rpartition('.')[2] or 'state'}_{child.name}{number}"
            assert isinstance(child.attributes, dict)
            child.attributes["id"] = id_
            name = re.sub(r"[^a-z0-9_-]+", "_", id_.lower())
            name = name if ID.fullmatch(name) else "s_" + re.sub(r"[^a-z0-9_]+", "_", name)
            path = f"{above}.{name}" if above else name
            if id_ in self.paths or any(other.rpartition(".")[2] == name for other in self.paths.values()):
                raise Wrong(child, f"the id {id_!r} comes twice, or differs from another one in case only", "rename one")
            self.elements[id_], self.paths[id_] = child, path
            self._place(child, path)

    def _events(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for element in self.root.walk():
            if element.name in ("raise", "send") and not element.attributes.get("event"):
                raise Wrong(element, "names no event", "say which event")
            if element.name in ("raise", "send") and not self.failing(element):
                found[element.attributes["event"]] = None
            elif element.name == "transition":
                tokens = [_token(word) for word in element.attributes.get("event", "").split()]
                found |= dict.fromkeys(t for t in tokens if t != "*" and t.split(".")[0] not in ("error", "done"))
        done = [f"done.state.{id_}" for id_, element in self.elements.items() if self._ends(element)]
        names = (*found, *done, *((ERROR,) if self.fails else ()))
        for name in found:
            if INTERNAL.fullmatch(name) or name == ALWAYS:
                raise Wrong(self.root, f"the event {name!r} means something else here", "rename it")
        return names

    def leave_out(self, dead: frozenset[str]) -> None:
        """Without some states, others may never be done, and the events that say so never come."""
        never = {f"done.state.{id_}" for id_, element in self.elements.items() if id_ in dead or not self._ends(element, dead)}
        self.alphabet = tuple(event for event in self.alphabet if event not in never)

    def _ends(self, element: Element, dead: frozenset[str] = frozenset()) -> bool:
        if element.name == "parallel":
            return all(self._ends(region, dead) for region in element.all("state", "parallel"))
        return any(child.name == "final" and self.idof(child) not in dead for child in element.children)

    def _fields_read(self) -> dict[str, set[str]]:
        """Event → the fields that someone reads of it; ``name`` where a state's handler reads it."""
        found: dict[str, set[str]] = {event: set() for event in self.alphabet}
        for block, context in self.blocks:
            for text in _expressions(block):
                fields = event_fields(text)
                if context == HANDLER:
                    self.in_handlers = self.in_handlers or bool(fields) or text.strip() == "_event"
                elif context is not None:
                    found[context] |= fields
        if self.in_handlers:
            for fields in found.values():
                fields.add("name")
        return found

    def _carries(self, site: Site, path: str) -> Word | None:
        given = site.carries.get(path)
        if path == "name":
            return literal(site.event, site.element)
        if given is None or isinstance(given, Word):
            return given
        try:
            return value(given, self.names(site.context), site.element)
        except Wrong:
            return Word("", "", sure=False)

    def _declared(self) -> tuple[dict[str, Word], dict[str, object]]:
        words: dict[str, Word] = {}
        start: dict[str, object] = {}
        for data in [e for e in self.root.walk() if e.name == "data"]:
            name = data.attributes.get("id", "")
            here = re.sub(r"[^a-z0-9_]+", "_", name.lower())
            if not re.fullmatch(r"[a-z][a-z0-9_]*", here) or here in RESERVED or any(word.text == here for word in words.values()):
                raise Wrong(data, f"{name!r} can't be a field here", "choose another name, of letters, digits and '_'")
            first = self._first_value(data)
            words[name] = Word(here, "" if first is None else first.kind, first is not None)
            if first is not None:
                start[here] = _python(first)
        return words, start

    def _first_value(self, data: Element) -> Word | None:
        text = data.attributes.get("expr")
        if text is None and "src" in data.attributes:
            return content(self.resources(data.attributes["src"]).strip(), data)
        if text is None:
            return content(data.text, data) if data.text else None
        word = value(text, Names(constants=self.constants), data)
        if word.kind != "none" and not _written_out(word):
            raise Wrong(data, f"{text!r} is computed", "write the first value out")
        return None if word.kind == "none" else word

    def _infer(self) -> None:
        """Kinds of variables, and which are never missing, from everything that is assigned to them."""
        for _ in range(2 * len(self.variables) + 2):
            before = dict(self.variables)
            for block, context in self.blocks:
                for element in [e for e in block.walk() if e.name == "assign" and not self.failing(e)]:
                    self._assigned(element, context)
            if self.variables == before:
                return

    def _assigned(self, element: Element, context: str | None) -> None:
        name = element.attributes["location"]
        known = self.variables[name]
        try:
            word = value(element.attributes.get("expr", ""), self.names(context), element)
        except Wrong:
            return  # said when the element is built
        kind = known.kind or ("" if word.kind == "none" else word.kind)
        self.variables[name] = evolve(known, kind=kind, sure=known.sure and word.sure)


def field_name(path: str) -> str:
    """The name of an event's field here."""
    return re.sub(r"[^a-z0-9_]+", "_", path.lower())


def content(text: str, element: Element) -> Word:
    """What a text between tags says: a whole number, or the text."""
    return literal(int(text), element) if re.fullmatch(r"-?[0-9]{1,15}", text) else literal(" ".join(text.split()), element)


def _sent(send: Element) -> dict[str, Word | str]:
    if send.attributes.get("type", PROCESSOR) not in (PROCESSOR, "scxml"):
        raise Wrong(send, f"the type {send.attributes['type']!r} is outside the subset that is read", "leave it out")
    inside = send.attributes.get("target") == "#_internal"
    found = {"type": literal("internal" if inside else "external", send), **_payload(send)}
    if not inside:
        found["origintype"] = literal(PROCESSOR, send)
    if "id" in send.attributes:
        found["sendid"] = literal(send.attributes["id"], send)
    return found


def _payload(element: Element) -> dict[str, Word | str]:
    found: dict[str, Word | str] = {}
    for child in element.children:
        text: str | None = child.attributes.get("expr")
        if child.name == "param":
            found[f"data.{child.attributes.get('name', '')}"] = text or ""
        else:
            found["data"] = content(child.text, child) if text is None else text
    return found


def _expressions(block: Element) -> Iterator[str]:
    for element in block.walk():
        if element.name != "log":
            yield from (element.attributes[name] for name in ("cond", "expr") if name in element.attributes)


def _token(word: str) -> str:
    return word if word == "*" else word.removesuffix(".*").removesuffix(".")


def _written_out(word: Word) -> bool:
    return word.text in ("True", "False") or word.text[:1] in "'\"" or word.text.strip("(-)").isdigit()


def _python(word: Word) -> object:
    if word.kind == "boolean":
        return word.text == "True"
    return int(word.text.strip("()")) if word.kind == "integer" else word.text[1:-1]
