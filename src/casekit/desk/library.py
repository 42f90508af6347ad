"""The case types of a desk: those that plugins and hosts bring, and those that running cases are pinned to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from threading import Lock

from casekit.decisions.check import check
from casekit.decisions.compiled import Compiled, compile_type
from casekit.definition.calendars import Calendar
from casekit.definition.casetype import CaseType
from casekit.definition.fields import Field
from casekit.definition.forms import Form
from casekit.definition.load import canonical_text, digest, structure
from casekit.definition.requirements import within
from casekit.desk.calendars import Calendars
from casekit.desk.permissions import Grants
from casekit.desk.work import Work
from casekit.errors import BadInput, Problem
from casekit.model.canonical import decode, encode
from casekit.model.time import Effective
from casekit.plugins.catalogue import Catalogue
from casekit.plugins.contained import told
from casekit.store import reading
from casekit.store.shelf import Shelf
from casekit.store.writing import DEFINITIONS

_SYSTEM = "system:casekit"


class Library:
    """Case types, compiled once each.

    Attributes:
        calendars: The calendars and rules of counting that their clocks go by.
    """

    def __init__(self, catalogue: Catalogue, calendars: Iterable[Calendar] = ()) -> None:
        self.catalogue = catalogue
        self.calendars = Calendars(catalogue)
        for calendar in calendars:
            self.calendars.add(calendar)
        self._current: dict[str, Compiled] = {}
        self._texts: dict[str, str] = {}
        self._pinned: dict[str, Compiled] = {}
        self._forms: dict[tuple[str, str], Form] = {}
        self._published: set[tuple[int, str]] = set()
        self._guard = Lock()
        for case_type, plugin in list(catalogue.declared.case_types.values()):
            try:
                self.add(case_type, f"{plugin.name}: {case_type.key}")
            except Exception as wrong:  # noqa: BLE001 - a record may hold what no record may, and the desk goes on
                catalogue.quarantine(plugin.name, str(wrong) if isinstance(wrong, BadInput) else told(wrong))
        # A plugin that was quarantined just now takes its case types along.
        kept = set(catalogue.declared.case_types)
        self._current = {key: compiled for key, compiled in self._current.items() if key in kept}
        self.edition_text = encode({"plugins": catalogue.versions()})
        self.edition = hashlib.sha256(self.edition_text.encode()).hexdigest()

    @property
    def types(self) -> Mapping[str, Compiled]:
        """The current case types by key."""
        return dict(self._current)

    def add(self, case_type: CaseType, where: str = "", *, current: bool = True) -> Compiled:
        """Takes in a case type, checked; ``current``: new cases get it even where another version is known.

        Raises:
            BadInput: everything that is wrong with it, or the key is taken by another text.
        """
        check(case_type, where)
        self.calendars.check(case_type, where or case_type.key)
        self._check_permissions(case_type, where or case_type.key)
        known = self._current.get(case_type.key)
        compiled = compile_type(case_type, digest(case_type), self.catalogue.declared.requirements, where)
        if known is not None and known.digest != compiled.digest and known.says.version == case_type.version:
            raise BadInput.at(
                where or case_type.key, f"version {case_type.version} of {case_type.key} has another text already", "raise the version"
            )
        self._pinned[compiled.digest] = compiled
        if current or known is None:
            self._current[case_type.key] = compiled
        self._texts[compiled.digest] = canonical_text(case_type)
        return compiled

    def _check_permissions(self, case_type: CaseType, where: str) -> None:
        """Refuses a requirement that nobody could approve."""
        grants = Grants(self.catalogue)
        asked = [(key, part.approval) for key, says in case_type.requirements.items() for _, part in within(says) if part.approval]
        do = "grant it to a role in casekit_roles, or ask for another"
        problems = [
            Problem(f"{where}: /requirements/{key}/approval", f"no role here has the permission {permission!r}", do)
            for key, permission in asked
            if not grants.who((permission,), case_type.key)
        ]
        if problems:
            raise BadInput(problems)

    def current(self, key: str) -> Compiled:
        """The case type that new cases get.

        Raises:
            BadInput: there is none of that key.
        """
        try:
            return self._current[key]
        except KeyError:
            known = ", ".join(sorted(self._current)) or "none"
            raise BadInput.at("case type", f"{key!r} is not known here", f"those known are: {known}") from None

    def pinned(self, shelf: Shelf, address: str) -> Compiled:
        """The case type that a case is pinned to, from the store where no plugin brings it any more.

        Raises:
            BadInput: the store does not hold it.
        """
        found = self._pinned.get(address)
        if found is None:
            text = reading.definition(shelf, address)
            if text is None:
                raise BadInput.at("case type", f"the definition {address[:12]} is not in the store", "run verify; restore it from a backup")
            case_type = structure(decode(text), CaseType, f"definition {address[:12]}")
            found = self._pinned[address] = compile_type(case_type, address, rules=None)
        return found

    def form(self, compiled: Compiled, part: str, fields: Mapping[str, Field], *, complete: bool = True) -> Form:
        """The form for a part of a case type, built once."""
        known = self._forms.get((compiled.digest, part))
        if known is None:
            known = self._forms[(compiled.digest, part)] = Form(fields, complete=complete)
        return known

    def publish(self, work: Work, compiled: Compiled, recorded: str, command: str) -> None:
        """Sees to it that definition and edition lie in the store before a case is pinned to them.

        Raises:
            BadInput: the store holds another text under the same key and version.
        """
        here = id(work.shelf.whole)
        calendars = self.calendars.published(self.calendars.pins(compiled))
        wanted = (compiled.digest, self.edition, *(row[0] for row in calendars))
        if all((here, address) in self._published or self._in(work, address) for address in wanted):
            return  # a batch opens many cases, and has written all for the first
        says = compiled.says
        other = reading.published(work.shelf, says.key, says.version)
        if other is not None and other != compiled.digest:
            raise BadInput.at(
                says.key, f"version {says.version} was published with another text", "a published version never changes: raise it"
            )
        entries = [
            (compiled.digest, "case-type", says.key, says.version, self._texts[compiled.digest]),
            (self.edition, "edition", "installed", self.edition[:12], self.edition_text),
            *calendars,
        ]
        for address, kind, name, version, body in entries:
            if reading.definition(work.shelf, address) is None and not self._in(work, address):
                work.add(DEFINITIONS, (work.shelf.tenant, address, kind, name, version, body))
                self._log(work, {"digest": address, "kind": kind, "name": name, "version": version}, recorded, command)

    def published(self, work: Work) -> None:
        """Remembers, after the commit, what was published; what a host may still take back is not."""
        if work.shelf.joined:
            return
        for row in work.rows.others.get(DEFINITIONS, ()):
            self._published.add((id(work.shelf), row[1]))

    def known(self, shelf: Shelf, compiled: Compiled) -> None:
        """Remembers that a shelf holds a definition, its calendars and the present edition."""
        calendars = self.calendars.published(self.calendars.pins(compiled))
        self._published |= {(id(shelf), address) for address in (compiled.digest, self.edition, *(row[0] for row in calendars))}

    def _in(self, work: Work, address: str) -> bool:
        return any(row[1] == address for row in work.rows.others.get(DEFINITIONS, ()))

    def _log(self, work: Work, about: dict[str, str], recorded: str, command: str) -> None:
        log(work, "definitions", "publish", about, actor=_SYSTEM, recorded=recorded, command=command)


def log(work: Work, name: str, kind: str, about: Mapping[str, object], *, actor: str, recorded: str, command: str) -> None:
    """One more entry on a desk log."""
    stream = work.log(name)
    opening = [{"c": "open", "stream": "log", "set": {"name": name, "opened": recorded}}] if not stream.head else []
    work.append(
        stream,
        kind,
        [*opening, {"c": "log"}],
        dict(about),
        actor=actor,
        effective=Effective(recorded, "UTC"),
        recorded=recorded,
        command=command,
        spoke={},
    )
