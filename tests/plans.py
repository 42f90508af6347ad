"""Case types around a plan, for tests of plans."""

from __future__ import annotations

from datetime import date
from typing import Any

from casekit.definition.casetype import CaseType, State, Transition
from casekit.definition.fields import field
from casekit.definition.plan import Item, Sentry


def on(*events: str, **more: Any) -> tuple[Sentry, ...]:
    """One sentry that hears these events."""
    return (Sentry(events, **more),)


def planned(plan: dict[str, Item], transitions: dict[str, Transition] | None = None, **more: Any) -> CaseType:
    """A case type with that plan, open or at work, to be finished, dropped and reopened."""
    states = {
        "open": State("Open", "open"),
        "work": State("Work", "open"),
        "done": State("Done", "closed", outcome="done"),
        "dropped": State("Dropped", "cancelled", outcome="dropped"),
    }
    ways = {
        "begin": Transition("open", "work"),
        "back": Transition("work", "open"),
        "finish": Transition(("open", "work"), "done"),
        "drop": Transition(("open", "work"), "dropped"),
        "never": Transition("done", None),
        "reopen": Transition(("done", "dropped"), "open"),
        **(transitions or {}),
    }
    data = {"n": field(int), "flag": field(bool), "day": field(date)}
    return CaseType("planned", "1", "Planned", "open", states, ways, data, plan=plan, **more)
