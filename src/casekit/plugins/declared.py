"""What plugins declare: themselves, rules in code, calculators, importers, what their hooks read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import pluggy
from attrs import field, frozen

from casekit.definition.calendars import Calendar
from casekit.definition.fields import Field, ordered
from casekit.model.judged import Judged
from casekit.model.log import LogTrace

if TYPE_CHECKING:
    from casekit.plugins.view import View

API = 1
"""The hook level of this casekit. A plugin says which level it was written for."""

PROJECT = "casekit"

_F = TypeVar("_F", bound=Callable[..., Any])
_mark = pluggy.HookimplMarker(PROJECT)


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@frozen
class Plugin:
    """A plugin, as it names itself; its module holds one as ``PLUGIN``.

    Attributes:
        name: Public name; rule keys usually begin with it.
        api: Hook level that it was written for.
        handles: Case types for which its decide and guard hooks are asked, and to which its role grants are limited.
        version: Its version; empty: that of the installed distribution.
        title: What people read.
    """

    name: str
    api: int = API
    handles: tuple[str, ...] = field(default=(), converter=_names)
    version: str = ""
    title: str = ""


@frozen
class Need:
    """What a guard reads beyond the head of the case.

    Attributes:
        what: ``parties`` (of the case), ``facts``, ``messages`` (without their text), ``postings``, ``documents``, or
            ``cases``: other cases in which a party plays a role. A command whose guard reads other cases is decided
            inside the lock, on PostgreSQL in a serializable transaction: what the guard found still holds at the commit.
        window: ISO 8601 duration back from the command's time; empty: all.
        key: Of facts: the key; empty: all.
    """

    what: Literal["parties", "facts", "messages", "postings", "documents", "cases"]
    window: str = ""
    key: str = ""


@overload
def hookimpl(function: _F) -> _F: ...
@overload
def hookimpl(*, needs: tuple[Need, ...] = ()) -> Callable[[_F], _F]: ...
def hookimpl(function: Any = None, *, needs: tuple[Need, ...] = ()) -> Any:
    """Marks a function as the implementation of the hook that it is named after.

    Args:
        function: The function, where the mark stands without brackets.
        needs: Of a guard: what it reads beyond the head of the case. The rest of its view is empty.
    """

    def mark(wanted: Any) -> Any:
        wanted.casekit_needs = tuple(needs)
        return _mark(wanted)

    return mark if function is None else mark(function)


def _needs(value: Iterable[Need]) -> tuple[Need, ...]:
    return tuple(value)


@frozen
class Rule:
    """A requirement in code, for what a condition can't say.

    Attributes:
        key: Public key of the rule; case types name it in ``requires``, ``guards`` and ``closing``.
        check: Pure function of the view: true where the rule is met, None where data that it needs is missing; or a
            ``Judged``, which says beside that what there is, what there must be, and what is missing.
        unmet: Words for when it does not hold.
        citation: Law, contract or policy.
        remedy: Words for what would meet it.
        needs: What ``check`` reads beyond the head of the case.
    """

    key: str
    check: Callable[[View], bool | Judged | None]
    unmet: str = ""
    citation: str = ""
    remedy: str = ""
    needs: tuple[Need, ...] = field(default=(), converter=_needs)


@frozen
class Calculator:
    """A pure function that works without a case: from Python, from the command line, over HTTP.

    Attributes:
        key: Public name (``debt.instalments``).
        title: What people read.
        function: Called with one keyword per input, as Python values; returns a value with a JSON form or an
            attrs record of such values.
        inputs: The inputs; ``required`` ones must be given.
        citation: Law, standard or formula that it follows.
    """

    key: str
    title: str
    function: Callable[..., Any]
    inputs: Mapping[str, Field] = field(converter=ordered)
    citation: str = ""


@frozen
class Importer:
    """A reader of a format of event logs.

    Attributes:
        key: Name of the format (``xes``).
        title: What people read.
        read: Opens a file and yields its traces in their order; the second argument, where given, is called
            with the bytes read so far and the bytes in all.
    """

    key: str
    title: str
    read: Callable[[Path, Callable[[int, int], None] | None], Iterator[LogTrace]]


@frozen
class CalendarSource:
    """A calendar that is made when it is first asked for, with the holidays of the years it is asked for.

    Attributes:
        key: Public name of the calendar (``us.court``).
        title: What people read.
        build: Makes the calendar for the years from the first to the last, both included; the same years and the
            same version of what it draws on give the same calendar.
    """

    key: str
    title: str
    build: Callable[[int, int], Calendar]
