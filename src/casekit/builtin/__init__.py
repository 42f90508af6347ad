"""The default plugin: what comes with casekit and uses the very hooks that others use. It imports the sdk only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from casekit.builtin.counting import counting_rules
from casekit.builtin.holidays import calendar_sources
from casekit.builtin.xes import read_xes
from casekit.sdk import CalendarSource, Counts, Importer, Plugin, hookimpl

PLUGIN = Plugin("casekit-builtin", api=1, handles=("*",), title="Built in")


@hookimpl
def casekit_importers() -> Iterable[Importer]:
    """Event logs in XES."""
    return [Importer("xes", "IEEE 1849 XES, plain or gzipped", read_xes)]


@hookimpl
def casekit_calendars() -> Iterable[CalendarSource]:
    """Working days and holidays of the United States, the United Kingdom, Germany and the member states of the Union."""
    return calendar_sources()


@hookimpl
def casekit_counts() -> Iterable[Counts]:
    """Rules of counting: federal courts, Regulation F, Regulation 1182/71, the BGB, the Debt Respite Scheme."""
    return counting_rules()


@hookimpl
def casekit_roles() -> Mapping[str, Iterable[str]]:
    """The administrator may do everything; the auditor reads everything and changes nothing; the clock works off what is due."""
    return {
        "admin": ["*"],
        "auditor": ["case.read", "party.read", "document.read", "journal.read", "journal.verify", "report.read", "case.export"],
        "clock": ["desk.due"],
    }
