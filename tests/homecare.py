"""A plugin whose cases have a plan: help at home, from the first visit to the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from casekit.sdk import (
    CaseType,
    Clock,
    Discretionary,
    Due,
    Finding,
    Item,
    Objection,
    Option,
    Plugin,
    Repeat,
    Requirement,
    Sentry,
    State,
    Task,
    Transition,
    View,
    field,
    hookimpl,
)

PLUGIN = Plugin("homecare", api=1, handles=("care.case",), version="1.0")

CARE = CaseType(
    key="care.case",
    version="1.0",
    title="Help at home",
    initial="open",
    number="C-{seq:04}",
    zone="Europe/Berlin",
    data={"start": field(date), "urgent": field(bool)},
    states={
        "open": State("Open", "open"),
        "running": State("Running", "open"),
        "over": State("Over", "closed", outcome="agreed"),
        "off": State("Off", "cancelled", outcome="withdrawn"),
    },
    transitions={
        "run": Transition("open", "running", on="milestone.agreed"),
        "close": Transition(("open", "running"), "over"),
        "withdraw": Transition(("open", "running"), "off"),
        "reopen": Transition(("over", "off"), "open"),
    },
    plan={
        "visit": Item(title="Visit at home", required=True, who="nurse", due=Due("-P7D", "data:start")),
        "offer": Item("stage", "Offer", entry=(Sentry("visit.completed"),)),
        "draft": Item(title="Write the offer", stage="offer", who="office", due="P3D", allow="care.write"),
        "sign": Item(title="Have it signed", stage="offer", who="office", entry=(Sentry("draft.completed"),)),
        "extra": Item(title="Ask the doctor", stage="offer", who="nurse", discretionary=Discretionary("care.extra")),
        "agreed": Item("milestone", entry=(Sentry("sign.completed"),)),
        "remind": Item("timer", due="P30D", stage="offer"),
        "call": Item(title="Call back", who="office", entry=(Sentry("remind"),), repeat=Repeat(3), blocks="when-active"),
    },
    clocks={"answer": Clock("P60D", start="at('open')", stop="at('running')")},
    requirements={"care.calm": Requirement("event.action != 'skip' or urgent", unmet="Nothing is skipped without need.")},
    guards={"item": ("care.calm",)},
)


@hookimpl
def casekit_case_types() -> list[CaseType]:
    return [CARE]


@hookimpl
def casekit_roles() -> Mapping[str, list[str]]:
    return {
        "nurse": ["case.*", "item.work", "plan.change", "care.extra"],
        "office": ["case.*", "item.*", "care.write", "journal.read", "desk.due", "plan.change"],
        "reader": ["case.read"],
        "auditor": ["journal.verify"],
    }


@hookimpl
def casekit_assess(view: View) -> Iterator[Finding]:
    for item in view.items:
        if item.overdue:
            yield Finding("care.late", "{item} is late: it was due on {due}.", args={"item": item.id, "due": item.due})
    if "visit" in view.completed:
        yield Finding("care.visited", "She was visited.")


@hookimpl
def casekit_plan(view: View, findings: Any) -> Iterator[Option]:
    yield Option("full", "Everything", plan=(Task("shop", "P2D", title="Shop for Mrs Gray"), Task("cook", "P1D", "shop")))
    yield Option("half", "Half of it", plan=(Task("shop", "P9D"),))
    yield Option("more", "And the doctor", plan=(Task("extra"), Task("visit")))


@hookimpl
def casekit_before(view: View, command: Any) -> Iterator[Objection]:
    if command.name == "item" and command.args["item"] == "call" and command.args["action"] == "terminate":
        yield Objection("care.call", "People are called back.")
