"""The grammar of conditions: text to parts, with names and kinds checked.

Python's parser reads the text, after a look at its characters has made sure that it can hold nothing but names,
whole numbers, quoted texts and a few signs; of the tree that it gives, each node is taken by name or refused.
Nothing is evaluated by Python. Lengths and depths are bounded, so loading always ends quickly.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from attrs import field, frozen

from casekit.decisions import parts
from casekit.decisions.parts import Inputs, Part
from casekit.definition.fields import DECIMAL
from casekit.errors import BadInput
from casekit.model.money import LARGEST, parse
from casekit.model.time import day_start

LONGEST = 2000
"""Characters of a condition."""
DEEPEST = 50
"""Parts within parts."""
RESERVED = frozenset({"event", "today", "now"})
"""Names that, beside Python's keywords, mean something else in a condition: no field can have them."""
SAID: Mapping[str, str] = {
    "boolean": "a test",
    "integer": "an integer",
    "decimal": "a decimal",
    "money": "money",
    "date": "a day",
    "date-time": "an instant",
    "string": "a text",
    "other": "a list or map",
}
"""Kinds in words."""

_ALLOWED = (
    "a condition reads fields, totals, event.<field>, fact('…'), today and now, tests such as at('…'), "
    "joined by and, or, not, comparisons, in, + - *, min(…), max(…) and … if … else …"
)
_TOKEN = re.compile(
    r"""[ \t\r\n]+ | [A-Za-z_][A-Za-z0-9_]*(?!['"]) | [0-9]+(?![\w.]) | (?:'[^'\\\x00-\x1f]*'|"[^"\\\x00-\x1f]*")(?!['"]) | ==|!=|<=|>=|[<>+*(),.-]""",
    re.VERBOSE,
)
_DECIMAL = re.compile(DECIMAL)
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ORDERED = frozenset({"money", "date", "date-time", "decimal", "integer"})
_NUMBERS = frozenset({"decimal", "integer"})
_ARITHMETIC: Mapping[type[ast.operator], tuple[Callable[[int, int], int], str]] = {
    ast.Add: (operator.add, "add"),
    ast.Sub: (operator.sub, "subtract"),
    ast.Mult: (operator.mul, "multiply"),
}


@frozen
class Scope:
    """What a condition may name.

    Attributes:
        data, totals, facts, event: Name → kind.
        states, clocks, roles: Names.
        documents: Kinds of document; None: any.
        items, milestones: Names in the plan.
        counter: Whether it is of a plan item, and may ask for its ``counter()``.
        sealed: What it may not read although it is declared, for what it comes to is written in the clear: ``name``,
            ``event.name``, ``fact:key``.
        time: Whether it may read ``today`` and ``now``.
        requirements: Requirements of the case type → the test of each; filled while the case type is compiled.
        unasked: Those of them that rest on a plugin's rule: no plugin is asked in a condition.
    """

    data: Mapping[str, str] = field(factory=dict)
    totals: Mapping[str, str] = field(factory=dict)
    facts: Mapping[str, str] = field(factory=dict)
    event: Mapping[str, str] = field(factory=dict)
    states: frozenset[str] = frozenset()
    clocks: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    documents: frozenset[str] | None = None
    sealed: frozenset[str] = frozenset()
    time: bool = True
    items: frozenset[str] = frozenset()
    milestones: frozenset[str] = frozenset()
    counter: bool = False
    requirements: Mapping[str, parts.Read] = field(factory=dict)
    unasked: frozenset[str] = frozenset()


def built(text: str, scope: Scope, where: str) -> Part:
    """The part that a whole text says.

    Raises:
        BadInput: not of the grammar, a name that is not declared, or kinds that do not go together.
    """
    _check_characters(text, where)
    line = re.sub(r"[\t\r\n]", " ", text).strip()
    try:
        tree = ast.parse(line, mode="eval").body
    except SyntaxError as wrong:
        raise BadInput.at(where, f"{text!r} breaks off at character {wrong.offset or 1}: {wrong.msg}", "check signs and brackets") from None
    except (RecursionError, MemoryError):
        raise BadInput.at(where, _TOO_DEEP, _SPLIT) from None
    return _Builder(line, scope, where).part(tree, 1)


