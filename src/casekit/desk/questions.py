"""What a seat may ask. Questions return values and leave no trace; only a denied one, and what is taken out, goes to the desk log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from casekit.decisions.clock_story import ClockStory
from casekit.decisions.explain import Explanation
from casekit.decisions.machine import Run
from casekit.desk import access, asking, caseloop, checkpoints, clock_figures, deadlines, export, parties, plans, records, reports, worklist
from casekit.desk.accessvalues import Told
from casekit.desk.casefile import CaseFile
from casekit.desk.checking import verify
from casekit.desk.checkpoints import Made
from casekit.desk.door import checked, text
from casekit.desk.keeper import KEEP
from casekit.desk.links import LINKED, as_link, links
from casekit.desk.looking import READ, CaseRef, PartyRef, party_id
from casekit.desk.loopquestions import LoopQuestions
from casekit.desk.past import Moment, asked
from casekit.desk.picturequestions import PictureQuestions
from casekit.desk.planvalues import PlanView, TaskPage
from casekit.desk.retentionquestions import RetentionQuestions
from casekit.desk.timeline import journal, timeline
from casekit.desk.turn import Call, Spec
from casekit.desk.values import Case, Happening, Link, Listed, Options, Page, Undelivered
from casekit.desk.work import Stream, Work
from casekit.errors import BadInput, Denied
from casekit.model.answers import Finding, Verdict
from casekit.model.canonical import Json, decode
from casekit.model.goals import Progress
from casekit.model.time import effective as effective_
from casekit.plugins.view import Person, View
from casekit.record.verify import Report
from casekit.store import reading
from casekit.store.escrow import Passphrase, Recipient
from casekit.store.worklists import Filter

READ_PARTY = Spec("read-party", "party.read")
READ_DOCUMENT = Spec("read-document", "document.read")
READ_JOURNAL = Spec("read-journal", "journal.read")
VERIFY = Spec("verify", "journal.verify")
UNDELIVERED = Spec("undelivered", "journal.read")


@checked
class Questions(LoopQuestions, PictureQuestions, RetentionQuestions):
    """The questions of a seat."""

    def get_party(self, party: PartyRef) -> Person:
        """A party; a merged one as the one that it became.

        Raises:
            NotFound: there is none.
        """
        self._may(READ_PARTY)
        return parties.get(self._work(), party_id(party))

    def recipients(self, party: PartyRef) -> tuple[Told, ...]:
        """Who has been told what is held of a person: by messages to others, by what was handed out, by plugins that listen."""
        self._may(READ_PARTY)
        return access.recipients(self.desk, Call(READ_PARTY, self.actor), party_id(party))

    def find_parties(self, **details: str) -> tuple[Person, ...]:
        """Parties that have all of these details (name, phone, email, ref), the oldest first."""
        self._may(READ_PARTY)
        for name, value in details.items():
            text(f"party/{name}", value)
        return tuple(parties.find(self._work(), details))

    def find_party(self, **details: str) -> Person | None:
        """The party that has all of these details, or None.

        Raises:
            BadInput: several have; name one more detail.
        """
        found = self.find_parties(**details)
        if len(found) > 1:
            raise BadInput.at("party", f"{len(found)} parties have these details", "add a detail, or take one of find_parties")
        return found[0] if found else None

    def case(self, case: CaseRef, *, as_of: Moment | None = None, effective: Moment | None = None) -> Case:
        """A case: now, as it was known then (``as_of``), or as it was then by what is known now (``effective``).

        Args:
            case: Which one.
            as_of, effective: An instant, or a day, which means its end in the zone of the case.

        Raises:
            NotFound: there is no such case, or there was none at that moment.
        """
        work, stream, rows = self._then(case, as_of, effective)
        return self.desk.case_value(work, stream, self.desk.library.pinned(work.shelf, stream.head["definition"]), rows)

    def file(self, case: CaseRef, *, as_of: Moment | None = None, effective: Moment | None = None) -> View:
        """The whole case file: parties, facts, ledger, messages, documents, clocks. Moments as of :meth:`case`."""
        work, stream, rows = self._then(case, as_of, effective)
        definition = self.desk.library.pinned(work.shelf, stream.head["definition"])
        now = asked(as_of, effective, stream.head["zone"])
        whole = CaseFile(work, stream, definition, rows).whole(now.effective or now.as_of or max(stream.head["time"], work.now()))
        hidden = self._hidden(work, stream.uuid)
        return evolve(whole, filed=tuple(one for one in whole.filed if one.id not in hidden)) if hidden else whole

    def cases(
        self,
        types: Iterable[str] = (),
        *,
        state: str = "",
        category: str = "",
        open: bool = False,  # noqa: A002 - the field's word
        party: PartyRef = "",
        names: bool = False,
        after: str | None = None,
        size: int = 50,
    ) -> Page:
        """A page of the cases that the actor may read, newest first.

        Args:
            types: Only these case types.
            state: Only this state, as ``Case.state`` has it.
            category: Only this category.
            open: Only cases that are not closed.
            party: Only cases in which this party plays a role.
            names: Whether the names of parties are opened.
            after: ``more`` of the page before.
            size: Cases on the page, at most 500.
        """
        wanted = self._readable(types, size)
        if wanted is None:
            return Page((), None)
        return self._page(reading.Filter(wanted, state, category, open, party_id(party), self._sight), names, after, size)

    def timeline(self, case: CaseRef) -> tuple[Happening, ...]:
        """The entries of a case as people read them, in order."""
        work, stream = self._read(case, READ)
        return timeline(work, stream, self._hidden(work, stream.uuid))

    def links(self, case: CaseRef) -> tuple[Link, ...]:
        """How a case stands to others, and others to it; those that the actor may not read are left out."""
        work, stream = self._read(case, LINKED)
        found = (one for one in links(work, stream) if self._shown(one[2]))
        return tuple(as_link(*one) for one in found)

    def read_document(self, case: CaseRef, document: str, version: int | None = None) -> tuple[bytes, str]:
        """Content and media type of a document; the latest version where none is named.

        Raises:
            BadInput: there is none, or it is erased.
        """
        work, stream = self._read(case, READ_DOCUMENT)
        hidden = self._hidden(work, stream.uuid)
        found = records.content_of(CaseFile(work, stream, None), document, version, hidden)
        if document in stream.head.get("levels", ()):
            self.desk.reads.tell(self.actor, stream.uuid, READ_DOCUMENT.name, document, batch=self._batch is not None)
        return found

    def journal(self, case: CaseRef) -> tuple[Json, ...]:
        """The entries of a case as they are stored: nothing is opened, digests are hex."""
        work, stream = self._whole(case, READ_JOURNAL)
        return journal(work.shelf, stream.sid)

    def export(self, case: CaseRef, *, contents: bool = True, keys: Passphrase | Recipient | None = None) -> Json:
        """The bundle of a case: what verifies by itself, and what can be read of it today. The desk log says that it was taken.

        Args:
            case: Which.
            contents: Whether the contents of its documents come with it, sealed as they are.
            keys: Under what the keys of its parties come with it, so that another store can open what is sealed. They
                open everything that was ever sealed for these parties, so this asks for ``store.keep`` too.
        """
        work, stream = self._whole(case, export.EXPORT)
        if keys is not None:
            self._may(KEEP)
        made = export.bundle(self.desk, work, stream, contents=contents, keys=keys)
        access.disclose(
            self.desk, Call(export.EXPORT, self.actor), {"cases": [stream.uuid], "contents": contents, "keys": keys is not None}
        )
        return made

    def verify(self, *, against: str | Path = "", keys: Iterable[str | Path] = ()) -> Report:
        """Checks the whole record of the tenant.

        Args:
            against: A checkpoint that somebody holds: its file, or its text. What it saw must all be there still.
            keys: Public keys to trust for it, or files of them; none: those that this installation signs with.

        Raises:
            BadInput: it is no checkpoint of this log, or no known key has signed it.
        """
        self._may(VERIFY)
        return verify(self.desk, self.actor.tenant, against, tuple(keys))

    def checkpoints(self) -> tuple[Made, ...]:
        """The checkpoints of the tenant's log, the latest first."""
        return checkpoints.listed(self.desk, self.actor, self._batch)

    def checkpoint_key(self) -> str:
        """The public key with which others check the tenant's checkpoints."""
        return str(checkpoints.public_key(self.desk, self.actor, self._batch))

    def report_caseload(self) -> Json:
        """Per case type: cases by state, category and outcome, and the sums of what is marked reportable."""
        self._may(reports.REPORT)
        return reports.caseload(self.desk, self.desk.shelf(self.actor.tenant), self._reportable(), self._sight)

    def report_clocks(self) -> Json:
        """Per case type and clock: instances by status, and how long they took, by the wall and by the office."""
        self._may(reports.REPORT)
        return clock_figures.clocks(self.desk, self.desk.shelf(self.actor.tenant), self._reportable(), self._sight)

    def undelivered(self) -> tuple[Undelivered, ...]:
        """What waits in the outbox, in the order of cases and entries, of the cases that the actor may read with their journal."""
        self._may(UNDELIVERED)
        shelf = self.desk.shelf(self.actor.tenant)
        rows = reading.outbox(shelf)
        heads = reading.heads_of(shelf, reading.uuids_of(shelf, sorted({row[0] for row in rows}))).values()
        types = self.desk.grants.readable(self.actor, self.desk.library.types, UNDELIVERED.permission)
        cases = {head.sid: head.uuid for head in heads if self._may_see(decode(head.text), types)}
        shown = [row for row in rows if row[0] in cases]
        return tuple(Undelivered(cases[sid], n, attempts, next_at, error or "") for sid, n, attempts, next_at, _, error in shown)

    def assess(self, case: CaseRef) -> tuple[Finding, ...]:
        """What there is to find in a case, each finding with what it rests on.

        Raises:
            PluginFailed: a plugin failed.
        """
        return asking.assess(self._turn(asking.ASSESS, case), [])

    def options(self, case: CaseRef) -> Options:
        """Which ways there are to go on; a person chooses one.

        Raises:
            PluginFailed: a plugin failed.
        """
        return asking.options(self._turn(asking.PLAN, case), [])

    def check(self, case: CaseRef, what: str, *, to: str = "", via: str = "phone", party: PartyRef = "", **fields: Any) -> Verdict:
        """Whether something may be done now.

        Args:
            case: Where.
            what: ``contact``, or an event of the lifecycle.
            to: Of a contact: the role.
            via: Of a contact: the channel.
            party: Of a contact: which party, where several play the role.
            fields: Of an event: the fields of its form.
        """
        turn = self._turn(asking.CHECK, case)
        if what == "contact":
            return asking.check_message(turn, to, via, party_id(party))
        return asking.check_event(turn, what, fields)

    def explain(self, case: CaseRef, event: str, **fields: Any) -> Explanation:
        """Everything in the way of an event, and who could bring it about."""
        return asking.explain_event(self._turn(asking.EXPLAIN, case), event, fields)

    def explain_closing(self, case: CaseRef, outcome: str = "") -> Explanation:
        """Everything in the way of closing a case, and who could."""
        return asking.explain_closing(self._turn(asking.EXPLAIN, case), outcome)

    def clocks(self, case: CaseRef, *, at: Moment | None = None) -> tuple[ClockStory, ...]:
        """Every clock that had started by a moment, in order: when it is due, whether it is breached, what it has used up.

        Args:
            case: Where.
            at: An instant, or a day, which means its end in the zone of the case; now, where none is given.
        """
        turn = self._turn(asking.EXPLAIN, case)
        return deadlines.every(turn, self._at(turn, at))

    def explain_clock(self, case: CaseRef, clock: str, instance: str = "", *, at: Moment | None = None) -> tuple[ClockStory, ...]:
        """How the date of a clock was computed, day by day, and why it moved; one story for each instance, in their order.

        Args:
            case: Where.
            clock: Which clock.
            instance: Which instance; all of them, where none is named.
            at: As of :meth:`clocks`.

        Raises:
            BadInput: there is no such clock, or it has no such instance.
        """
        turn = self._turn(asking.EXPLAIN, case)
        return deadlines.stories(turn, clock, instance, self._at(turn, at))

    def plan(self, case: CaseRef, *, as_of: Moment | None = None) -> PlanView:
        """The plan of a case: what lives, with what it waits for and who could work on it; what has ended; what is offered.

        Args:
            case: Which one.
            as_of: As it was known then, an instant or a day.
        """
        work, stream, rows = self._then(case, as_of, None)
        definition = self.desk.library.pinned(work.shelf, stream.head["definition"])
        file = CaseFile(work, stream, definition, rows)
        return plans.view(self.desk, file, Run(definition, stream.head["machine"], file.world(), stream.head["time"]))

    def goals(self, case: CaseRef, *, as_of: Moment | None = None) -> tuple[Progress, ...]:
        """The goals of a case, each with how far it has come; ``as_of``: as it was known then."""
        work, stream, rows = self._then(case, as_of, None)
        definition = self.desk.library.pinned(work.shelf, stream.head["definition"])
        file = CaseFile(work, stream, definition, rows)
        cut = asked(as_of, None, stream.head["zone"]).as_of
        return caseloop.goals(file, max(stream.head["time"], min(cut or work.now(), work.now())))

    def explain_item(self, case: CaseRef, item: str) -> Explanation:
        """Why an item of the plan is where it is, what blocks it, and who could work on it."""
        return asking.explain_item(self._turn(plans.EXPLAIN, case), item)

    def explain_running(self, case: CaseRef, clock: str) -> Explanation:
        """Why a clock runs, or does not. How its date came about says :meth:`explain_clock`."""
        return asking.explain_running(self._turn(asking.EXPLAIN, case), clock)

    def tasks(
        self,
        who: str | Iterable[str] = (),
        *,
        types: Iterable[str] = (),
        due_before: Moment | None = None,
        after: str | None = None,
        size: int = 50,
    ) -> TaskPage:
        """A page of the tasks that wait to be done on cases that the actor may read, the soonest due first.

        Args:
            who: Only tasks of this role, or of these; none: of any.
            types: Only on cases of these types.
            due_before: Only tasks that are due before then, an instant or a day (UTC).
            after: ``more`` of the page before.
            size: Tasks on the page, at most 500.
        """
        roles = (who,) if isinstance(who, str) and who else tuple(who)
        before = None if due_before is None else effective_(due_before, "UTC").at
        wanted = self._readable(types, size)
        if wanted is None:
            return TaskPage()
        return worklist.tasks(self._work(), self.desk, Filter(wanted, roles, before, self._sight), after, size)

    def _whole(self, case: CaseRef, spec: Spec) -> tuple[Work, Stream]:
        """A case of which everything is given: only to those who may see all of it."""
        work, stream = self._read(case, spec)
        lacking = self.desk.levels.lacking(self.actor, stream.head)
        if lacking is not None:
            try:
                self.desk.bus.demand(self.actor, lacking, stream.head["type"])
            except Denied as denied:
                self.desk.bus.log_denied(self.actor, spec.name, denied, stream.uuid, self._batch)
                raise
        return work, stream

    def _shown(self, other: Stream) -> bool:
        """Whether the actor may know of another case."""
        may = self.desk.grants.allowed(self.actor, READ.permission, other.head["type"])
        return may and self.desk.levels.sees_case(self.actor, other.head)

    def _may_see(self, head: Json, types: tuple[str, ...] | None) -> bool:
        """Whether a case is of one of these types, or of any, and the actor may see it."""
        return (types is None or head["type"] in types) and self.desk.levels.sees_case(self.actor, head)

    def _hidden(self, work: Work, case: str) -> frozenset[str]:
        """Documents of a case that the actor may not see today, whatever moment is asked for."""
        return self.desk.levels.hidden(self.actor, work.stream(case, "case").head)

    def _page(self, wanted: reading.Filter, names: bool, after: str | None, size: int) -> Page:
        before = None
        if after is not None:
            if not after.isdigit():
                raise BadInput.at("after", f"{after!r} is no mark of a page", "give what the page before says as more")
            before = int(after)
        shelf = self.desk.shelf(self.actor.tenant)
        rows = reading.page(shelf, wanted, before, size + 1)
        more = str(rows[size - 1][0]) if len(rows) > size else None
        rows = rows[:size]
        opened = self._names([row[0] for row in rows]) if names else {}
        return Page(tuple(_listed(row, opened.get(row[0], {})) for row in rows), more)

    def _names(self, sids: list[int]) -> dict[int, dict[str, tuple[str, ...]]]:
        self._may(READ_PARTY)
        return names_of(self._work(), sids)

    def _reportable(self) -> tuple[str, ...] | None:
        return self.desk.grants.readable(self.actor, self.desk.library.types, reports.REPORT.permission)


def _listed(row: tuple[Any, ...], names: Mapping[str, tuple[str, ...]]) -> Listed:
    _, uuid, version, type_, number, state, category, outcome, opened, closed = row
    return Listed(uuid, type_, number, state, category, outcome, version, opened, closed, names)


def names_of(work: Work, sids: list[int]) -> dict[int, dict[str, tuple[str, ...]]]:
    """Names of the parties of cases, by sid and role; ``erased`` where a name is gone."""
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for sid, role, name in parties.names(work, sids):
        of_case = found.setdefault(sid, {})
        of_case[role] = (*of_case.get(role, ()), name)
    return found
