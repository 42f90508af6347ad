"""The commands of a seat for the persons in the record: they are told what is held of them, and what is wrong is put right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from casekit.desk import access, levels, parties, rectifying, righted
from casekit.desk.accessvalues import AccessExport
from casekit.desk.commanding import Commanding
from casekit.desk.door import checked
from casekit.desk.looking import CaseRef, PartyRef, party_id
from casekit.desk.past import Moment
from casekit.desk.turn import Call
from casekit.desk.values import Done
from casekit.desk.work import Stream, Work
from casekit.model.canonical import plain
from casekit.model.time import Effective
from casekit.plugins.view import Person


@checked
class Privacy(Commanding):
    """Commands; :class:`casekit.desk.seat.Seat` is made of them and others."""

    def rectify(
        self,
        case: CaseRef,
        data: Mapping[str, Any] | None = None,
        *,
        unset: Iterable[str] = (),
        reason: str,
        asked_by: PartyRef = "",
        key: str = "",
        effective: Moment | None = None,
    ) -> Done:
        """Puts case data right that was wrong. The record keeps the wrong value, sealed as it was, and both dates.

        Args:
            case: Where.
            data: Field → its right value.
            unset: Fields about which nothing is known, after all.
            reason: What was wrong, and how that is known; sealed.
            asked_by: The party who asked for it.
            effective: Since when the right value holds; since the wrong one did, where none is given.
            key: As of every command.
        """
        given, gone, who = dict(data or {}), list(unset), party_id(asked_by)
        since = effective if effective is not None else self._since(case, lambda work, s: righted.since_of_data(work, s, [*given, *gone]))
        decide = lambda turn: rectifying.data(turn, given, gone, who)  # noqa: E731
        args = {"data": plain(given), "unset": gone, "asked_by": who}
        return self._on(rectifying.RECTIFY, case, decide, args, reason=reason, key=key, effective=since)

    def rectify_fact(
        self,
        case: CaseRef,
        fact: str,
        value: Any,
        *,
        reason: str,
        source: str = "",
        asked_by: PartyRef = "",
        key: str = "",
        effective: Moment | None = None,
    ) -> Done:
        """Puts a fact right that was noted wrongly: from now on the right one counts in its place.

        Args:
            case: Where.
            fact: Id of the wrong one (``n.i``).
            value: What is right.
            source: Where that comes from.
            effective: Since when it holds: as the wrong one, where none is given, and never later.
            reason, asked_by, key: As of :meth:`rectify`.
        """
        who = party_id(asked_by)
        since = effective if effective is not None else self._since(case, lambda work, s: rectifying.since_of_fact(work, s, fact))
        decide = lambda turn: rectifying.fact(turn, fact, value, source, who)  # noqa: E731
        args = {"fact": fact, "value": plain(value, f"fact/{fact}"), "source": source, "asked_by": who}
        return self._on(rectifying.RECTIFY, case, decide, args, reason=reason, key=key, effective=since)

    def rectify_party(
        self, party: PartyRef, *, reason: str, asked_by: PartyRef = "", effective: Moment | None = None, **details: Any
    ) -> Person:
        """Puts details of a party right that were wrong from the start; None takes one away. The record keeps both.

        Args:
            party: Whose.
            reason: What was wrong, and how that is known. Sealed with the party.
            asked_by: The party who asked for it.
            effective: Since when the right value holds; now, where none is given.
            details: name, phone, email, address, born, ref, zone, language.
        """
        call = Call(rectifying.RECTIFY_PARTY, self.actor, reason=reason, effective=effective)
        return parties.rectify(self.desk, call, party_id(party), details, party_id(asked_by), self._batch)

    def classify(self, case: CaseRef, level: str, *, reason: str, document: str = "", ground: str = "", key: str = "") -> Done:
        """Says how confidential a case is, or one of its documents. Who may not see it, for them it does not exist.

        Args:
            case: Where.
            level: One of the desk's levels; the first makes it ordinary again.
            reason: Why; sealed.
            document: UUID of the document, where it is about one.
            ground: Why the person whom it is about may not have it either, when they ask what is held of them:
                ``legal-privilege``, ``investigation``, ``rights-of-others`` or ``security``; empty: they may.
            key: As of every command.
        """
        args = {"level": level, "document": document, "ground": ground}
        decide = lambda turn: levels.classify(turn, level, document, ground)  # noqa: E731
        return self._on(levels.CLASSIFY, case, decide, args, reason=reason, key=key)

    def access_export(
        self, party: PartyRef, *, looked: bool = False, redact: Mapping[str, Iterable[str]] | None = None, staff: bool = False
    ) -> AccessExport:
        """Everything that is held about a person, for that person: a page, the same as JSON, and the documents.

        Nothing of others is in it. Their details are taken out of every text; a text that somebody wrote is withheld until
        ``looked`` says that a person has read them all: ``look`` of the answer has them. That it was handed out is written
        into the desk log ``disclosures`` first: who, when, of whom, of which cases, and a digest.

        Args:
            party: The person; one who was merged into another is that other.
            looked: Whether a person has looked at every text, and has marked what tells of others.
            redact: Id of a text → words to take out; with none, or an empty one, the whole text is withheld.
            staff: Whether members of staff are named by the names of their actors.

        Raises:
            BadInput: there is no such person, or a mark is on a text that there is not.
        """
        call = Call(access.ACCESS, self.actor)
        return access.hand_out(self.desk, call, party_id(party), looked=looked, redact=redact or {}, staff=staff)

    def _since(self, case: CaseRef, find: Callable[[Work, Stream], Effective]) -> Effective:
        work, stream = self._read(case, rectifying.RECTIFY)
        return find(work, stream)
