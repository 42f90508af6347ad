"""What a person is told about what is held of them (Art. 15 GDPR): plain records, from which page, file and schema are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from casekit.errors import BadInput

FORMAT = 1


@frozen
class Words:
    """A text that somebody wrote, and that may tell of others.

    Attributes:
        id: Which text: case, entry, and place in it. Under this id a person says what to take out.
        what: What it is: text, reason, source, note …
        text: The text, without what is known of others; null: it is withheld.
        withheld: Why, where it is; empty: it is not.
    """

    id: str
    what: str
    text: str | None = None
    withheld: str = ""


@frozen
class Item:
    """Something that is held.

    Attributes:
        id: Entry and place, ``n.i``.
        kind: data, fact, posting, message, document, role, clock, task, goal or choice.
        name: What it is about: the field, the fact, the role …
        value: What is held; null where it is nothing but words, or is withheld.
        since: Since when it holds, an instant or a day.
        recorded: When it was recorded.
        wrong: Whether it was put right since, or is no longer so.
        words: Texts that belong to it.
        withheld: Why something of it is withheld; empty: nothing is.
    """

    id: str
    kind: str
    name: str
    value: Any = None
    since: str = ""
    recorded: str = ""
    wrong: bool = False
    words: tuple[Words, ...] = ()
    withheld: str = ""


@frozen
class Rule:
    """A rule that has spoken: what it said, of which version, and on what it rests.

    Attributes:
        rule: Its key.
        plugin, version: Who brought it.
        citation: Law or contract.
        says: What it found or objected to.
        inputs: What it went by.
        until: Until when it stands in the way; empty: it does not say.
    """

    rule: str
    plugin: str
    version: str
    citation: str = ""
    says: Words | None = None
    inputs: Words | None = None
    until: str = ""


@frozen
class Step:
    """Something that happened.

    Attributes:
        n: The entry.
        recorded: When it was recorded.
        since: Since when it holds, an instant or a day.
        who: Who acted: you, a member of staff, a clock …
        what: The command, or ``refused``.
        about: What it was about.
        words: Texts that belong to it.
        events: What it brought about.
        rules: Rules that spoke.
        plugins: Plugins that were asked, with their versions.
    """

    n: int
    recorded: str
    since: str
    who: str
    what: str
    about: str = ""
    words: tuple[Words, ...] = ()
    events: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    plugins: Mapping[str, str] = field(factory=dict)


@frozen
class CaseHeld:
    """What is held in one case.

    Attributes:
        id, number, type, title: Which case.
        roles: What you are in it, or were.
        others: What others are in it, or were.
        purpose: What its data is for, where its case type says so.
        retention: How long it is kept, where its case type says so.
        state, category, outcome, opened, closed: Where it stands.
        items: What is held.
        steps: What happened, in order.
    """

    id: str
    number: str | None
    type: str
    title: str
    roles: tuple[str, ...]
    others: tuple[str, ...]
    purpose: str
    retention: Any
    state: str
    category: str
    outcome: str | None
    opened: str
    closed: str | None
    items: tuple[Item, ...]
    steps: tuple[Step, ...]


@frozen
class Told:
    """Who has been told.

    Attributes:
        who: A role in the case, whoever was given an export, or a plugin that hears of every entry.
        what: What they were told.
        when: When; empty: as it happens.
        case: Number or id of the case; empty: of all.
    """

    who: str
    what: str
    when: str = ""
    case: str = ""


@frozen
class Source:
    """Where something comes from.

    Attributes:
        what: What came.
        where: From where.
        when: When.
    """

    what: str
    where: Words | None
    when: str = ""


@frozen
class Withheld:
    """What is not given, and why.

    Attributes:
        what: What it is.
        why: Why it is withheld.
    """

    what: str
    why: str


@frozen
class Access:
    """Everything that is held about one person.

    Attributes:
        format: 1.
        made: When this was put together (canonical instant).
        party: Id of the person.
        merged: Ids under which the person was also kept.
        kind: person or staff.
        erased: When the person was erased; null: not.
        complete: Whether a person has looked at every text, so that nothing waits.
        details: name, phone, email, address, born, ref, zone, language: as they are now.
        history: How the details came about: every entry, with what it said.
        cases: The cases.
        recipients: Who has been told.
        sources: Where things come from.
        withheld: What is not given, and why.
    """

    format: int
    made: str
    party: str
    merged: tuple[str, ...]
    kind: str
    erased: str | None
    complete: bool
    details: Mapping[str, str]
    history: tuple[Step, ...]
    cases: tuple[CaseHeld, ...]
    recipients: tuple[Told, ...]
    sources: tuple[Source, ...]
    withheld: tuple[Withheld, ...]


@frozen
class AccessExport:
    """What is handed to the person, and what a member of staff must look at first.

    Attributes:
        answer: Everything that is held.
        page: The same as a page that people read (HTML).
        files: Contents of documents, by the name under which the page refers to them.
        look: Ids and texts that nobody has looked at yet, and that are withheld until somebody has. Not for the person.
    """

    answer: Access
    page: str = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    look: Mapping[str, str] = field(repr=False)

    @property
    def data(self) -> dict[str, Any]:
        """The answer as JSON (``schemas/access-export.schema.json``)."""
        return attrs.asdict(self.answer)

    @property
    def text(self) -> str:
        """The answer as the text of a JSON file."""
        return json.dumps(self.data, ensure_ascii=False, indent=1) + "\n"

    def write(self, folder: str | Path) -> tuple[Path, ...]:
        """Writes page, data and documents into a folder that is new or empty; gives the files.

        Raises:
            BadInput: there is something in the folder, or it can't be written.
        """
        root = Path(folder)
        made = []
        try:
            root.mkdir(parents=True, exist_ok=True)
            if any(root.iterdir()):
                raise BadInput.at(str(root), "there is something in this folder", "name a new or empty one")
            for name, content in {"index.html": self.page.encode(), "data.json": self.text.encode(), **self.files}.items():
                path = root / name
                path.parent.mkdir(exist_ok=True)
                path.touch(mode=0o600)
                path.write_bytes(content)
                made.append(path)
        except OSError as wrong:
            raise BadInput.at(str(root), f"can't be written: {wrong.strerror}", "check path, rights and space") from None
        return tuple(made)


__all__ = ["FORMAT", "Access", "AccessExport", "CaseHeld", "Item", "Rule", "Source", "Step", "Told", "Withheld", "Words"]
