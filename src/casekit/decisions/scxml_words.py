"""Expressions of SCXML documents as conditions of ours: a listed subset, mapped exactly or refused.

The subset is what Python and ECMAScript write alike, or nearly: whole numbers, quoted texts, truth values, variables,
``_name``, ``_sessionid``, ``_event`` and its fields, ``In('state')``, ``hasattr(_event, 'field')``, ``.get('name')``,
comparisons, ``is None``, ``and or not``, ``+ - *`` of whole numbers. There a value that is missing is None, and is
false; here it is unknown. So each test is written in such a way that it is never unknown, and what would be an error
there (a number that may be missing, in a sum or an order) is refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from attrs import field, frozen

from casekit.decisions.grammar import LONGEST
from casekit.decisions.scxml_tree import Element, Wrong

_T = TypeVar("_T")
PROCESSOR = "http://www.w3.org/TR/scxml/#SCXMLEventProcessor"
"""The SCXML event processor; ``scxml`` is its short name, and the same to us."""
SYSTEM = ("name", "type", "sendid", "origin", "origintype", "invokeid")
"""Fields that every event has, beside its data."""
_ALLOWED = (
    "read are numbers, texts, variables, _name, _sessionid, _event.…, In('state'), hasattr(_event, '…'), comparisons, "
    "is None, and, or, not, + - *"
)
_TEXT = re.compile(r"[^\\\x00-\x1f\x7f]*")
_CONSTANTS = {"true": True, "false": False, "null": None}
_SIGNS: Mapping[type[ast.AST], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not",
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*",
}  # fmt: skip


@frozen
class Word:
    """A value, in our words.

    Attributes:
        text: The expression.
        kind: integer, string, boolean; ``none``: it is None; empty: not known yet.
        sure: Whether it is never missing.
    """

    text: str
    kind: str
    sure: bool = True


@frozen
class Names:
    """What an expression may name.

    Attributes:
        variables: Name of a variable → the word for it.
        states: Id of a state → the test for being in it.
        constants: System variables.
        event: Field of the event (``name``, ``data``, ``data.x``) → the word for it; None: no event is bound.
        bound: The test for whether an event is bound; empty: it can't be asked here.
    """

    variables: Mapping[str, Word] = field(factory=dict)
    states: Mapping[str, str] = field(factory=dict)
    constants: Mapping[str, Word] = field(factory=dict)
    event: Mapping[str, Word] | None = None
    bound: str = ""


def literal(value: object, element: Element) -> Word:
    """A value that is written out."""
    if value is None:
        return Word("", "none", sure=False)
    if isinstance(value, bool):
        return Word(str(value), "boolean")
    if isinstance(value, int):
        return Word(str(value), "integer")
    if not isinstance(value, str):
        raise Wrong(element, f"{value!r} is no whole number, text or truth value", _ALLOWED)
    value = "scxml" if value == PROCESSOR else value
    quote = '"' if "'" in value else "'"
    if not _TEXT.fullmatch(value) or quote in value:
        raise Wrong(element, f"the text {value!r} can't stand in a condition", "take quotes, backslashes and controls out of it")
    return Word(f"{quote}{value}{quote}", "string")


def value(text: str, names: Names, element: Element) -> Word:
    """The value that an expression says.

    Raises:
        Wrong: it is outside the subset.
    """
    return _mapped(_Mapping.value, text, names, element)


def test(text: str, names: Names, element: Element) -> str:
    """The test that a condition says, never unknown.

    Raises:
        Wrong: it is outside the subset.
    """
    return _mapped(_Mapping.truth, text, names, element)


def assigns(text: str) -> bool:
    """Whether a text assigns, where a test is wanted: a test that can't be evaluated, and so is false (SCXML 5.9.1)."""
    left, sign, right = text.partition("=")
    whole = bool(sign) and not left.rstrip().endswith(("!", "<", ">", "=")) and not right.startswith("=")
    return whole and all(re.fullmatch(r"\s*[\w.]+\s*", side) for side in (left, right))


