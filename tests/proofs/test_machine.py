"""P10: whatever is done, in whatever order: the tables are what the journal says, and the journal is whole.

Hypothesis gives the commands. Beside the desk stands a model of a few lines; and after every step the entries, folded
into empty hands, must give every head and every row that the store has.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule, run_state_machine_as_test

import tenancy
from casekit import BadInput, Desk, Money, Refused, Seat, open_desk
from casekit.model.canonical import decode, encode
from casekit.record.fold import fold
from casekit.record.tables import ROWS
from casekit.store import reading
from proofs.conftest import Ticking


@define
class Known:
    """What the model knows of a case.

    Attributes:
        owed: Cents charged and not paid.
        postings: Postings that can be taken back: id → cents that this adds to what is owed.
        documents: Document and version → content.
        entries: Entries at least: some commands let clocks speak before them.
        goals: Goal → its target in cents.
    """

    owed: int
    people: list[str]
    postings: dict[str, int] = field(factory=dict)
    documents: dict[tuple[str, int], bytes] = field(factory=dict)
    entries: int = 1
    goals: dict[str, int] = field(factory=dict)


amounts = st.integers(1, 50_000)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
late = st.sampled_from([None, "2026-11-25", "2026-11-01"])
STEPS = [0]
"""Steps taken, over all runs."""


def money(cents: int) -> Money:
    return Money.of_minor(cents, "EUR")


class Desks(RuleBasedStateMachine):
    """Commands on a desk, and what is expected of it."""

    cases = Bundle("cases")
    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="casekit-machine-"))
        self.clock = Ticking()
        self.known: dict[str, Known] = {}
        self.desk: Desk
        self.lee: Seat
        self.reopen()

    def teardown(self) -> None:
        self.desk.close()
        shutil.rmtree(self.folder)

    @rule()
    @precondition(lambda self: self.known)
    def come_back(self) -> None:
        """Closes the desk and opens it again: nothing was in memory only."""
        self.desk.close()
        self.reopen()

    def reopen(self) -> None:
        self.desk = open_desk(store=f"sqlite:///{self.folder}/store.db", plugins=[tenancy], installed=False, clock=self.clock)
        self.lee = self.desk.seat("user:lee", roles={"clerk"})

    @rule(target=people, name=texts, phone=st.from_regex(r"0[0-9]{3,9}", fullmatch=True))
    def party(self, name: str, phone: str) -> str:
        made = self.lee.party("person", name=name, phone=phone)
        assert made.id in [p.id for p in self.lee.find_parties(name=name, phone=phone)]
        return made.id

    @rule(person=people, phone=st.none() | st.from_regex(r"0[0-9]{3}", fullmatch=True))
    def change_party(self, person: str, phone: str | None) -> None:
        try:
            changed = self.lee.change_party(person, phone=phone)
        except BadInput as wrong:
            assert "erased" in str(wrong)  # noqa: PT017
        else:
            assert changed.details.get("phone") == phone

    @rule(target=cases, one=people, two=people, deposit=amounts, story=texts)
    def opens(self, one: str, two: str, deposit: int, story: str) -> Any:
        try:
            case = self.lee.open(
                "tenancy.dispute", data={"deposit": money(deposit), "story": story}, parties={"tenant": one, "landlord": two}
            )
        except BadInput as wrong:
            assert "erased" in str(wrong)  # noqa: PT017
            return multiple()
        assert case.data["story"] == story
        self.known[case.id] = Known(deposit, [one, two], {"1." + self._posting(case.id): deposit})
        return case.id

    def _posting(self, case: str) -> str:
        return self.lee.file(case).postings[0].id.partition(".")[2]

    @rule(case=cases, cents=amounts, when=late)
    def pays(self, case: str, cents: int, when: str | None) -> None:
        known = self.known[case]
        self._says(case, cents > known.owed, lambda: self._posted(case, self.lee.pay(case, money(cents), effective=when), -cents))

    @rule(case=cases, cents=amounts)
    def observes_a_payment(self, case: str, cents: int) -> None:
        done = self.lee.pay(case, money(cents), observed=True)
        assert bool(done.objections) == (cents > self.known[case].owed)
        self._posted(case, done, -cents)

    @rule(case=cases, cents=amounts)
    def charges(self, case: str, cents: int) -> None:
        self._posted(case, self.lee.charge(case, "deposit", money(cents)), cents)

    @rule(case=cases, data=st.data())
    def takes_back(self, case: str, data: st.DataObject) -> None:
        known = self.known[case]
        if known.postings:
            posting = data.draw(st.sampled_from(sorted(known.postings)))
            self.lee.reverse(case, posting)
            known.owed -= known.postings.pop(posting)
            known.entries += 1

    @rule(case=cases, text=texts, key=st.sampled_from(["", "a", "b"]))
    def notes(self, case: str, text: str, key: str) -> None:
        before = self.lee.case(case).n
        once = self.lee.note(case, text, key=key and f"{case} {text} {key}")
        if key:
            again = self.lee.note(case, text, key=f"{case} {text} {key}")
            assert (again.again, again.entries) == (True, once.entries)
        assert self.lee.timeline(case)[once.entries[-1] - 1].text == text
        self.known[case].entries += self.lee.case(case).n > before

    @rule(case=cases, cents=amounts, when=late)
    def notes_a_fact(self, case: str, cents: int, when: str | None) -> None:
        self._did(case, self.lee.note_fact(case, "rent", money(cents), source="lease", effective=when))

    @rule(case=cases, direction=st.sampled_from(["in", "out"]), text=texts)
    def messages(self, case: str, direction: str, text: str) -> None:
        said = {"direction": direction, "via": "letter", "outcome": "sent", "to": "landlord", "text": text}
        try:
            self._did(case, self.lee.message(case, **said))
        except Refused:
            assert direction == "out"
            self.known[case].entries += 1

    @rule(case=cases, content=st.binary(min_size=1, max_size=50), again=st.booleans())
    def files(self, case: str, content: bytes, again: bool) -> None:
        known = self.known[case]
        one = next(iter(known.documents), ("", 0))[0] if again else ""
        version = sum(1 for document, _ in known.documents if document == one) + 1
        done = self.lee.document(case, "letter", content, document=one)
        known.documents[(done.id, version)] = content
        self._did(case, done)

    @rule(case=cases, rooms=st.integers(1, 9), story=texts)
    def changes(self, case: str, rooms: int, story: str) -> None:
        done = self.lee.change(case, {"rooms": rooms, "story": story})
        assert (done.case.data["rooms"], done.case.data["story"]) == (rooms, story)
        self._did(case, done)

    @rule(case=cases, event=st.sampled_from(["answer", "decide", "withdraw", "resume"]), observed=st.booleans(), force=st.booleans())
    def does(self, case: str, event: str, observed: bool, force: bool) -> None:
        fields = {"tone": "calm"} if event == "answer" else {}
        try:
            self._did(case, self.lee.do(case, event, fields, reason="so", observed=observed, force=force))
        except Refused:
            assert not observed
            self.known[case].entries += 1

    @rule(case=cases)
    def chooses(self, case: str) -> None:
        options = self.lee.options(case)
        self._did(case, self.lee.choose(case, options["two-halves" if "two-halves" in options.items else "decision"]))

    @rule(case=cases, cents=amounts, key=st.sampled_from(["paid", "owed"]), by=st.sampled_from(["", "2026-12-01"]))
    def sets_a_goal(self, case: str, cents: int, key: str, by: str) -> None:
        measure, want = ("paid", "at-least") if key == "paid" else ("balance", "at-most")
        self._did(case, self.lee.set_goal(case, key, measure, money(cents), want=want, by=by, owner="clerk"))  # type: ignore[arg-type]
        self.known[case].goals[key] = cents

    @rule(case=cases, key=st.sampled_from(["paid", "owed"]))
    def drops_a_goal(self, case: str, key: str) -> None:
        if self.known[case].goals.pop(key, None) is not None:
            self._did(case, self.lee.drop_goal(case, key))

    @rule(case=cases, text=texts)
    def reviews(self, case: str, text: str) -> None:
        self._did(case, self.lee.review(case, text))
        last = self.lee.timeline(case)[-1]
        assert last.review is not None
        assert (last.text, {stood.goal for stood in last.review.goals}) == (text, set(self.known[case].goals))

    @rule(days=st.integers(1, 20))
    def time_goes_by(self, days: int) -> None:
        self.clock.forward(days=days)
        self.lee.run_due()
        assert self.lee.run_due().entries == 0

    @rule(person=consumes(people))
    def erases(self, person: str) -> None:
        concerned = [case for case, known in self.known.items() if person in known.people]
        still_open = [case for case in concerned if self.lee.case(case).closed is None]
        if still_open:
            with pytest.raises(Refused):
                self.lee.erase(person)
        else:
            erased = self.lee.erase(person)
            assert dict(self.lee.get_party(person).details) == {}
            for case in erased.shut:
                self.known[case].documents.clear()

    @invariant()
    def it_verifies(self) -> None:
        STEPS[0] += 1
        assert self.desk.seat("test:auditor", roles={"auditor"}).verify().wrong == []

    @invariant()
    def the_tables_are_what_the_entries_fold_to(self) -> None:
        shelf = self.desk.shelf("main")
        heads, rows = {}, {table: set() for table in ROWS}
        for sid, entries in self._journal(shelf).items():
            head, kept = None, {}
            for n, body in entries:
                head, written = fold(head, decode(body)["changes"], n)
                kept |= {(table, key): row for table, key, row in written}
            heads[sid] = encode(head)
            for (table, _), row in kept.items():
                rows[table] |= {(sid, *row)} if row is not None else set()
        assert dict(shelf.connection.execute("SELECT sid, head FROM streams").fetchall()) == heads
        for table, columns in ROWS.items():
            assert set(shelf.connection.execute(f"SELECT sid, {', '.join(columns)} FROM {table}").fetchall()) == rows[table]

    def _journal(self, shelf: Any) -> dict[int, list[tuple[int, str]]]:
        found: dict[int, list[tuple[int, str]]] = {}
        for sid, n, body in shelf.connection.execute("SELECT sid, n, body FROM entries ORDER BY sid, n").fetchall():
            found.setdefault(sid, []).append((n, body))
        return found

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        for case, known in self.known.items():
            found = self.lee.case(case)
            assert found.totals["balance"] == money(known.owed)
            assert found.n >= known.entries
            reached = {p.goal.key: p.reached for p in self.lee.goals(case)}
            assert reached.keys() == known.goals.keys()
            if "owed" in known.goals:
                assert reached["owed"] == (known.owed <= known.goals["owed"])
            listed = {g.goal.key for g in self.lee.open_goals(size=500).goals if g.case == case}
            assert found.closed or listed == {key for key, done in reached.items() if not done}
            for (document, version), content in known.documents.items():
                assert self.lee.read_document(case, document, version)[0] == content
        assert len(self.lee.cases(size=500).cases) == len(self.known)
        assert len(reading.tally(self.desk.shelf("main"))) == len(self.known)

    def _posted(self, case: str, done: Any, cents: int) -> None:
        self.known[case].owed += cents
        self.known[case].postings[done.id] = cents
        self._did(case, done)

    def _did(self, case: str, done: Any) -> None:
        self.known[case].entries += 1
        assert done.entries[-1] == done.case.n >= self.known[case].entries

    def _says(self, case: str, no: bool, command: Callable[[], None]) -> None:
        """A command that is refused when the model says so, and only then."""
        if no:
            with pytest.raises(Refused):
                command()
            self.known[case].entries += 1
        else:
            command()


def test_replay_equals_tables_whatever_is_done(times: Callable[[int], int], figure: Callable[[str], None]) -> None:
    runs = times(30)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    how = settings(max_examples=runs, stateful_step_count=25, deadline=None, suppress_health_check=checks, print_blob=True)
    STEPS[0] = 0
    run_state_machine_as_test(Desks, settings=settings(how, database=None) if os.environ.get("CI") else how)
    figure(f"P10 replay: {runs} runs, {STEPS[0]} steps, 0 differences between tables, journal and model")
