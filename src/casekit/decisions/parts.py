"""The parts of a condition: what they see, what they come to, and how they explain themselves.

A part is built once, when a condition loads, and from then on is a closure over what it reads. Unknown is
None throughout. Inside, money is a pair of minor units and currency and a decimal is a Decimal; days, instants
and texts stay texts, whose order is that of time.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Context, Decimal, Inexact
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from attrs import define, frozen

from casekit.definition.casetype import ENDED
from casekit.definition.fields import DAY, DECIMAL, INSTANT, MONEY
from casekit.errors import BadInput
from casekit.model.money import LARGEST, parse, render
from casekit.model.time import local

_EXACT = Context(prec=120, traps=[Inexact])
_FITS = re.compile(DECIMAL)


_NOTHING: Mapping[str, Any] = MappingProxyType({})


@define
class Inputs:
    """What a condition sees when it is judged. An absent name, or None, is unknown.

    Attributes:
        data, totals, facts, event: Name → canonical value; a value is only read where a condition asks for it.
        active: Active states with all their ancestors.
        clocks: Clock → instance → live state, whose ``status`` is running, paused or breached.
        ended: Clock → how its instances ended: met, cancelled, breached, withdrawn.
        parties: Role → parties.
        documents: Kind → number on file.
        standings: Kind → document → status, of those that have another status than the first.
        linked: Relation → categories of the cases that stand in it to this one.
        items: Plan item → instance → live state.
        done: Plan item → where it was completed; absent: nowhere.
        counter: Which repetition is being judged.
        approvals: Requirement → permission → actor → when and by which entry they approved.
        foreign: Requirement of a plugin → what it says, with ``met``; absent: it was not asked.
        now: Case time (canonical instant); empty: unknown.
        zone: IANA zone in which ``today`` is read.
    """

    data: Mapping[str, Any] = _NOTHING
    totals: Mapping[str, Any] = _NOTHING
    facts: Mapping[str, Any] = _NOTHING
    event: Mapping[str, Any] = _NOTHING
    active: frozenset[str] = frozenset()
    clocks: Mapping[str, Mapping[str, Mapping[str, Any]]] = _NOTHING
    ended: Mapping[str, Collection[str]] = _NOTHING
    parties: Mapping[str, Collection[str]] = _NOTHING
    documents: Mapping[str, int] = _NOTHING
    now: str = ""
    zone: str = "UTC"
    items: Mapping[str, Mapping[str, Mapping[str, Any]]] = _NOTHING
    done: Mapping[str, Collection[str]] = _NOTHING
    counter: int = 1
    approvals: Mapping[str, Mapping[str, Mapping[str, Any]]] = _NOTHING
    foreign: Mapping[str, Any] = _NOTHING
    standings: Mapping[str, Mapping[str, str]] = _NOTHING
    linked: Mapping[str, Collection[str]] = _NOTHING


Read = Callable[[Inputs], Any]
"""What a part comes to; None is unknown."""


@frozen
class Explained:
    """A condition, or a part of one, with the value it had.

    Attributes:
        text: The part as it was written.
        value: True, False, or of a part that is no test its canonical value; None is unknown.
        missing: What would have to be known; empty where the value is known.
        parts: The parts that it rests on.
    """

    text: str
    value: Any
    missing: tuple[str, ...] = ()
    parts: tuple[Explained, ...] = ()

    def lines(self) -> list[str]:
        """One part to a line, each indented under what it is a part of."""
        said = "unknown" if self.value is None else str(self.value).lower() if isinstance(self.value, bool) else str(self.value)
        return [f"{self.text}: {said}", *(f"  {line}" for part in self.parts for line in part.lines())]


@frozen(eq=False)
class Part:
    """One part of a condition.

    Attributes:
        text: As it was written.
        kind: boolean, money, date, date-time, decimal, integer, string or other.
        read: What it comes to.
        inner: The parts that it rests on.
        name: Of a part that reads one thing: what is missing where that is unknown.
        literal: Whether it is written out, and so explains itself.
        zero: Whether it is the number 0, with which money may be compared.
    """

    text: str
    kind: str
    read: Read
    inner: tuple[Part, ...] = ()
    name: str = ""
    literal: bool = False
    zero: bool = False

    def explain(self, inputs: Inputs) -> Explained:
        """What it came to, and what its parts came to. Reads all of them, also those that did not decide."""
        parts = tuple(part.explain(inputs) for part in self.inner if not part.literal)
        try:
            value = canonical(self.kind, self.read(inputs))
        except BadInput as wrong:
            # Judged as a whole, an earlier part may have decided before this one was looked at.
            return Explained(self.text, None, tuple(p.what for p in wrong.problems), parts)
        if value is not None:
            return Explained(self.text, value, (), parts)
        missing = (self.name,) if self.name else tuple(dict.fromkeys(name for part in parts for name in part.missing))
        return Explained(self.text, None, missing, parts)


def canonical(kind: str, value: Any) -> Any:
    """The canonical JSON value of what a part of that kind comes to."""
    if value is None:
        return None
    if kind == "money":
        return render(*value)
    return format(Decimal(value), "f") if kind == "decimal" else value


_READ: Mapping[str, Callable[[str], Any]] = {"money": parse, "decimal": Decimal}
_GIVEN: Mapping[str, tuple[type, str]] = {
    "money": (str, MONEY),
    "date": (str, DAY),
    "date-time": (str, INSTANT),
    "decimal": (str, DECIMAL),
    "string": (str, ""),
    "integer": (int, ""),
    "boolean": (bool, ""),
}


def given(name: str, kind: str) -> Read:
    """A field of the event. It is looked at before a form has checked it: what does not fit is bad input."""
    wanted, pattern = _GIVEN.get(kind, (object, ""))
    fits = re.compile(pattern or "(?s:.*)").fullmatch
    convert = _READ.get(kind)

    def read(inputs: Inputs) -> Any:
        value = inputs.event.get(name)
        if value is None:
            return None
        if (type(value) is not wanted and wanted is not object) or (wanted is str and not fits(value)):
            raise BadInput.at(f"event/{name}", f"{value!r} does not fit", f"give a value of kind {kind}")
        return convert(value) if convert else value

    return read


def stored(group: str, name: str, kind: str) -> Read:
    """A value of the case, from one of the mappings of :class:`Inputs`."""
    pick, convert = operator.attrgetter(group), _READ.get(kind)
    if convert is None:
        return lambda inputs: pick(inputs).get(name)

    def read(inputs: Inputs) -> Any:
        value = pick(inputs).get(name)
        return None if value is None else convert(value)

    return read


def constant(value: Any) -> Read:
    """A value that is written out."""
    return lambda _: value


def now(inputs: Inputs) -> str | None:
    """Case time."""
    return inputs.now or None


def today(inputs: Inputs) -> str | None:
    """The day of case time, in the zone of the case."""
    return _day(inputs.now, inputs.zone) if inputs.now else None


@lru_cache(maxsize=1024)
def _day(at: str, zone: str) -> str:
    return local(at, zone).date().isoformat()


def at_state(path: str) -> Read:
    """Whether a state is active, or a state within it."""
    return lambda inputs: path in inputs.active


def clock_is(name: str, status: str, *, or_was: bool = False) -> Read:
    """Whether any instance of a clock has that status; ``or_was``: or ended with it."""

    def holds(inputs: Inputs) -> bool:
        instances = inputs.clocks.get(name)
        if instances and any(state["status"] == status for state in instances.values()):
            return True
        return or_was and status in inputs.ended.get(name, ())

    return holds


def clock_was(name: str, how: str) -> Read:
    """Whether any instance of a clock ended that way."""
    return lambda inputs: how in inputs.ended.get(name, ())


def item_done(name: str) -> Read:
    """Whether a plan item has been completed, or a milestone reached."""
    return lambda inputs: bool(inputs.done.get(name))


def item_is(name: str, state: str) -> Read:
    """Whether any instance of a plan item is in that state."""
    return lambda inputs: any(instance["state"] == state for instance in inputs.items.get(name, _NOTHING).values())


def counter(inputs: Inputs) -> int:
    """Which repetition of its item is being judged, from 1."""
    return inputs.counter


def number_of_parties(role: str) -> Read:
    """How many parties play a role."""
    return lambda inputs: len(inputs.parties.get(role, ()))


def number_of_documents(kind: str) -> Read:
    """How many documents of a kind are on file."""
    return lambda inputs: inputs.documents.get(kind, 0)


def enough_parties(role: str, count: int) -> Read:
    """Whether so many parties play a role."""
    return lambda inputs: len(inputs.parties.get(role, ())) >= count


def enough_documents(kind: str, count: int) -> Read:
    """Whether so many documents of a kind are on file."""
    return lambda inputs: inputs.documents.get(kind, 0) >= count


def standing_documents(kind: str, status: str, *, first: bool) -> Read:
    """How many documents of a kind have a status; ``first``: it is the one that they are filed with."""

    def read(inputs: Inputs) -> int:
        said = inputs.standings.get(kind, _NOTHING)
        return inputs.documents.get(kind, 0) - len(said) if first else sum(1 for has in said.values() if has == status)

    return read


def all_ended(relation: str) -> Read:
    """Whether every case that stands in a relation to this one has ended."""
    return lambda inputs: all(category in ENDED for category in inputs.linked.get(relation, ()))


def enough_approvals(requirement: str, permission: str, count: int) -> Read:
    """Whether so many different actors have approved, with a permission."""
    return lambda inputs: len(inputs.approvals.get(requirement, _NOTHING).get(permission, ())) >= count


def asked_of_plugin(requirement: str) -> Read:
    """What a plugin has said of its requirement; unknown, where it was not asked."""

    def holds(inputs: Inputs) -> bool | None:
        said = inputs.foreign.get(requirement)
        return None if said is None else said.met

    return holds


def looked_up(table: Mapping[str, Read], key: str) -> Read:
    """A test that is found under its key when it is asked."""
    return table[key]


def present(read: Read, test: Read | None) -> Read:
    """Whether a value is known; with a test: whether that holds, unknown while the value is absent."""
    if test is None:
        return is_known(read)
    return lambda inputs: None if read(inputs) is None else test(inputs)


def is_known(read: Read) -> Read:
    """Whether a value is known: itself never unknown."""
    return lambda inputs: read(inputs) is not None


def negated(read: Read) -> Read:
    """Not; of unknown, unknown."""

    def holds(inputs: Inputs) -> bool | None:
        value = read(inputs)
        return None if value is None else not value

    return holds


def all_of(reads: Iterable[Read]) -> Read:
    """And: false where one is false, whatever else is unknown."""
    tests = tuple(reads)

    def holds(inputs: Inputs) -> bool | None:
        result: bool | None = True
        for test in tests:
            value = test(inputs)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return holds


def any_of(reads: Iterable[Read]) -> Read:
    """Or: true where one is true, whatever else is unknown."""
    tests = tuple(reads)

    def holds(inputs: Inputs) -> bool | None:
        result: bool | None = False
        for test in tests:
            value = test(inputs)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    return holds


def at_least(count: int, reads: Iterable[Read]) -> Read:
    """So many of them: true where so many are, false where so many can't be, whatever is unknown."""
    tests = tuple(reads)

    def holds(inputs: Inputs) -> bool | None:
        values = [test(inputs) for test in tests]
        met = sum(value is True for value in values)
        if met >= count:
            return True
        return None if met + sum(value is None for value in values) >= count else False

    return holds


