"""What is measured: a debt case of 25 fields, six of them personal, two clocks, five plugins that guard every command."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from casekit.model.actor import Actor
from casekit.sdk import Book, CaseType, Clock, Field, Money, Objection, Plugin, Requirement, State, Total, Transition, field, hookimpl, role

TYPE = "bench.debt"
ACTOR = Actor("user:bench", frozenset({"clerk"}))
SINCE = datetime.now(UTC) - timedelta(days=1)
"""Since when the cases stand: no clock of theirs is due yet."""

PERSONAL: dict[str, Field] = {
    f"{owner}_{what}": field(str, personal=True, owner=owner) for owner in ("debtor", "creditor") for what in ("words", "bank", "file")
}
CLEAR: dict[str, Field] = {
    "principal": field(Money, required=True, report=True),
    **{name: field(Money) for name in ("interest", "costs", "income")},
    **{name: field(date) for name in ("invoiced", "payable", "reminded", "handed_over")},
    **{name: field(int, minimum=0) for name in ("reminders", "instalments", "children", "score")},
    **{name: field(str, enum=("yes", "no", "unclear")) for name in ("employed", "insolvent", "disputed", "married")},
    **{name: field(str, personal=False) for name in ("product", "branch", "lot")},
}

DEBT = CaseType(
    key=TYPE,
    version="1.0",
    title="Debt",
    initial="open",
    data={**CLEAR, **PERSONAL},
    facts={"employer": field(str, personal=True, owner="debtor"), "income.monthly": field(Money)},
    roles={"debtor": role(1), "creditor": role(1)},
    ledger=Book("USD", ("principal",), opening={"principal": "principal"}),
    totals={"charged": Total(("charge",), report=True), "paid": Total(("payment",), report=True), "balance": Total(of="charged - paid")},
    states={
        "open": State("Open", category="open"),
        "talks": State(
            "Talks",
            category="waiting-party",
            initial="asked",
            states={"asked": State("Asked"), "behind": State("Behind", category="open")},
        ),
        "paid": State("Paid", category="resolved"),
        "closed": State("Closed", category="closed", outcome="paid"),
    },
    transitions={
        "talk": Transition("open", "talks", when="balance > 0", requires="bench.owed"),
        "leave": Transition("talks", "open"),
        "fall-behind": Transition("talks.asked", "talks.behind", on="clock.answer.breached"),
        "settle": Transition(("open", "talks"), "paid", on="always", when="charged > 0 and balance <= 0"),
        "close": Transition("paid", "closed"),
    },
    clocks={
        "answer": Clock("P14D", start="at('open')", stop="at('talks') or at('paid')", warn=("-P3D",)),
        "review": Clock("P90D", start="at('open') or at('talks')", stop="at('paid')"),
    },
    requirements={
        "bench.owed": Requirement("charged > 0", unmet="Nothing is owed."),
        "bench.not-too-much": Requirement("event.amount <= balance", unmet="More is paid than is owed."),
    },
    guards={"pay": ("bench.not-too-much",)},
)


@hookimpl
def casekit_case_types() -> list[CaseType]:
    """The case type, brought by the first plugin."""
    return [DEBT]


@hookimpl
def casekit_roles() -> dict[str, list[str]]:
    """One role that may do everything."""
    return {"clerk": ["*"]}


@hookimpl
def casekit_before(view: Any, command: Any) -> list[Any]:
    """A guard that looks and has nothing against it."""
    return [Objection("bench.gone", "The case is gone.")] if view.category == "cancelled" and command.name != "note" else []


def plugins() -> list[Any]:
    """Five plugins, each with a guard of its own."""
    first = {"casekit_case_types": casekit_case_types, "casekit_roles": casekit_roles}
    return [
        SimpleNamespace(
            PLUGIN=Plugin(f"bench-{i}", handles=("*",), version="1.0"), casekit_before=casekit_before, **(first if i == 1 else {})
        )
        for i in range(1, 6)
    ]


def data(i: int) -> dict[str, Any]:
    """The 25 fields of a case."""
    day = date(2025, 6, 1) + timedelta(days=i % 200)
    amount = Money.of_minor(100_000 + i, "USD")
    return {
        **dict.fromkeys(("principal", "interest", "costs", "income"), amount),
        **dict.fromkeys(("invoiced", "payable", "reminded", "handed_over"), day),
        "reminders": 2,
        "instalments": i % 12,
        "children": 1,
        "score": 640 + i % 50,
        "employed": "yes",
        "insolvent": "no",
        "disputed": "unclear",
        "married": "yes",
        "product": "card",
        "branch": f"branch {i % 9}",
        "lot": "2026-03",
        **{f"{owner}_words": "says that the goods never came, and that she has written twice" for owner in ("debtor", "creditor")},
        **{f"{owner}_bank": f"DE89 3704 0044 0532 {i:06}" for owner in ("debtor", "creditor")},
        **{f"{owner}_file": f"file {i}" for owner in ("debtor", "creditor")},
    }


def person(i: int) -> dict[str, Any]:
    """The details of a person."""
    return {"name": f"Maria Silva {i}", "phone": f"+1 212 555 {i:04}", "email": f"maria.{i}@example.org", "zone": "America/New_York"}


def log(traces: range) -> str:
    """An event log of traffic fines (XES), ten events to a trace: what the example's map and case type are for."""
    return f"<log>{''.join(map(_trace, traces))}</log>"


def _trace(i: int) -> str:
    said = [
        ("Create Fine", {"amount": "35.0", "article": "157", "points": "0", "vehicleClass": "A"}),
        ("Send Fine", {"expense": "11.0"}),
        ("Insert Fine Notification", {"notificationType": "P", "lastSent": "P"}),
        ("Add penalty", {"amount": "71.5"}),
        *[("Payment", {"paymentAmount": "10.0"})] * 5,
        ("Send for Credit Collection", {}),
    ]
    events = "".join(_event(name, place, more) for place, (name, more) in enumerate(said))
    return f'<trace><string key="concept:name" value="A{i}"/>{events}</trace>'


def _event(name: str, place: int, more: dict[str, str]) -> str:
    day = date(2006, 1, 2) + timedelta(days=100 * place)
    attributes = {"concept:name": name, "org:resource": "561", **more}
    texts = "".join(f'<string key="{key}" value="{value}"/>' for key, value in attributes.items())
    return f'<event>{texts}<date key="time:timestamp" value="{day.isoformat()}T00:00:00{_offset(day)}"/></event>'


def _offset(day: date) -> str:
    at = datetime.combine(day, datetime.min.time(), ZoneInfo("Europe/Rome")).strftime("%z")
    return f"{at[:3]}:{at[3:]}"
