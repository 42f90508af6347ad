"""The hooks: their names, arguments and promises.

Four families, each with one failure policy. *Declare* hooks run once, when a desk opens; a plugin that fails
there is quarantined whole. *Decide* hooks are pure and answer questions; where one raises, the answer says
whose words are missing, and a command that rests on it fails. *Guard* hooks are asked before a command is committed; where one raises, that is an
objection. *Notice* hooks hear of what stands, after the commit; where one raises, it is told again later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pluggy

from casekit.definition.calendars import Calendar
from casekit.definition.casetype import CaseType
from casekit.definition.counts import Counts
from casekit.model.answers import Adjustment, Finding, Objection, Option
from casekit.plugins.declared import PROJECT, Calculator, CalendarSource, Importer, Rule
from casekit.plugins.view import Command, Message, Recorded, View

_spec = pluggy.HookspecMarker(PROJECT)

Family = str
FAMILIES: Mapping[str, Family] = {
    "casekit_case_types": "declare",
    "casekit_requirements": "declare",
    "casekit_calculators": "declare",
    "casekit_roles": "declare",
    "casekit_importers": "declare",
    "casekit_calendars": "declare",
    "casekit_counts": "declare",
    "casekit_assess": "decide",
    "casekit_plan": "decide",
    "casekit_review": "decide",
    "casekit_close": "decide",
    "casekit_before": "guard",
    "casekit_before_transition": "guard",
    "casekit_before_message": "guard",
    "casekit_recorded": "notice",
}


@_spec
def casekit_case_types() -> Iterable[CaseType]:
    """The case types that the plugin brings.

    When: once, when a desk opens. Returns: case types; two plugins with one key are both named and both quarantined.
    If it raises: the plugin is quarantined. Since: 1.

    Example::

        @hookimpl
        def casekit_case_types():
            return [DISPUTE]
    """
    raise NotImplementedError


@_spec
def casekit_requirements() -> Iterable[Rule]:
    """Requirements in code, which case types may name beside their own.

    When: once, when a desk opens. Returns: rules; keys are unique over all plugins. If it raises: the plugin is
    quarantined; where a rule's check raises later, it counts as an objection. Since: 1.

    Example::

        @hookimpl
        def casekit_requirements():
            return [Rule("tenancy.letter", lambda view: bool(view.documents("letter")), "No letter is on file.",
                         needs=(Need("documents"),))]
    """
    raise NotImplementedError


@_spec
def casekit_calculators() -> Iterable[Calculator]:
    """Pure functions that work without a case.

    When: once, when a desk opens. Returns: calculators; keys are unique over all plugins. If it raises: the plugin
    is quarantined. Since: 1.

    Example::

        @hookimpl
        def casekit_calculators():
            return [Calculator("tenancy.interest", "Interest on a deposit", interest, {"deposit": field(Money, required=True)})]
    """
    raise NotImplementedError


@_spec
def casekit_roles() -> Mapping[str, Iterable[str]]:
    """Which permissions the plugin grants to which role, where no edition says otherwise.

    When: once, when a desk opens. Returns: role → permissions (``case.open``, ``tenancy.decide``; ``case.*`` for all
    that begin so). They hold for the case types that the plugin handles, and merge by union. If it raises: the
    plugin is quarantined. Since: 1.

    Example::

        @hookimpl
        def casekit_roles():
            return {"clerk": ["case.open", "case.read", "case.do", "tenancy.answer"]}
    """
    raise NotImplementedError


@_spec
def casekit_importers() -> Iterable[Importer]:
    """Readers of formats of event logs.

    When: once, when a desk opens. Returns: importers; keys are unique over all plugins. If it raises: the plugin is
    quarantined. Since: 1.

    Example::

        @hookimpl
        def casekit_importers():
            return [Importer("xes", "IEEE 1849 XES", read_xes)]
    """
    raise NotImplementedError


@_spec
def casekit_calendars() -> Iterable[Calendar | CalendarSource]:
    """Calendars: office hours, or the working days and holidays that a law means.

    When: once, when a desk opens; a source's ``build`` when its calendar is first asked for. Returns: calendars, or
    sources of them; keys are unique over all plugins. If it raises: the plugin is quarantined, as it is where a
    calendar is not what it must be. Since: 1.

    Example::

        @hookimpl
        def casekit_calendars():
            return [Calendar("tenancy.office", "1", hours=week(("09:00-12:30", "13:30-17:00")), zone="Europe/Rome",
                             exceptions={"2026-12-24": DayException("09:00-12:30", "Christmas Eve")})]
    """
    raise NotImplementedError


@_spec
def casekit_counts() -> Iterable[Counts]:
    """Rules of counting days, as the law has them through the years.

    When: once, when a desk opens. Returns: rules, each with its dated versions; keys are unique over all plugins.
    If it raises: the plugin is quarantined. Since: 1.

    Example::

        @hookimpl
        def casekit_counts():
            return [Counts("tenancy.answer", [Count("tenancy.answer", "1", amount="P14D", roll="forward", citation="Rental Act, section 9")])]
    """
    raise NotImplementedError


@_spec
def casekit_assess(view: View) -> Iterable[Finding]:
    """What there is to find in a case.

    When: on demand; pure. Arguments: the whole case file. Returns: findings; those of all plugins stand side by
    side, sorted by plugin and rule. If it raises: what the others found stands, and a finding names the plugin; a
    command that rests on the assessment fails. Since: 1.

    Example::

        @hookimpl
        def casekit_assess(view):
            if view.data["claimed"] > view.data["deposit"]:
                yield Finding("tenancy.over-deposit", "More is claimed than was deposited.", inputs=("claimed", "deposit"))
    """
    raise NotImplementedError


@_spec
def casekit_plan(view: View, findings: tuple[Finding, ...]) -> Iterable[Option]:
    """Which ways there are to go on.

    When: on demand; pure. Arguments: the whole case file, and what the assessment found. Returns: options; a person
    chooses one. If it raises: as for an assessment; choosing fails. Since: 1.

    Example::

        @hookimpl
        def casekit_plan(view, findings):
            yield Option("mediation", "Split the deposit", plan=(Task("offer", due="P7D"),))
    """
    raise NotImplementedError


@_spec
def casekit_review(view: View, findings: tuple[Finding, ...]) -> Iterable[Finding | Adjustment]:
    """What a fresh look at a case comes to: how the plan goes, and what should be changed.

    When: with every review that is recorded, and on ``look``; pure. Arguments: the whole case file, with goals and how
    far they have come, the plan, what has ended, and where the last review and the last choice stand
    (``view.since(view.reviewed)``); what the assessment found. Returns: findings, and adjustments that a person may take;
    those of all plugins stand side by side, sorted by plugin and key, and the review on record keeps them. The option
    that an adjustment names must be offered. If it raises: a look says so, and the review fails and names the plugin. Since: 1.

    Example::

        @hookimpl
        def casekit_review(view, findings):
            for goal in view.goals:
                if goal.missed:
                    yield Finding("tenancy.missed", "{goal} was missed.", args={"goal": goal.goal.key})
                    yield Adjustment("tenancy.give-up", "Give {goal} up", drop=(goal.goal.key,), args={"goal": goal.goal.key})
    """
    raise NotImplementedError


@_spec
def casekit_close(view: View, outcome: str) -> Iterable[Objection]:
    """What stands against closing a case.

    When: before every transition into a state of category closed or cancelled, and on ``explain``; pure. Arguments:
    the whole case file; the outcome asked for. Returns: objections, all shown together. If it raises: the closing is
    refused and names the plugin. Since: 1.

    Example::

        @hookimpl
        def casekit_close(view, outcome):
            if not view.documents("decision-letter"):
                yield Objection("tenancy.letter", "No decision letter is on file.", remedy="add a decision-letter")
    """
    raise NotImplementedError


@_spec
def casekit_before(view: View, command: Command) -> Iterable[Objection]:
    """What stands against any command.

    When: before the commit; pure. Arguments: the head of the case and what ``hookimpl(needs=…)`` names; the command.
    Returns: objections, all shown together. If it raises: that is an objection. Since: 1.

    Example::

        @hookimpl
        def casekit_before(view, command):
            if command.name == "pay" and view.at("decided"):
                yield Objection("tenancy.decided", "The case is decided.")
    """
    raise NotImplementedError


@_spec
def casekit_before_transition(view: View, event: str, fields: Mapping[str, Any]) -> Iterable[Objection]:
    """What stands against an event of the lifecycle.

    When: before the commit; pure. Arguments: as ``casekit_before``; the event; the fields of its form as Python
    values. Returns: objections. If it raises: that is an objection. Since: 1.

    Example::

        @hookimpl
        def casekit_before_transition(view, event, fields):
            if event == "decide" and "reasons" not in fields:
                yield Objection("tenancy.reasons", "A decision needs reasons.")
    """
    raise NotImplementedError


@_spec
def casekit_before_message(view: View, message: Message) -> Iterable[Objection]:
    """What stands against a message, before it is sent or a call is made.

    When: before the commit, and on ``check``; pure. Arguments: as ``casekit_before``; the message asked for.
    Returns: objections with, where it is known, the next moment at which the rule allows it. If it raises: that is
    an objection. Since: 1.

    Example::

        @hookimpl(needs=(Need("messages", window="P7D"),))
        def casekit_before_message(view, message):
            if message.direction == "out" and len(view.messages) >= 7:
                yield Objection("tenancy.often", "Seven messages within seven days are enough.")
    """
    raise NotImplementedError


@_spec
def casekit_recorded(recorded: Recorded) -> None:
    """Something was recorded on a case.

    When: after the commit, from the outbox, in the order of the case; at least once. Arguments: what was recorded;
    no personal data. Returns: nothing; it can't veto. If it raises: it is told again later, with growing pauses, and
    ``plugin doctor`` shows it; later entries of that case wait. Since: 1.

    Example::

        @hookimpl
        def casekit_recorded(recorded):
            if "clock.answer.breached" in recorded.events:
                notify(recorded.case)
    """
    raise NotImplementedError


ANSWERS: Mapping[str, tuple[type[Any], ...]] = {
    "casekit_assess": (Finding,),
    "casekit_plan": (Option,),
    "casekit_review": (Finding, Adjustment),
    "casekit_close": (Objection,),
    "casekit_before": (Objection,),
    "casekit_before_transition": (Objection,),
    "casekit_before_message": (Objection,),
}
"""What each hook that decides or guards answers."""
