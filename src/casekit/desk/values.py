"""What the desk gives back: frozen values that know their version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from casekit.desk.loopvalues import Review
from casekit.model.answers import Finding, Objection, Option
from casekit.model.canonical import Json
from casekit.model.money import Money


@frozen(slots=False)
class Case:
    """A case as it was read or left by a command.

    Attributes:
        id: UUID.
        type: Case type.
        number: Human number; None where the type has none.
        state: Active leaf states, as full dotted paths, separated by blanks.
        category: Category of the state.
        outcome: What came out; None while nothing has.
        version: Changes so far: a command on an older version is refused.
        n: Entries so far.
        opened, closed: Canonical instants.
        time: Case time (canonical instant).
        due: When it next wants attention (canonical instant); None: no clock runs.
        zone: IANA zone.
        currency: Currency of the ledger; empty: none.
        totals: Declared totals.
        held: Whether it was imported and its clocks are not swept yet.
        data: Case data as Python values; personal ones are opened when they are looked at, what is erased is absent.
        definition: Digest of the case type that it is pinned to.
    """

    id: str
    type: str
    number: str | None
    state: str
    category: str
    outcome: str | None
    version: int
    n: int
    opened: str
    closed: str | None
    time: str
    due: str | None
    zone: str
    currency: str
    totals: Mapping[str, Money]
    held: bool
    data: Mapping[str, Any] = field(repr=False)
    definition: str = field(repr=False)


@frozen
class Link:
    """A link between a case and another one.

    Attributes:
        relation: Which (``parent``, ``follow-up``, ``duplicate``, ``contributes``, ``related``).
        inverse: Whether the other case says it.
        words: How this case stands to the other one.
        case: UUID of the other case.
        type, number, state, category: What it is, and where it stands.
    """

    relation: str
    inverse: bool
    words: str
    case: str
    type: str
    number: str | None
    state: str
    category: str


@frozen(slots=False)
class Done:
    """What a command did.

    Attributes:
        case: The case as it now is.
        entries: The entries written, by n; those of clocks that spoke first among them.
        due: When the case next wants attention (canonical instant); None: no clock runs.
        id: Id of what the command made: ``n.i`` of a fact, message or posting, UUID of a document.
        objections: Of an observed command: what the rules have against it.
        unknown: Of an observed command: rules that could not be judged, because data is missing.
        accepted: Of an observed command: whether the lifecycle allowed it.
        again: Whether this is the answer to a command that had been done before, under the same key.
    """

    case: Case
    entries: tuple[int, ...]
    due: str | None = None
    id: str = ""
    objections: tuple[Objection, ...] = ()
    unknown: tuple[str, ...] = ()
    accepted: bool = True
    again: bool = False


@frozen(slots=False)
class Listed:
    """A case in a list: clear columns, and names where they were asked for.

    Attributes:
        names: Role → names of the parties in it; ``erased`` where a name is gone. Empty where none were asked for.
    """

    id: str
    type: str
    number: str | None
    state: str
    category: str
    outcome: str | None
    version: int
    opened: str
    closed: str | None
    names: Mapping[str, tuple[str, ...]] = field(factory=dict)


@frozen(slots=False)
class Page:
    """One page of a list.

    Attributes:
        cases: The cases, newest first.
        more: What asks for the next page; None: this is the last.
    """

    cases: tuple[Listed, ...]
    more: str | None = None


@frozen(slots=False)
class Happening:
    """One entry of a case's timeline.

    Attributes:
        n: Place in the stream.
        recorded: When it was recorded.
        effective: Since when it holds: an instant, or a day.
        actor: Who acted.
        kind: The command, or ``refused``.
        title: What it was about: the event, the fact's key, the kind of document …
        changes: The changes, personal values opened where that is still possible.
        events: Transitions taken and internal events.
        objections: What rules had against it.
        text: Note, message or reason; None where there is none or it is erased.
        fields: What the form of the event said; personal fields are opened where that is still possible.
        spoke: Plugins that were asked, with their versions.
        review: Of a review: what it found and proposed.
        before: Of a rectification: what was wrong, by name; empty once erased.
    """

    n: int
    recorded: str
    effective: str
    actor: str
    kind: str
    title: str
    changes: tuple[Json, ...]
    events: tuple[str, ...]
    objections: tuple[Objection, ...]
    text: str | None
    spoke: Mapping[str, str]
    fields: Mapping[str, Any] = field(factory=dict)
    review: Review | None = None
    before: Mapping[str, Any] = field(factory=dict)


@frozen
class Undelivered:
    """An entry that not every listener has heard of.

    Attributes:
        case: UUID of the case.
        n: The entry.
        attempts: How often it was told in vain.
        next_at: When it is told again (canonical instant); None: at the next sweep.
        error: Who raised what, without words; empty: nobody has been told yet.
    """

    case: str
    n: int
    attempts: int
    next_at: str | None
    error: str


@frozen(slots=False)
class Options:
    """The options of one planning, by key, in the order of plugins and keys.

    Attributes:
        findings: What they rest on.
        items: The options.
    """

    findings: tuple[Finding, ...]
    items: Mapping[str, Option]

    def __getitem__(self, key: str) -> Option:
        return self.items[key]

    def __iter__(self) -> Any:
        return iter(self.items.values())

    def __len__(self) -> int:
        return len(self.items)
