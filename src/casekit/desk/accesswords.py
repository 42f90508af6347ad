"""Which texts a person is given of what is held about them: whose they are, whether somebody has looked, what is taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from casekit.desk.accessvalues import Withheld, Words
from casekit.desk.redacting import Redactor
from casekit.desk.sealing import layers
from casekit.desk.work import Work
from casekit.errors import BadInput
from casekit.model.canonical import Json, plain

WAITS = "It waits for a person's look: it may tell of others."
OTHERS = "It rests on what is held of another person."
TOLD = "Somebody has looked, and withheld it: it tells of others."
WHOLE = ""
"""Instead of words to take out: the whole text."""


class Wording:
    """Gives texts, or says why not.

    Args:
        work: Gives the keys.
        mine: The person's ids.
        redactor: Takes out what is known of others.
        looked: Whether a person has looked at every text.
        redact: Id of a text → words that this person has marked; none: the whole text.

    Attributes:
        look: Id → text that nobody has looked at.
        withheld: What is not given, and why.
    """

    def __init__(self, work: Work, mine: set[str], redactor: Redactor, looked: bool, redact: Mapping[str, Iterable[str]]) -> None:
        self.work, self.mine, self.redactor, self.looked = work, mine, redactor, looked
        self.redact = {name: tuple(words) for name, words in redact.items()}
        self.look: dict[str, str] = {}
        self.withheld: list[Withheld] = []
        self._met: set[str] = set()

    def opened(self, stream: str, path: str, sealed: Mapping[str, str]) -> tuple[Json, Json, bool]:
        """What envelopes hold: what is the person's own; what the case owns; whether there is something of others."""
        own: Json = {}
        shared: Json = {}
        foreign: list[Json] = []
        for owners, inside in layers(self.work, stream, path, sealed):
            if owners - self.mine - {stream}:
                foreign.append(inside)
            elif owners <= self.mine:
                own |= inside
            else:
                shared |= inside
        return own, shared, any(own.get(name) != value for inside in foreign for name, value in inside.items())

    def words(self, place: str, what: str, text: Any) -> Words:
        """A text under an id."""
        said = text if isinstance(text, str) else _told(text)
        self._met.add(place)
        marked = self.redact.get(place)
        if marked is not None and (not marked or WHOLE in marked):
            return self._without(place, what, TOLD)
        if not self.looked:
            self.look[place] = said
            return Words(place, what, None, WAITS)
        return Words(place, what, self.redactor.text(said, marked or ()))

    def several(self, place: str, inside: Mapping[str, Any]) -> Iterator[Words]:
        """Texts of one record, each under its own name."""
        for name, text in sorted(inside.items()):
            if text not in ("", None, {}, []):
                yield self.words(f"{place}/{name}", name, text)

    def foreign(self, place: str, what: str) -> Words:
        """A text that rests on what is held of others."""
        return self._without(place, what, OTHERS)

    def file(self, place: str, name: str, content: bytes, media: str) -> tuple[bytes | None, str]:
        """The content of a document, or why it is withheld."""
        self._met.add(place)
        marked = self.redact.get(place)
        if marked is not None and (not marked or WHOLE in marked):
            return None, self._without(place, name, TOLD).withheld
        if not self.looked:
            self.look[place] = f"{name}: {len(content)} bytes of {media}"
            return None, WAITS
        if media.startswith("text/"):
            with suppress(UnicodeDecodeError):
                content = self.redactor.text(content.decode(), marked or ()).encode()
        if self.redactor.within(content, marked or ()):
            why = "It names others, and nothing can be taken out of a file of this kind: a copy without them must be made by hand."
            return None, self._without(place, name, why).withheld
        return content, ""

    def demand_met(self) -> None:
        """Refuses marks on texts that there are not: somebody believes that they are taken out.

        Raises:
            BadInput: there is no such text.
        """
        unknown = sorted(set(self.redact) - self._met)
        if unknown:
            known = ", ".join(sorted(self._met)) or "none"
            raise BadInput.at("redact", f"there is no text {unknown[0]}", f"texts are: {known}")

    def _without(self, place: str, what: str, why: str) -> Words:
        self.withheld.append(Withheld(f"{place} ({what})", why))
        return Words(place, what, None, why)


def _told(value: Any) -> str:
    """A value as a text: maps and lists line by line."""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_told(inner)}" for name, inner in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return "\n".join(_told(inner) for inner in value)
    return str(plain(value)) if not isinstance(value, str) else value
