"""What casekit and its plugins answer: findings, options, objections, verdicts.

An answer is a rule key with words and arguments. The words are a template (``{income} a month``); they
become text at the face, so that a journal never holds formatted prose. The core stamps each answer with
the plugin and version that gave it; plugins leave those two fields alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from casekit.errors import BadInput
from casekit.model.goals import Goal
from casekit.model.money import Money
from casekit.model.time import duration, moment

_RULE = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


def rendered(words: str, args: Mapping[str, Any]) -> str:
    """The words with their arguments in place; an argument that is missing stays visible as ``{name}``."""
    return re.sub(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", lambda m: str(args.get(m[1], m[0])), words)


def _rule(_: object, attribute: Any, value: str) -> None:
    if not _RULE.fullmatch(value):
        raise BadInput.at(attribute.name, f"{value!r} is no rule key", "use lower-case words joined by '.' or '-'")


def _moment(_: object, attribute: Any, value: str | None) -> None:
    if value is not None:
        try:
            moment(value)
        except BadInput as wrong:
            raise BadInput.at(attribute.name, wrong.problems[0].what, wrong.problems[0].do) from None


def _offset(_: object, attribute: Any, value: str) -> None:
    if value:
        try:
            duration(value)
        except BadInput as wrong:
            raise BadInput.at(attribute.name, wrong.problems[0].what, wrong.problems[0].do) from None


def _tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


class Worded:
    """An answer that reads as its words, and says who gave it."""

    __slots__ = ()
    words: str
    args: Mapping[str, Any]
    plugin: str
    version: str

    @property
    def text(self) -> str:
        """The words with their arguments."""
        return rendered(self.words, self.args)

    @property
    def signed_by(self) -> str:
        """Plugin and version that gave it."""
        return f"{self.plugin} {self.version}".strip()

    def __str__(self) -> str:
        return self.text


@frozen
class Finding(Worded):
    """Something an assessment found, and why.

    Attributes:
        rule: Public key of the rule.
        words: What was found, as a template over ``args``.
        inputs: Paths of the case that it rests on (``claimed``, ``fact:income.monthly``).
        args: Arguments of the words.
        citation: Law, standard or policy that the rule comes from.
        because: The inputs with the values they had, filled by the core.
        plugin, version: Who found it, filled by the core.
    """

    rule: str = field(validator=_rule)
    words: str
    inputs: tuple[str, ...] = field(default=(), converter=_tuple)
    args: Mapping[str, Any] = field(factory=dict)
    citation: str = ""
    because: tuple[str, ...] = ()
    plugin: str = ""
    version: str = ""


@frozen
class Objection:
    """Why something may not be done, by which rule, from when it may, and what would change that.

    Attributes:
        rule: Public key of the rule.
        words: The reason, as a template over ``args``.
        args: Arguments of the words.
        citation: Law, standard or policy that the rule comes from.
        allowed_at: Canonical instant from which the rule no longer objects, where that is known.
        remedy: What would meet the rule.
        plugin, version: Who objects, filled by the core; the core itself is ``casekit``.
    """

    rule: str = field(validator=_rule)
    words: str
    args: Mapping[str, Any] = field(factory=dict)
    citation: str = ""
    allowed_at: str | None = field(default=None, validator=_moment)
    remedy: str = ""
    plugin: str = ""
    version: str = ""

    @property
    def reason(self) -> str:
        """The words with their arguments."""
        return rendered(self.words, self.args)

    def __str__(self) -> str:
        parts = [self.reason]
        if self.citation:
            parts.append(f"[{self.citation}]")
        if self.allowed_at:
            parts.append(f"allowed from {self.allowed_at}")
        if self.remedy:
            parts.append(f"to do: {self.remedy}")
        return f"{self.rule}: " + "; ".join([*(part.removesuffix(".") for part in parts[:-1]), parts[-1]])


@frozen
class Verdict:
    """The answer to *may I?*: not a boolean, for a presumption is not a prohibition.

    Attributes:
        outcome: ``allowed``, ``refused``, or a rule pack's own word (``presumed_compliant``).
        rule: Key of the rule that decided, empty where nothing objected.
        citation: Its source.
        allowed_at: Canonical instant from which nothing objects any more; None where it is allowed now or
            where waiting alone does not help.
        objections: All objections, not only the first.
        factors: What else weighs, as answers of the same form.
        asked: The plugins that were asked, with their versions.
    """

    outcome: str
    rule: str = ""
    citation: str = ""
    allowed_at: str | None = None
    objections: tuple[Objection, ...] = ()
    factors: tuple[Finding, ...] = ()
    asked: Mapping[str, str] = field(factory=dict)


@frozen
class Promise:
    """A payment that an option asks for: so much, by the end of that day.

    Attributes:
        due: The last day on which it is kept.
        amount: What is promised.
    """

    due: date
    amount: Money


@frozen
class Task:
    """A piece of work that an option asks for.

    Attributes:
        id: Key within the option, of the form of a rule key.
        due: ISO 8601 offset from the choice, or empty.
        after: Key of the task that comes before it, or empty.
        title: What people read.
    """

    id: str = field(validator=_rule)
    due: str = field(default="", validator=_offset)
    after: str = field(default="", validator=lambda task, attribute, value: _rule(task, attribute, value) if value else None)
    title: str = ""


def _goals(value: Iterable[Goal]) -> tuple[Goal, ...]:
    return tuple(value)


def _tasks(value: Iterable[Task]) -> tuple[Task, ...]:
    return tuple(value)


def _promises(value: Iterable[Promise]) -> tuple[Promise, ...]:
    return tuple(value)


@frozen
class Option(Worded):
    """One way to go on, to be compared with others; a person chooses.

    Attributes:
        key: Key of the option, unique among the options of one planning.
        words: What it is, as a template over ``args``.
        plan: The work it asks for.
        promises: The payments it asks for.
        args: Arguments of the words, and the figures to compare by.
        because: Reasons for it and against it.
        plugin, version: Who offers it, filled by the core.
    """

    key: str = field(validator=_rule)
    words: str
    plan: tuple[Task, ...] = field(default=(), converter=_tasks)
    promises: tuple[Promise, ...] = field(default=(), converter=_promises)
    args: Mapping[str, Any] = field(factory=dict)
    because: tuple[str, ...] = field(default=(), converter=_tuple)
    plugin: str = ""
    version: str = ""


@frozen
class Adjustment(Worded):
    """A change that a review proposes. A person takes it, or leaves it; it is taken whole, as one command.

    Attributes:
        key: Public key of it, unique among the adjustments of one review.
        words: What it is, as a template over ``args``.
        option: Key of the option to choose, which must be offered; empty: none.
        goals: Goals to set, or to word anew.
        drop: Keys of goals to give up.
        args: Arguments of the words.
        because: Reasons for it and against it.
        plugin, version: Who proposes it, filled by the core.
    """

    key: str = field(validator=_rule)
    words: str
    option: str = field(default="", validator=lambda made, attribute, value: _rule(made, attribute, value) if value else None)
    goals: tuple[Goal, ...] = field(default=(), converter=_goals)
    drop: tuple[str, ...] = field(default=(), converter=_tuple)
    args: Mapping[str, Any] = field(factory=dict)
    because: tuple[str, ...] = field(default=(), converter=_tuple)
    plugin: str = ""
    version: str = ""

    def __attrs_post_init__(self) -> None:
        if not (self.option or self.goals or self.drop):
            raise BadInput.at(self.key, "changes nothing", "name an option or a goal; what is only to be said is a finding")


_A = TypeVar("_A", Finding, Objection, Option, Adjustment)


def signed(answer: _A, plugin: str, version: str) -> _A:
    """The answer with the stamp of who gave it."""
    return evolve(answer, plugin=plugin, version=version)
