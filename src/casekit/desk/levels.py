"""Levels of confidentiality: an ordered set, who may see which, and what becomes of a question about what one may not see.

The answer is that of what does not exist. A level is seen by whoever has the permission ``level.<name>``, or that of a
level above it; nobody has one by default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from casekit.desk.turn import Spec, Turn
from casekit.desk.work import absent
from casekit.errors import BadInput
from casekit.model.actor import Actor
from casekit.store.sight import Sight

if TYPE_CHECKING:
    from casekit.definition.casetype import CaseType
    from casekit.desk.permissions import Grants

CLASSIFY = Spec("classify", "case.classify")
LEVELS = ("normal", "confidential", "secret")
"""The levels where a desk names none; what has the first of them is ordinary."""
GROUNDS = ("legal-privilege", "investigation", "rights-of-others", "security")
"""Why the person whom something is about may not have it either."""
CASE = ""
"""What a level is about, where it is the case itself."""
_LEVEL = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Levels:
    """The levels of a desk.

    Args:
        names: From ordinary to the most confidential.
        grants: Who may do what.

    Raises:
        BadInput: they are fewer than one, not told apart, or not named as keys are.
    """

    def __init__(self, names: Iterable[str], grants: Grants) -> None:
        self.names = tuple(names)
        self._grants = grants
        if not self.names or len(set(self.names)) < len(self.names) or not all(_LEVEL.fullmatch(name) for name in self.names):
            raise BadInput.at("levels", f"{', '.join(self.names)!r} is no ordered set of levels", "name each once, in lower-case letters")

    def sight(self, actor: Actor, types: Iterable[str]) -> Sight:
        """What an actor may see, for queries over many cases."""
        everywhere = tuple(level for level in self.names[1:] if any(self._grants.everywhere(actor, p) for p in self._opens(level)))
        rest = [level for level in self.names[1:] if level not in everywhere]
        return Sight(everywhere, tuple((t, level) for t in types for level in rest if self.sees(actor, t, level)))

    def sees(self, actor: Actor, case_type: str, level: str) -> bool:
        """Whether an actor may see what has a level; one that this desk does not know is seen by nobody."""
        return level == self.names[0] or any(self._grants.allowed(actor, permission, case_type) for permission in self._opens(level))

    def sees_case(self, actor: Actor, head: Mapping[str, Any]) -> bool:
        """Whether an actor may see a case."""
        levels = head.get("levels")
        return not levels or CASE not in levels or self.sees(actor, head["type"], levels[CASE]["level"])

    def demand(self, actor: Actor, head: Mapping[str, Any], uuid: str) -> None:
        """Lets what an actor may not see not exist for them.

        Raises:
            NotFound: it may not be seen.
        """
        if not self.sees_case(actor, head):
            raise absent("case", uuid)

    def hidden(self, actor: Actor, head: Mapping[str, Any]) -> frozenset[str]:
        """Documents of a case that an actor may not see."""
        levels = head.get("levels", {})
        return frozenset(what for what, said in levels.items() if what != CASE and not self.sees(actor, head["type"], said["level"]))

    def lacking(self, actor: Actor, head: Mapping[str, Any]) -> str | None:
        """A permission that an actor lacks to see all documents of a case; None: they may see all."""
        hidden = self.hidden(actor, head)
        return next((f"level.{head['levels'][what]['level']}" for what in sorted(hidden)), None)

    def known(self, level: str, where: str) -> str:
        """A level of this desk.

        Raises:
            BadInput: it is none.
        """
        if level not in self.names:
            raise BadInput.at(where, f"{level!r} is no level here", "levels are " + ", ".join(self.names))
        return level

    def check(self, case_type: CaseType, where: str) -> None:
        """Refuses a case type with a level that this desk does not know.

        Raises:
            BadInput: it has one.
        """
        if case_type.level:
            self.known(case_type.level, f"{where}: /level")
        for kind, says in case_type.documents.items():
            if says.level:
                self.known(says.level, f"{where}: /documents/{kind}/level")

    def _opens(self, level: str) -> tuple[str, ...]:
        """Permissions with which a level is seen: its own, and those above it."""
        at = self.names.index(level) if level in self.names else len(self.names)
        return tuple(f"level.{name}" for name in self.names[max(at, 1) :])


def level_of(head: Mapping[str, Any]) -> str:
    """The level of a case; empty: it is ordinary."""
    return str(head.get("levels", {}).get(CASE, {}).get("level", ""))


def classify(turn: Turn, level: str, document: str, ground: str) -> None:
    """Decides on a level for a case, or for one of its documents."""
    levels = turn.desk.levels
    actor, head = turn.call.actor, turn.stream.head
    levels.known(level, "level")
    if not turn.call.reason.strip():
        raise BadInput.at("reason", "is missing", "say why it is confidential, or is no longer")
    if ground and (ground not in GROUNDS or level == levels.names[0]):
        raise BadInput.at("ground", f"{ground!r} is no ground", f"use one of {', '.join(GROUNDS)}, on what is confidential")
    if document and not any(row[2] == document for row in turn.file.rows("documents") if row[2] not in levels.hidden(actor, head)):
        raise BadInput.at("document", f"there is no document {document} in this case", "see the timeline for those on file")
    if not levels.sees(actor, head["type"], level):
        turn.desk.bus.demand(actor, f"level.{level}", head["type"])
    turn.call.about |= {"level": level, **({"document": document} if document else {}), **({"ground": ground} if ground else {})}
    turn.guard("classify", {"level": level}, level=level, document=document)
    if turn.goes_on:
        turn.changes += change(head, {document: level}, levels.names[0], ground)


def change(head: Mapping[str, Any], given: Mapping[str, str], ordinary: str, ground: str = "") -> list[dict[str, Any]]:
    """Levels as a change; empty where nothing changes."""
    before = head.get("levels", {})
    after = {what: said for what, said in before.items() if what not in given}
    more = {"ground": ground} if ground else {}
    after |= {what: {"level": level, **more} for what, level in given.items() if level and level != ordinary}
    if after == before:
        return []
    return [{"c": "head", "set": {"levels": after}} if after else {"c": "head", "set": {}, "unset": ["levels"]}]
