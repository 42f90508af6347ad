"""Conditions: tests over the declared data of a case, true, false or unknown, each part explained.

A condition is text in a small part of Python's own grammar (see :mod:`casekit.decisions.grammar`). It is read
once, when its definition loads: names and kinds are checked then, and nothing is ever run that is not on the
list. Logic is three-valued: what is absent is unknown, and unknown is neither false nor an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from casekit.decisions.grammar import SAID, Scope, built
from casekit.decisions.parts import Explained, Inputs, Part, canonical
from casekit.errors import BadInput

__all__ = ["Explained", "Expression", "Inputs", "Scope", "load"]


@frozen(eq=False)
class Expression:
    """A condition, or another expression, ready to be judged.

    Attributes:
        text: As it was written.
        kind: What it comes to: boolean, money, date, date-time, decimal, integer, string or other.
        holds: Of a condition: true, false, or None where that is not known. Raises BadInput where two currencies
            meet or a number grows too large to be exact.
    """

    text: str
    kind: str
    _part: Part
    holds: Callable[[Inputs], bool | None] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        # The closure itself, so that judging costs no call more than it needs.
        object.__setattr__(self, "holds", self._part.read)

    def canonical(self, inputs: Inputs) -> Any:
        """What it comes to, as canonical JSON has it; None: unknown."""
        return canonical(self.kind, self._part.read(inputs))

    def explain(self, inputs: Inputs) -> Explained:
        """What it came to and why, part by part."""
        return self._part.explain(inputs)


def load(text: str, scope: Scope, where: str, want: str = "boolean") -> Expression:
    """The expression that a text says.

    Args:
        text: The text.
        scope: What it may name.
        where: File and path, for messages.
        want: What it must come to: boolean, money, date, date-time, decimal, integer, string, other, or ``any``.

    Raises:
        BadInput: not of the grammar, a name that is not declared, kinds that do not go together, or too long.
    """
    part = built(text, scope, where)
    if want not in ("any", part.kind) and (want, part.kind) != ("decimal", "integer"):
        what = f"{part.text!r} is {SAID.get(part.kind, part.kind)}, and {SAID.get(want, want)} is wanted here"
        raise BadInput.at(where, what, "write money('0.00 EUR') for nothing" if part.zero and want == "money" else "change one of the two")
    return Expression(text, part.kind if want == "any" else want, part)
