"""What holds of every plan, whatever was done to it: drawn plans, drawn commands."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from casekit.decisions import orders
from casekit.decisions.compiled import compile_type
from casekit.definition.load import digest
from casekit.definition.plan import Discretionary, Due, Item, Repeat, Sentry
from casekit.errors import BadInput, Livelock
from plans import planned as unchecked


def planned(plan: dict[str, Item]) -> Any:
    """The case type, compiled as it is: a check would refuse many a plan that is only senseless."""
    return compiled(unchecked(plan))


def compiled(case_type: Any) -> Any:
    return compile_type(case_type, digest(case_type))


WORDS = ("completed", "started", "terminated", "skipped")


@st.composite
def sentries(draw: st.DrawFn, others: list[str]) -> tuple[Sentry, ...]:
    events = [f"{other}.{word}" for other in others for word in WORDS] + ["state.enter:work", "transition.back"]
    how = draw(st.integers(0, 4))
    if how < 2:
        return ()
    on = tuple(draw(st.lists(st.sampled_from(events), min_size=1, max_size=2, unique=True))) if how < 4 else ()
    when = draw(st.sampled_from(["", "n > 1", "flag"])) if on else "n > 1"
    return (Sentry(on, when, draw(st.booleans())),)


@st.composite
def plans(draw: st.DrawFn, *, exits: bool = True) -> dict[str, Item]:
    """Up to eight items, of which some are stages and lie in each other."""
    made: dict[str, Item] = {}
    for key in "abcdefgh"[: draw(st.integers(1, 8))]:
        kind: Any = draw(st.sampled_from(["task", "task", "task", "stage", "stage", "milestone", "listener"]))
        stages = ["", *(k for k, item in made.items() if item.kind == "stage")]
        others = list(made)
        hears = kind != "listener"
        entry = draw(sentries(others)) if hears else ()
        again = kind in ("task", "stage") or any(s.on for s in entry)
        made[key] = Item(
            kind,
            stage=draw(st.sampled_from(stages)),
            entry=entry,
            exit=draw(sentries(others)) if exits and others and draw(st.integers(0, 3)) == 0 else (),
            required=draw(st.booleans()),
            manual=kind in ("task", "stage") and draw(st.booleans()),
            repeat=Repeat(draw(st.integers(1, 3))) if again and draw(st.integers(0, 3)) == 0 else None,
            auto_complete=draw(st.booleans()) if kind == "stage" else False,
            blocks=draw(st.sampled_from(["always", "always", "when-active", "never", "until-first"])),
            discretionary=Discretionary() if draw(st.integers(0, 5)) == 0 else None,
            due=draw(st.sampled_from([None, Due("P2D"), Due("P1D", "state.enter:work"), Due("-P1D", "data:day")])) if hears else None,
        )
    return made


def scripts() -> st.SearchStrategy[list[Any]]:
    on_items = st.tuples(st.sampled_from(orders.ACTIONS), st.sampled_from("abcdefgh"), st.integers(0, 72))
    on_case = st.tuples(st.sampled_from(["begin", "back", "finish", "reopen", "n", "day", "rest", "wake"]), st.just(""), st.integers(0, 72))
    return st.lists(st.one_of(on_items, on_items, on_case), max_size=14)


def after(now: str, hours: int) -> str:
    from casekit.model.time import from_micros, micros

    return from_micros(micros(now) + hours * 3_600_000_000)


def played(case: Any, script: list[Any], look: Any = lambda _: None) -> Any:
    """Plays a script; what can't be done is refused and changes nothing. Two that hear each other for ever end it."""
    try:
        case.open()
        for word, item, hours in script:
            look(case)
            at = after(case.now, hours)
            match word:
                case "begin" | "back" | "finish" | "reopen":
                    if case.tick(at).run(at).select(word, {}):
                        case.do(word, at)
                case "n":
                    case.set(at, n=hours % 4, flag=hours % 2 == 0)
                case "day":
                    case.set(at, day=at[:10])
                case "rest":
                    case.plan(orders.suspend_all, at)
                case "wake":
                    case.plan(orders.resume_all, at)
                case _:
                    if item in case.definition.says.plan:
                        try_order(case, word, item, at)
    except Livelock:
        case.log.append("livelock")
    look(case)
    return case


