"""A plugin whose cases ask for everything that a requirement can ask for: a payment that is released."""

from __future__ import annotations

from collections.abc import Mapping

from casekit.sdk import (
    Action,
    CaseType,
    Clock,
    DocumentKind,
    Item,
    Judged,
    Money,
    Plugin,
    Requirement,
    Rule,
    Sentry,
    State,
    Transition,
    View,
    field,
    hookimpl,
    role,
)

PLUGIN = Plugin("release", api=1, handles=("release.case",), version="1.0")

RELEASE = CaseType(
    key="release.case",
    version="1.0",
    title="Release",
    initial="open",
    data={"amount": field(Money), "account": field(str, personal=True), "urgent": field(bool), "seen": field(int)},
    facts={"origin": field(str, enum=("bank", "cash"))},
    roles={"payee": role((0, 1)), "surety": role((0, 3))},
    documents={"invoice": DocumentKind("Invoice", "in"), "order": DocumentKind("Order")},
    states={
        "open": State("Open", "open"),
        "checked": State("Checked", "open"),
        "held": State("Held", "waiting-third"),
        "paid": State("Paid", "closed", outcome="paid"),
        "void": State("Void", "cancelled", outcome="void"),
    },
    transitions={
        "check": Transition("open", "checked", do=(Action(set={"seen": "1"}),)),
        "hold": Transition(("open", "checked"), "held"),
        "free": Transition("held", "checked", when="urgent"),
        "pay": Transition("checked", "paid", requires=("release.papers", "release.approved"), allow="release.pay"),
        "pay-now": Transition("checked", "paid", on="pay", when="urgent", requires="release.approved", order=-1),
        "drop": Transition(("open", "checked", "held"), "void", requires=("release.free", "release.sane")),
        "settle": Transition(("open", "checked"), None, requires=("release.two", "release.heard", "release.agreed")),
        "late": Transition(("open", "checked"), None, requires="release.in-time"),
        "again": Transition(("paid", "void"), "open"),
    },
    plan={
        "read": Item(title="Read it", who="clerk"),
        "call": Item(title="Call them", manual=True, who="clerk"),
        "agreed": Item("milestone", "Agreed", entry=(Sentry(("read.completed", "call.completed")),)),
        "rest": Item(title="File it", entry=(Sentry("agreed", when="known(amount)"),), blocks="never"),
    },
    clocks={
        "answer": Clock("P14D", start="at('open')", stop="at('checked')", pause="at('held')"),
        "held": Clock("P30D", start="at('held')", stop="at('checked') or at('void')"),
    },
    requirements={
        "release.papers": Requirement(
            all=(
                Requirement(document="invoice", count=2),
                Requirement(any=(Requirement(document="order"), Requirement(field="fact:origin"))),
                Requirement(field="amount", when="amount < money('1000.00 EUR')", unmet="It is too much."),
            ),
            unmet="The papers are not there.",
            citation="House rule 4",
        ),
        "release.approved": Requirement(approval="release.approve", count=2, over=("amount", "fact:origin", "document:invoice")),
        "release.free": Requirement(none=(Requirement(clock="held", status="breached"), Requirement("urgent"))),
        "release.sane": Requirement(any=("release.rule", "release.free")),
        "release.two": Requirement(
            n_of=(Requirement(party="payee"), Requirement(party="surety", count=2), Requirement(field="account")), count=2
        ),
        "release.heard": Requirement(clock="answer", status="met"),
        "release.agreed": Requirement(all=(Requirement(milestone="agreed"), Requirement(item="rest", status="active"))),
        "release.in-time": Requirement(
            any=(Requirement(clock="answer", status="breached"), Requirement(clock="answer", status="not-running"))
        ),
    },
)


def judged(view: View) -> Judged:
    """Says what it misses."""
    known = view.data.get("urgent")
    missing = () if known is not None else ("urgent",)
    return Judged("rule", known, "It must be urgent.", missing=missing, needed="urgent")


@hookimpl
def casekit_case_types() -> list[CaseType]:
    return [RELEASE]


@hookimpl
def casekit_requirements() -> list[Rule]:
    return [Rule("release.rule", judged, "It is not urgent.", "House rule 9")]


@hookimpl
def casekit_roles() -> Mapping[str, list[str]]:
    everything = ["case.*", "item.*", "plan.*", "party.*", "fact.*", "document.*", "journal.*", "desk.due"]
    return {
        "clerk": [*everything, "release.pay"],
        "head": ["case.read", "case.approve", "release.approve"],
        "guest": ["case.read", "case.approve"],
        "worker": ["case.read", "case.do"],
        "auditor": ["journal.verify"],
    }
