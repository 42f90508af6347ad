"""How the goals of a case stand after a step, as its head keeps them for lists."""

from __future__ import annotations

from collections.abc import Mapping

from casekit.decisions import goals
from casekit.decisions.machine import Run
from casekit.desk.casefile import CaseFile
from casekit.model.canonical import Json

_WORDS = {True: "reached", False: "open", None: "unknown"}


def judged(known: Mapping[str, Json], run: Run, file: CaseFile) -> Mapping[str, Json]:
    """The goals, each with how it stands and since when; the same map where nothing has moved.

    That one is reached now, or no longer is, the run says as ``goal.<key>.reached`` and ``goal.<key>.slipped``.
    """
    # Whether a goal is reached stands in the clear, as a state does: what is looked at here seals nothing of the command.
    seen = set(file.touched)
    found = {key: _judged(run, key, _dated(record, file.zone)) for key, record in known.items()}
    file.touched.intersection_update(seen)
    return known if found == known else found


def _dated(record: Json, zone: str) -> Json:
    """The goal with the first instant that is too late for it."""
    return {**record, "due": goals.end_of(record["by"], zone)} if "by" in record and "due" not in record else record


def _judged(run: Run, key: str, record: Json) -> Json:
    status, before = _WORDS[goals.reached(run, record)], record.get("status")
    if status == before:
        return record
    if "reached" in (status, before):
        run.happened.append(f"goal.{key}.{'reached' if status == 'reached' else 'slipped'}")
    return {**record, "status": status, "since": run.now}
