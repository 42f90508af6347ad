"""The plugin authors' door: everything that a domain plugin imports.

Importing it is cheap: neither the store nor a JSON Schema validator comes along.
"""

from casekit.definition.calendars import Calendar, DayException, HolidaySet, read_calendar, week
from casekit.definition.casetype import (
    Action,
    Book,
    CaseType,
    Clock,
    DocumentKind,
    Requirement,
    Role,
    State,
    Total,
    Transition,
    role,
)
from casekit.definition.counts import Count, Counts, Extra, Reading, ShortPeriod, read_counts
from casekit.definition.fields import Field, field
from casekit.definition.plan import Discretionary, Due, Item, Repeat, Sentry
from casekit.errors import BadInput, CasekitError, Problem
from casekit.model.answers import Finding, Objection, Option, Promise, Task, Verdict
from casekit.model.ledger import Allocation, PaymentOrder, Policy, Posting, allocate, balance
from casekit.model.log import LOG_KINDS, LogAttribute, LogEvent, LogHeader, LogKind, LogTrace, log_time
from casekit.model.money import Money, Residual, Rounding
from casekit.model.time import add, at_wall_time, day_start, duration, instant, local, moment
from casekit.plugins.declared import Calculator, CalendarSource, Importer, Need, Plugin, Rule, hookimpl
from casekit.plugins.view import Command, Document, Fact, LiveItem, Message, Person, Recorded, RunningClock, View

__all__ = [
    "LOG_KINDS",
    "Action",
    "Allocation",
    "BadInput",
    "Book",
    "Calculator",
    "Calendar",
    "CalendarSource",
    "CaseType",
    "CasekitError",
    "Clock",
    "Command",
    "Count",
    "Counts",
    "DayException",
    "Discretionary",
    "Document",
    "DocumentKind",
    "Due",
    "Extra",
    "Fact",
    "Field",
    "Finding",
    "HolidaySet",
    "Importer",
    "Item",
    "LiveItem",
    "LogAttribute",
    "LogEvent",
    "LogHeader",
    "LogKind",
    "LogTrace",
    "Message",
    "Money",
    "Need",
    "Objection",
    "Option",
    "PaymentOrder",
    "Person",
    "Plugin",
    "Policy",
    "Posting",
    "Problem",
    "Promise",
    "Reading",
    "Recorded",
    "Repeat",
    "Requirement",
    "Residual",
    "Role",
    "Rounding",
    "Rule",
    "RunningClock",
    "Sentry",
    "ShortPeriod",
    "State",
    "Task",
    "Total",
    "Transition",
    "Verdict",
    "View",
    "add",
    "allocate",
    "at_wall_time",
    "balance",
    "day_start",
    "duration",
    "field",
    "hookimpl",
    "instant",
    "local",
    "log_time",
    "moment",
    "read_calendar",
    "read_counts",
    "role",
    "week",
]
