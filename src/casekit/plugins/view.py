"""The frozen case file that hooks see, and what is asked of guards.

Personal values are opened only when a hook touches them, and the view remembers whose they were, so that
the answer can be sealed like its sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from attrs import evolve, field, frozen

from casekit.definition.fields import Field, read
from casekit.model import ledger
from casekit.model.goals import Progress
from casekit.model.ledger import Allocation, Policy, Posting
from casekit.model.money import Money
from casekit.model.time import local
from casekit.plugins.contained import loose
from casekit.plugins.past import Mark, PastClock, PastItem

Touched = set[str]
"""Owners whose personal values were looked at: party UUIDs, or ``case``."""


class Values(Mapping[str, Any]):
    """Fields by name, as Python values. What is unknown or erased is absent.

    Args:
        clear: Canonical values that are stored in the clear.
        fields: Their fields.
        sealed: Name → owner of what is sealed; its value is opened by ``opener(owner)`` (name → value; empty once erased).
        touched: Gets the owner of each personal value that is looked at.
    """

    def __init__(
        self,
        clear: Mapping[str, Any],
        fields: Mapping[str, Field],
        sealed: Mapping[str, str] | None = None,
        opener: Callable[[str], Mapping[str, Any]] = lambda _: {},
        touched: Touched | None = None,
    ) -> None:
        self._clear = clear
        self._fields = fields
        self._sealed = sealed or {}
        self._opener = opener
        self._touched: Touched = set() if touched is None else touched

    def raw(self, name: str) -> Any:
        """The canonical value, opened where it is sealed.

        Raises:
            KeyError: unknown or erased.
        """
        if name in self._clear:
            return self._clear[name]
        owner = self._sealed[name]
        self._touched.add(owner)
        return self._opener(owner)[name]

    def __getitem__(self, name: str) -> Any:
        value = loose(self.raw(name))
        return read(value, self._fields[name].schema) if name in self._fields else value

    def __iter__(self) -> Iterator[str]:
        yield from self._clear
        for name, owner in self._sealed.items():
            self._touched.add(owner)
            if name in self._opener(owner):
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)


@frozen
class Person:
    """A party as a case sees it.

    Attributes:
        id: UUID of the party.
        role: Role that it plays here.
        kind: person, organisation, unit or staff.
        zone: Its own IANA zone; None: not known.
        language: Its language (BCP 47); None: not known.
        details: name, phone, email, address, born, ref: what is known and not erased.
    """

    id: str
    role: str
    kind: str
    zone: str | None = None
    language: str | None = None
    details: Mapping[str, str] = field(factory=dict)

    @property
    def name(self) -> str | None:
        """Its name, where it is known and not erased."""
        return self.details.get("name")


@frozen
class Fact:
    """Something known about the case.

    Attributes:
        id: ``n.i``.
        key: What it is about.
        value: As a Python value; None once erased.
        at: Since when it holds (canonical instant).
        day: The day, where only that is known.
        recorded: When it became known.
        source: Where it comes from; None once erased.
    """

    id: str
    key: str
    value: Any
    at: str
    day: str | None = None
    recorded: str = ""
    source: str | None = None


@frozen
class Message:
    """A message or an attempt at one.

    Attributes:
        id: ``n.i``; empty while it is only asked for.
        direction: ``in`` or ``out``.
        via: Channel (``phone``, ``email``, ``sms``, ``letter``, ``visit``, ``portal``).
        outcome: What became of it (``conversation``, ``no-answer``, ``busy`` …).
        at: When (canonical instant).
        role, party: Whom it went to or came from.
        text: Its text; None where it was not loaded or is erased.
    """

    id: str
    direction: str
    via: str
    outcome: str
    at: str
    role: str | None = None
    party: str | None = None
    text: str | None = None


@frozen
class Document:
    """One version of a document.

    Attributes:
        id: UUID of the document.
        version: From 1.
        kind: Kind of document.
        direction: in, out or internal.
        media: Media type.
        size: Bytes.
        at: When it was filed (canonical instant).
        name: Its name; None once erased.
        n: The entry that filed it.
        status: What became of the document (not of this version); empty: its kind has no statuses.
    """

    id: str
    version: int
    kind: str
    direction: str
    media: str
    size: int
    at: str
    name: str | None = None
    n: int = 0
    status: str = ""


@frozen
class RunningClock:
    """A clock of the case that runs, rests or was breached.

    Attributes:
        id, instance: Which clock.
        status: running, paused or breached.
        started: Canonical instant.
        due: Canonical instant; None while paused.
        args: What its instance carries (``amount`` and ``through`` of a promise).
    """

    id: str
    instance: str
    status: str
    started: str
    due: str | None = None
    args: Mapping[str, Any] = field(factory=dict)


@frozen
class LiveItem:
    """An instance of a plan item that has not ended.

    Attributes:
        id, instance: Which one.
        state: available, waiting, enabled, disabled, active or suspended.
        stage: Name of the stage instance in which it lies (``offer.1``); empty: the plan itself.
        due: Canonical instant; None: none, or not known yet.
        overdue: Whether that has passed.
    """

    id: str
    instance: str
    state: str
    stage: str = ""
    due: str | None = None
    overdue: bool = False


@frozen
class News:
    """What has come into a case file after some entry of it.

    Attributes:
        facts, postings, messages, documents: What was recorded.
        clocks, items: What has ended.
    """

    facts: tuple[Fact, ...]
    postings: tuple[Posting, ...]
    messages: tuple[Message, ...]
    documents: tuple[Document, ...]
    clocks: tuple[PastClock, ...]
    items: tuple[PastItem, ...]


@frozen
class Command:
    """A command that guards are asked about.

    Attributes:
        name: Name of the command (``do``, ``pay``, ``message`` …).
        args: Its arguments, as Python values.
        at: Its effective instant.
        actor: Who gives it.
    """

    name: str
    args: Mapping[str, Any]
    at: str
    actor: str


@frozen
class Recorded:
    """An entry that stands, as ``casekit_recorded`` hears of it. It may hear of the same entry more than once.

    Attributes:
        case: UUID of the case.
        type: Its case type.
        n: The entry.
        kind: The command.
        at: Its effective instant.
        recorded: When it was recorded.
        state: State of the case now.
        events: What happened on the way: transitions and internal events (``clock.promise.breached``).
        effects: What was asked for: its name (``run``) and ``args``. A warning or an escalation with an addressee or an event
            of its own is ``clock.warned`` or ``clock.escalated``; a legal deadline whose date would move is
            ``deadline.would_move``.
    """

    case: str
    type: str
    n: int
    kind: str
    at: str
    recorded: str
    state: str
    events: tuple[str, ...] = ()
    effects: tuple[Mapping[str, Any], ...] = ()


@frozen
class Other:
    """Another case, as a guard sees it that declared to need ``cases``.

    Attributes:
        id: UUID of the case.
        type: Case type.
        number: Human number; None where the type has none.
        roles: Roles in it of the party that it was found by.
        state: Active leaf states, separated by blanks.
        category: Category of the state.
        opened: Canonical instant.
        closed: Canonical instant; None while it is open.
        data: Its clear data, in canonical form; what is personal is not shown.
    """

    id: str
    type: str
    number: str | None
    roles: tuple[str, ...]
    state: str
    category: str
    opened: str
    closed: str | None
    data: Mapping[str, Any]


@frozen
class View:
    """The case file at one moment. Nothing in it changes, and nothing reaches the store from it.

    A guard's view holds the head of the case and what the guard declared to need; the rest is empty.

    Attributes:
        id: UUID of the case.
        type: Case type.
        number: Human number; None where the type has none.
        zone: IANA zone of the case.
        opened: Canonical instant.
        now: Case time of the question (canonical instant).
        active: Active states as full dotted paths, their ancestors included.
        category: Category of the state.
        data: Case data as Python values; what is unknown or erased is absent.
        totals: Declared totals.
        parties: Parties, in order of role.
        latest: Fact key → its latest value as Python has it; what is unknown or erased is absent.
        facts: All facts, in order of effect.
        postings: The ledger, in order of record.
        policy: How payments pay the charges of this case type.
        currency: Currency of the ledger; empty: no ledger.
        messages: In order of time.
        documents: All versions of all documents, in order of record.
        clocks: Clocks that run, rest or were breached.
        choice: Key of the option chosen last; None: none.
        items: Plan items that have not ended, by key.
        completed: Plan items that were completed, and milestones that were reached.
        goals: The goals of the case, each with how far it has come, in the order in which they were set.
        reviewed: Where the last review stands; None: there was none.
        chosen: Where the last choice of an option stands; None: there was none.
        past_clocks, past_items: Clocks and plan items that have ended, in order of ending. Guards don't see them.
        others: UUID of a party → the other cases in which it plays a role, in the order of their making. Only a guard
            that declared to need ``cases`` sees any.
    """

    id: str
    type: str
    number: str | None
    zone: str
    opened: str
    now: str
    active: frozenset[str]
    category: str
    data: Mapping[str, Any]
    totals: Mapping[str, Any]
    latest: Mapping[str, Any]
    parties: tuple[Person, ...] = ()
    facts: tuple[Fact, ...] = ()
    postings: tuple[Posting, ...] = ()
    policy: Policy = field(factory=Policy)
    currency: str = ""
    messages: tuple[Message, ...] = ()
    filed: tuple[Document, ...] = ()
    clocks: tuple[RunningClock, ...] = ()
    choice: str | None = None
    items: tuple[LiveItem, ...] = ()
    completed: frozenset[str] = frozenset()
    goals: tuple[Progress, ...] = ()
    reviewed: Mark | None = None
    chosen: Mark | None = None
    past_clocks: tuple[PastClock, ...] = ()
    past_items: tuple[PastItem, ...] = ()
    others: Mapping[str, tuple[Other, ...]] = field(factory=dict)

    @property
    def today(self) -> date:
        """The day of ``now`` in the zone of the case."""
        return local(self.now, self.zone).date()

    def at(self, state: str) -> bool:
        """Whether the state, or one within it, is active."""
        return state in self.active

    def party(self, role: str) -> Person | None:
        """The first party in a role, or None."""
        return next((p for p in self.parties if p.role == role), None)

    def documents(self, kind: str = "") -> tuple[Document, ...]:
        """Documents on file, of one kind or all."""
        return tuple(d for d in self.filed if not kind or d.kind == kind)

    def balance(self, at: str | None = None) -> Money:
        """What is owed, as of an effective instant; now, where none is given."""
        return ledger.balance(self.postings, self.currency, at)

    def allocation(self, at: str | None = None) -> Allocation:
        """What payments have paid, under the policy of the case type."""
        return ledger.allocate(self.postings, self.policy, self.currency, at)

    def goal(self, key: str) -> Progress | None:
        """A goal by its key, or None."""
        return next((goal for goal in self.goals if goal.goal.key == key), None)

    def since(self, mark: Mark | None) -> News:
        """What has come after a place in the record (``reviewed``, ``chosen``); everything, where there is none."""
        n = mark.n if mark else 0
        return News(
            tuple(fact for fact in self.facts if entry_of(fact.id) > n),
            tuple(posting for posting in self.postings if entry_of(posting.id) > n),
            tuple(message for message in self.messages if entry_of(message.id) > n),
            tuple(document for document in self.filed if document.n > n),
            tuple(clock for clock in self.past_clocks if clock.n > n),
            tuple(item for item in self.past_items if item.n > n),
        )

    def known(self, mark: Mark) -> Mapping[str, Any]:
        """Fact key → the value that was the latest known at a place in the record; what was or is unknown is absent."""
        return {f.key: f.value for f in self.facts if entry_of(f.id) <= mark.n and f.value is not None}

    def later(self, now: str) -> View:
        """The same file at a later moment."""
        return evolve(self, now=now)


def entry_of(identity: str) -> int:
    """The entry that wrote a row, from its id ``n.i``; 0 where it is not written yet."""
    return int(identity.partition(".")[0] or 0)
