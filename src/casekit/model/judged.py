"""What a requirement came to: one tree for everything that must hold, with what is missing and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from casekit.model.answers import Objection, rendered

Code = Literal[
    "expression",
    "value",
    "item",
    "milestone",
    "document",
    "party",
    "field",
    "clock",
    "approval",
    "linked",
    "all",
    "any",
    "none",
    "n_of",
    "requirement",
    "rule",
    "state",
    "event",
    "objection",
    "permission",
    "hidden",
]
"""Kinds of node."""


@frozen
class Act:
    """One thing to do, or to wait for.

    Attributes:
        kind: ``event``, ``item``, ``document``, ``standing``, ``party``, ``field``, ``fact``, ``approval``, ``linked`` or ``wait``.
        name: The event, item, kind of document, role, field, fact, requirement, relation or clock.
        action: Of an item: the command (``start``, ``complete``, ``add``). Of a standing: the status.
        count: Of documents, parties, approvals and linked cases: how many.
        until: Of waiting: the instant.
        fields: Of an event: the fields that its form asks for.
        permissions: What it takes.
        who: Roles that have all of them.
    """

    kind: Literal["event", "item", "document", "standing", "party", "field", "fact", "approval", "linked", "wait"]
    name: str
    action: str = ""
    count: int = 1
    until: str | None = None
    fields: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    who: tuple[str, ...] = ()

    def __str__(self) -> str:
        many = f" ({self.count})" if self.count > 1 else ""
        words = {
            "event": self.name + (f" (with {', '.join(self.fields)})" if self.fields else ""),
            "item": f"{self.action} {self.name}",
            "document": f"add a document {self.name}{many}",
            "standing": f"set a document {self.name} to {self.action}{many}",
            "linked": f"close the linked cases ({self.name}){many}",
            "party": f"give the role {self.name}{many}",
            "field": f"say {self.name}",
            "fact": f"note {self.name}",
            "approval": f"approve {self.name}{many}",
            "wait": f"wait until {self.until} ({self.name})",
        }[self.kind]
        return words + (f" [{', '.join(self.who)}]" if self.who else "")


@frozen
class Remedy:
    """One way to meet what is not met: everything in it, in this order.

    Attributes:
        acts: What to do.
        blocked: Whether something that the case type requires stands in the way of it as yet.
    """

    acts: tuple[Act, ...]
    blocked: bool = False

    def __str__(self) -> str:
        return ", then ".join(map(str, self.acts)) + (" (which has requirements of its own)" if self.blocked else "")


@frozen
class Judged:
    """A requirement, or a part of one, and what became of it.

    Attributes:
        code: Its kind.
        met: True, False, or None where it is not known.
        words: What there is to say of it, as a template over ``args``; message catalogues know it by this text.
        args: Arguments of the words.
        key: Key of the requirement; empty: it has none of its own.
        missing: What would have to be known (``claimed``, ``fact:income.monthly``).
        actual, needed: What there is, and what there must be, canonical; None: that says nothing here.
        remedies: Ways to meet it, computed from the case type; each was tried, where it can be.
        parts: What it rests on.
        unmet, citation, remedy: What the requirement says.
        plugin, version: The plugin that judged; empty: the case type itself.
        failed: What went wrong, where a plugin raised.
    """

    code: Code
    met: bool | None
    words: str
    args: Mapping[str, Any] = field(factory=dict)
    key: str = ""
    missing: tuple[str, ...] = ()
    actual: Any = None
    needed: Any = None
    remedies: tuple[Remedy, ...] = ()
    parts: tuple[Judged, ...] = ()
    unmet: str = ""
    citation: str = ""
    remedy: str = ""
    plugin: str = ""
    version: str = ""
    failed: str = ""

    @property
    def text(self) -> str:
        """The words with their arguments."""
        return rendered(self.words, self.args)

    @property
    def standing(self) -> str:
        """``met``, ``not met`` or ``unknown``; of a condition true or false, of a value the value."""
        if self.code == "value" and self.actual is not None:
            return str(self.actual)
        if self._bare and self.met is not None:
            return str(self.met).lower()
        return "unknown" if self.met is None else "met" if self.met else "not met"

    @property
    def _bare(self) -> bool:
        """Whether it is a part of a condition, or one that has no words of its own."""
        return self.code in ("expression", "value") and not self.key and not self.unmet

    def objection(self) -> Objection:
        """What it has to say against a command."""
        missing = ", ".join(self.missing)
        words = self.unmet or self.words
        args: dict[str, Any] = {} if self.unmet and self.code == "expression" else dict(self.args)
        if self.failed:
            words, args = "The rule could not be asked: {failed}", {"failed": self.failed}
        elif self.met is None:
            words = f"It can't be known whether this holds: {words}" + (" Missing: {missing}." if missing else "")
            args |= {"missing": missing} if missing else {}
        return Objection(self.key, words, args, self.citation, None, self.remedy, self.plugin or "casekit", self.version)

    def lines(self) -> list[str]:
        """In words, one part to a line, each indented under what it is a part of."""
        found = [f"{self.said}: {self.standing}"]
        found += [f"  to do: {remedy}" for remedy in self.remedies]
        return found + [f"  {line}" for part in self.parts for line in part.lines()]

    @property
    def said(self) -> str:
        """One line on what it is."""
        if self._bare:
            return str(self.args.get("condition", self.text))
        unmet = "" if self.met else rendered(self.unmet, self.args)
        words = (unmet or self.text).removesuffix(".")
        return f"{self.key}: {words}" if self.key else words
