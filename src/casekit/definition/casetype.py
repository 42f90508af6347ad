"""The records of a case type. Immutable; two front ends, Python and JSON, with one canonical form.

Everything is a map keyed by id, so that an edition can overlay it by a merge patch; where document order
decides, each record carries an explicit ``order``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from attrs import field as attr
from attrs import frozen

from casekit.definition.clocks import Amount, Anchor, Clock, ServiceLevel, Signal, Target
from casekit.definition.fields import Field, ordered
from casekit.definition.plan import Item
from casekit.definition.requirements import Requirement
from casekit.definition.retention import Retention

Category = Literal["open", "waiting-party", "waiting-third", "resolved", "closed", "cancelled"]
CATEGORIES: tuple[Category, ...] = ("open", "waiting-party", "waiting-third", "resolved", "closed", "cancelled")
ENDED: frozenset[str] = frozenset({"closed", "cancelled"})
"""Categories of cases that are over."""

PartyKind = Literal["person", "organisation", "unit", "staff"]
PARTY_KINDS: tuple[PartyKind, ...] = ("person", "organisation", "unit", "staff")


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@frozen
class Role:
    """A part that parties play in a case.

    Attributes:
        min, max: How many parties at least and at most; ``max`` None is without limit.
        kinds: Kinds of party that may play it; empty: any.
        title: What people read.
    """

    min: int = 0
    max: int | None = None
    kinds: tuple[PartyKind, ...] = attr(default=(), converter=_names)
    title: str = ""


def role(count: int | tuple[int, int | None] = (0, None), kind: str | tuple[str, ...] = (), title: str = "") -> Role:
    """A role for exactly ``count`` parties, or for ``(at least, at most)``; ``None`` is without limit."""
    least, most = (count, count) if isinstance(count, int) else count
    return Role(least, most, _names(kind), title)


def _actions(value: Iterable[Action]) -> tuple[Action, ...]:
    return tuple(value)


@frozen
class Action:
    """What a transition or state does besides moving, as data.

    Attributes:
        set: Field of case data → expression for its new value.
        emit: Internal event to raise, or empty.
        run: Named effect for the outbox, or empty.
        args: Argument of the effect, or field of the internal event, or of the event of the clock that is started →
            expression.
        when: Condition; where it does not hold, nothing of the action is done but ``otherwise``.
        unset: Fields of case data that have no value any more.
        do: Further actions, after what this one does itself.
        otherwise: Actions where ``when`` does not hold or is not known.
        after: Of ``emit``: whether the event waits until everything else has come to rest.
        start: Clock that is started, a further instance of it.
        cancel: Clocks whose running instances end without a verdict.
    """

    set: Mapping[str, str] = attr(factory=dict)
    emit: str = ""
    run: str = ""
    args: Mapping[str, str] = attr(factory=dict)
    when: str = ""
    unset: tuple[str, ...] = attr(default=(), converter=_names)
    do: tuple[Action, ...] = attr(default=(), converter=_actions)
    otherwise: tuple[Action, ...] = attr(default=(), converter=_actions)
    after: bool = False
    start: str = ""
    cancel: tuple[str, ...] = attr(default=(), converter=_names)


@frozen
class State:
    """A state, a state of states, or a pseudo-state that stands for what was active before.

    Attributes:
        title: What people read.
        category: What it means across case types; inner states inherit it.
        initial: Inner state that is entered first, as a path from here; several, separated by blanks, where they
            lie in different regions. Of a history: where it leads while nothing is remembered.
        states: Inner states.
        outcome: Of an ending state: what came out.
        on_enter, on_exit: Actions. Of a history: what is done on the way to where it leads while nothing is remembered.
        order: Place among its siblings.
        parallel: Whether its inner states are regions, all active at once.
        history: Makes it a pseudo-state that leads to what was active in the state around it when that was last
            left: its inner state (shallow), or its innermost ones (deep).
        final: Whether being here means that the state around it is done: ``done.state.<path>`` is raised for that, and
            for a parallel state once each of its regions is done.
        on_initial: Actions on the way to the initial state, where that is entered because none other was named.
        done: Of a final state: field of the done event → expression.
    """

    title: str = ""
    category: Category | Literal[""] = ""
    initial: str = ""
    states: Mapping[str, State] = attr(factory=dict, converter=ordered)
    outcome: str = ""
    on_enter: tuple[Action, ...] = attr(default=(), converter=_actions)
    on_exit: tuple[Action, ...] = attr(default=(), converter=_actions)
    order: int = 0
    parallel: bool = False
    history: Literal["", "shallow", "deep"] = ""
    final: bool = False
    on_initial: tuple[Action, ...] = attr(default=(), converter=_actions)
    done: Mapping[str, str] = attr(factory=dict)


ALWAYS = "always"
"""Name of the event that is no event: such a transition is taken as soon as its condition holds."""


@frozen
class Transition:
    """A way from states to a state.

    Attributes:
        source: States (full dotted path) in which, or within which, it can be taken.
        target: State that is entered, by its full dotted path; several, separated by blanks, where they lie in
            different regions; None: none is left and none entered.
        on: The event; empty: the transition's own key; ``always``: as soon as ``when`` holds.
        when: Condition; where it does not hold, the next candidate is tried.
        requires: Requirements; where one is unmet, the event is refused and says so.
        allow: Permission that the actor needs.
        form: Fields that come with the event; read as ``event.<field>``.
        do: Actions on the way.
        internal: Whether a source that contains the target is left and entered again (no) or kept (yes).
        reason: Whether a reason in words must be given.
        title: What people read.
        order: Place in which candidates are tried.
    """

    source: tuple[str, ...] = attr(converter=_names)
    target: str | None = None
    on: str = ""
    when: str = ""
    requires: tuple[str, ...] = attr(default=(), converter=_names)
    allow: str = ""
    form: Mapping[str, Field] = attr(factory=dict, converter=ordered)
    do: tuple[Action, ...] = attr(default=(), converter=_actions)
    internal: bool = False
    reason: bool = False
    title: str = ""
    order: int = 0


@frozen
class Total:
    """A figure that the head of every case carries.

    Attributes:
        kinds: Kinds of posting that it sums (``charge``, ``payment``); a reversal counts against the kind of what it reverses.
        components: Only these components; empty: all.
        of: Instead of postings: an expression over other totals (``levied - paid``).
        report: Whether reports sum it over cases.
        title: What people read.
        order: Place in which totals are computed.
    """

    kinds: tuple[Literal["charge", "payment"], ...] = attr(default=(), converter=_names)
    components: tuple[str, ...] = attr(default=(), converter=_names)
    of: str = ""
    report: bool = False
    title: str = ""
    order: int = 0


@frozen
class Book:
    """The ledger of a case type.

    Attributes:
        currency: The only currency; empty: that of the first money in the case's data.
        components: What charges may be for, in the order in which payments pay them.
        order: Across the whole debt by component, or charge by charge by age.
        opening: Component → expression: charged when the case opens, where the expression has a value.
        citation: Law or contract for the order of payments.
    """

    currency: str = ""
    components: tuple[str, ...] = attr(default=(), converter=_names)
    order: Literal["by-component", "oldest-first"] = "by-component"
    opening: Mapping[str, str] = attr(factory=dict)
    citation: str = ""


@frozen
class DocumentKind:
    """A kind of document that cases of this type have.

    Attributes:
        title: What people read.
        direction: Whether it comes in, goes out or stays inside; empty: any.
        statuses: What may become of one, in order: it has the first when it is filed, and after each further version.
        level: Level of confidentiality that documents of this kind have from the start; empty: ordinary.
    """

    title: str = ""
    direction: Literal["", "in", "out", "internal"] = ""
    statuses: tuple[str, ...] = ()
    level: str = ""


@frozen
class CaseType:
    """A kind of case: its data, its states, who may do what, what must hold, which deadlines run.

    Attributes:
        key: Public name (``debt.case``).
        version: Version of the text; a published version never changes.
        title: What people read.
        initial: State in which a case begins; several, separated by blanks, where they lie in different regions.
        states, transitions: The lifecycle.
        data: Fields of the case.
        facts: Facts that may be noted, each with the form of its value.
        roles: Parts that parties play.
        plan: Stages, tasks, milestones and listeners.
        clocks: Deadlines.
        sla: Service levels: an ordered table of targets for clocks.
        requirements: What transitions, commands and closing may require, by key.
        guards: Core command (``pay``, ``charge``, ``message``) → requirements that it must meet.
        closing: Requirements that every closing must meet.
        totals: Figures in the head of the case.
        ledger: What may be charged, and how payments pay it; None: no ledger.
        documents: Kinds of document; empty: any.
        retention: How long cases are kept, by key; the longest of those that apply wins. None: nobody says so, and nothing is destroyed.
        number: Pattern of human numbers, with ``{year}`` and ``{seq}`` or ``{seq:06}``; empty: none.
        zone: IANA zone of days and deadlines, unless the case has its own.
        level: Level of confidentiality that its cases have from the start; empty: ordinary.
        purpose: What the data of its cases is there for, and on what ground: what persons are told who ask what is held of them.
        overlay: Path into this record → ``free``, ``tighten`` or ``locked``: what an edition may change; the
            rest is free.
    """

    key: str
    version: str
    title: str
    initial: str
    states: Mapping[str, State] = attr(converter=ordered)
    transitions: Mapping[str, Transition] = attr(factory=dict, converter=ordered)
    data: Mapping[str, Field] = attr(factory=dict, converter=ordered)
    facts: Mapping[str, Field] = attr(factory=dict, converter=ordered)
    roles: Mapping[str, Role] = attr(factory=dict)
    plan: Mapping[str, Item] = attr(factory=dict, converter=ordered)
    clocks: Mapping[str, Clock] = attr(factory=dict, converter=ordered)
    requirements: Mapping[str, Requirement] = attr(factory=dict)
    guards: Mapping[str, tuple[str, ...]] = attr(factory=dict)
    closing: tuple[str, ...] = attr(default=(), converter=_names)
    totals: Mapping[str, Total] = attr(factory=dict, converter=ordered)
    ledger: Book | None = None
    documents: Mapping[str, DocumentKind] = attr(factory=dict)
    number: str = ""
    zone: str = "UTC"
    sla: Mapping[str, ServiceLevel] = attr(factory=dict, converter=ordered)
    level: str = ""
    purpose: str = ""
    overlay: Mapping[str, Literal["free", "tighten", "locked"]] = attr(factory=dict)
    retention: Mapping[str, Retention] = attr(factory=dict, converter=ordered)


__all__ = [
    "ALWAYS",
    "CATEGORIES",
    "ENDED",
    "PARTY_KINDS",
    "Action",
    "Amount",
    "Anchor",
    "Book",
    "CaseType",
    "Category",
    "Clock",
    "DocumentKind",
    "PartyKind",
    "Requirement",
    "Retention",
    "Role",
    "ServiceLevel",
    "Signal",
    "State",
    "Target",
    "Total",
    "Transition",
    "role",
]