def _mapped(build: Callable[[_Mapping, ast.expr], _T], text: str, names: Names, element: Element) -> _T:
    try:
        return build(_Mapping(names, element), _parsed(text, element))
    except RecursionError:
        raise Wrong(element, "the expression is nested too deep", "make it flatter") from None


def _parsed(text: str, element: Element) -> ast.expr:
    if len(text) > LONGEST:
        raise Wrong(element, f"the expression has more than {LONGEST} characters", "make it shorter")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Wrong(element, f"{text.strip()!r} is outside the expressions that are read", _ALLOWED) from None


class _Mapping:
    def __init__(self, names: Names, element: Element) -> None:
        self.names, self.element = names, element

    def refuse(self, node: ast.expr) -> NoReturn:
        raise Wrong(self.element, f"{ast.unparse(node)!r} is outside the expressions that are read", _ALLOWED)

    def value(self, node: ast.expr) -> Word:
        if isinstance(node, ast.BoolOp):
            self.refuse(node)  # there it is one of its parts, and no truth value
        build = _VALUES.get(type(node))
        return build(self, node) if build else Word(f"({self.truth(node)})", "boolean")

    def constant(self, node: ast.Constant) -> Word:
        return literal(node.value, self.element)

    def name(self, node: ast.Name) -> Word:
        if node.id in _CONSTANTS:
            return literal(_CONSTANTS[node.id], self.element)
        known = self.names.constants.get(node.id) or self.names.variables.get(node.id)
        if known is None:
            raise Wrong(self.element, f"no variable {node.id!r}", "declare it by <data>")
        return known

    def field(self, node: ast.expr) -> Word:
        path = _event_path(node)
        if path is None:
            self.refuse(node)
        if self.names.event is None:
            raise Wrong(self.element, f"{ast.unparse(node)!r} reads an event where none is bound", "read it in a transition with an event")
        if path not in self.names.event:
            known = ", ".join(self.names.event) or "none"
            raise Wrong(self.element, f"not every event that leads here carries {path}", f"those carried are: {known}")
        return self.names.event[path]

    def arithmetic(self, node: ast.BinOp) -> Word:
        left, right = self.value(node.left), self.value(node.right)
        if type(node.op) not in _SIGNS or not {left.kind, right.kind} <= {"integer", ""}:
            self.refuse(node)
        return Word(f"({self.sure(left, node)} {_SIGNS[type(node.op)]} {self.sure(right, node)})", "integer")

    def sure(self, word: Word, node: ast.expr) -> str:
        if not word.sure and word.kind:
            raise Wrong(self.element, f"in {ast.unparse(node)!r} a value may be missing, which is an error there", "give it a first value")
        return word.text

    def truth(self, node: ast.expr) -> str:
        if isinstance(node, ast.BoolOp):
            join = " and " if isinstance(node.op, ast.And) else " or "
            return "(" + join.join(self.truth(part) for part in node.values) + ")"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"(not {self.truth(node.operand)})"
        if isinstance(node, ast.Compare):
            return self.compared(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self.asked(node, node.func.id)
        if isinstance(node, ast.Name) and node.id == "_event":
            return self.bound(node)
        if type(node) not in _VALUES:
            self.refuse(node)
        word = self.value(node)
        if word.kind == "none" or not word.text:
            return "False"
        holds = {"integer": f"{word.text} != 0", "string": f"{word.text} != ''", "boolean": word.text}.get(word.kind, "False")
        return f"({holds})" if word.sure else known(word, f"({holds})")

    def bound(self, node: ast.expr) -> str:
        if not self.names.bound:
            raise Wrong(self.element, f"{ast.unparse(node)!r} asks for an event where none comes in", "ask in a transition with an event")
        return self.names.bound

    def asked(self, node: ast.Call, name: str) -> str:
        words = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if name == "In" and len(node.args) == len(words) == 1:
            if words[0] not in self.names.states:
                raise Wrong(self.element, f"no state {words[0]!r}", "name a state of the document")
            return self.names.states[words[0]]
        of_event = bool(node.args) and isinstance(node.args[0], ast.Name) and node.args[0].id == "_event"
        if name == "hasattr" and of_event and len(node.args) == 2 and words and not node.keywords:
            return self.bound(node) if words[0] in (*SYSTEM, "data") else "False"
        return self.refuse(node)

    def compared(self, node: ast.Compare) -> str:
        if len(node.ops) != 1 or type(node.ops[0]) not in _SIGNS:
            self.refuse(node)
        sign = _SIGNS[type(node.ops[0])]
        left, right = self.value(node.left), self.value(node.comparators[0])
        equal = sign in ("==", "is")
        if "none" in (left.kind, right.kind) and sign in ("==", "!=", "is", "is not"):
            missing = _missing(right if left.kind == "none" else left)
            return missing if equal else f"(not {missing})"
        if sign in ("is", "is not"):
            self.refuse(node)
        if sign in ("==", "!="):
            same = self.equal(left, right, node)
            return same if equal else f"(not {same})"
        if {left.kind, right.kind} != {"integer"}:
            self.refuse(node)
        return f"({self.sure(left, node)} {sign} {self.sure(right, node)})"

    def equal(self, left: Word, right: Word, node: ast.expr) -> str:
        if "" in (left.kind, right.kind) or left.kind != right.kind:
            if "boolean" in (left.kind, right.kind) and "integer" in (left.kind, right.kind):
                self.refuse(node)  # there True is 1
            return "False"
        if not left.sure and not right.sure:
            both = f"({_missing(left)} and {_missing(right)})"
            return f"({both} or {known(left, known(right, f'{left.text} == {right.text}'))})"
        same = f"({left.text} == {right.text})"
        return known(left, known(right, same))


def known(word: Word, holds: str) -> str:
    """A test that is false where a value is missing."""
    return holds if word.sure else f"(known({word.text}) and {holds})"


def _missing(word: Word) -> str:
    return "True" if word.kind == "none" else "False" if word.sure else f"(not known({word.text}))"


def event_fields(text: str | None) -> set[str]:
    """The fields of the event that an expression reads (``name``, ``data``, ``data.x``)."""
    try:
        tree = ast.parse((text or "None").strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = {path for node in ast.walk(tree) if isinstance(node, ast.expr) and (path := _event_path(node))}
    return {path for path in found if not any(other.startswith(f"{path}.") for other in found)}


def _event_path(node: ast.expr) -> str | None:
    """``name`` of ``_event.name``, ``data.x`` of ``_event.data.x``, ``_event.data['x']`` and ``_event.data.get('x')``."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "_event":
        return node.attr if node.attr in (*SYSTEM, "data") else None
    inner: str | None = None
    around: ast.expr | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and len(node.args) == 1:
        around, inner = node.func.value, _word(node.args[0])
    elif isinstance(node, ast.Subscript):
        around, inner = node.value, _word(node.slice)
    elif isinstance(node, ast.Attribute):
        around, inner = node.value, node.attr
    if around is None or inner is None or _event_path(around) != "data":
        return None
    return f"data.{inner}"


def _word(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _negative(mapping: _Mapping, node: ast.UnaryOp) -> Word:
    if not isinstance(node.op, ast.USub):
        return Word(f"({mapping.truth(node)})", "boolean")
    word = mapping.value(node.operand)
    if word.kind not in ("integer", ""):
        mapping.refuse(node)
    return Word(f"(-{mapping.sure(word, node)})", "integer")


def _called(mapping: _Mapping, node: ast.Call) -> Word:
    if _event_path(node):
        return mapping.field(node)
    if not isinstance(node.func, ast.Name):
        mapping.refuse(node)
    return Word(f"({mapping.truth(node)})", "boolean")


_VALUES: Mapping[type[ast.expr], Callable[[_Mapping, Any], Word]] = {
    ast.Constant: _Mapping.constant,
    ast.Name: _Mapping.name,
    ast.Attribute: _Mapping.field,
    ast.Subscript: _Mapping.field,
    ast.BinOp: _Mapping.arithmetic,
    ast.UnaryOp: _negative,
    ast.Call: _called,
}
