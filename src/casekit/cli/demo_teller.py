"""How the demo tells: scenes with their date, each deed with what came back; and the clock that it moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import define, field

from casekit.cli.face import DONE, write_json
from casekit.cli.shapes import shape

if TYPE_CHECKING:
    from rich.console import Console

NEW_YORK = "America/New_York"
"""Where the desk of the story stands."""


class StageClock:
    """A clock that stands still until the story moves it.

    Attributes:
        now: What it shows.
    """

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment that it shows."""
        return self.now

    def to(self, when: str) -> None:
        """Sets it to a wall-clock time in New York, such as ``2026-03-02 09:00``."""
        self.now = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)


@define(slots=False)
class Teller:
    """Tells the story on the terminal as it goes, or keeps it for one JSON document.

    Attributes:
        json: Whether it is kept.
        scenes: What was told, where it is kept.
    """

    json: bool = False
    scenes: list[dict[str, Any]] = field(factory=list)

    @cached_property
    def out(self) -> Console:
        """Where words go."""
        from casekit.cli.looks import console

        return console()

    def scene(self, title: str, at: datetime) -> None:
        """Begins a scene."""
        self.scenes.append({"title": title, "at": at, "steps": []})
        if not self.json:
            from rich.rule import Rule
            from rich.text import Text

            here = at.astimezone(ZoneInfo(NEW_YORK))
            self.out.print()
            heading = Text(f"{len(self.scenes)}. {title}", "bold")
            heading.append(f"  {here:%A %-d %B %Y, %H:%M} in New York", "not bold dim")
            self.out.print(Rule(heading, align="left", style="dim"))

    def say(self, words: str) -> None:
        """Says what is going on."""
        self.scenes[-1]["steps"].append({"said": words})
        if not self.json:
            self.out.print(words)

    def step(self, did: str, answer: Any, words: Callable[[Console], None]) -> None:
        """Says what was done and what came back."""
        self.scenes[-1]["steps"].append({"did": did, "answer": shape(answer) if self.json else None})
        if not self.json:
            from rich.text import Text

            from casekit.cli.looks import said

            self.out.print(Text(f"> {said(did)}", "cyan"))
            words(self.out)

    def end(self) -> int:
        """Ends the story."""
        if self.json:
            write_json({"scenes": self.scenes})
        return DONE