def chosen(test: Read, then: Read, other: Read) -> Read:
    """One of two values; unknown where the test is."""

    def read(inputs: Inputs) -> Any:
        value = test(inputs)
        return None if value is None else (then if value else other)(inputs)

    return read


def both(apply: Callable[[Any, Any], Any], left: Read, right: Read) -> Read:
    """A function of two values; unknown where one of them is."""

    def read(inputs: Inputs) -> Any:
        first = left(inputs)
        if first is None:
            return None
        second = right(inputs)
        return None if second is None else apply(first, second)

    return read


def with_literal(apply: Callable[[Any, Any], Any], left: Read, right: Any) -> Read:
    """A function of a value and one that is written out; unknown where the first is."""

    def read(inputs: Inputs) -> Any:
        first = left(inputs)
        return None if first is None else apply(first, right)

    return read


def each_known(apply: Callable[[list[Any]], Any], reads: Iterable[Read]) -> Read:
    """A function of several values; unknown where one of them is."""
    parts = tuple(reads)

    def read(inputs: Inputs) -> Any:
        values = [part(inputs) for part in parts]
        return None if any(value is None for value in values) else apply(values)

    return read


def on_money(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison of two amounts of one currency."""

    def holds(left: tuple[int, str], right: tuple[int, str]) -> bool:
        return compare(left[0], _in(right, left[1]))

    return holds


def on_sign(compare: Callable[[Any, Any], bool], amount: Read, *, swapped: bool = False) -> Read:
    """A comparison of an amount with nothing; ``swapped``: of nothing with an amount."""

    def holds(inputs: Inputs) -> bool | None:
        value = amount(inputs)
        return None if value is None else compare(0, value[0]) if swapped else compare(value[0], 0)

    return holds


def money_of(apply: Callable[[int, int], int]) -> Callable[[Any, Any], tuple[int, str]]:
    """A sum or difference of two amounts of one currency."""

    def result(left: tuple[int, str], right: tuple[int, str]) -> tuple[int, str]:
        return _held(apply(left[0], _in(right, left[1]))), left[1]

    return result


def money_times(left: Any, right: Any) -> tuple[int, str]:
    """An amount so many times."""
    amount, factor = (left, right) if isinstance(left, tuple) else (right, left)
    return _held(amount[0] * factor), amount[1]


def integer_of(apply: Callable[[int, int], int]) -> Callable[[Any, Any], int]:
    """A sum, difference or product of integers."""
    return lambda left, right: _held(apply(left, right))


def decimal_of(name: str) -> Callable[[Any, Any], Decimal]:
    """An exact sum, difference or product (``add``, ``subtract``, ``multiply``) of decimals and integers."""
    apply = getattr(_EXACT, name)

    def result(left: Any, right: Any) -> Decimal:
        value: Decimal = _EXACT.add(apply(Decimal(left), Decimal(right)), Decimal(0))  # no zero with a sign
        if not _FITS.fullmatch(format(value, "f")):
            raise BadInput.at("decimal", f"{value} has more than 20 digits before or after the point", "use smaller numbers")
        return value

    return result


def extreme(choose: Callable[..., Any], *, money: bool = False, zero: bool = False) -> Callable[[list[Any]], Any]:
    """The least or greatest of several values; ``zero``: nothing, in the currency of the others, is one of them."""

    def result(values: list[Any]) -> Any:
        if not money:
            return choose(values)
        currency = values[0][1]
        minors = [_in(value, currency) for value in values]
        return choose([*minors, 0] if zero else minors), currency

    return result


def _in(amount: tuple[int, str], currency: str) -> int:
    if amount[1] != currency:
        what = f"{render(*amount)} can't be set against an amount in {currency}"
        raise BadInput.at("currency", what, "keep what a condition compares in one currency")
    return amount[0]


def _held(number: int) -> int:
    if not -LARGEST <= number <= LARGEST:
        raise BadInput.at("number", f"{number} can't be held exactly", "the limit is 2**53 - 1")
    return number
