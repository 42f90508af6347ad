"""Rectification: what was recorded wrongly is put right (Art. 16 GDPR). The record keeps the wrong value, the right one, and both dates.

An entry of kind ``rectify`` says what is right from now on, since when it holds, why, and who asked for it. The wrong value
stays in the entry that brought it, and beside the reason in this one, sealed with whoever it is about. A question for what
held at an earlier moment gives the right value; one for what was known then, the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from casekit.desk import cases, records
from casekit.desk.casefile import DETAILS
from casekit.desk.turn import Spec, Turn
from casekit.desk.work import Stream, Work
from casekit.errors import BadInput
from casekit.model.canonical import Json, decode, encode
from casekit.model.time import Effective
from casekit.store import reading

RECTIFY = Spec("rectify", "case.rectify")
RECTIFY_PARTY = Spec("rectify", "party.rectify")


def data(turn: Turn, values: Mapping[str, Any], unset: Iterable[str], asked_by: str) -> None:
    """Decides on case data that was wrong."""
    gone = list(unset)
    names = [*values, *gone]
    _needs(turn, names, asked_by)
    wrong = {name: turn.file.data.raw(name) for name in names if name in turn.file.data}
    cases.change(turn, values, gone, command="rectify")
    turn.call.about |= {"rectified": {"data": sorted(names)}}
    if wrong:
        turn.call.sealed["before"] = wrong


def fact(turn: Turn, wrong: str, value: Any, source: str, asked_by: str) -> None:
    """Decides on a fact that was wrong: the right one takes its place, from its own moment on or from an earlier one."""
    row = _row(turn.file.rows("facts"), wrong)
    _needs(turn, [wrong], asked_by)
    key, since = row[2], Effective(row[3], row[4], row[5])
    if turn.effective.at > since.at:
        do = "note a new fact for what began later, and rectify this one with what held at its own moment"
        raise BadInput.at("effective", f"{turn.effective} lies after the fact that was wrong ({since})", do)
    known = _value_of(turn, row)
    turn.call.about |= {"key": key, "rectified": {"fact": wrong}}
    records.fact(turn, key, value, source, command="rectify")
    if turn.goes_on and turn.effective.at < since.at:
        # The wrong one must not come up again at its own moment.
        right = _value_of(turn, _as_row(turn.changes[-1]))
        records.fact_again(turn, key, right, since)
    if known is not None:
        turn.call.sealed["before"] = {key: known}


def since_of_fact(work: Work, stream: Stream, wrong: str) -> Effective:
    """Since when a fact was said to hold.

    Raises:
        BadInput: there is no such fact.
    """
    rows = [tuple(row) for row in reading.rows_of(work.shelf, "facts", stream.sid)] if stream.base else []
    row = _row([*rows, *(row for name, _, row in stream.rows if name == "facts" and row is not None)], wrong)
    return Effective(row[3], row[4], row[5])


def details(known: Mapping[str, str], given: Mapping[str, Any]) -> None:
    """Refuses what is no rectification of a party.

    Raises:
        BadInput: nothing is put right, or only what is the same.
    """
    if not given:
        raise BadInput.at("party", "nothing to put right is given", "name a detail: " + ", ".join((*DETAILS, "zone", "language")))
    same = [name for name, value in given.items() if known.get(name) == value]
    if same:
        raise BadInput.at(f"party/{same[0]}", "is on file like this already", "leave it out")


def demand_reason(reason: str) -> None:
    """Refuses a rectification that does not say why.

    Raises:
        BadInput: there is no reason.
    """
    if not reason.strip():
        raise BadInput.at("reason", "is missing", "say what was wrong, and how that is known")


def _needs(turn: Turn, names: list[str], asked_by: str) -> None:
    demand_reason(turn.call.reason)
    if not names:
        raise BadInput.at("data", "nothing to put right is given", "name a field and its right value")
    if asked_by:
        turn.call.about["asked_by"] = turn.work.stream(asked_by, "party").uuid


def _row(rows: Iterable[tuple[Any, ...]], wrong: str) -> tuple[Any, ...]:
    known = list(rows)
    found = next((row for row in known if f"{row[0]}.{row[1]}" == wrong), None)
    if found is None:
        ids = ", ".join(f"{row[0]}.{row[1]}" for row in known) or "none"
        raise BadInput.at("fact", f"there is no fact {wrong} in this case", f"its facts are: {ids}")
    return found


def _as_row(change: Json) -> tuple[Any, ...]:
    sealed = encode(change["sealed"]) if "sealed" in change else None
    value = encode(change["value"]) if "value" in change else None
    return (0, 0, change["key"], change["at"], change["zone"], change.get("day"), value, sealed)


def _value_of(turn: Turn, row: tuple[Any, ...]) -> Any:
    if row[6] is not None:
        return decode(row[6])
    return turn.file.open(f"fact/{row[2]}", decode(row[7])).get("value") if row[7] else None
