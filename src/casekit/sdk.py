"""The plugin authors' door: everything that a domain plugin imports.

Importing it is cheap: neither the store nor a JSON Schema validator comes along.
"""

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
from casekit.definition.fields import Field, field
from casekit.errors import BadInput, CasekitError, Problem
from casekit.model.answers import Finding, Objection, Option, Promise, Task, Verdict
from casekit.model.ledger import Allocation, PaymentOrder, Policy, Posting, allocate, balance
from casekit.model.log import LOG_KINDS, LogAttribute, LogEvent, LogHeader, LogKind, LogTrace, log_time
from casekit.model.money import Money, Residual, Rounding

__all__ = [
    "LOG_KINDS",
    "Action",
    "Allocation",
    "BadInput",
    "Book",
    "CaseType",
    "CasekitError",
    "Clock",
    "DocumentKind",
    "Field",
    "Finding",
    "LogAttribute",
    "LogEvent",
    "LogHeader",
    "LogKind",
    "LogTrace",
    "Money",
    "Objection",
    "Option",
    "PaymentOrder",
    "Policy",
    "Posting",
    "Problem",
    "Promise",
    "Requirement",
    "Residual",
    "Role",
    "Rounding",
    "State",
    "Task",
    "Total",
    "Transition",
    "Verdict",
    "allocate",
    "balance",
    "field",
    "log_time",
    "role",
]
