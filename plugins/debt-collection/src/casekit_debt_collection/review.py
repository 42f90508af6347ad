"""How an arrangement goes: instalments kept and missed, means that have changed since, and what should be changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from casekit.sdk import Adjustment, Finding, Goal, Mark, Money, RunningClock, View, local

from .instalments import affordable
from .means import NEEDED, figure, means

PAID_OFF = "paid-off"
"""The goal of an arrangement: nothing is owed any more when its last instalment is due."""

FIGURES = (*NEEDED, "income.other", "expense.other", "debt.monthly")
"""Facts that decide on what is left a month."""


def answers(view: View) -> Iterator[Finding | Adjustment]:
    """What a fresh look comes to while an arrangement runs; of goals, always."""
    yield from _paid(view)
    yield from _goals(view)
    if view.chosen is None or not view.at("arrangement"):
        return
    promises = _promises(view, view.chosen)
    yield from _instalments(view, view.chosen, promises)
    yield from _changed(view, view.chosen)
    yield from _out_of_reach(view, promises)
    yield from _goal(view, promises)


def _paid(view: View) -> Iterator[Finding]:
    taken_back = {posting.reverses for posting in view.postings}
    paid = [p for p in view.since(view.reviewed).postings if p.kind == "payment" and p.id not in taken_back]
    if paid:
        total = sum((p.amount for p in paid), Money.zero(view.currency))
        words = "{total} was paid since the last review." if view.reviewed else "{total} was paid so far."
        yield Finding("debt.paid-since", words, ("balance",), {"total": total})


def _goals(view: View) -> Iterator[Finding]:
    for progress in view.goals:
        if progress.missed:
            args = {"goal": progress.goal.key, "by": progress.goal.by}
            yield Finding("debt.goal-missed", "The goal {goal} was not reached by {by}.", (), args)


def _promises(view: View, chosen: Mark) -> list[RunningClock]:
    """The instalments of the arrangement that are still open, missed ones among them."""
    return [clock for clock in view.clocks if clock.id == "promise" and clock.instance.startswith(f"{chosen.n}.")]


def _instalments(view: View, chosen: Mark, promises: list[RunningClock]) -> Iterator[Finding]:
    ended = [clock for clock in view.past_clocks if clock.id == "promise" and clock.instance.startswith(f"{chosen.n}.")]
    kept = sum(clock.status in ("met", "withdrawn") for clock in ended)
    args = {"kept": kept, "all": len(ended) + len(promises)}
    yield Finding("debt.instalments-kept", "{kept} of {all} instalments were kept.", (), args)
    missed = sorted(clock.due for clock in promises if clock.status == "breached" and clock.due)
    if missed:
        words = "{count} instalments were missed, the first was due by {first}."
        yield Finding("debt.instalments-missed", words, (), {"count": len(missed), "first": _last_day(missed[0], view.zone)})


def _changed(view: View, chosen: Mark) -> Iterator[Finding]:
    before = view.known(chosen)
    changed = [key for key in FIGURES if (now := figure(view, key)) is not None and before.get(key) != now]
    for key in changed:
        args = {"fact": key, "now": view.latest[key], "before": before.get(key)}
        words = "{fact} was {before} when the arrangement was chosen, and is {now}."
        if args["before"] is None:
            words = "{fact} was not known when the arrangement was chosen, and is {now}."
            del args["before"]
        yield Finding("debt.means-changed", words, (f"fact:{key}",), args)


def _out_of_reach(view: View, promises: list[RunningClock]) -> Iterator[Finding | Adjustment]:
    known, balance = means(view), view.totals.get("balance")
    if known.disposable is None or balance is None or not promises:
        return
    dearest = max(Money.parse(promise.args["amount"]) for promise in promises)
    if dearest <= known.disposable:
        return
    inputs = tuple(f"fact:{key}" for key in known.used)
    args = {"amount": dearest, "left": known.disposable}
    yield Finding("debt.out-of-reach", "An instalment takes {amount} a month, and {left} is left.", inputs, args)
    count = affordable(balance, known.disposable)
    if count is not None:
        words, because = "Pay {balance} in {count} instalments instead", f"{known.disposable} is left a month."
        yield Adjustment(
            "debt.replan",
            words,
            f"instalments-{count}",
            args={"count": count, "balance": balance, "left": known.disposable},
            because=because,
        )


def _goal(view: View, promises: list[RunningClock]) -> Iterator[Adjustment]:
    """The goal that goes with an arrangement, where it is not set, or names another day."""
    dues = [promise.due for promise in promises if promise.due]
    if not dues or len(dues) < len(promises):
        return
    by = _last_day(max(dues), view.zone)
    known = view.goal(PAID_OFF)
    if known is None or known.goal.by != by:
        goal = Goal(PAID_OFF, "balance", Money.zero(view.currency), "at-most", by, "handler")
        yield Adjustment("debt.set-goal", "Have everything paid by {by}, as the arrangement says", goals=(goal,), args={"by": by})


def _last_day(due: str, zone: str) -> str:
    """The day whose end a due instant is."""
    return (local(due, zone).date() - timedelta(days=1)).isoformat()
