"""A process that holds, disposes of or erases what it is told to: a line of JSON each way.

After a hold it says what it sees of the case and the person, so that a test can tell whether any of it was changed since.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import leases
from casekit import BadInput, Desk, Refused, Seat, open_desk
from casekit.store import reading


def desk_at(folder: str, url: str) -> Desk:
    return open_desk(store=url, keys=f"{folder}/keys", documents=f"{folder}/documents", plugins=[leases], installed=False)


def seen(desk: Desk, case: str, person: str) -> dict[str, Any]:
    """A case and a person as they lie in the store: entries, key, rows and contents; what is refused adds an entry and nothing else."""
    shelf = desk.shelf("main")
    found: dict[str, Any] = {}
    for uuid in (case, person):
        head = reading.head_of(shelf, uuid)
        if head is None:
            found[uuid] = None
            continue
        entries = [entry[12].hex() for entry in reading.entries_of(shelf, head.sid)]
        rows = [reading.rows_of(shelf, table, head.sid) for table in ("roles", "documents", "facts")]
        contents = [shelf.files.path(row[8]).exists() for row in rows[1]]
        found[uuid] = {"entries": entries, "head": head.text, "key": head.key and head.key[3].hex(), "rows": rows, "contents": contents}
    decoded: dict[str, Any] = json.loads(json.dumps(found))
    return decoded


def do(desk: Desk, seat: Seat, job: str, said: dict[str, Any]) -> Any:
    if job == "hold":
        scope = {"cases": {"cases": [said["case"]]}, "parties": {"parties": [said["person"]]}}[said["by"]]
        seat.place_hold(said["name"], **scope, reason="a suit")
        return seen(desk, said["case"], said["person"])
    if job == "purge":
        done = seat.run_disposal(said["list"])
        return {"disposed": done.disposed, "kept": [[o.rule for o in kept.objections] for kept in done.kept]}
    return seat.erase(said["person"]).party


def main(folder: str, url: str) -> None:
    with desk_at(folder, url) as desk:
        seat = desk.seat(f"user:{os.getpid()}", roles={"admin"})
        seat.holds()
        os.write(1, b'"ready"\n')
        for line in sys.stdin:
            job, said = json.loads(line)
            time.sleep(said["after"])
            try:
                answer: Any = ["done", do(desk, seat, job, said)]
            except Refused as wrong:
                answer = ["refused", [o.rule for o in wrong.objections]]
            except BadInput as wrong:
                answer = [wrong.code, str(wrong)]
            os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
