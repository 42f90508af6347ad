"""A seat: the desk as one actor sees it. Commands return what was done, or refuse with every reason and change nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from casekit.desk import (
    approvals,
    asking,
    cases,
    checkpoints,
    deadlines,
    due,
    erasure,
    goals,
    links,
    parties,
    plans,
    records,
    reviews,
)
from casekit.desk.door import checked
from casekit.desk.looking import CaseRef, PartyRef, party_id
from casekit.desk.opening import OPEN, Opening
from casekit.desk.past import Moment
from casekit.desk.privacy import Privacy
from casekit.desk.questions import Questions
from casekit.desk.retaining import Retaining
from casekit.desk.turn import Call, Spec, Turn
from casekit.desk.values import Case, Done
from casekit.errors import BadInput, Denied
from casekit.model.answers import Adjustment, Option
from casekit.model.canonical import plain
from casekit.model.goals import Goal, Want
from casekit.model.money import Money
from casekit.model.time import effective as effective_
from casekit.plugins.view import Person
from casekit.store.shelf import writing

if TYPE_CHECKING:
    from casekit.desk.bringing import Brought
    from casekit.desk.importing import Imported
    from casekit.store.escrow import Holder, Passphrase


@checked
class Seat(Questions, Privacy, Retaining):
    """The commands of a seat; the questions come with it, and so do the commands for the persons in the record.

    Every command takes ``key`` (sent twice under one key, it has one effect and the same answer) and, where it makes
    sense, ``effective`` (since when it holds: a day, an aware datetime or the text of either; now, where none is
    given), ``observed`` (it has happened outside: it is recorded whatever the rules object to) and ``reason``.

    Raises of every command: ``Refused`` with all objections; ``Denied`` without the permission; ``Stale`` where the
    case value is not the latest; ``KeyReused``; ``BadInput`` where something is not valid: nothing is written then.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return

    @contextmanager
    def batch(self) -> Iterator[Seat]:
        """A seat whose commands are written together, in one transaction: all of them, or none if the block raises.

        The store's write lock is held while the block runs, so keep it short: a hundred cases at once are enough to
        make the most of a disk. A refused command raises as ever; caught within the block, its refusal is part of
        what is written. Commands and ``case`` see a case as the batch has left it; every other question sees what stands.
        """
        if self._batch is not None:
            raise BadInput.at("batch", "this seat is a batch already", "use it")
        shelf = self.desk.shelf(self.actor.tenant)
        try:
            with writing(shelf) as connection:
                work = self.desk.work(shelf)
                work.wide = shelf.serial
                yield Seat(self.desk, self.actor, work)
                work.flush(connection)
        except Denied as denied:
            # The attempt stood in the batch, which is gone.
            self.desk.bus.log_denied(self.actor, "batch", denied)
            raise
        self.desk.library.published(work)

    def party(self, kind: str, *, key: str = "", **details: Any) -> Person:
        """A new party.

        Args:
            kind: person, organisation, unit or staff.
            key: Idempotency key.
            details: name, phone, email, address, born, ref (sealed); zone, language (clear).
        """
        call = Call(parties.PARTY, self.actor, {"kind": kind, **_plain(details)}, key)
        return parties.add(self.desk, call, kind, details, self._batch)

    def change_party(self, party: PartyRef, *, reason: str = "", **details: Any) -> Person:
        """New details of a party; None takes one away."""
        return parties.change(self.desk, Call(parties.PARTY, self.actor, reason=reason), party_id(party), details, self._batch)

    def merge_parties(self, party: PartyRef, into: PartyRef, *, reason: str = "") -> Person:
        """Makes one party of two: the first is from now on read as the second."""
        return parties.merge(self.desk, Call(parties.MERGE, self.actor, reason=reason), party_id(party), party_id(into), self._batch)

    def erase(self, party: PartyRef) -> erasure.Erased:
        """Erases a person: whatever was sealed for them can't be read any more. Refused while they are held, a case
        of theirs is open, or law asks for one to be kept.
        """
        return erasure.erase(self.desk, Call(erasure.ERASE, self.actor), party_id(party))

    def open(
        self,
        case_type: str,
        *,
        data: Mapping[str, Any] | None = None,
        parties: Mapping[str, Any] | None = None,
        key: str = "",
        zone: str = "",
        effective: Moment | None = None,
        observed: bool = False,
    ) -> Case:
        """Opens a case.

        Args:
            case_type: Its case type.
            data: Case data, as Python values or in canonical form.
            parties: Role → party, or a list of parties; each a value or an id.
            zone: IANA zone of its days and deadlines; that of the case type where none is given.
            key, effective, observed: as of every command.
        """
        given = {role: _ids(several) for role, several in (parties or {}).items()}
        values = plain(dict(data or {}), "data")
        args = {"type": case_type, "data": values, "parties": given, "zone": zone}
        call = Call(OPEN, self.actor, args, key, effective, observed)
        return Opening(self.desk, call, case_type, values, given, zone, {}).run(self._batch).case

    def do(
        self,
        case: CaseRef,
        event: str,
        fields: Mapping[str, Any] | None = None,
        *,
        reason: str = "",
        key: str = "",
        effective: Moment | None = None,
        observed: bool = False,
        force: bool = False,
    ) -> Done:
        """Brings about an event of the lifecycle.

        Args:
            case: Where.
            event: The event.
            fields: Fields of the transition's form.
            force: Of an observed event: whether the move is made even where the lifecycle does not allow it.
            reason, key, effective, observed: as of every command.
        """
        given = dict(fields or {})
        args = {"event": event, "fields": _plain(given), "force": force}
        decide = lambda turn: cases.do(turn, event, given)  # noqa: E731
        return self._on(cases.DO, case, decide, args, reason=reason, key=key, effective=effective, observed=observed, force=force)

    def change(
        self,
        case: CaseRef,
        data: Mapping[str, Any] | None = None,
        *,
        unset: Iterable[str] = (),
        reason: str = "",
        key: str = "",
        effective: Moment | None = None,
    ) -> Done:
        """New values for case data; ``unset`` names fields that are no longer known."""
        given, gone = dict(data or {}), list(unset)
        decide = lambda turn: cases.change(turn, given, gone)  # noqa: E731
        return self._on(cases.CHANGE, case, decide, {"data": _plain(given), "unset": gone}, reason=reason, key=key, effective=effective)

    def choose(self, case: CaseRef, option: Option | str, *, reason: str = "", key: str = "") -> Done:
        """Chooses an option: it is recorded, and its promises run. It must be offered still, with the same figures."""
        name = option if isinstance(option, str) else option.key
        return self._on(cases.CHOOSE, case, lambda turn: asking.choose(turn, option), {"option": name}, reason=reason, key=key)

    def item(
        self,
        case: CaseRef,
        action: str,
        item: str = "",
        *,
        stage: str = "",
        own: Mapping[str, Any] | None = None,
        title: str = "",
        reason: str = "",
        key: str = "",
        effective: Moment | None = None,
        observed: bool = False,
    ) -> Done:
        """Gives a command on an item of the plan.

        Args:
            case: Where.
            action: start, complete, terminate, enable, disable, skip, suspend, resume, move, reopen or add.
            item: The item, or one instance of it (``letter.2``); none: suspend or resume the plan and the clocks as a whole.
            stage: Of ``move``: where to; of an item of the case's own: where it lies. Empty: the plan itself.
            own: Of ``add``: the record of an item of the case's own, as JSON (kind, entry, exit, required, manual, due,
                who, allow); none: the case type offers it.
            title: Of an item of the case's own: what people read. Sealed with the case.
            reason, key, effective, observed: as of every command. To skip what is required takes a reason, and the
                permission ``item.override``.
        """
        order = plans.Order(action, item, stage, None if own is None else _plain(own), title)
        args = {"action": action, "item": item, "stage": stage, "own": None if own is None else _plain(own), "title": title}
        decide = lambda turn: plans.give(turn, order)  # noqa: E731
        more: dict[str, Any] = {"reason": reason, "key": key, "effective": effective, "observed": observed}
        return self._on(plans.spec_of(action), case, decide, args, **more)

    def set_goal(
        self,
        case: CaseRef,
        goal: str,
        measure: str,
        target: Any,
        *,
        want: Want = "at-least",
        by: str = "",
        owner: str = "",
        title: str = "",
        reason: str = "",
        key: str = "",
    ) -> Done:
        """Sets a goal of a case, or words it anew.

        Args:
            case: Where.
            goal: Its key.
            measure: Expression over the case (``fact('income.monthly')``, ``balance``).
            target: What it is to come to.
            want: ``at-least``, ``at-most`` or ``exactly``.
            by: Day until whose end it is to be reached.
            owner: Role that answers for it.
            title: What people read; sealed with the case.
            reason, key: as of every command.
        """
        wanted = Goal(goal, measure, target, want, str(by), owner, title)
        args = {"goal": goal, "measure": measure, "target": plain(target), "want": want, "by": str(by), "owner": owner, "title": title}
        return self._on(goals.GOAL, case, lambda turn: goals.put(turn, wanted), args, reason=reason, key=key)

    def drop_goal(self, case: CaseRef, goal: str, *, reason: str = "", key: str = "") -> Done:
        """Gives a goal up."""
        return self._on(goals.GOAL, case, lambda turn: goals.drop(turn, goal), {"goal": goal, "drop": True}, reason=reason, key=key)

    def review(self, case: CaseRef, text: str = "", *, key: str = "", effective: Moment | None = None) -> Done:
        """Records that the case was looked at again: what is found, how far its goals have come, what is proposed, and words."""
        return self._on(reviews.REVIEW, case, lambda turn: reviews.review(turn, text), {"text": text}, key=key, effective=effective)

    def adjust(self, case: CaseRef, adjustment: Adjustment | str, *, reason: str = "", key: str = "") -> Done:
        """Takes an adjustment, whole: its goals are set or given up, its option is chosen. It must be proposed still, as it was."""
        name = adjustment if isinstance(adjustment, str) else adjustment.key
        decide = lambda turn: reviews.adjust(turn, adjustment)  # noqa: E731
        return self._on(reviews.ADJUST, case, decide, {"adjustment": name}, reason=reason, key=key)

    def close(
        self,
        case: CaseRef,
        outcome: str,
        *,
        fields: Mapping[str, Any] | None = None,
        reason: str = "",
        key: str = "",
        effective: Moment | None = None,
        observed: bool = False,
    ) -> Done:
        """Closes a case with an outcome, by the transition that leads to it; the refusal says everything that is missing."""
        given = dict(fields or {})
        args = {"outcome": outcome, "fields": _plain(given)}
        decide = lambda turn: cases.close(turn, outcome, given)  # noqa: E731
        return self._on(cases.CLOSE, case, decide, args, reason=reason, key=key, effective=effective, observed=observed)

    def approve(
        self, case: CaseRef, requirement: str, *, withdraw: bool = False, reason: str = "", key: str = "", effective: Moment | None = None
    ) -> Done:
        """Approves what a requirement asks to be approved; it counts once for each actor.

        Args:
            case: Where.
            requirement: Key of the requirement.
            withdraw: Takes the actor's own approval back instead.
            reason, key, effective: as of every command.
        """
        args = {"requirement": requirement, "withdraw": withdraw}
        decide = lambda turn: approvals.approve(turn, requirement, withdraw=withdraw)  # noqa: E731
        return self._on(approvals.APPROVE, case, decide, args, reason=reason, key=key, effective=effective)

    def give_role(self, case: CaseRef, role: str, party: PartyRef, *, key: str = "", effective: Moment | None = None) -> Done:
        """Gives a party a role in a case."""
        return self._role(case, role, party, key, effective, end=False)

    def take_role(self, case: CaseRef, role: str, party: PartyRef, *, key: str = "", effective: Moment | None = None) -> Done:
        """Takes a role from a party."""
        return self._role(case, role, party, key, effective, end=True)

    def link(self, case: CaseRef, relation: str, other: CaseRef, *, reason: str = "", key: str = "") -> Done:
        """Links a case to another one: says how it stands to that.

        Args:
            case: Which case says it.
            relation: ``parent`` (it is part of the other one), ``follow-up``, ``duplicate``, ``contributes`` or ``related``.
            other: The other case.
            reason, key: as of every command.
        """
        return self._link(case, relation, other, links.link, end=False, reason=reason, key=key)

    def unlink(self, case: CaseRef, relation: str, other: CaseRef, *, reason: str = "", key: str = "") -> Done:
        """Takes a link away. Arguments as of :meth:`link`."""
        return self._link(case, relation, other, links.unlink, end=True, reason=reason, key=key)

    def note(self, case: CaseRef, text: str, *, key: str = "", effective: Moment | None = None) -> Done:
        """Adds a note."""
        return self._on(records.NOTE, case, lambda turn: records.note(turn, text), {"text": text}, key=key, effective=effective)

    def message(
        self,
        case: CaseRef,
        *,
        direction: str,
        via: str,
        outcome: str,
        to: str = "",
        party: PartyRef = "",
        text: str = "",
        key: str = "",
        effective: Moment | None = None,
        observed: bool = False,
    ) -> Done:
        """Records a message, or an attempt at one.

        Args:
            case: Where.
            direction: ``in`` or ``out``.
            via: phone, email, sms, letter, visit or portal.
            outcome: What became of it (``conversation``, ``no-answer``, ``sent`` …).
            to: Role of the other side.
            party: Which party, where several play the role.
            text: Its text; sealed with the case.
            key, effective, observed: as of every command.
        """
        other = party_id(party)
        args = {"to": to, "party": other, "direction": direction, "via": via, "outcome": outcome, "text": text}
        decide = lambda turn: records.message(turn, to, other, direction, via, outcome, text)  # noqa: E731
        return self._on(records.MESSAGE, case, decide, args, key=key, effective=effective, observed=observed)

    def note_fact(
        self,
        case: CaseRef,
        fact: str,
        value: Any,
        *,
        source: str = "",
        key: str = "",
        effective: Moment | None = None,
        observed: bool = False,
    ) -> Done:
        """Notes a fact: what it is about, its value, where it comes from, since when it holds."""
        args = {"fact": fact, "value": plain(value, f"fact/{fact}"), "source": source}
        decide = lambda turn: records.fact(turn, fact, value, source)  # noqa: E731
        return self._on(records.FACT, case, decide, args, key=key, effective=effective, observed=observed)

    def document(
        self,
        case: CaseRef,
        kind: str,
        content: bytes,
        *,
        name: str = "",
        media: str = "",
        direction: str = "",
        document: str = "",
        key: str = "",
        effective: Moment | None = None,
    ) -> Done:
        """Files a document, or a further version of one.

        Args:
            case: Where.
            kind: Kind of document.
            content: Its bytes, at most 64 MiB; sealed with the case.
            name: File name; sealed.
            media: Media type; guessed from the name where none is given.
            direction: ``in``, ``out`` or ``internal``.
            document: UUID of the document of which this is a further version.
            key, effective: as of every command.
        """
        digest = hashlib.sha256(content).hexdigest()
        args = {"kind": kind, "content": digest, "name": name, "media": media, "direction": direction, "document": document}
        decide = lambda turn: records.document(turn, kind, content, name, media, direction, document)  # noqa: E731
        return self._on(records.DOCUMENT, case, decide, args, key=key, effective=effective)

    def document_status(self, case: CaseRef, document: str, status: str, *, reason: str = "", key: str = "") -> Done:
        """Says what has become of a document (accepted, rejected …): one of the statuses that its kind has."""
        decide = lambda turn: records.document_status(turn, document, status)  # noqa: E731
        return self._on(records.STATUS, case, decide, {"document": document, "status": status}, reason=reason, key=key)

    def pay(
        self, case: CaseRef, amount: Money | str, *, note: str = "", key: str = "", effective: Moment | None = None, observed: bool = False
    ) -> Done:
        """Records a payment."""
        money = _money(amount)
        args = {"amount": money, "note": note}
        return self._on(
            records.PAY, case, lambda turn: records.pay(turn, money, note), args, key=key, effective=effective, observed=observed
        )

    def charge(
        self, case: CaseRef, component: str, amount: Money | str, *, note: str = "", key: str = "", effective: Moment | None = None
    ) -> Done:
        """Charges a component of the ledger."""
        money = _money(amount)
        args = {"component": component, "amount": money, "note": note}
        decide = lambda turn: records.charge(turn, component, money, note)  # noqa: E731
        return self._on(records.CHARGE, case, decide, args, key=key, effective=effective)

    def reverse(self, case: CaseRef, posting: str, *, note: str = "", key: str = "", effective: Moment | None = None) -> Done:
        """Takes a whole earlier posting back, by its id."""
        args = {"posting": posting, "note": note}
        return self._on(records.REVERSE, case, lambda turn: records.reverse(turn, posting, note), args, key=key, effective=effective)

    def resume(self, case: CaseRef, clocks: due.Resumption, *, reason: str = "") -> Done:
        """Says what becomes of an imported case's clocks: ``confirm``, ``cancel`` or ``keep``."""
        return self._on(due.RESUME, case, lambda turn: due.resume(turn, clocks), {"clocks": clocks}, reason=reason)

    def extend(
        self,
        case: CaseRef,
        clock: str,
        *,
        to: Moment | None = None,
        by: str = "",
        reason: str,
        authority: str = "",
        instance: str = "",
        key: str = "",
    ) -> Done:
        """Gives a running deadline more time. The date that was computed is kept beside the new one.

        Args:
            case: Where.
            clock: Which clock.
            to: The new due instant, or the last day.
            by: Instead: how much longer (ISO 8601), on the clock's own calendar.
            reason: Why.
            authority: Who or what allows it: an order, a clause, a name.
            instance: Which instance, where several run.
            key: As of every command.
        """
        args = {"clock": clock, "instance": instance, "to": str(to or ""), "by": by, "authority": authority}
        decide = lambda turn: deadlines.lengthen(turn, clock, instance, to, by, authority)  # noqa: E731
        return self._on(deadlines.EXTEND, case, decide, args, reason=reason, key=key)

    def confirm_clock(self, case: CaseRef, clock: str, *, reason: str, instance: str = "", key: str = "") -> Done:
        """Takes the new date that is proposed for a legal deadline. The one before stays in the journal."""
        return self._answer(deadlines.CONFIRM, case, clock, instance, reason, key, takes=True)

    def keep_clock(self, case: CaseRef, clock: str, *, reason: str, instance: str = "", key: str = "") -> Done:
        """Keeps the date of a legal deadline although another one is proposed. The same change is not proposed again."""
        return self._answer(deadlines.KEEP, case, clock, instance, reason, key, takes=False)

    def _answer(self, spec: Spec, case: CaseRef, clock: str, instance: str, reason: str, key: str, *, takes: bool) -> Done:
        decide = lambda turn: deadlines.answer(turn, clock, instance, takes=takes)  # noqa: E731
        return self._on(spec, case, decide, {"clock": clock, "instance": instance}, reason=reason, key=key)

    def adopt_calendars(self, case: CaseRef, *, reason: str = "", key: str = "") -> Done:
        """Lets a case go on by the present versions of its calendars and rules of counting."""
        return self._on(deadlines.ADOPT, case, deadlines.adopt_calendars, {}, reason=reason, key=key)

    def run_due(self, now: Moment | None = None) -> due.Worked:
        """Lets every clock speak that is due, then tells listeners what was recorded."""
        return due.run_due(self.desk, self.actor, None if now is None else effective_(now, "UTC").at)

    def checkpoint(self, *, origin: str = "") -> checkpoints.Made:
        """Makes and signs a checkpoint of everything recorded so far; where nothing is new, gives the last one.

        Keep its ``note`` where nobody who can write the store can write.

        Args:
            origin: What the log is called from now on: a name that nobody else has.
        """
        return checkpoints.make(self.desk, self.actor, origin)

    def rotate_signing(self) -> checkpoints.Made:
        """Lets a fresh key sign from now on; the checkpoint that it gives is signed by the old one too."""
        return checkpoints.rotate(self.desk, self.actor)

    def import_log(
        self,
        file: str | Path,
        map: str | Path,  # noqa: A002 - the field's word
        *,
        format: str = "xes",  # noqa: A002 - the field's word
        live_from: Moment | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Imported:
        """Imports an event log under a map.

        Args:
            file: The log.
            map: The map (TOML).
            format: Name of the format; an importer plugin reads it.
            live_from: Events from then on go to the outbox; now, where none is given.
            progress: Called with the bytes read so far and the bytes in all.

        Raises:
            BadInput: log, map or case type are malformed; nothing was written.
        """
        from casekit.desk import importing

        return importing.run(self.desk, self.actor, file, map, format_key=format, live_from=live_from, progress=progress)

    def import_bundle(self, bundle: Mapping[str, Any], *, opens: Passphrase | Holder | None = None) -> Brought:
        """Brings in a case that was taken out elsewhere, with its parties and documents: the same history, to the hash.

        Args:
            bundle: What :meth:`export` gave.
            opens: What opens the keys that came with it. Without it, what is sealed stays shut, unless its keys are here.

        Raises:
            BadInput: it does not prove itself, or contradicts what is here; nothing was written.
        """
        from casekit.desk import bringing

        if self._batch is not None:
            raise BadInput.at("batch", "a case is brought in by itself", "end the batch first")
        return bringing.bring_in(self.desk, self.actor, bundle, opens)

    def _role(self, case: CaseRef, role: str, party: PartyRef, key: str, effective: Moment | None, *, end: bool) -> Done:
        other = party_id(party)
        args = {"role": role, "party": other, "end": end}
        return self._on(cases.ROLE, case, lambda turn: cases.set_role(turn, role, other, end=end), args, key=key, effective=effective)

    def _link(
        self, case: CaseRef, relation: str, other: CaseRef, decide: Callable[[Turn, str, str], None], *, end: bool, **more: Any
    ) -> Done:
        uuid = self._id(other)
        args = {"relation": relation, "other": uuid, "end": end}
        return self._on(links.LINK, case, lambda turn: decide(turn, relation, uuid), args, **more)


def _ids(given: Any) -> list[str]:
    return [party_id(party) for party in (given if isinstance(given, (list, tuple)) else [given])]


def _plain(values: Mapping[str, Any]) -> Any:
    return plain(dict(values))


def _money(amount: Money | str) -> Money:
    return Money.parse(amount) if isinstance(amount, str) else amount
