"""Lifecycles from SCXML (W3C): a document becomes a case type that does the same, or is refused by name and line.

Read are states with everything about them, ``raise``, ``send``, ``cancel``, ``assign``, ``if``, ``donedata``, variables
and the expressions of :mod:`casekit.decisions.scxml_words`. An event descriptor (``*``, a prefix) becomes one
transition for each event that the document names. ``log`` is passed over.

A ``send`` becomes a clock that raises the event when it is due (an alarm), or, without delay, an event that comes after
everything else; a ``cancel`` cancels that clock. Where whoever runs the case has a queue and a clock of its own, both
become effects (``sends="effects"``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from attrs import evolve, frozen

from casekit.decisions import check_lifecycle
from casekit.decisions.check import check
from casekit.decisions.compiled import compile_type
from casekit.decisions.scxml_names import ERROR, HANDLER, Document, field_name
from casekit.decisions.scxml_tree import Element, Wrong, parse
from casekit.decisions.scxml_words import Word, assigns, event_fields, literal, test, value
from casekit.definition.casetype import ALWAYS, Action, CaseType, Clock, State, Transition
from casekit.definition.fields import Field, field
from casekit.errors import BadInput

_KINDS: Mapping[str, type] = {"integer": int, "string": str, "boolean": bool, "": str}
Sends = Literal["clocks", "effects"]
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s)")


@frozen
class FromScxml:
    """What an SCXML document came to.

    Attributes:
        case_type: The case type.
        data: What its variables begin with, canonical: a case opens with them.
        notes: What was passed over or read in a way that its author may not expect, each with its line.
    """

    case_type: CaseType
    data: Mapping[str, Any]
    notes: tuple[str, ...]


def read_scxml(
    text: str | bytes,
    where: str,
    *,
    key: str = "scxml",
    version: str = "1",
    resources: Callable[[str], str] | None = None,
    sends: Sends = "clocks",
) -> FromScxml:
    """The case type that an SCXML document says.

    Args:
        text: The document.
        where: File, for messages.
        key, version: Of the case type.
        resources: Gives the text that a ``src`` names; None: such variables are refused.
        sends: What becomes of ``send`` and ``cancel``: clocks and events, or the effects ``send`` and ``cancel``.

    Raises:
        BadInput: no SCXML, or beyond what is read here: the element and its line.
    """
    root, notes = parse(text, where)
    try:
        building = _Building(Document(root, resources or _nothing(root)), notes, sends)
        case_type = building.case_type(key, version)
        while dead := check_lifecycle.unreachable(case_type):
            building.leave_out(dead)
            case_type = building.case_type(key, version)
    except Wrong as wrong:
        raise BadInput([wrong.problem(where)]) from None
    check(case_type, where)
    compile_type(case_type, "", (), where)  # a condition may have become too long, or a number too large
    return FromScxml(case_type, building.document.start, tuple(dict.fromkeys(building.notes)))


def _nothing(root: Element) -> Callable[[str], str]:
    def refuse(name: str) -> str:
        raise Wrong(root, f"a value is in another file ({name!r})", "write it into the document")

    return refuse


class _Building:
    def __init__(self, document: Document, notes: list[str], sends: Sends) -> None:
        self.document, self.notes, self.sends = document, notes, sends
        self.alarms = _alarms(document) if sends == "clocks" else {}
        self.dead: frozenset[str] = frozenset()

    def leave_out(self, paths: list[str]) -> None:
        """States that nothing leads to are left out."""
        document = self.document
        dead = [id_ for id_, path in document.paths.items() if path in paths]
        for id_ in dead:
            self.note(document.elements[id_], "nothing leads here; left out")
        self.dead = self.dead.union(dead)
        document.leave_out(self.dead)

    def note(self, element: Element, words: str) -> None:
        name = f"<{element.name}>" + (f" {element.attributes['id']!r}" if "id" in element.attributes else "")
        self.notes.append(f"line {element.line}: {name}: {words}")

    def case_type(self, key: str, version: str) -> CaseType:
        root, document = self.document.root, self.document
        self.settings(root)
        words = document.variables.values()
        names = root.attributes.get("initial", "").split()
        if document.in_handlers:
            self.note(root, "what states do reads the name of the event: who fires an event gives it as the field 'name'")
        made = CaseType(
            key=key,
            version=version,
            title=root.attributes.get("name", "") or key,
            initial=self.paths(names, root) if names else self.first(root, ""),
            states=self.states(root, top=True),
            transitions=dict(entry for id_ in document.elements if id_ not in self.dead for entry in self.transitions(id_)),
            data={word.text: self.field(word, document.start.get(word.text)) for word in words},
        )
        started = {action.start for action in check_lifecycle.actions_of(made)}
        if self.alarms.keys() - started:  # what is never sent can't be cancelled either
            self.alarms = {id_: element for id_, element in self.alarms.items() if id_ in started}
            return self.case_type(key, version)
        return evolve(made, clocks={id_: self.alarm(element) for id_, element in self.alarms.items()})

    def settings(self, root: Element) -> None:
        for name, known in {"version": ("1.0",), "datamodel": ("python", "ecmascript", "c89", "null"), "binding": ("early",)}.items():
            if name in root.attributes and root.attributes[name] not in known:
                raise Wrong(root, f"{name}={root.attributes[name]!r} is outside the subset that is read", "use " + " or ".join(known))

    def field(self, word: Word, first: object = None) -> Field:
        kind = _KINDS[word.kind]
        made = field(kind, personal=False if kind is str else None)
        return made if first is None else evolve(made, schema={**made.schema, "default": first})

    def states(self, element: Element, *, top: bool = False) -> dict[str, State]:
        found = {}
        for child in element.all("state", "parallel", "final", "history"):
            if self.document.idof(child) not in self.dead:
                path = self.document.paths[self.document.idof(child)]
                found[path.rpartition(".")[2]] = self.state(child, path, top=top)
        return found

    def state(self, element: Element, path: str, *, top: bool) -> State:
        id_ = self.document.idof(element)
        if element.name == "history":
            return self.history(element, path, id_)
        inner = self.states(element)
        initial, on_initial = self.initial(element, path) if inner and element.name == "state" else ("", ())
        final = element.name == "final"
        return State(
            title=id_,
            category=("closed" if final else "open") if top else "",
            initial=initial,
            states=inner,
            outcome=id_ if final and top else "",
            on_enter=self.handlers(element, "onentry"),
            on_exit=self.handlers(element, "onexit"),
            parallel=element.name == "parallel",
            final=final and not top,
            on_initial=on_initial,
            done=self.done(element, id_) if final and not top else {},
        )

    def history(self, element: Element, path: str, id_: str) -> State:
        transition = _only(element, "transition")
        if transition is None or not transition.attributes.get("target"):
            raise Wrong(element, "a history without default", "give it a transition with a target")
        kind = element.attributes.get("type", "shallow")
        if kind not in ("shallow", "deep"):
            raise Wrong(element, f"no history is {kind!r}", "use shallow or deep")
        around = path.rpartition(".")[0]
        initial = self.paths(transition.attributes["target"].split(), transition, around)
        on_enter = self.block(transition.children, HANDLER)
        return State(title=id_, initial=initial, on_enter=on_enter, history="deep" if kind == "deep" else "shallow")

    def initial(self, element: Element, path: str) -> tuple[str, tuple[Action, ...]]:
        names = element.attributes.get("initial", "").split()
        actions: tuple[Action, ...] = ()
        inside = _only(element, "initial")
        if inside is not None:
            transition = _only(inside, "transition")
            if names or transition is None or not transition.attributes.get("target"):
                raise Wrong(inside, "an initial element has one transition with a target, and no attribute beside it", "say it once")
            names = transition.attributes["target"].split()
            actions = self.block(transition.children, HANDLER)
        if not names or any(name in self.dead for name in names):
            return self.first(element, path), actions
        return self.paths(names, element, path), actions

    def first(self, element: Element, path: str) -> str:
        """The first inner state, which is entered where none is named."""
        states = [e for e in element.all("state", "parallel", "final") if self.document.idof(e) not in self.dead]
        if not states:
            raise Wrong(element, "has no inner state to begin with", "add one")
        return self.paths([self.document.idof(states[0])], element, path)

    def paths(self, ids: Iterable[str], element: Element, within: str = "") -> str:
        found = []
        for id_ in ids:
            path = self.document.paths.get(id_)
            if path is None:
                raise Wrong(element, f"no state {id_!r}", "name a state of the document")
            if within and not path.startswith(f"{within}."):
                raise Wrong(element, f"{id_!r} lies outside", "name an inner state")
            found.append(path.removeprefix(f"{within}.") if within else path)
        return " ".join(found)

    def done(self, final: Element, id_: str) -> dict[str, str]:
        above = self.document.paths[id_].rpartition(".")[0]
        event = "done.state." + next(i for i, path in self.document.paths.items() if path == above)
        return self.payload(event, final, HANDLER, final)

    def handlers(self, element: Element, name: str) -> tuple[Action, ...]:
        # Each block for itself: an error ends the block that it is in, and no other one.
        return tuple(action for block in element.all(name) for action in self.block(block.children, HANDLER))

    def transitions(self, id_: str) -> Iterable[tuple[str, Transition]]:
        document = self.document
        element, path = document.elements[id_], document.paths[id_]
        if element.name == "history":
            return
        name = path.rpartition(".")[2]
        for number, says in enumerate(element.all("transition"), start=1):
            events = document.matching(says)
            if not events:
                self.note(says, f"the event {says.attributes.get('event')!r} never comes; left out")
            for turn, event in enumerate(events, start=1):
                key = f"{name}-t{number}" + (f"-{turn}" if len(events) > 1 else "")
                yield key, self.transition(says, path, event)

    def transition(self, says: Element, path: str, event: str | None) -> Transition:
        kind = says.attributes.get("type", "external")
        if kind not in ("external", "internal"):
            raise Wrong(says, f"no transition is {kind!r}", "use external or internal")
        condition = self.test(says, event) if "cond" in says.attributes else ""
        targets = says.attributes.get("target", "").split()
        carried = self.document.carried(event) if event is not None else {}
        form = {word.text.removeprefix("event."): self.field(word) for word in carried.values() if word.text.startswith("event.")}
        if event is not None and self.document.in_handlers:
            form["name"] = field(str, personal=False)
        return Transition(
            source=path,
            target=self.paths(targets, says) if targets else None,
            on=ALWAYS if event is None else self.event(event),
            when=condition or ("True" if event is None else ""),
            form=form,
            do=self.block(says.children, event),
            internal=kind == "internal",
            title=says.attributes.get("event", ""),
        )

    def event(self, event: str) -> str:
        """The name of an event here: done events go by the path of the state."""
        id_ = event.removeprefix("done.state.")
        return f"done.state.{self.document.paths[id_]}" if id_ != event and id_ in self.document.paths else event

    def test(self, element: Element, context: str | None) -> str:
        text = element.attributes["cond"]
        if assigns(text):
            if any(
                token.split(".")[0] in ("error", "*") for e in self.document.root.walk() for token in e.attributes.get("event", "").split()
            ):
                raise Wrong(element, f"{text!r} assigns, and is no test", "write == for a comparison")
            self.note(element, f"{text!r} assigns, and is no test: it is false, as SCXML has it")
            return "False"
        if context == HANDLER and event_fields(text):
            raise Wrong(element, f"{text!r} reads an event that may not be there", "ask in a transition")
        return self.alive(test(text, self.document.names(context), element))

    def alive(self, text: str) -> str:
        for id_ in self.dead:
            text = text.replace(f"at('{self.document.paths[id_]}')", "False")
        return text

    def block(self, elements: Sequence[Element], context: str | None, *, inside: bool = False) -> tuple[Action, ...]:
        """What elements do one after the other; an error ends it, and is raised."""
        found: list[Action] = []
        for place, element in enumerate(elements):
            reads = context == HANDLER and self.reads(element)
            if inside and (reads or self.document.failing(element)):
                raise Wrong(element, "may fail within an <if>", "put it outside")
            if self.document.failing(element):
                self.note(element, f"can only fail: {ERROR} is raised, and nothing after it is done")
                return (*found, self.error())
            if reads:
                rest = self.block(elements[place + 1 :], context)
                return (*found, Action(when="known(event.name)", do=(*self.actions(element, context), *rest), otherwise=(self.error(),)))
            found += self.actions(element, context)
        return tuple(found)

    def reads(self, element: Element) -> bool:
        return element.name in ("assign", "send") and any(event_fields(e.attributes.get("expr")) for e in element.walk())

    def actions(self, element: Element, context: str | None) -> tuple[Action, ...]:
        if element.name == "log":
            self.note(self.document.root, "what <log> would say is passed over")
            return ()
        if element.name == "cancel" and self.sends == "clocks":
            return self.cancelled(element)
        return (getattr(self, f"do_{element.name}")(element, context),)

    def error(self) -> Action:
        carried = {"type": "'platform'", "name": f"'{ERROR}'"}
        return Action(emit=ERROR, args={name: carried[name] for name in self.wanted(ERROR) if name in carried})

    def wanted(self, event: str) -> list[str]:
        """The fields of an event that someone reads, and that are not known by its name alone."""
        return sorted(path for path in self.document.read.get(event, ()) if path != "name" or self.document.in_handlers)

    def payload(self, event: str, element: Element, context: str | None, site: Element) -> dict[str, str]:
        known = next((s.carries for s in self.document.sites if s.element is site), {})
        found = {}
        for path in self.wanted(event):
            given = literal(event, element) if path == "name" else known.get(path)
            if given is not None:
                word = given if isinstance(given, Word) else value(given, self.document.names(context), element)
                if word.kind == "none":
                    raise Wrong(element, f"{path} is None", "leave it out")
                found[field_name(path)] = word.text
        return found

    def do_raise(self, element: Element, context: str | None) -> Action:
        event = element.attributes["event"]
        return Action(emit=event, args=self.payload(event, element, context, element))

    def do_send(self, element: Element, context: str | None) -> Action:
        event = element.attributes["event"]
        carried = self.payload(event, element, context, element)
        if element.attributes.get("target") == "#_internal":
            return Action(emit=event, args=carried)
        if self.sends == "clocks":
            alarm = next((id_ for id_, other in self.alarms.items() if other is element), "")
            return Action(start=alarm, args=carried) if alarm else Action(emit=event, args=carried, after=True)
        args = {"event": literal(event, element).text, **{f"event.{name}": text for name, text in carried.items()}}
        if "id" in element.attributes:
            args["id"] = literal(element.attributes["id"], element).text
        if delay := _delay(element):
            args["delay"] = str(delay)
        return Action(run="send", args=args)

    def alarm(self, element: Element) -> Clock:
        seconds, milliseconds = divmod(_delay(element), 1000)
        return Clock(
            f"PT{seconds}.{milliseconds:03}S".replace(".000", ""), emit=element.attributes["event"], title=element.attributes["event"]
        )

    def cancelled(self, element: Element) -> tuple[Action, ...]:
        """What a cancel does: it ends the clocks of what was sent under its id."""
        named = self.named(element)
        clocks = tuple(id_ for id_, send in self.alarms.items() if send.attributes.get("id") == named)
        if not clocks:
            self.note(element, f"nothing is sent later as {named!r}; left out")
        return (Action(cancel=clocks),) if clocks else ()

    def named(self, element: Element) -> str:
        if "sendid" not in element.attributes:
            raise Wrong(element, "names no event that was sent", "give its sendid")
        return element.attributes["sendid"]

    def do_cancel(self, element: Element, _context: str | None) -> Action:
        return Action(run="cancel", args={"id": literal(self.named(element), element).text})

    def do_assign(self, element: Element, context: str | None) -> Action:
        variable = self.document.variables[element.attributes["location"]]
        word = value(element.attributes.get("expr", ""), self.document.names(context), element)
        if word.kind not in ("none", variable.kind or "string"):
            raise Wrong(element, f"{element.attributes.get('expr')!r} is of another kind than the variable was before", "keep to one kind")
        if word.kind == "none":
            return Action(unset=variable.text)
        return Action(set={variable.text: self.alive(word.text)})

    def do_if(self, element: Element, context: str | None) -> Action:
        branches: list[tuple[Element, list[Element]]] = [(element, [])]
        for child in element.children:
            if child.name in ("elseif", "else"):
                branches.append((child, []))
            else:
                branches[-1][1].append(child)
        otherwise: tuple[Action, ...] = ()
        for head, inner in reversed(branches):
            actions = self.block(inner, context, inside=True)
            if head.name == "else":
                if head is not branches[-1][0]:
                    raise Wrong(head, "comes before another branch", "put it last")
                otherwise = actions
            elif "cond" not in head.attributes:
                raise Wrong(head, "has no condition", "give it one")
            else:
                otherwise = (Action(when=self.test(head, context), do=actions, otherwise=otherwise),)
        return otherwise[0]


def _only(element: Element, name: str) -> Element | None:
    found = element.all(name)
    if len(found) > 1:
        raise Wrong(found[1], "comes a second time", "keep one")
    return found[0] if found else None


def _alarms(document: Document) -> dict[str, Element]:
    """The clocks of a document: one for each place at which an event is sent with a delay."""
    found: dict[str, Element] = {}
    for element in document.root.walk():
        if (
            element.name == "send"
            and not document.failing(element)
            and element.attributes.get("target") != "#_internal"
            and _delay(element)
        ):
            name = re.sub(r"[^a-z0-9]+", "-", (element.attributes.get("id") or element.attributes["event"]).lower()).strip("-")
            taken = f"send-{name or 'event'}"
            found[taken if taken not in found else f"{taken}-{len(found) + 1}"] = element
    return found


def _delay(send: Element) -> int:
    """After how many milliseconds an event is sent."""
    text = send.attributes.get("delay", "0s")
    length = _DELAY.fullmatch(text)
    if length is None:
        raise Wrong(send, f"{text!r} is no delay", "write it like 2s or 500ms")
    return round(float(length[1]) * (1 if length[2] == "ms" else 1000))
