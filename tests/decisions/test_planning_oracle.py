"""Drawn plans, run here and by a reading of the rules that takes no short cut: after every command both are in the same states.

The oracle keeps nothing ready: it holds all instances in one list, looks at every one of them after each single change, and
begins again. It knows stages, tasks and milestones; sentries with memory; required, manual, automatic completion, what
blocks, and repetition. What it does not know (listeners, timers, dates, rest) has vectors of its own.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field
from hypothesis import event, given, settings
from hypothesis import strategies as st

from casekit.decisions.compiled import compile_type
from casekit.definition.load import digest
from casekit.definition.plan import Item, Repeat, Sentry
from casekit.errors import Livelock
from plans import planned

WORDS = ("completed", "started", "terminated", "enabled")
MOST = 400
"""Changes after which a plan counts as one that goes round for ever."""


@define(eq=False)
class One:
    """An instance."""

    item: str
    number: int
    within: One | None
    state: str
    round: int = 1
    heard: dict[tuple[str, int], set[str]] = field(factory=dict)

    @property
    def name(self) -> str:
        return f"{self.item}.{self.number}"


class Endless(Exception):
    """The plan does not come to rest."""


class Oracle:
    """A plan, read to the letter."""

    def __init__(self, plan: dict[str, Item]) -> None:
        self.plan, self.n, self.flag = plan, 0, False
        self.all: list[One] = []
        self.said: list[tuple[str, One | None]] = []
        self.done: set[tuple[str, One | None]] = set()
        self.left = MOST

    # --- what happens

    def open(self) -> None:
        self.said = []
        self.bring(None)
        self.rest()

    def state(self, name: str) -> None:
        """The lifecycle enters a state."""
        self.said = []
        self.tell(f"state.enter:{name}", None)
        self.rest()

    def set(self, n: int, flag: bool) -> None:
        self.said = []
        self.n, self.flag = n, flag
        self.rest()

    def give(self, action: str, item: str) -> None:
        self.said = []
        states = {"start": ("enabled",), "complete": ("active",), "disable": ("enabled",), "enable": ("disabled",)}
        live = ("available", "waiting", "enabled", "disabled", "active")
        one = next((o for o in self.live(item) if o.state in states.get(action, live)), None)
        if one is None or (action == "skip" and self.plan[item].required):
            return
        if action == "complete" and self.plan[item].kind == "stage" and self.blockers(one):
            return
        match action:
            case "start":
                self.start(one)
            case "complete":
                self.complete(one)
            case "disable" | "enable":
                one.state = {"disable": "disabled", "enable": "enabled"}[action]
                self.tell(f"{one.item}.{one.state}", one)
            case _:
                self.end(one, "terminated" if action == "terminate" else "skipped")
        self.rest()

    def rest(self) -> None:
        """Rules 4 and 6: exits before entries before completion, the innermost stage first; one change, then all anew."""
        while self.exit() or self.entry() or self.completion():
            self.left -= 1
            if self.left < 0:
                raise Endless

    # --- rules

    def live(self, item: str = "") -> list[One]:
        """In the order of the plan, a stage before what lies in it, that before the next one; the oldest instance first."""
        found = [o for o in self.all if o.state in _LIVE and item in ("", o.item)]
        return sorted(found, key=lambda o: (self.place(o.item), o.number))

    def inside(self, stage: One | None) -> list[One]:
        return [o for o in self.live() if o.within is stage]

    def bring(self, stage: One | None) -> None:
        for key, item in self.plan.items():
            if item.stage == (stage.item if stage else ""):
                self.make(key, stage)

    def make(self, item: str, stage: One | None, state: str = "available", round_: int = 1) -> None:
        number = 1 + sum(o.item == item for o in self.all)
        one = One(item, number, stage, state, round_)
        self.all.append(one)
        if state == "available":  # rule 3: what comes in a step sees all that has happened in it
            for said, of in self.said:
                self.hear(one, said, of)

    def tell(self, said: str, of: One | None) -> None:
        self.said.append((said, of))
        for one in self.live():
            self.hear(one, said, of)

    def hear(self, one: One, said: str, of: One | None) -> None:
        """Rule 2. What lies in the same stage counts only within one instance of it."""
        source = said.partition(".")[0]
        if of is not None and self.plan[source].stage == self.plan[one.item].stage and of.within is not one.within:
            return
        item = self.plan[one.item]
        for kind, sentries in (("entry", item.entry if one.state in ("available", "waiting") else ()), ("exit", item.exit)):
            for i, sentry in enumerate(sentries):
                if said in sentry.on:
                    one.heard.setdefault((kind, i), set()).add(said)

    def fires(self, one: One, kind: str, sentries: tuple[Sentry, ...]) -> bool:
        for i, sentry in enumerate(sentries):
            condition = {"": True, "n > 1": self.n > 1, "flag": self.flag}[sentry.when]
            if condition and one.heard.get((kind, i), set()) == set(sentry.on):
                return True
        return False

    def exit(self) -> bool:
        for one in self.live():
            if self.fires(one, "exit", self.plan[one.item].exit):
                item, before = self.plan[one.item], one.state
                self.end(one, "terminated")
                if before == "available" and item.repeat and self.on_event(item) and one.round < (item.repeat.max or MOST):
                    self.again(one, "waiting")
                return True
        return False

    def entry(self) -> bool:
        for one in self.live():
            item = self.plan[one.item]
            if one.state in ("available", "waiting") and (not item.entry or self.fires(one, "entry", item.entry)):
                one.heard = {key: parts for key, parts in one.heard.items() if key[0] == "exit"}
                if item.repeat and self.on_event(item) and one.round < (item.repeat.max or MOST):
                    self.again(one, "waiting")
                if item.kind == "milestone":
                    self.complete(one)
                elif item.manual:
                    one.state = "enabled"
                    self.tell(f"{one.item}.enabled", one)
                else:
                    self.start(one)
                return True
        return False

    def completion(self) -> bool:
        stages = [o for o in self.live() if self.plan[o.item].kind == "stage" and o.state == "active"]
        for one in sorted(stages, key=lambda o: -len(self.place(o.item))):
            open_ = [o for o in self.inside(one) if o.state in ("available", "enabled") and self.plan[o.item].blocks == "always"]
            if not self.blockers(one) and (self.plan[one.item].auto_complete or not open_):
                self.complete(one)
                return True
        return False

    def blockers(self, stage: One) -> list[str]:
        """Rule 6."""
        found = []
        for one in self.inside(stage):
            item, once = self.plan[one.item], (one.item, stage) in self.done
            if item.blocks == "never":
                continue
            if one.state == "active" or (item.required and not (once and item.repeat)):
                found.append(one.name)
        return found

    def start(self, one: One) -> None:
        one.state = "active"
        self.tell(f"{one.item}.started", one)
        if self.plan[one.item].kind == "stage":
            self.bring(one)

    def complete(self, one: One) -> None:
        item = self.plan[one.item]
        self.end(one, "completed")
        if item.repeat and not self.on_event(item) and one.round < (item.repeat.max or MOST):
            self.again(one, "available")

    def end(self, one: One, how: str) -> None:
        """Rule 7: what lies in it and has not ended is terminated first."""
        for inner in self.inside(one):
            self.end(inner, "terminated")
        one.state = how
        if how == "completed":
            self.done.add((one.item, one.within))
        self.tell(f"{one.item}.{'completed' if how == 'completed' else 'terminated'}", one)

    def again(self, one: One, state: str) -> None:
        """Rule 5."""
        if one.within is None or one.within.state in _LIVE:
            self.make(one.item, one.within, state, one.round + 1)

    @staticmethod
    def on_event(item: Item) -> bool:
        return any(sentry.on for sentry in item.entry)

    def place(self, item: str) -> list[str]:
        above = self.plan[item].stage
        return [*(self.place(above) if above else []), item]


_LIVE = ("available", "waiting", "enabled", "disabled", "active")


@st.composite
def sentries(draw: st.DrawFn, others: list[str], *, most: int = 2) -> tuple[Sentry, ...]:
    events = [f"{other}.{word}" for other in others for word in WORDS] + ["state.enter:work"]
    one = st.builds(
        lambda on, when: Sentry(tuple(on), when),
        st.lists(st.sampled_from(events), min_size=1, max_size=2, unique=True),
        st.sampled_from(["", "", "n > 1", "flag"]),
    )
    return tuple(draw(st.lists(one, min_size=1, max_size=most)))


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Item]:
    """Two to seven items; a sentry may hear any of them, later ones and inner ones too, but never its own item or what lies in it."""
    keys = "abcdefg"[: draw(st.integers(2, 7))]
    kinds: dict[str, Any] = {key: draw(st.sampled_from(["task", "task", "stage", "milestone"])) for key in keys}
    made: dict[str, Item] = {}
    for i, key in enumerate(keys):
        kind = kinds[key]
        others = [other for other in keys if other != key]
        entry = draw(sentries(others)) if draw(st.integers(0, 2)) == 0 else ()
        again = kind != "milestone" or entry
        made[key] = Item(
            kind,
            stage=draw(st.sampled_from(["", *(k for k in keys[:i] if kinds[k] == "stage")])),
            entry=entry,
            exit=draw(sentries(others, most=1)) if draw(st.integers(0, 3)) == 0 else (),
            required=draw(st.booleans()),
            manual=kind != "milestone" and draw(st.integers(0, 2)) == 0,
            repeat=Repeat(draw(st.integers(1, 3))) if again and draw(st.integers(0, 3)) == 0 else None,
            auto_complete=kind == "stage" and draw(st.booleans()),
            blocks=draw(st.sampled_from(["always", "always", "when-active", "never"])),
        )
    return made


STEP = st.one_of(
    st.tuples(st.sampled_from(["complete", "complete", "start", "skip", "terminate", "disable", "enable"]), st.sampled_from("abcdefg")),
    st.sampled_from([("begin", ""), ("back", "")]),
    st.tuples(st.just("set"), st.sampled_from([(0, False), (2, False), (0, True), (2, True)])),
)


def ours(case: Any, word: str, what: Any) -> None:
    match word:
        case "set":
            case.set(n=what[0], flag=what[1])
        case "begin" | "back":
            case.do(word)
        case _:
            case.refused(word, what)


def theirs(oracle: Oracle, word: str, what: Any) -> None:
    match word:
        case "set":
            oracle.set(*what)
        case "begin" | "back":
            oracle.state({"begin": "work", "back": "open"}[word])
        case _:
            oracle.give(word, what)


@settings(max_examples=400)
@given(plans(), st.lists(STEP, max_size=10))
def test_a_plan_does_what_a_plain_reading_of_the_rules_does(play: Any, plan: dict[str, Item], script: list[Any]) -> None:
    case_type = planned(plan)
    case, oracle = play(compile_type(case_type, digest(case_type)), n=0, flag=False), Oracle(plan)
    at = "open"
    for word, what in [("", ""), *script]:
        if (
            (word not in ("", "set", "begin", "back") and what not in plan)
            or (word == "begin" and at != "open")
            or (word == "back" and at == "open")
        ):
            continue
        at = {"begin": "work", "back": "open"}.get(word, at)
        try:
            ours(case, word, what) if word else case.open()
        except Livelock:
            event("endless")
            return
        try:
            theirs(oracle, word, what) if word else oracle.open()
        except Endless:
            event("endless for the oracle")
            return
        says = {name: row["state"] for name, row in case.rows.items()}
        reads = {one.name: one.state for one in oracle.all}
        assert sorted(says.items()) == sorted(reads.items()), f"after {word} {what}"
    event("played to the end")
