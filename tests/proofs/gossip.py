"""A plugin that puts what it knows into everything that it says, and fails with it on its lips."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from casekit.sdk import Adjustment, Command, Finding, Goal, Message, Objection, Option, Plugin, Recorded, Task, View, hookimpl


class Gossip:
    """As a plugin; ``mark`` makes a marker for a place."""

    PLUGIN = Plugin("gossip", api=1, handles=("tenancy.dispute",), version="1.0")

    def __init__(self, mark: Callable[[str], str]) -> None:
        self.mark = mark
        self.on: set[str] = set()
        """What it does at present, so that other commands pass it."""

    def _objection(self, where: str, view: View) -> Objection:
        mark = self.mark
        tenant = view.party("tenant")
        args = {"said": mark(f"{where}.args"), "name": tenant.name if tenant else "", "story": view.data.get("story")}
        return Objection(
            "gossip.says",
            "They say {said} of {name}. " + mark(f"{where}.words"),
            args,
            mark(f"{where}.citation"),
            None,
            mark(f"{where}.remedy"),
        )

    @hookimpl
    def casekit_before(self, view: View, command: Command) -> Iterator[Objection]:
        if "fail" in self.on:
            raise RuntimeError(self.mark(f"before.{command.name}.failed") + f" {dict(command.args)}")
        if "object" in self.on:
            yield self._objection(f"before.{command.name}", view)

    @hookimpl
    def casekit_before_transition(self, view: View, event: str, fields: dict[str, object]) -> Iterator[Objection]:
        if "transition" in self.on:
            yield Objection("gossip.tone", "{tone}", {"tone": fields.get("tone")}, remedy=self.mark("before_transition.remedy"))

    @hookimpl
    def casekit_before_message(self, view: View, message: Message) -> Iterator[Objection]:
        if "message" in self.on:
            yield self._objection("before_message", view)

    @hookimpl
    def casekit_close(self, view: View, outcome: str) -> Iterator[Objection]:
        if "fail close" in self.on:
            raise RuntimeError(self.mark("close.failed"))
        if "close" in self.on:
            yield self._objection("close", view)

    @hookimpl
    def casekit_assess(self, view: View) -> Iterator[Finding]:
        yield Finding(
            "gossip.found",
            self.mark("assess.words"),
            ("story", "fact:rent"),
            {"said": self.mark("assess.args")},
            self.mark("assess.citation"),
        )

    @hookimpl
    def casekit_plan(self, view: View, findings: tuple[Finding, ...]) -> Iterator[Option]:
        if "plan" in self.on:
            tasks = (Task("call", "P7D", title=self.mark("plan.title")),)
            args = {"said": self.mark("plan.args"), "story": view.data.get("story")}
            yield Option("talk", self.mark("plan.words"), tasks, args=args, because=(self.mark("plan.because"),))

    @hookimpl
    def casekit_review(self, view: View, findings: tuple[Finding, ...]) -> Iterator[Finding | Adjustment]:
        if "review" in self.on:
            args = {"said": self.mark("look.args"), "story": view.data.get("story")}
            yield Finding("gossip.looked", self.mark("look.words") + " {said}", ("fact:rent",), args, self.mark("look.citation"))
            goal = Goal("talked", "balance", "1.00 EUR", "at-most", title=self.mark("look.title"))
            yield Adjustment("gossip.talk", self.mark("look.adjustment"), goals=[goal], args=args, because=(self.mark("look.because"),))

    @hookimpl
    def casekit_recorded(self, recorded: Recorded) -> None:
        raise RuntimeError(self.mark("recorded.failed"))
