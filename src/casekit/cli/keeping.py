"""Keeping the record: journal, verify, erase, due clocks, export, figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.face import DONE, REFUSED
from casekit.cli.options import CaseRef, Out
from casekit.cli.sealing import PassphraseFile, RecipientFile, seals
from casekit.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.record.verify import Against, Report


def journal(case: CaseRef, /, *, common: Everywhere = HERE) -> int:
    """Shows the entries of a case as they stand in the journal; what is sealed stays sealed."""
    with common.seat() as seat:
        entries = seat.journal(case)

        def words(out: Console) -> None:
            from casekit.cli.looks import table

            rows = [[_short(_shown(entry, name)) for name in _COLUMNS] for entry in entries]
            out.print(table(_COLUMNS, rows, right=("n",)))

        return common.face.give({"entries": entries}, words)


_COLUMNS = ("n", "recorded", "effective", "actor", "kind", "hash")


def verify(
    *,
    against: Annotated[Path | None, Parameter(name="--against", help="A checkpoint kept elsewhere: what it saw must be there.")] = None,
    key: Annotated[tuple[str, ...], Parameter(name="--key", help="With --against: a public key to trust, or its file; repeatable.")] = (),
    common: Everywhere = HERE,
) -> int:
    """Proves the journal, and every table against it; exit code 1 where something is wrong."""
    if key and against is None:
        raise BadInput.at("--key", "goes with --against only", "leave it out, or say --against FILE")
    with common.seat() as seat:
        report = seat.verify(against=against or "", keys=key)
    first = report.wrong[0] if report.wrong else None
    answer: dict[str, Any] = {"ok": report.ok, "streams": report.streams, "entries": report.entries, "first_wrong": first}
    if against is not None:
        answer |= {"wrong": report.wrong, "against": report.against}
    return common.face.give(answer, lambda out: show_report(out, report), DONE if report.ok else REFUSED)


def erase(
    party: Annotated[str, Parameter(name="PARTY", help="The id of the person.")],
    /,
    *,
    common: Everywhere = HERE,
) -> int:
    """Erases a person: the keys are destroyed, the journal stays whole."""
    with common.seat() as seat:
        erased = seat.erase(party)

        def words(out: Console) -> None:
            from casekit.cli.looks import facts, indented

            out.print("Erased for good: what was sealed for this person can't be opened any more.")
            out.print(indented(facts(_fields(erased).items())))

        return common.face.give(erased, words)


def run_due(
    *,
    now: Annotated[str, Parameter(name="--now", help="The instant up to which clocks speak. Default: now.")] = "",
    checkpoints: Annotated[
        str,
        Parameter(
            name="--checkpoints",
            env_var="CASEKIT_CHECKPOINTS",
            help="Make a checkpoint where the last is older (ISO 8601, PT1H). Default: never.",
        ),
    ] = "",
    common: Everywhere = HERE,
) -> int:
    """Lets due clocks speak, delivers what waits for plugins, makes a checkpoint if it is time; the same twice does nothing more."""
    from casekit.cli.values import moment_of

    moment = moment_of(now, "--now") if now else None
    with common.desk(checkpoints=checkpoints) as desk, common.seat_at(desk) as seat:
        worked = seat.run_due(moment)

        def words(out: Console) -> None:
            from casekit.cli.looks import facts

            out.print(facts(_fields(worked).items()))

        return common.face.give(worked, words)


def export(
    case: CaseRef,
    /,
    *,
    out: Out = None,
    without_documents: Annotated[bool, Parameter(name="--without-documents", help="Leave out what documents contain.")] = False,
    passphrase: PassphraseFile = None,
    recipient: RecipientFile = None,
    common: Everywhere = HERE,
) -> int:
    """Takes a case out as one bundle in JSON: to a file, or to standard output. With --passphrase or --recipient, the
    keys of its parties come with it, sealed.
    """
    from casekit.cli.face import write_json
    from casekit.cli.shapes import shape
    from casekit.cli.values import write_bytes

    keys = seals(passphrase, recipient)
    with common.seat() as seat:
        bundle = seat.export(case, contents=not without_documents, keys=keys)
    if out is None:
        write_json(bundle)
        return DONE
    content = (json.dumps(shape(bundle), indent=2, ensure_ascii=False) + "\n").encode()
    write_bytes(out, content)
    return common.face.give({"file": str(out), "size": len(content)}, lambda face: face.print(f"{len(content)} bytes written to {out}"))


def caseload(*, common: Everywhere = HERE) -> int:
    """Counts cases by state, category and outcome, and sums what is reportable, per case type."""
    with common.seat() as seat:
        report = seat.report_caseload()
        return common.face.give(report, lambda out: show_caseload(out, report))


def show_report(out: Console, report: Report) -> None:
    """What a verification saw."""
    from rich.text import Text

    from casekit.cli.looks import facts, indented, said

    state = Text("The journal is whole", "bold green") if report.ok else Text("The journal is not whole", "bold red")
    state.append(f": {report.entries} entries in {report.streams} streams checked.", "not bold default")
    out.print(state)
    if report.against is not None:
        _show_against(out, report.against, ok=report.ok)
    for wrong in report.wrong:
        place = f"{wrong.table} {wrong.row} {wrong.column}".strip() if wrong.table != "entries" else ""
        rows = [("stream", wrong.stream), ("entry", wrong.n), ("place", place), ("wrong", said(wrong.what))]
        out.print(indented(facts((name, value) for name, value in rows if value not in ("", None))))


def _show_against(out: Console, against: Against, *, ok: bool) -> None:
    """What the record was held against, and on whose word."""
    from casekit.cli.looks import facts, indented

    if ok:
        out.print(f"It still holds everything that the checkpoint of {against.size} entries saw.")
    rows: list[tuple[str, Any]] = [("log", against.origin), ("made", against.made), ("signed by", "\n".join(against.signed_by))]
    rows += [("since then", f"{against.later} entries"), ("disposed of", "\n".join(against.disposed))]
    out.print(indented(facts((name, value) for name, value in rows if value)))
    if against.trust == "store":
        out.print("The key is known from the store alone: who wrote the store could have signed this too. Say which to trust: --key.")


def show_caseload(out: Console, report: Mapping[str, Any]) -> None:
    """The figures of each case type."""
    from casekit.cli.looks import facts, heading, indented, table
    from casekit.cli.shapes import shape

    if not report:
        out.print("There are no cases.")
    for case_type, figures in shape(report).items():
        heading(out, case_type)
        single = {name: value for name, value in figures.items() if not isinstance(value, dict)}
        if single:
            out.print(indented(facts(single.items())))
        for name, counts in figures.items():
            if isinstance(counts, dict) and counts:
                out.print(indented(table((name, ""), list(counts.items()), right=("",))))


def _fields(record: Any) -> dict[str, Any]:
    import attrs

    return {a.name: getattr(record, a.name) for a in attrs.fields(type(record))}


def _shown(entry: Mapping[str, Any], name: str) -> Any:
    return (entry.get("day") or entry.get(name)) if name == "effective" else entry.get(name)


def _short(value: Any) -> str:
    text = str(value if value is not None else "")
    return text if len(text) <= 27 else f"{text[:12]}…"


__all__ = ["caseload", "erase", "export", "journal", "run_due", "show_caseload", "show_report", "verify"]
