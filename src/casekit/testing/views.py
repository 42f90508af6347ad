"""Case files without a store: frozen views, built from what matters to a test."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from attrs import evolve

from casekit.decisions import totals
from casekit.decisions.chart import ROOT, Move
from casekit.decisions.check import check
from casekit.decisions.compiled import Compiled, compile_type
from casekit.decisions.conditions import Inputs
from casekit.definition.casetype import CaseType
from casekit.definition.fields import Field
from casekit.definition.forms import Form
from casekit.definition.load import canonical_text, digest
from casekit.errors import BadInput
from casekit.model.goals import Progress
from casekit.model.ledger import PaymentOrder, Policy, Posting
from casekit.model.money import Money
from casekit.model.time import add, duration, effective
from casekit.plugins.declared import Need
from casekit.plugins.past import Mark, PastClock, PastItem
from casekit.plugins.view import Document, Fact, LiveItem, Message, Other, Person, RunningClock, Values, View

When = date | datetime | str
"""A day, an aware datetime or the canonical text of either."""

NOW = "2026-11-24T15:00:00.000000Z"
"""The moment of a view, where none is given: a Tuesday, 10:00 in New York, 16:00 in Rome."""


def a_view(
    case_type: CaseType,
    *,
    data: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | Iterable[Fact] = (),
    parties: Iterable[Person] = (),
    messages: Iterable[Message] = (),
    documents: Iterable[Document | str] = (),
    postings: Iterable[Posting] = (),
    clocks: Iterable[RunningClock] = (),
    state: str = "",
    now: When = NOW,
    opened: When = "",
    zone: str = "",
    choice: str | None = None,
    items: Iterable[LiveItem] = (),
    completed: Iterable[str] = (),
    goals: Iterable[Progress] = (),
    chosen: Mark | None = None,
    reviewed: Mark | None = None,
    past_clocks: Iterable[PastClock] = (),
    past_items: Iterable[PastItem] = (),
    others: Mapping[str, Iterable[Other]] | None = None,
) -> View:
    """A case file as a hook would see it, checked against the case type.

    Args:
        case_type: The case type.
        data: Case data, as Python or canonical values.
        facts: Fact key → value, each known since the opening; or facts.
        parties: Who plays which role.
        messages: Messages and attempts, in any order.
        clocks: Clocks that run, rest or were breached.
        documents: Documents, or kinds of documents that are on file since the opening.
        postings: The ledger beside what the case type charges on opening.
        state: Active state (full dotted path); several, separated by blanks, where they lie in different regions;
            empty: the initial one.
        now: Moment of the question.
        opened: Moment of the opening; empty: a day before ``now``.
        zone: Zone of the case; empty: that of the case type.
        choice: Key of the option chosen last.
        items: Plan items that have not ended.
        completed: Plan items that were completed.
        goals: The goals, each with how far it has come.
        chosen, reviewed: Where the last choice and the last review stand; the opening is entry 1.
        past_clocks, past_items: Clocks and plan items that have ended.
        others: Party id → other cases in which it plays a role, for guards that need ``cases``.

    Raises:
        BadInput: the case type makes no sense, or data, facts or state do not fit it.
    """
    compiled = _compiled(case_type)
    where = zone or case_type.zone
    at = effective(now, where).at
    began = effective(opened, where).at if opened else add(at, duration("-P1D"), where)
    values = Form(case_type.data).read(data or {}, "data")
    known = _facts(case_type, facts, began)
    currency = _currency(case_type, values)
    ledger = (*_opening(compiled, values, began), *postings)
    here = _landing(compiled, state)
    book = case_type.ledger
    return View(
        id=str(uuid.UUID(int=1)),
        type=case_type.key,
        number=None,
        zone=where,
        opened=began,
        now=at,
        active=here.active,
        category=here.category,
        data=Values(values, case_type.data),
        totals=_totals(compiled, ledger, currency, at),
        latest={fact.key: fact.value for fact in known if fact.value is not None},
        parties=tuple(sorted(parties, key=lambda p: p.role)),
        facts=known,
        postings=ledger,
        policy=Policy(book.components, PaymentOrder(book.order), book.citation) if book else Policy(),
        currency=currency,
        messages=tuple(sorted(messages, key=lambda m: m.at)),
        filed=tuple(a_document(d, at=began) if isinstance(d, str) else d for d in documents),
        clocks=tuple(clocks),
        choice=choice,
        items=tuple(items),
        completed=frozenset(completed),
        goals=tuple(goals),
        chosen=chosen,
        reviewed=reviewed,
        past_clocks=tuple(past_clocks),
        past_items=tuple(past_items),
        others={party: tuple(found) for party, found in (others or {}).items()},
    )


def a_person(role: str, *, kind: str = "person", zone: str | None = None, id: str = "", **details: str) -> Person:  # noqa: A002 - the name of the field
    """A party in a role; details are name, phone, email, address, born, ref."""
    return Person(id or str(uuid.uuid5(uuid.NAMESPACE_OID, role)), role, kind, zone, None, details)


def a_message(
    at: When, *, direction: str = "out", via: str = "phone", outcome: str = "no-answer", to: Person | None = None, zone: str = "UTC"
) -> Message:
    """A message, or an attempt at one: by default an unanswered call."""
    moment = effective(at, zone).at
    return Message("", direction, via, outcome, moment, to.role if to else None, to.id if to else None)


def a_document(kind: str, *, at: When, direction: str = "internal", version: int = 1, zone: str = "UTC") -> Document:
    """A document on file."""
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {at}"))
    return Document(identity, version, kind, direction, "text/plain", 1, effective(at, zone).at)


def only(view: View, needs: Iterable[Need]) -> View:
    """The file as a guard sees it: its head, and what the guard has declared to need."""
    wanted = {need.what: need for need in needs}

    def kept(what: Any, rows: tuple[Any, ...]) -> tuple[Any, ...]:
        need = wanted.get(what)
        if need is None:
            return ()
        since = add(view.now, duration(f"-{need.window}"), view.zone) if need.window else ""
        return tuple(row for row in rows if not since or getattr(row, "at", since) >= since)

    return evolve(
        view,
        parties=kept("parties", view.parties),
        facts=kept("facts", view.facts),
        postings=kept("postings", view.postings),
        messages=tuple(evolve(m, text=None) for m in kept("messages", view.messages)),
        filed=kept("documents", view.filed),
        others=view.others if "cases" in wanted else {},
        past_clocks=(),
        past_items=(),
    )


_COMPILED: dict[str, Compiled] = {}


def _compiled(case_type: CaseType) -> Compiled:
    text = canonical_text(case_type)
    if text not in _COMPILED:
        check(case_type)
        _COMPILED[text] = compile_type(case_type, digest(case_type), rules=None)
    return _COMPILED[text]


def _facts(case_type: CaseType, facts: Mapping[str, Any] | Iterable[Fact], began: str) -> tuple[Fact, ...]:
    if not isinstance(facts, Mapping):
        return tuple(sorted(facts, key=lambda fact: fact.at))
    form = Form({key: Field(f.schema, f.title, f.personal) for key, f in case_type.facts.items()}, complete=False)
    read = Values(form.read(facts, "facts"), case_type.facts)
    return tuple(Fact(f"1.{i}", key, value, began, recorded=began) for i, (key, value) in enumerate(read.items(), start=1))


def _currency(case_type: CaseType, values: Mapping[str, Any]) -> str:
    if case_type.ledger is None:
        return ""
    money = (values[name][-3:] for name, f in case_type.data.items() if f.schema.get("format") == "money" and name in values)
    return case_type.ledger.currency or next(money, "")


def _opening(compiled: Compiled, values: Mapping[str, Any], began: str) -> list[Posting]:
    found = []
    for i, (component, expression) in enumerate(compiled.opening, start=1):
        text = expression.canonical(Inputs(data=values))
        if text is not None and Money.parse(text):
            found.append(Posting(f"1.{i}", "charge", component, Money.parse(text), began))
    return found


def _totals(compiled: Compiled, ledger: Iterable[Posting], currency: str, at: str) -> dict[str, Money]:
    if not currency:
        return {}
    return {name: Money.parse(text) for name, text in totals.at(compiled, ledger, currency, at).items()}


def _landing(compiled: Compiled, state: str) -> Move:
    paths = tuple(state.split()) or compiled.chart.nodes[ROOT].initial
    for path in paths:
        if path not in compiled.chart.nodes:
            raise BadInput.at("state", f"{path!r} is no state", "use a full path: " + ", ".join(compiled.nodes))
    return compiled.chart.landing(paths)