_TOO_DEEP = f"the condition is nested more than {DEEPEST} deep"
_SPLIT = "make requirements or totals of its parts"


def _check_characters(text: str, where: str) -> None:
    if not text.strip():
        raise BadInput.at(where, "the condition is empty", "write one, such as at('open')")
    if len(text) > LONGEST:
        raise BadInput.at(where, f"the condition has more than {LONGEST} characters", _SPLIT)
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise BadInput.at(where, "the condition holds half of a character (a lone surrogate)", "repair its encoding")
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise BadInput.at(where, f"{_odd(text, place)!r} at character {place + 1} can't stand in a condition", _advice(text[place]))
        place = token.end()


def _odd(text: str, place: int) -> str:
    word = re.compile(r"[\w.]+").match(text, place)
    return word[0] if word else text[place]


def _advice(first: str) -> str:
    if first.isdigit():
        return "write decimal('1.5') for a number with a fraction"
    return "a text stands in quotes, without backslash" if first in "'\"\\" else _ALLOWED


class _Builder:
    """Builds the parts of one condition."""

    def __init__(self, line: str, scope: Scope, where: str) -> None:
        self.source = line.encode()
        self.scope = scope
        self.where = where

    def part(self, node: ast.expr, depth: int) -> Part:
        if depth > DEEPEST:
            raise BadInput.at(self.where, _TOO_DEEP, _SPLIT)
        build = _NODES.get(type(node))
        if build is None:
            self.refuse(node, "can't stand in a condition", _ALLOWED)
        return build(self, node, depth)

    def text(self, node: ast.expr) -> str:
        return self.source[node.col_offset : node.end_col_offset].decode()

    def refuse(self, node: ast.expr, what: str, do: str) -> NoReturn:
        raise BadInput.at(self.where, f"{self.text(node)!r} {what}", do)

    def test(self, node: ast.expr, depth: int) -> Part:
        """A part that must be a test."""
        part = self.part(node, depth)
        if part.kind != "boolean":
            self.refuse(node, f"is {SAID[part.kind]}, and a test is wanted here", "compare it with something, or ask known(…)")
        return part

    def constant(self, node: ast.Constant, _: int) -> Part:
        value = node.value
        kind = {bool: "boolean", int: "integer", str: "string"}.get(type(value))
        if kind is None:
            self.refuse(node, "can't stand in a condition", "ask known(…) whether something is known" if value is None else _ALLOWED)
        if kind == "integer" and value > LARGEST:  # type: ignore[operator]
            self.refuse(node, "is too large to be exact", "the limit is 2**53 - 1")
        return Part(self.text(node), kind, parts.constant(value), literal=True, zero=kind == "integer" and value == 0)

    def name(self, node: ast.Name, _: int) -> Part:
        name, scope = node.id, self.scope
        if name in ("today", "now") and scope.time:
            return Part(name, "date" if name == "today" else "date-time", getattr(parts, name), name=name)
        for group in ("data", "totals"):
            kind = getattr(scope, group).get(name)
            if kind is not None:
                return self.reading(node, name, kind, parts.stored(group, name, kind))
        if name in _CALLS:
            self.refuse(node, "is asked with brackets", f"write {_CALLS[name][1]}")
        return self.refuse(node, "is no field and no total here", _known((*scope.data, *scope.totals)))

    def attribute(self, node: ast.Attribute, _: int) -> Part:
        if not isinstance(node.value, ast.Name) or node.value.id != "event":
            self.refuse(node, "can't stand in a condition", "only event has fields: event.<field>")
        kind = self.scope.event.get(node.attr)
        if kind is None:
            self.refuse(node, "is no field of an event that is seen here", _known(self.scope.event))
        return self.reading(node, f"event.{node.attr}", kind, parts.given(node.attr, kind))

    def reading(self, node: ast.expr, name: str, kind: str, read: parts.Read) -> Part:
        if name in self.scope.sealed:
            self.refuse(node, "is personal, and what this comes to is written in the clear", "leave it out, or test it in a condition")
        return Part(self.text(node), kind, read, name=name)

    def logic(self, node: ast.BoolOp, depth: int) -> Part:
        inner = tuple(self.test(value, depth + 1) for value in node.values)
        join = parts.all_of if isinstance(node.op, ast.And) else parts.any_of
        return Part(self.text(node), "boolean", join([part.read for part in inner]), inner)

    def unary(self, node: ast.UnaryOp, depth: int) -> Part:
        if isinstance(node.op, ast.Not):
            inner = self.test(node.operand, depth + 1)
            return Part(self.text(node), "boolean", parts.negated(inner.read), (inner,))
        if not isinstance(node.op, ast.USub):
            self.refuse(node, "can't stand in a condition", _ALLOWED)
        return self.negative(node, self.part(node.operand, depth + 1))

    def negative(self, node: ast.UnaryOp, inner: Part) -> Part:
        if inner.kind not in ("money", *_NUMBERS):
            self.refuse(node, f"takes {SAID[inner.kind]} from nothing", "only money and numbers have a sign")
        minus = parts.constant(-1)
        times = {"money": parts.money_times, "integer": parts.integer_of(operator.mul)}.get(inner.kind, parts.decimal_of("multiply"))
        return Part(self.text(node), inner.kind, parts.both(times, inner.read, minus), (inner,), literal=inner.literal)

    def conditional(self, node: ast.IfExp, depth: int) -> Part:
        test = self.test(node.test, depth + 1)
        then, other = self.part(node.body, depth + 1), self.part(node.orelse, depth + 1)
        kind = then.kind if then.kind == other.kind else "decimal" if {then.kind, other.kind} == _NUMBERS else ""
        if not kind:
            self.refuse(node, f"is {SAID[then.kind]} or {SAID[other.kind]}", "let both be of one kind")
        return Part(self.text(node), kind, parts.chosen(test.read, then.read, other.read), (test, then, other))

    def arithmetic(self, node: ast.BinOp, depth: int) -> Part:
        if type(node.op) not in _ARITHMETIC:
            self.refuse(node, "can't stand in a condition", "there are only + - and *")
        left, right = self.part(node.left, depth + 1), self.part(node.right, depth + 1)
        on_integers, on_decimals = _ARITHMETIC[type(node.op)]
        kinds, times = {left.kind, right.kind}, isinstance(node.op, ast.Mult)
        apply: Callable[[Any, Any], Any]
        if kinds == {"integer"}:
            kind, apply = "integer", parts.integer_of(on_integers)
        elif kinds <= _NUMBERS:
            kind, apply = "decimal", parts.decimal_of(on_decimals)
        elif kinds == {"money"} and not times:
            kind, apply = "money", parts.money_of(on_integers)
        elif kinds == {"money", "integer"} and times:
            kind, apply = "money", parts.money_times
        else:
            self.refuse(node, f"joins {SAID[left.kind]} and {SAID[right.kind]}", _ADVICE_ARITHMETIC)
        return Part(self.text(node), kind, parts.both(apply, left.read, right.read), (left, right))

    def comparison(self, node: ast.Compare, depth: int) -> Part:
        operands = [self.part(node.left, depth + 1)]
        tests, inner = [], [operands[0]]
        for sign, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(sign, (ast.In, ast.NotIn)):
                tests.append(self.membership(node, operands[-1], sign, right, depth + 1))
                operands.append(_NO_VALUE)
                continue
            operands.append(self.part(right, depth + 1))
            inner.append(operands[-1])
            tests.append(self.compared(node, operands[-2], sign, operands[-1]))
        return Part(self.text(node), "boolean", tests[0] if len(tests) == 1 else parts.all_of(tests), tuple(inner))

    def compared(self, node: ast.expr, left: Part, sign: ast.cmpop, right: Part) -> parts.Read:
        compare = _COMPARE.get(type(sign))
        if compare is None or _NO_VALUE in (left, right):
            self.refuse(node, "can't stand in a condition", "compare by == != < <= > >=, in and not in")
        kinds = {left.kind, right.kind}
        if left.kind != right.kind and kinds != _NUMBERS:
            if kinds != {"money", "integer"} or not (left.zero or right.zero):
                self.refuse(node, f"compares {SAID[left.kind]} with {SAID[right.kind]}", _ADVICE_COMPARE)
            return parts.on_sign(compare, right.read if left.zero else left.read, swapped=left.zero)
        if "other" in kinds:
            self.refuse(node, "compares lists or maps", "ask known(…) whether one is there")
        elif not kinds <= _ORDERED and not isinstance(sign, (ast.Eq, ast.NotEq)):
            self.refuse(node, f"puts {SAID[left.kind]} in an order", "compare texts and tests by == and != only")
        elif kinds == {"money"}:
            compare = parts.on_money(compare)
        if right.literal:
            return parts.with_literal(compare, left.read, right.read(_NOBODYS))
        return parts.both(compare, left.read, right.read)

    def membership(self, node: ast.expr, left: Part, sign: ast.cmpop, right: ast.expr, depth: int) -> parts.Read:
        if not isinstance(right, ast.Tuple) or not right.elts:
            self.refuse(right, "is no list of values", "write a in ('x', 'y'), or a in ('x',) for one")
        values = [self.part(element, depth) for element in right.elts]
        for value, element in zip(values, right.elts, strict=True):
            if not value.literal:
                self.refuse(element, "is not written out", "after in stand only texts, numbers, money('…'), day('…') and decimal('…')")
        found = parts.any_of([self.compared(node, left, ast.Eq(), value) for value in values])
        return parts.negated(found) if isinstance(sign, ast.NotIn) else found

    def call(self, node: ast.Call, depth: int) -> Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _CALLS or node.keywords:
            self.refuse(node, "can't be asked", "use one of " + ", ".join(shape for _, shape in _CALLS.values()))
        return _CALLS[name][0](self, node, depth)

    def word(self, node: ast.Call) -> str:
        """The only argument of a call, a text that is written out."""
        argument = node.args[0] if len(node.args) == 1 else None
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            self.refuse(node, "takes one text that is written out", f"write {_CALLS[self.text(node.func)][1]}")
        return argument.value

    def declared(self, node: ast.Call, what: str, names: frozenset[str] | Mapping[str, Any] | None) -> str:
        word = self.word(node)
        if names is not None and word not in names:
            self.refuse(node, f"names {what} that is not declared here", _known(names))
        return word

    def fact(self, node: ast.Call, _: int) -> Part:
        key = self.declared(node, "a fact", self.scope.facts)
        kind = self.scope.facts[key]
        return self.reading(node, f"fact:{key}", kind, parts.stored("facts", key, kind))

    def state(self, node: ast.Call, _: int) -> Part:
        return Part(self.text(node), "boolean", parts.at_state(self.declared(node, "a state", self.scope.states)))

    def clock(self, node: ast.Call, _: int) -> Part:
        clock, asked = self.declared(node, "a clock", self.scope.clocks), self.text(node.func)
        if asked in ("met", "withdrawn"):
            return Part(self.text(node), "boolean", parts.clock_was(clock, asked))
        return Part(self.text(node), "boolean", parts.clock_is(clock, asked, or_was=asked == "breached"))

    def item(self, node: ast.Call, _: int) -> Part:
        item, asked = self.declared(node, "a plan item", self.scope.items), self.text(node.func)
        return Part(self.text(node), "boolean", parts.item_done(item) if asked == "done" else parts.item_is(item, asked))

    def milestone(self, node: ast.Call, _: int) -> Part:
        return Part(self.text(node), "boolean", parts.item_done(self.declared(node, "a milestone", self.scope.milestones)))

    def count(self, node: ast.Call, _: int) -> Part:
        if node.args or not self.scope.counter:
            self.refuse(node, "can't be asked here", "counter() stands in the conditions of a plan item, with nothing in its brackets")
        return Part(self.text(node), "integer", parts.counter)

    def meets(self, node: ast.Call, _: int) -> Part:
        if self.scope.sealed:
            self.refuse(node, "may rest on what is personal, and what this comes to is written in the clear", "test it in a condition")
        key = self.declared(node, "a requirement", self.scope.requirements)
        if key in self.scope.unasked:
            self.refuse(node, "rests on a plugin's rule, and no plugin is asked in a condition", "name it in requires, or as a part")
        return Part(self.text(node), "boolean", parts.looked_up(self.scope.requirements, key))

    def parties(self, node: ast.Call, _: int) -> Part:
        return Part(self.text(node), "integer", parts.number_of_parties(self.declared(node, "a role", self.scope.roles)))

    def documents(self, node: ast.Call, _: int) -> Part:
        kind = self.declared(node, "a kind of document", self.scope.documents)
        return Part(self.text(node), "integer", parts.number_of_documents(kind))

    def known(self, node: ast.Call, depth: int) -> Part:
        if len(node.args) != 1:
            self.refuse(node, "asks about one thing", "write known(field)")
        return Part(self.text(node), "boolean", parts.is_known(self.part(node.args[0], depth + 1).read))

    def money(self, node: ast.Call, _: int) -> Part:
        return self.literal(node, "money", parse)

    def day(self, node: ast.Call, _: int) -> Part:
        def day(text: str) -> str:
            day_start(text, "UTC")
            return text

        return self.literal(node, "date", day)

    def decimal(self, node: ast.Call, _: int) -> Part:
        def decimal(text: str) -> Any:
            if not _DECIMAL.fullmatch(text):
                raise BadInput.at("decimal", f"{text!r} is no decimal", "write it as 1.5, with at most 20 digits on each side")
            return Decimal(text)

        return self.literal(node, "decimal", decimal)

    def literal(self, node: ast.Call, kind: str, read: Callable[[str], Any]) -> Part:
        try:
            value = read(self.word(node))
        except BadInput as wrong:
            raise BadInput.at(self.where, f"{self.text(node)!r}: {wrong.problems[0].what}", wrong.problems[0].do) from None
        return Part(self.text(node), kind, parts.constant(value), literal=True)

    def extreme(self, node: ast.Call, depth: int) -> Part:
        inner = tuple(self.part(argument, depth + 1) for argument in node.args)
        kinds = {part.kind for part in inner}
        money = "money" in kinds
        taken = [part for part in inner if not (money and part.zero)]
        kind = "decimal" if kinds == _NUMBERS else taken[0].kind if taken else ""
        if len(inner) < 2 or kind not in _ORDERED or ({part.kind for part in taken} != {kind} and kinds != _NUMBERS):
            self.refuse(
                node, "takes two values or more of one kind that has an order", "give money (or 0 beside money), numbers, days or instants"
            )
        choose = min if self.text(node.func) == "min" else max
        apply = parts.extreme(choose, money=money, zero=len(taken) < len(inner))
        return Part(self.text(node), kind, parts.each_known(apply, [part.read for part in taken]), inner)


