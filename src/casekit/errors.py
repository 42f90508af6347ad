"""What can go wrong, as the caller sees it.

Bad input and refusals are the two ordinary cases: both say what is wrong, where, and what to do, and
both leave the record as it was (a refusal is journalled, nothing else). Everything here is a
:class:`CasekitError`; each class has a stable ``code`` for programs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

if TYPE_CHECKING:
    from casekit.model.answers import Objection


@frozen
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        where: File, line, path or field, as exact as it is known (``case_type.json: /states/open``).
        what: What is wrong there.
        do: What puts it right.
    """

    where: str
    what: str
    do: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.do})" if self.do else text


class CasekitError(Exception):
    """The root of all errors that casekit raises on purpose."""

    code: ClassVar[str] = "casekit"


class BadInput(CasekitError):
    """The input can't be understood or is not valid; nothing was written.

    Carries every problem found, not only the first.
    """

    code = "bad-input"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @classmethod
    def at(cls, where: str, what: str, do: str = "") -> BadInput:
        """One problem, as an error."""
        return cls([Problem(where, what, do)])


class NotFound(BadInput):
    """What was named does not exist here, or not for this reader: the two look the same."""

    code = "not-found"


class Disposed(NotFound):
    """What was named was there, and was disposed of: it is gone for good, and only its tombstone is left."""

    code = "disposed"


class KeyReused(BadInput):
    """An idempotency key came back with another request; the first answer stands."""

    code = "key-reused"


class Refused(CasekitError):
    """An asked command was refused. Carries every objection; the refusal is on the journal."""

    code = "refused"

    def __init__(self, objections: Iterable[Objection]) -> None:
        self.objections = tuple(objections)
        super().__init__("\n".join(str(o) for o in self.objections))


class Denied(Refused):
    """The actor has no permission for the command: not the same as *not possible*."""

    code = "denied"


class Stale(Refused):
    """The case has changed since the caller read it: read it again, and decide again."""

    code = "stale"


class Livelock(CasekitError):
    """Eventless transitions that never come to rest; names the cycle. Nothing was changed."""

    code = "livelock"

    def __init__(self, cycle: tuple[str, ...]) -> None:
        self.cycle = cycle
        super().__init__(
            "eventless transitions never come to rest: "
            + " -> ".join(cycle)
            + " (give one of them a condition that its own effect makes false)"
        )


class PluginFailed(CasekitError):
    """A plugin that was asked to decide raised or answered nonsense; names the plugin and the hook."""

    code = "plugin-failed"


class Conflict(CasekitError):
    """What a decision rests on has changed in between, and nothing was written: decide again.

    A desk does so by itself; it tells a host only where the transaction is the host's: roll back, and try again.
    """

    code = "conflict"


class StoreFailed(CasekitError):
    """The store can't be opened or used as asked: wrong keys, wrong version, no such place."""

    code = "store"
