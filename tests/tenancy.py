"""The plugin that tests of the core use: tenancy disputes, with every kind of field, clock and hook in one small case type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from casekit.sdk import (
    Action,
    Book,
    Calculator,
    CaseType,
    Clock,
    Command,
    DocumentKind,
    Field,
    Finding,
    Message,
    Money,
    Need,
    Objection,
    Option,
    Plugin,
    Promise,
    Recorded,
    Requirement,
    Residual,
    Rule,
    State,
    Task,
    Total,
    Transition,
    View,
    field,
    hookimpl,
    role,
)

PLUGIN = Plugin("tenancy", api=1, handles=("tenancy.dispute",), version="1.0")

heard: list[Recorded] = []
"""What the plugin heard from the outbox."""

DATA: dict[str, Field] = {
    "deposit": field(Money, report=True, required=True),
    "claimed": field(Money),
    "rooms": field(int, minimum=1),
    "moved_out": field(date),
    "kind": field(str, enum=("flat", "house")),
    "story": field(str, personal=True),
    "health": field(str, personal=True, owner="tenant"),
    "reference": field(str, personal=False),
}

DISPUTE = CaseType(
    key="tenancy.dispute",
    version="1.0",
    title="Deposit dispute",
    initial="open",
    zone="Europe/Berlin",
    number="T-{year}-{seq:05}",
    data=DATA,
    facts={"rent": field(Money, personal=True, owner="tenant"), "heating": field(str, enum=("gas", "oil"))},
    roles={"tenant": role((1, None)), "landlord": role(1), "handler": role((0, 1), kind="staff")},
    ledger=Book("EUR", ("deposit", "damage"), opening={"deposit": "deposit"}),
    totals={
        "charged": Total(("charge",), report=True),
        "paid": Total(("payment",), report=True),
        "balance": Total(of="charged - paid", report=True),
    },
    states={
        "open": State("Open", category="open"),
        "talks": State(
            "Talks",
            category="waiting-party",
            initial="waiting",
            states={"waiting": State("Waiting"), "behind": State("Behind", category="open")},
        ),
        "answered": State("Answered", category="open"),
        "paid": State("Paid", category="resolved"),
        "decided": State("Decided", category="closed", outcome="decided"),
        "withdrawn": State("Withdrawn", category="cancelled", outcome="withdrawn"),
    },
    transitions={
        "answer": Transition(("open", "talks"), "answered", allow="tenancy.answer", form={"tone": field(str, personal=True)}),
        "talk": Transition(("open", "answered"), "talks", on="chosen"),
        "fall-behind": Transition("talks.waiting", "talks.behind", on="clock.promise.breached"),
        "catch-up": Transition("talks.behind", "talks.waiting", on="clock.promise.withdrawn"),
        "settle": Transition(("open", "talks", "answered"), "paid", on="always", when="charged > 0 and balance <= 0"),
        "reopen": Transition("paid", "open", on="always", when="balance > 0", do=(Action(run="say-reopened", args={"owed": "balance"}),)),
        "decide": Transition(
            ("open", "talks", "answered", "paid"), "decided", allow="tenancy.decide", requires="tenancy.both-heard", reason=True
        ),
        "withdraw": Transition(("open", "talks", "answered"), "withdrawn", allow="tenancy.decide"),
        "resume": Transition(("decided", "withdrawn"), "open", allow="tenancy.decide"),
    },
    clocks={
        "answer": Clock("P14D", start="at('open')", stop="at('answered') or at('paid')", warn=("-P3D",)),
        "promise": Clock(kind="fixed", each=True, warn=("-P1D",)),
        "move": Clock(kind="fixed", due="moved_out", start="known(moved_out)", stop="documents('letter') > 0"),
    },
    requirements={
        "tenancy.both-heard": Requirement(
            "at('answered') or at('paid') or breached('answer')",
            unmet="The landlord has neither answered nor let the time pass.",
            remedy="wait for the answer",
        ),
        "tenancy.checked": Requirement(approval="tenancy.decide", over="claimed", unmet="Nobody has checked what is claimed."),
        "tenancy.not-too-much": Requirement("event.amount <= balance", unmet="More is paid than is owed."),
    },
    guards={"pay": ("tenancy.not-too-much",)},
    closing=("tenancy.letter",),
    documents={
        "letter": DocumentKind("Letter", "out"),
        "photo": DocumentKind("Photo", "in", statuses=("received", "accepted", "rejected")),
    },
)


@hookimpl
def casekit_case_types() -> list[CaseType]:
    return [DISPUTE]


@hookimpl
def casekit_requirements() -> list[Rule]:
    return [
        Rule(
            "tenancy.letter",
            lambda view: bool(view.documents("letter")),
            "No letter is on file.",
            remedy="file a letter",
            needs=(Need("documents"),),
        )
    ]


@hookimpl
def casekit_calculators() -> list[Calculator]:
    return [Calculator("tenancy.half", "Half of an amount", half, {"amount": field(Money, required=True)})]


def half(amount: Money) -> tuple[Money, Money]:
    """Two halves; the odd cent goes to the first."""
    return amount.allocate((1, 1), Residual.FIRST)  # type: ignore[return-value]


@hookimpl
def casekit_roles() -> Mapping[str, list[str]]:
    everything = [
        "case.*",
        "item.*",
        "plan.*",
        "goal.*",
        "party.*",
        "note.*",
        "fact.*",
        "ledger.*",
        "document.*",
        "message.*",
        "journal.*",
        "checkpoint.*",
        "report.*",
        "hold.*",
        "disposal.*",
        "tenancy.*",
    ]
    return {
        "clerk": [*everything, "desk.due", "clock.*"],
        "reader": ["case.read"],
        "auditor": ["journal.verify"],
        "trainee": ["case.read", "case.do"],
    }


@hookimpl
def casekit_assess(view: View) -> Iterator[Finding]:
    rent = view.latest.get("rent")
    if rent is None:
        yield Finding("tenancy.no-rent", "The rent is not known.", inputs=("fact:rent",))
    elif view.data["deposit"] > rent + rent + rent:
        yield Finding(
            "tenancy.high-deposit", "The deposit is more than three rents of {rent}.", ("deposit", "fact:rent"), {"rent": rent}, "§ 551 BGB"
        )


@hookimpl
def casekit_plan(view: View, findings: tuple[Finding, ...]) -> Iterator[Option]:
    owed = view.balance()
    if owed.minor > 0:
        first, second = half(owed)
        days = [view.today + timedelta(days=10), view.today + timedelta(days=40)]
        promises = tuple(Promise(day, amount) for day, amount in zip(days, (first, second), strict=True) if amount.minor)
        yield Option(
            "two-halves", "Pay {owed} in two halves", promises=promises, args={"owed": owed}, because=tuple(f.rule for f in findings)
        )
    yield Option("decision", "Decide on the papers", plan=(Task("hear", due="P7D"), Task("write", after="hear")))


@hookimpl
def casekit_close(view: View, outcome: str) -> Iterator[Objection]:
    if outcome == "decided" and not view.documents("photo"):
        yield Objection(
            "tenancy.photo", "No photo of {story} is on file.", {"story": view.data.get("story", "the flat")}, remedy="file a photo"
        )


@hookimpl
def casekit_before(view: View, command: Command) -> Iterator[Objection]:
    if command.name == "charge" and view.at("paid") and command.args["component"] == "damage":
        yield Objection("tenancy.too-late", "It is paid.")


@hookimpl(needs=(Need("messages", window="P7D"), Need("parties")))
def casekit_before_message(view: View, message: Message) -> Iterator[Objection]:
    if message.direction == "out" and len([m for m in view.messages if m.direction == "out"]) >= 2:
        tenant = view.party("tenant")
        yield Objection(
            "tenancy.often", "{name} was written to twice within a week.", {"name": tenant.name if tenant else None}, "house rule"
        )


@hookimpl
def casekit_recorded(recorded: Recorded) -> None:
    heard.append(recorded)