def _known(names: Mapping[str, Any] | frozenset[str] | tuple[str, ...]) -> str:
    return "known here: " + (", ".join(sorted(names)) or "none")


_NO_VALUE = Part("", "other", parts.constant(None))
_NOBODYS = Inputs()
"""What stands after ``in``: nothing that a further comparison could take."""
_ADVICE_ARITHMETIC = "money joins money by + and -, and is taken a whole number of times by *; numbers join numbers"
_ADVICE_COMPARE = "compare like with like: money with money('…') or with 0, days with day('…') or today, instants with now"

_Build = Callable[[_Builder, Any, int], Part]
_NODES: Mapping[type[ast.expr], _Build] = {
    ast.Constant: _Builder.constant,
    ast.Name: _Builder.name,
    ast.Attribute: _Builder.attribute,
    ast.BoolOp: _Builder.logic,
    ast.UnaryOp: _Builder.unary,
    ast.IfExp: _Builder.conditional,
    ast.BinOp: _Builder.arithmetic,
    ast.Compare: _Builder.comparison,
    ast.Call: _Builder.call,
}
_CALLS: Mapping[str, tuple[_Build, str]] = {
    "at": (_Builder.state, "at('state')"),
    **{name: (_Builder.clock, f"{name}('clock')") for name in ("running", "paused", "breached", "met", "withdrawn")},
    **{name: (_Builder.item, f"{name}('item')") for name in ("done", "active", "suspended")},
    "milestone": (_Builder.milestone, "milestone('item')"),
    "counter": (_Builder.count, "counter()"),
    "known": (_Builder.known, "known(field)"),
    "fact": (_Builder.fact, "fact('key')"),
    "meets": (_Builder.meets, "meets('requirement')"),
    "parties": (_Builder.parties, "parties('role')"),
    "documents": (_Builder.documents, "documents('kind')"),
    "money": (_Builder.money, "money('1.00 EUR')"),
    "day": (_Builder.day, "day('2026-11-24')"),
    "decimal": (_Builder.decimal, "decimal('1.5')"),
    "min": (_Builder.extreme, "min(a, b)"),
    "max": (_Builder.extreme, "max(a, b)"),
}
