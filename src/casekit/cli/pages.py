"""Cases, parties, options and timelines as pages of words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from casekit.cli.looks import facts, heading, indented, said, show_findings, show_objections, table, text

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.values import Case, Done, Happening, Listed, Options
    from casekit.model.answers import Option
    from casekit.plugins.view import Person, View


def name_of(case: Case | Listed) -> str:
    """What people call a case: its number, or its id."""
    return case.number or case.id


def show_case(out: Console, case: Case) -> None:
    """A case in short."""
    title = Text(name_of(case), "bold")
    title.append(f"  {case.type}  ", "dim")
    title.append(said(case.state), "bold cyan")
    title.append(f"  ({said(case.category)}{', ' + case.outcome if case.outcome else ''})")
    out.print(title)
    rows: list[tuple[str, Any]] = [("id", case.id), ("opened", case.opened)]
    rows += [("closed", case.closed)] if case.closed else []
    rows += [("next due", case.due)] if case.due else []
    rows += [("held", "imported; its clocks wait for case resume")] if case.held else []
    rows += [("version", f"{case.version} after {case.n} entries"), ("zone", case.zone)]
    rows += [(name, amount) for name, amount in case.totals.items()]
    out.print(indented(facts(rows)))


def show_file(out: Console, file: View) -> None:
    """What lies in a case file."""
    if data := dict(file.data):
        heading(out, "Data")
        out.print(indented(facts(data.items())))
    _section(out, "Parties", ("role", "name", "kind", "id"), [(p.role, p.name or "erased or unnamed", p.kind, p.id) for p in file.parties])
    _section(out, "Facts", ("fact", "value", "holds since", "source"), [(f.key, f.value, f.day or f.at, f.source) for f in file.facts])
    postings = [(p.id, p.at, p.kind, p.component or (p.reverses and f"of {p.reverses}"), p.amount) for p in file.postings]
    _section(out, "Ledger", ("id", "effective", "kind", "for", "amount"), postings, right=("amount",))
    messages = [(m.at, m.direction, m.via, m.outcome, m.role, m.text) for m in file.messages]
    _section(out, "Messages", ("when", "way", "via", "outcome", "who", "text"), messages)
    documents = [(d.kind, d.status, d.name, d.version, d.media, d.size, d.id) for d in file.filed]
    _section(out, "Documents", ("kind", "status", "name", "version", "media", "bytes", "id"), documents, right=("bytes",))
    clocks = [(c.id, c.instance, c.status, c.started, c.due, c.args.get("amount")) for c in file.clocks]
    _section(out, "Clocks", ("clock", "instance", "status", "started", "due", "amount"), clocks)


def show_timeline(out: Console, happenings: Iterable[Happening]) -> None:
    """What happened, entry by entry."""
    out.print(indented(table(("n", "effective", "who", "what", "and so"), [_happening(h) for h in happenings], right=("n",))))


def show_done(out: Console, done: Done) -> None:
    """What a command did."""
    line = Text("Done before: " if done.again else "Done: ", "bold green")
    line.append(name_of(done.case), "bold")
    line.append(f" is in {said(done.case.state)}", "not bold")
    if done.case.outcome:
        line.append(f", outcome {done.case.outcome}")
    out.print(line)
    rows: list[tuple[str, Any]] = [("entries", done.entries)]
    rows += [("made", done.id)] if done.id else []
    rows += [("next due", done.due)] if done.due else []
    rows += list(done.case.totals.items())
    rows += [("not known", done.unknown)] if done.unknown else []
    rows += [] if done.accepted else [("observed", "the lifecycle does not allow it here: it is recorded, the state stays")]
    out.print(indented(facts(rows)))
    if done.objections:
        show_objections(out, "Recorded all the same", done.objections)


def show_step(out: Console, done: Done, *, totals: bool) -> None:
    """What a command did, in one line."""
    parts = [f"{name_of(done.case)} in {said(done.case.state)}"]
    parts += [f"{name} {amount}" for name, amount in done.case.totals.items()] if totals else []
    parts += [f"due {said(done.case.due)}"] if done.case.due else []
    out.print(indented(Text("; ".join(parts), "green")))
    if done.objections:
        show_objections(out, "Recorded all the same", done.objections)


def show_cases(out: Console, cases: Sequence[Listed]) -> None:
    """A list of cases."""
    named = any(case.names for case in cases)
    columns = ("case", "type", "state", "category", "outcome", "opened", *(("parties",) if named else ()))
    rows = [(name_of(c), c.type, c.state, c.category, c.outcome, c.opened, *((c.names,) if named else ())) for c in cases]
    out.print(table(columns, rows))


def show_people(out: Console, people: Iterable[Person]) -> None:
    """Parties, one after the other."""
    for person in people:
        line = Text(said(person.name or "unnamed or erased"), "bold")
        line.append(f"  {person.kind}", "dim")
        out.print(line)
        rows = [("id", person.id), ("zone", person.zone), ("language", person.language)]
        rows += [(name, value) for name, value in person.details.items() if name != "name"]
        out.print(indented(facts((name, value) for name, value in rows if value)))


def show_options(out: Console, options: Options, *, findings: bool = True) -> None:
    """The options side by side, with the findings that they rest on."""
    if findings and options.findings:
        out.print(Text("Found", "bold"))
        show_findings(out, options.findings)
        out.print()
    if not len(options):
        out.print("No plugin offers an option for this case.")
        return
    several = list(options)
    rows = [(label, *(cells.get(label, "") for cells in map(_option, several))) for label in _labels(several)]
    shown = [(Text(label, "dim"), *(text(cell) if cell else Text("") for cell in cells)) for label, *cells in rows]
    out.print(table(("", *(option.key for option in several)), shown))


def _labels(options: Sequence[Option]) -> list[str]:
    return list(dict.fromkeys(label for option in options for label in _option(option)))


def _option(option: Option) -> dict[str, str]:
    cells = {"what": option.text}
    if option.promises:
        cells |= {"payments": str(len(option.promises)), "first": _promise(option.promises[0]), "last": _promise(option.promises[-1])}
        if _sum(option) not in option.args.values():
            cells["in all"] = said(_sum(option))
    # What the words say already is not said again.
    cells |= {name: said(value) for name, value in option.args.items() if f"{{{name}}}" not in option.words and name not in cells}
    if option.plan:
        cells["work"] = "\n".join(said(task.title or task.id) + (f" within {task.due}" if task.due else "") for task in option.plan)
    if option.because:
        cells["because"] = "\n".join(map(said, option.because))
    cells["offered by"] = f"{option.plugin} {option.version}".strip()
    return cells


def _promise(promise: Any) -> str:
    return f"{promise.amount} by {promise.due.isoformat()}"


def _sum(option: Option) -> Any:
    first, *rest = (promise.amount for promise in option.promises)
    return sum(rest, first)


def _section(out: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Iterable[str] = ()) -> None:
    if rows:
        heading(out, title)
        out.print(indented(table(columns, rows, right=right)))


def _happening(happening: Happening) -> tuple[Any, ...]:
    what = Text(_DONE.get(happening.kind, happening.kind), "red" if happening.kind == "refused" else "bold")
    if happening.title:
        what.append(f" {said(happening.title)}", "not bold")
    if happening.text:
        what.append(f"\n{said(happening.text)}", "not bold dim")
    follows = [words for change in happening.changes if (words := _change(change))]
    follows += [f"{said(name)} was {said(value)}" for name, value in happening.before.items()]
    follows += [said(event) for event in happening.events if _says_more(event, happening.title)]
    follows += [f"{o.rule}: {said(o.reason)}" for o in happening.objections]
    return happening.n, happening.effective, happening.actor, what, Text("\n".join(follows))


_DONE = {"rectify": "rectified"}
"""Commands that people read by what they have done."""

_SAID_BY_TITLE = ("opened.", "fact.", "message.", "document.", "payment", "charge", "reversal", "chosen")


def _says_more(event: str, title: str) -> bool:
    """Whether an event says more than the title of its entry and the changes beside it."""
    return not event.startswith(_SAID_BY_TITLE) and event.removeprefix("transition.") not in title.split()


def _change(change: Mapping[str, Any]) -> str:
    """What a change comes to, where people would ask."""
    kind = change.get("c")
    if kind == "posting":
        from casekit.model.money import render

        parts = [change["kind"], render(change["minor"], change["currency"]), change.get("component"), change.get("note")]
        return " ".join(said(part) for part in parts if part)
    if kind == "fact" and "value" in change:
        return f"{change['key']} = {said(change['value'])}"
    if kind == "message":
        return f"{change['via']} {change['direction']}: {change['outcome']}"
    if kind == "machine" and "active" in change["set"]:
        return f"now in {said(change['set']['active'])}"
    return ""
