"""Import maps: what the events of another system's log mean in a case type.

A map is a TOML file. It says which trace is which case, what an event's time and actor are, which transition,
posting, fact or field each event becomes, and what happens to the attributes that no rule maps. All that an
importer needs comes through here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from casekit.definition.load import structure
from casekit.definition.logvalues import actor_of, amount, value, when
from casekit.definition.mapcheck import check_map
from casekit.definition.maprules import ActorRule, AttributeRule, CaseRule, ChargeRule, EventRule, ImportMap, PayRule, TimeRule
from casekit.errors import BadInput, Problem
from casekit.model.money import decimals
from casekit.model.time import zone_named

__all__ = [
    "ActorRule",
    "AttributeRule",
    "CaseRule",
    "ChargeRule",
    "EventRule",
    "ImportMap",
    "PayRule",
    "TimeRule",
    "actor_of",
    "amount",
    "check_map",
    "read_map",
    "value",
    "when",
]

_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PREFIX = re.compile(r"[a-z][a-z0-9-]*")


def read_map(path: str | Path) -> ImportMap:
    """A map from its TOML file.

    Raises:
        BadInput: the file can't be read, is not TOML, or every problem found in it, each as ``file: /path``.
    """
    file = str(path)
    try:
        read = tomllib.loads(Path(path).read_bytes().decode())
    except OSError as wrong:
        raise BadInput.at(file, f"can't be read: {wrong.strerror}", "check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadInput.at(file, f"not TOML: {wrong}", "correct it there; names with blanks or colons stand in quotes") from None
    found = structure(read, ImportMap, file)
    if problems := [Problem(f"{file}: {place}", what, do) for place, what, do in _incoherent(found)]:
        raise BadInput(problems)
    return found


def _incoherent(rules: ImportMap) -> Iterator[tuple[str, str, str]]:
    if not _SOURCE.fullmatch(rules.source):
        yield "/source", f"{rules.source!r} can't name a source", "use letters, digits, '.', '_' and '-', at most 64"
    if not rules.case_type:
        yield "/case_type", "is empty", "give the path of the case type, relative to the map"
    if not _PREFIX.fullmatch(rules.actor.prefix):
        yield "/actor/prefix", f"{rules.actor.prefix!r} can't be a kind of actor", "use lower-case letters, digits and hyphens"
    if not rules.time.attribute:
        yield "/time/attribute", "is empty", "name the attribute that holds an event's time"
    for place, known, name in (("/currency", decimals, rules.currency), ("/time/zone", zone_named, rules.time.zone)):
        try:
            if name:
                known(name)
        except BadInput as wrong:
            yield place, wrong.problems[0].what, wrong.problems[0].do
    if not any(rule.open or rule.may_open for rule in rules.events.values()):
        yield "/events", "no event opens the case", "say open = true for the event that traces begin with"
    for name, rule in rules.events.items():
        yield from _incoherent_event(f"/events/{name}", rule)
    yield from _unnamed("/case/data", rules.case.data)


def _incoherent_event(place: str, rule: EventRule) -> Iterator[tuple[str, str, str]]:
    if not rule.do and (rule.form or rule.force):
        said = "form" if rule.form else "force"
        yield f"{place}/{said}", "there is no transition that it could be for", "say do, or remove it"
    for part, fields in (("data", rule.data), ("form", rule.form), ("facts", rule.facts)):
        yield from _unnamed(f"{place}/{part}", fields)
    if rule.pay:
        yield from _unnamed(f"{place}/pay", {"amount": rule.pay.amount})
    for index, charge in enumerate(rule.charges):
        yield from _unnamed(f"{place}/charges/{index}", {"amount": charge.amount})


def _unnamed(place: str, fields: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for field, attribute in fields.items():
        if not attribute:
            yield f"{place}/{field}", "is empty", "name an attribute of the log"
