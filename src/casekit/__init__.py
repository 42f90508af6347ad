"""casekit: a framework and SDK for building case management systems.

This is the embedders' door; plugin authors come in by :mod:`casekit.sdk`. What needs the store is imported
when it is first asked for, so that importing casekit is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from casekit.__about__ import __version__
from casekit.errors import (
    BadInput,
    CasekitError,
    Conflict,
    Denied,
    Disposed,
    KeyReused,
    Livelock,
    NotFound,
    PluginFailed,
    Problem,
    Refused,
    Stale,
    StoreFailed,
)
from casekit.model.answers import Finding, Objection, Option, Promise, Task, Verdict
from casekit.model.judged import Act, Judged, Remedy
from casekit.model.money import Money, Residual, Rounding

if TYPE_CHECKING:
    from casekit.decisions.explain import Explanation
    from casekit.desk.desk import Desk, open_desk
    from casekit.desk.seat import Seat
    from casekit.desk.values import Case, Done, Happening, Link, Listed, Options, Page
    from casekit.plugins.isolation.limits import Limits
    from casekit.store.hosts import prepare

_LATER = {
    "Case": "casekit.desk.values",
    "Desk": "casekit.desk.desk",
    "Done": "casekit.desk.values",
    "Explanation": "casekit.decisions.explain",
    "Happening": "casekit.desk.values",
    "Limits": "casekit.plugins.isolation.limits",
    "Link": "casekit.desk.values",
    "Listed": "casekit.desk.values",
    "Options": "casekit.desk.values",
    "Page": "casekit.desk.values",
    "Seat": "casekit.desk.seat",
    "open_desk": "casekit.desk.desk",
    "prepare": "casekit.store.hosts",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'casekit' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


__all__ = [
    "Act",
    "BadInput",
    "Case",
    "CasekitError",
    "Conflict",
    "Denied",
    "Desk",
    "Disposed",
    "Done",
    "Explanation",
    "Finding",
    "Happening",
    "Judged",
    "KeyReused",
    "Limits",
    "Link",
    "Listed",
    "Livelock",
    "Money",
    "NotFound",
    "Objection",
    "Option",
    "Options",
    "Page",
    "PluginFailed",
    "Problem",
    "Promise",
    "Refused",
    "Remedy",
    "Residual",
    "Rounding",
    "Seat",
    "Stale",
    "StoreFailed",
    "Task",
    "Verdict",
    "__version__",
    "open_desk",
    "prepare",
]
