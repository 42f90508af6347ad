"""What a command says: words for people, or one JSON document for programs; errors beside or instead."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from attrs import frozen

from casekit.cli.shapes import shape
from casekit.errors import CasekitError, Problem

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.model.answers import Objection

DONE = 0
REFUSED = 1
BAD_INPUT = 2


@frozen
class Face:
    """Where a command's answer goes.

    Attributes:
        json: Whether standard output gets one JSON document and nothing else.
    """

    json: bool = False

    def give(self, answer: Any, words: Callable[[Console], None], code: int = DONE) -> int:
        """Says the answer, as JSON or in words; gives the exit code."""
        if self.json:
            write_json(answer)
        else:
            from casekit.cli.looks import console

            words(console())
        return code

    def aside(self, words: str) -> None:
        """Says something beside the answer, to people only."""
        if not self.json:
            sys.stderr.write(f"{words}\n")

    def bad_input(self, problems: Iterable[Problem]) -> int:
        """Says what is wrong with the input."""
        found = list(problems)
        if self.json:
            write_json({"errors": [{"where": p.where, "what": p.what, "do": p.do} for p in found]})
        else:
            from casekit.cli.looks import console, show_problems

            show_problems(console(sys.stderr), found)
        return BAD_INPUT

    def refused(self, objections: Iterable[Objection]) -> int:
        """Says why it was refused."""
        found = list(objections)
        if self.json:
            write_json({"refused": found})
        else:
            from casekit.cli.looks import console, show_objections

            show_objections(console(sys.stderr), "Refused", found)
        return REFUSED

    def failed(self, wrong: CasekitError) -> int:
        """Says that a plugin or a definition failed where it was asked: nothing was done."""
        from casekit.model.answers import Objection

        words = "{failed}"
        return self.refused([Objection(f"casekit.{wrong.code}", words, {"failed": str(wrong)}, remedy="see casekit plugin doctor")])


def write_json(answer: Any) -> None:
    """Writes one JSON document to standard output."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(shape(answer), indent=2, ensure_ascii=not utf8) + "\n")