def try_order(case: Any, word: str, item: str, at: str) -> None:
    stages = [key for key, known in case.definition.says.plan.items() if known.kind == "stage"]
    how = {"stage": min(stages)} if word == "move" and stages else {}
    try:
        case.refused(word, item, at, **how)
    except BadInput as wrong:
        case.log.append(str(wrong))


@settings(max_examples=150)
@given(plans(), scripts())
def test_kept_as_json_or_with_other_key_order_a_plan_comes_to_the_same(play: Any, turned: Any, plan: Any, script: list[Any]) -> None:
    case_type = unchecked(plan)
    straight = played(play(compiled(case_type), restore="straight", n=0, flag=False), script)
    for other in (
        play(compiled(case_type), n=0, flag=False),
        play(compiled(case_type), restore="permuted", n=0, flag=False),
        play(compiled(turned(case_type)), restore="permuted", n=0, flag=False),
    ):
        played(other, script)
        assert other.log == straight.log
        assert other.machine == straight.machine
        assert other.rows == straight.rows


@settings(max_examples=150)
@given(plans(), scripts())
def test_everything_that_lives_lies_in_a_stage_that_lives(play: Any, plan: Any, script: list[Any]) -> None:
    def look(case: Any) -> None:
        items = case.machine.get("items", {})
        names = {f"{item}.{n}": state for item, instances in items.items() for n, state in instances.items()}
        for name, state in names.items():
            around = state.get("in", "")
            assert not around or names[around]["state"] in ("active", "suspended"), name
            assert "due" not in state or state["state"] != "suspended", name
        seen = case.machine["memory"].get("plan", {}).get("seen", {})
        assert set(seen) <= set(names)
        if case.machine["category"] == "closed":
            assert not names
        due = [s["due"] for s in names.values() if "due" in s and "overdue" not in s and s["state"] in ("active", "enabled")]
        assert not due or case.machine["memory"]["plan"].get("suspended") or case.machine["wake"] >= min(case.machine["wake"], *due)

    played(play(planned(plan), n=0, flag=False), script, look)


@settings(max_examples=200)
@given(plans(exits=False), scripts())
def test_a_stage_never_completes_with_work_in_it_that_is_active_or_required(play: Any, plan: Any, script: list[Any]) -> None:
    known: dict[str, Any] = {}

    def look(case: Any) -> None:
        if case.log and isinstance(case.log[-1], tuple):
            changed = {name: row for name, (row, _, _) in case.log[-1][4].items()}
            for name, row in changed.items():
                if row["kind"] == "stage" and row["state"] == "completed":
                    unfit(name, changed)
        known.clear()
        known.update({f"{i}.{n}": s for i, instances in case.machine.get("items", {}).items() for n, s in instances.items()})

    def unfit(stage: str, changed: dict[str, Any]) -> None:
        for name, row in changed.items():
            says = plan[name.rpartition(".")[0]]
            if row["stage"] != stage or says.blocks in ("never", "until-first") or row["state"] != "terminated":
                continue
            if row["kind"] == "listener":
                continue  # one that nobody hears any more ends first, needed or not
            before = known.get(name, {})
            assert before.get("was", before.get("state")) != "active", name
            assert "started" not in row, name
            assert says.required is False or says.repeat is not None, name

    played(play(planned(plan), n=0, flag=False), [d for d in script if d[0] not in ("terminate", "skip")], look)


@settings(max_examples=100)
@given(plans(), scripts())
def test_nothing_comes_more_often_than_it_may(play: Any, plan: Any, script: list[Any]) -> None:
    case = played(play(planned(plan), n=0, flag=False), [d for d in script if d[0] not in ("reopen", "add", "move")])
    counts: dict[tuple[str, str], int] = {}
    for name, row in case.rows.items():
        if "started" in row or row["state"] == "completed":
            key = (name.rpartition(".")[0], row["stage"])
            counts[key] = counts.get(key, 0) + 1
    for (item, _), count in counts.items():
        repeat = plan[item].repeat
        assert count <= (repeat.max if repeat else 1), item
