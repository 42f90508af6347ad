"""The story of the demo: what is done, by whom, when. Everything that it shows is what the desk gave back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casekit import CasekitError, Done, Money, Refused
from casekit.cli.demo_teller import NEW_YORK, StageClock, Teller

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.desk import Desk
    from casekit.desk.seat import Seat
    from casekit.plugins.view import Person

LETTER = b"Dear Ms Silva, your account is paid in full. We have nothing further to ask of you."
NOTICE = b"You owe 1,840.00 USD to Corner Shop Inc. You may dispute the debt until the day named here."


class Story:
    """One debt, from intake to its end.

    Args:
        desk: A desk whose clock the story moves.
        clock: That clock.
        teller: Who tells it.
        tenant: Whose record.
        examples: The folder of examples, for the small log at the end.
    """

    def __init__(self, desk: Desk, clock: StageClock, teller: Teller, tenant: str, examples: Path) -> None:
        self.desk, self.clock, self.teller, self.examples = desk, clock, teller, examples
        self.lee: Seat = desk.seat("user:lee", roles={"collector"}, tenant=tenant)
        self.ana: Seat = desk.seat("user:ana", roles={"supervisor"}, tenant=tenant)
        self.kim: Seat = desk.seat("user:kim", roles={"auditor"}, tenant=tenant)
        self.cron: Seat = desk.seat("system:cron", roles={"clock"}, tenant=tenant)
        self.root: Seat = desk.seat("user:root", roles={"admin"}, tenant=tenant)
        self.maria: Person
        self.case = ""
        self._totals: Mapping[str, Money] = {}

    def play(self) -> None:
        """Plays it."""
        self.intake()
        self.assessment()
        self.call()
        self.options()
        self.payments()
        self.broken_promise()
        self.late_payment()
        self.refused_closing()
        self.closing()
        self.timeline()
        self.erasure()
        self.caseload()

    def intake(self) -> None:
        """A debt is placed, and the debtor gets notice of it."""
        from casekit.cli.pages import show_case, show_people

        self._scene("Intake", "2026-03-02 09:00")
        self.teller.say("Corner Shop places a debt. Maria Silva lives in Los Angeles; what is personal is sealed with her own key.")
        details = {"name": "Maria Silva", "phone": "+1 213 555 0142", "email": "maria@example.org", "zone": "America/Los_Angeles"}
        self.maria = self.lee.party("person", **details)
        self._tell("lee: add a party", self.maria, lambda out: show_people(out, [self.maria]))
        shop = self.lee.party("organisation", name="Corner Shop Inc.", zone=NEW_YORK)
        principal = Money("1840.00", "USD")
        case = self.lee.open("debt.case", data={"principal": principal}, parties={"debtor": self.maria, "creditor": shop})
        self.case, self._totals = case.id, case.totals
        self._tell(f"lee: open a debt.case over {principal}", case, lambda out: show_case(out, case))
        sent = self.clock.now.date()
        period = self.desk.calculate("debt.validation-period", {"sent": sent})
        self._done(f"lee: file the validation notice, sent {sent}", self._file(NOTICE, "validation-notice", "notice.txt"))
        ends = {"ends": period.ends}
        self._done(f"lee: notify, disputes until {period.ends} ({period.citation})", self.lee.do(self.case, "notify", ends))

    def assessment(self) -> None:
        """What she has and needs, and what follows from it."""
        from casekit.cli.looks import show_findings

        self._scene("Assessment", "2026-03-03 10:00")
        known = [("income.monthly", "2100.00", "payslip"), ("expense.housing", "950.00", "lease"), ("expense.living", "640.00", "her word")]
        for fact, amount, source in known:
            money = Money(amount, "USD")
            self._done(f"lee: note {fact}, {money} ({source})", self.lee.note_fact(self.case, fact, money, source=source))
        findings = self.lee.assess(self.case)
        self._tell("lee: assess", findings, lambda out: show_findings(out, findings))
        self._done("lee: do assess", self.lee.do(self.case, "assess"))

    def call(self) -> None:
        """A call too early where she lives; and the same call when it is allowed."""
        from casekit.cli.questions import show_verdict

        self._scene("A phone call", "2026-03-03 10:30")
        self.teller.say("In New York it is half past ten; in Los Angeles it is half past seven.")
        verdict = self.lee.check(self.case, "contact", to="debtor", via="phone")
        self._tell("lee: may I call the debtor now?", verdict, lambda out: show_verdict(out, "contact", verdict))
        self._refused("lee: record a call all the same", self._spoken)
        if verdict.allowed_at is None:
            return
        self.clock.now = datetime.fromisoformat(verdict.allowed_at).astimezone(UTC) + timedelta(minutes=20)
        self.teller.say(f"Lee waits until {verdict.allowed_at[:16].replace('T', ' ')} UTC, and twenty minutes more.")
        self._done("lee: record the call", self._spoken())

    def options(self) -> None:
        """Three ways to pay, side by side; she chooses one."""
        from casekit.cli.pages import show_options

        self._scene("Options", "2026-03-03 12:00")
        found = self.lee.options(self.case)
        self._tell("lee: options", found, lambda out: show_options(out, found, findings=False))
        option = found["instalments-6"]
        self._done(f"lee: choose {option.key}", self.lee.choose(self.case, option, reason="She can keep to it, and her rent is safe."))

    def payments(self) -> None:
        """The first instalment comes in time."""
        self._scene("The first instalment", "2026-04-02 15:00")
        self._done("lee: pay 306.66 USD", self.lee.pay(self.case, Money("306.66", "USD"), note="bank transfer"))
        self._sweep()

    def broken_promise(self) -> None:
        """The second one does not; nobody has to look for that."""
        self._scene("A broken promise", "2026-05-05 06:00")
        self.teller.say("The second instalment was promised for 3 May. Nothing has come.")
        self._sweep()
        self._state()

    def late_payment(self) -> None:
        """It had come in time after all: late knowledge, judged as of when it holds."""
        self._scene("A payment that came in time, recorded late", "2026-05-06 11:00")
        self.teller.say("The bank's statement says: 306.66 USD, received on 2 May. The promise's clock is judged again.")
        paid = self.lee.pay(self.case, Money("306.66", "USD"), note="bank statement", effective=date(2026, 5, 2))
        self._done("lee: pay 306.66 USD, effective 2026-05-02", paid)
        self._state()
        then = self.lee.case(self.case, as_of=date(2026, 5, 5))
        self._tell(
            "lee: and what did we know on 5 May?", then, lambda out: out.print(f"then it was in {then.state}: history is not rewritten")
        )

    def refused_closing(self) -> None:
        """Too early: everything that is missing, at once."""
        self._scene("A closing refused", "2026-05-07 16:00")
        self._refused("lee: close as paid", lambda: self.lee.close(self.case, "paid"))
        found = self.lee.explain_closing(self.case, "paid")

        def words(out: Console) -> None:
            from casekit.cli.looks import show_lines

            show_lines(out, found.lines())

        self._tell("lee: explain closing as paid", found, words)

    def closing(self) -> None:
        """She pays the rest at once; the letter goes out; the case closes."""
        self._scene("The closing", "2026-06-01 10:00")
        rest = self.lee.case(self.case).totals["balance"]
        self._done(f"lee: pay {rest}, all that is left", self.lee.pay(self.case, rest, note="bank transfer"))
        self._done("lee: file the letter that the debt is paid", self._file(LETTER, "paid-letter", "paid.txt"))
        self._done("lee: close as paid", self.lee.close(self.case, "paid", reason="Paid in full, ahead of time."))

    def timeline(self) -> None:
        """All that happened, and the proof of it."""
        from casekit.cli.pages import show_timeline

        self._scene("The timeline, and the proof", "2026-06-02 09:00")
        happenings = self.kim.timeline(self.case)
        self._tell("kim: timeline", happenings, lambda out: show_timeline(out, happenings))
        self._verify()

    def erasure(self) -> None:
        """Years later she asks to be forgotten; the journal stays whole."""
        self._scene("A person erased", "2029-06-04 09:00")
        erased = self.ana.erase(self.maria)

        def words(out: Console) -> None:
            out.print(f"erased for good: {len(erased.party)} person; texts of {len(erased.shut)} case can't be read any more")

        self._tell("ana: erase Maria Silva", erased, words)
        page = self.kim.cases(party=self.maria, names=True)

        def listed(out: Console) -> None:
            from casekit.cli.pages import show_cases

            show_cases(out, page.cases)

        self._tell("kim: her case", page, listed)
        self._verify()

    def caseload(self) -> None:
        """A log of another system comes in; figures over all cases."""
        from casekit.cli.importing import progress, show_imported
        from casekit.cli.keeping import show_caseload

        self._scene("A log of another system", "2029-06-05 09:00")
        folder = self.examples / "traffic_fines"
        log, says = folder / "broken.xes", folder / "map.toml"
        if not says.is_file():
            self.teller.say(f"The example {folder} is not here; name the folder of examples with --examples.")
        else:
            with progress() as tell:
                imported = self.root.import_log(log, says, progress=tell)
            self._tell("root: import xes broken.xes --map map.toml", imported, lambda out: show_imported(out, imported))
        report = self.kim.report_caseload()
        self._tell("kim: report caseload", report, lambda out: show_caseload(out, report))
        self._verify()

    def _spoken(self) -> Done:
        words = "She wants to pay in instalments."
        return self.lee.message(self.case, direction="out", via="phone", outcome="conversation", to="debtor", text=words)

    def _file(self, content: bytes, kind: str, name: str) -> Done:
        return self.lee.document(self.case, kind, content, name=name, media="text/plain")

    def _sweep(self) -> None:
        worked = self.cron.run_due()
        words = f"clocks spoke on cases: {worked.cases}; entries written: {worked.entries}; entries told to plugins: {worked.delivered}"
        self._tell("cron: run due", worked, lambda out: out.print(words))

    def _state(self) -> None:
        case = self.lee.case(self.case)
        last = self.lee.timeline(self.case)[-1]
        answer = {"state": case.state, "events": last.events}
        self._tell("lee: where is the case?", answer, lambda out: out.print(f"in {case.state}; last heard: {', '.join(last.events)}"))

    def _verify(self) -> None:
        from casekit.cli.keeping import show_report

        report = self.kim.verify()
        answer = {"ok": report.ok, "streams": report.streams, "entries": report.entries}
        self._tell("kim: verify", answer, lambda out: show_report(out, report))
        if not report.ok:
            raise CasekitError("the journal of the demo is not whole")

    def _refused(self, did: str, command: Callable[[], Done]) -> None:
        from casekit.cli.looks import show_objections

        try:
            done = command()
        except Refused as refusal:
            objections = refusal.objections
            self._tell(did, {"refused": objections}, lambda out: show_objections(out, "Refused", objections))
        else:
            self._done(did, done)

    def _done(self, did: str, done: Done) -> None:
        from casekit.cli.pages import show_step

        changed = done.case.totals != self._totals
        self._totals = done.case.totals
        self._tell(did, done, lambda out: show_step(out, done, totals=changed))

    def _scene(self, title: str, when: str) -> None:
        self.clock.to(when)
        self.teller.scene(title, self.clock.now)

    def _tell(self, did: str, answer: Any, words: Callable[[Console], None]) -> None:
        self.teller.step(did, answer, words)
