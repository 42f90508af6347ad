"""P16: a hold beats every deletion. Three processes hold, dispose of and erase the same records at the same time."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from casekit import Desk, Seat
from casekit.store import reading
from proofs import keepers

JOBS = ("hold", "purge", "erase")


class Keeper:
    """One of the processes."""

    def __init__(self, folder: Path, url: str) -> None:
        command = [sys.executable, keepers.__file__, str(folder), url]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.answer() == "ready"

    def ask(self, job: str, said: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([job, said]) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


@contextmanager
def three(folder: Path, url: str) -> Iterator[dict[str, Keeper]]:
    there: dict[str, Keeper] = {}
    try:
        for job in JOBS:
            there[job] = Keeper(folder, url)
        yield there
    finally:
        for keeper in there.values():
            keeper.process.kill()
            keeper.process.communicate()


def prepared(seat: Seat, other: Seat) -> dict[str, str]:
    """A case that is over and due, on a list that was approved, and its only person."""
    otto = seat.party("person", name="Otto").id
    case = seat.open("lease.case", data={"ends": "2020-01-31", "story": "he owes"}, parties={"tenant": otto}).id
    seat.document(case, "letter", b"Dear Otto")
    seat.do(case, "hurry")
    made = seat.propose_disposal([case])
    other.approve_disposal(made.id)
    return {"case": case, "person": otto, "list": made.id}


def refusals(desk: Desk, uuid: str, command: str) -> list[dict[str, Any]]:
    """The refusals that stand in the journal of a stream."""
    shelf = desk.shelf("main")
    head = reading.head_of(shelf, uuid)
    entries = reading.entries_of(shelf, head.sid) if head is not None else []
    said = [json.loads(entry[11])["about"] for entry in entries if entry[7] == "refused"]
    return [about for about in said if about["command"] == command]


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What of a held record is not what it was: refusals may have been added to its journal, nothing else."""
    wrong = []
    for uuid, was in before.items():
        now = after[uuid]
        if was is None:
            continue
        if now is None:
            wrong.append(f"{uuid} is gone")
            continue
        if now["entries"][: len(was["entries"])] != was["entries"]:
            wrong.append(f"{uuid}: its journal was rewritten")
        wrong += [f"{uuid}: {part}" for part in ("head", "key", "rows", "contents") if now[part] != was[part]]
    return wrong


def judge(desk: Desk, name: str, told: dict[str, str], answers: dict[str, Any]) -> list[str]:
    """What came of one race, held against the record."""
    case, person = told["case"], told["person"]
    wrong: list[str] = []
    hold, purge, erase = (answers[job] for job in JOBS)
    if hold[0] == "done":
        wrong += [f"held, and changed: {what}" for what in changed(hold[1], keepers.seen(desk, case, person))]
    if purge[0] != "done":
        wrong.append(f"purge: {purge}")
    else:
        held = [r for r in refusals(desk, case, "dispose") if name in r.get("holds", ())]
        gone = bool(purge[1]["disposed"])
        if gone != (reading.head_of(desk.shelf("main"), case) is None):
            wrong.append("purge does not say what it did")
        if not gone and (purge[1]["kept"] != [["casekit.hold"]] or len(held) != 1 or hold[0] != "done"):
            wrong.append(f"purge was refused, and not for a hold that is in the journal: {purge} {held}")
    if erase[0] == "refused" and (erase[1] != ["casekit.hold"] or [r["holds"] for r in refusals(desk, person, "erase")] != [[name]]):
        wrong.append(f"erase was refused, and not for a hold that is in the journal: {erase}")
    if erase[0] not in ("done", "refused"):
        wrong.append(f"erase: {erase}")
    return wrong


def test_a_hold_beats_every_deletion(
    engine: str, store_url: str, tmp_path: Path, times: Callable[..., int], figure: Callable[[str], None], dice: random.Random
) -> None:
    count, came, wrong = times(60, full=1000), Counter[str](), []
    with keepers.desk_at(str(tmp_path), store_url) as desk:
        seat, other = desk.seat("user:ann", roles={"admin"}), desk.seat("user:bob", roles={"admin"})
        with three(tmp_path, store_url) as there:
            for i in range(count):
                told = prepared(seat, other)
                name = f"suit-{i}"
                for job in dice.sample(JOBS, 3):
                    how = {"name": name, "by": dice.choice(("cases", "parties")), "after": dice.choice((0, 0, dice.random() * 0.01))}
                    there[job].ask(job, {**told, **how})
                answers = {job: there[job].answer() for job in JOBS}
                wrong += judge(desk, name, told, answers)
                came.update(_said(answers))
        assert wrong == []
        assert seat.verify().wrong == []
    assert all(came[one] for one in ("purge first", "hold before purge", "hold before erase", "erase first"))
    races = ", ".join(f"{what} {n}" for what, n in sorted(came.items()))
    figure(f"P16 holds ({engine}): {count} races of hold, purge and erase, 0 held records changed, every refusal journalled; {races}")


def _said(answers: dict[str, Any]) -> Iterator[str]:
    yield "purge first" if answers["purge"][1]["disposed"] else "hold before purge"
    yield "hold before erase" if answers["erase"][0] == "refused" else "erase first"
    yield f"hold {'placed' if answers['hold'][0] == 'done' else 'too late'}"
