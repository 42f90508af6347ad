"""The calendars and rules of counting of a desk: those that plugins and hosts bring, and those that cases are pinned to.

A case is pinned to the digest of each that its clocks go by, and their texts lie in the store, so that an old date
can be explained when a plugin is gone or a list of holidays has moved on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from casekit.decisions.calendar import Working
from casekit.decisions.compiled import Compiled
from casekit.definition.calendars import Calendar, check_calendar, resolved
from casekit.definition.casetype import CaseType
from casekit.definition.counts import Counts, check_counts
from casekit.definition.load import canonical_text, digest, structure
from casekit.errors import BadInput, Problem
from casekit.model.canonical import Json, decode
from casekit.plugins.catalogue import Catalogue
from casekit.store import reading
from casekit.store.shelf import Shelf

FIRST, LAST = 2000, 2049
"""Years whose holidays a source is asked for: the same on every desk, so that one version has one digest."""

Published = tuple[str, str, str, str, str]
"""Digest, kind, name, version, text: what the store keeps of a definition."""


class Calendars:
    """Calendars and rules of counting, built once each.

    Args:
        catalogue: The plugins.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._own: dict[str, Calendar] = {}
        self._current: dict[str, str] = {}
        self._texts: dict[str, Published] = {}
        self._working: dict[str, Working] = {}
        self._counts: dict[str, Counts] = {}

    def add(self, calendar: Calendar) -> None:
        """Takes in a calendar: cases that are opened from now on get it.

        Raises:
            BadInput: it is not what it must be, or the key and version are taken by another text.
        """
        check_calendar(calendar)
        known = self._own.get(calendar.key)
        if known is not None and known.version == calendar.version and known != calendar:
            what = f"version {calendar.version} of {calendar.key} has another text already"
            raise BadInput.at(f"calendar {calendar.key}", what, "raise the version")
        self._own[calendar.key] = calendar
        self._current.clear()

    def check(self, case_type: CaseType, where: str) -> None:
        """Refuses a case type whose clocks go by what nobody brings.

        Raises:
            BadInput: every calendar and rule of counting that is missing, with the path that names it.
        """
        known = {"calendar": {*self._own, *self._catalogue.declared.calendars}, "count": set(self._catalogue.declared.counts)}
        problems = [
            Problem(f"{where}: {path}", f"there is no {_SAID[kind]} {key!r}", _known(kind, known[kind]))
            for path, kind, key in _named(case_type)
            if key and key not in known[kind]
        ]
        if problems:
            raise BadInput(problems)

    def pins(self, compiled: Compiled) -> Json:
        """What the head of a new case is pinned to: key → digest; nothing where its clocks need nothing.

        Raises:
            BadInput: a plugin's calendar can't be built.
        """
        pins: Json = {}
        if compiled.calendars:
            pins["calendars"] = {key: self._calendar(key) for key in sorted(compiled.calendars)}
        if compiled.counts:
            pins["counts"] = {key: self._rule(key) for key in sorted(compiled.counts)}
        return pins

    def published(self, pins: Mapping[str, Mapping[str, str]]) -> list[Published]:
        """What the store must hold for these pins."""
        return [self._texts[address] for group in ("calendars", "counts") for address in pins.get(group, {}).values()]

    def of(self, shelf: Shelf, head: Mapping[str, Any]) -> tuple[dict[str, Working], dict[str, Counts]]:
        """The calendars and rules that a case is pinned to, by key.

        Raises:
            BadInput: the store does not hold one of them.
        """
        working = {key: self._worked(shelf, address) for key, address in head.get("calendars", {}).items()}
        return working, {key: self._counted(shelf, address) for key, address in head.get("counts", {}).items()}

    def _calendar(self, key: str) -> str:
        address = self._current.get(key)
        if address is None:
            calendar = resolved(self._made(key), _Made(self))
            address = self._current[key] = digest(calendar)
            self._texts[address] = (address, "calendar", calendar.key, calendar.version, canonical_text(calendar))
            self._working.setdefault(address, Working(calendar))
        return address

    def _made(self, key: str) -> Calendar:
        if key in self._own:
            return self._own[key]
        declared = self._catalogue.declared.calendars
        if key not in declared:
            raise BadInput.at("calendar", f"there is no calendar {key!r}", _known("calendar", {*self._own, *declared}))
        source, _ = declared[key]
        return source if isinstance(source, Calendar) else source.build(FIRST, LAST)

    def _rule(self, key: str) -> str:
        address = self._current.get(f"count {key}")
        if address is None:
            rules, _ = self._catalogue.declared.counts[key]
            address = self._current[f"count {key}"] = digest(rules)
            self._texts[address] = (address, "count", key, rules.versions[-1].version, canonical_text(rules))
            self._counts.setdefault(address, rules)
        return address

    def _worked(self, shelf: Shelf, address: str) -> Working:
        found = self._working.get(address)
        if found is None:
            found = self._working[address] = Working(structure(_text(shelf, address), Calendar, f"calendar {address[:12]}"))
        return found

    def _counted(self, shelf: Shelf, address: str) -> Counts:
        found = self._counts.get(address)
        if found is None:
            found = self._counts[address] = structure(_text(shelf, address), Counts, f"count {address[:12]}")
            check_counts(found)
        return found


class _Made(dict[str, Calendar]):
    """Calendars by key, made when one is used by another."""

    def __init__(self, calendars: Calendars) -> None:
        super().__init__()
        self._calendars = calendars

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and (key in self._calendars._own or key in self._calendars._catalogue.declared.calendars)  # noqa: SLF001

    def __getitem__(self, key: str) -> Calendar:
        return self._calendars._made(key)  # noqa: SLF001


_SAID = {"calendar": "calendar", "count": "rule of counting"}


def _known(kind: str, keys: Iterable[str]) -> str:
    advice = "install a plugin that brings it, or give its file" if kind == "calendar" else "install a plugin that brings it"
    return f"{advice}; those known are: {', '.join(sorted(keys)) or 'none'}"


def _named(case_type: CaseType) -> Iterable[tuple[str, str, str]]:
    """Every calendar and rule that a case type names: path, kind, key."""
    for id_, clock in case_type.clocks.items():
        at = f"/clocks/{id_}"
        yield f"{at}/calendar", "calendar", clock.calendar
        yield f"{at}/speaks", "calendar", clock.speaks
        yield f"{at}/count", "count", clock.count
        yield from ((f"{at}/amounts/{i}/calendar", "calendar", row.calendar) for i, row in enumerate(clock.amounts))
    for key, level in case_type.sla.items():
        yield from ((f"/sla/{key}/targets/{id_}/calendar", "calendar", target.calendar) for id_, target in level.targets.items())


def _text(shelf: Shelf, address: str) -> Any:
    text = reading.definition(shelf, address)
    if text is None:
        raise BadInput.at("calendar", f"the definition {address[:12]} is not in the store", "run verify; restore it from a backup")
    return decode(text)
