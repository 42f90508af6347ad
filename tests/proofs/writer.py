"""A process that gives real commands and says of each that it was done. Others kill it, or cut its power.

Run as a program it prepares a desk; for each line on standard input it forks a child that writes until it is
killed, or until as many commands as the line says are done. On standard output stand, a line each: ``child PID``,
``done CASE-OR-PARTY N DOCUMENT`` after each command that came back, ``failed`` after one that did not, ``end PID``.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tenancy
from casekit import Desk, Refused, Seat, open_desk
from casekit.errors import StoreFailed
from casekit.store import engine


def content(document: str) -> bytes:
    """What is filed, so that whoever reads it back knows it again."""
    return f"the content of {document}".encode() * 20


class Writer:
    """Gives commands, one after the other."""

    def __init__(self, desk: Desk, dice: random.Random) -> None:
        self.lee: Seat = desk.seat("user:lee", roles={"clerk"})
        self.dice = dice
        self.cases = [case.id for case in self.lee.cases(size=20).cases]
        self.people = [person.id for person in self.lee.file(self.cases[0]).parties] if self.cases else []

    def go(self, count: int) -> None:
        """Gives so many commands; 0: until the end of days."""
        given = 0
        while not count or given < count:
            given += 1
            try:
                self.say("done", *self.command())
            except StoreFailed:
                self.say("failed")
            except Refused:
                self.say("refused")

    def say(self, *words: object) -> None:
        os.write(1, (" ".join(map(str, words)) + "\n").encode())

    def command(self) -> tuple[object, ...]:
        """One command; gives its stream, n and the document that it filed."""
        if len(self.people) < 2:
            self.people.append(self.lee.party("person", name=f"Person {self.dice.random()}", phone=str(self.dice.random())).id)
            return self.people[-1], 1, "-"
        if not self.cases or self.dice.random() < 0.1:
            data: dict[str, Any] = {"deposit": f"{self.dice.randrange(10, 10**6)}.00 EUR", "story": "x" * self.dice.randrange(2000)}
            case = self.lee.open("tenancy.dispute", data=data, parties=dict(zip(("tenant", "landlord"), self.people, strict=True)))
            self.cases.append(case.id)
            return case.id, 1, "-"
        return self.on_case(self.dice.choice(self.cases))

    def on_case(self, case: str) -> tuple[object, ...]:
        lee, dice = self.lee, self.dice
        kind = dice.randrange(7)
        if kind == 0:
            name = f"{dice.getrandbits(64):x}"
            done = lee.document(case, "letter", content(name), name=name)
            return case, done.entries[-1], f"{done.id}:{name}"
        if kind == 1:
            done = lee.pay(case, "1.00 EUR", note="by transfer", key=f"{dice.getrandbits(64):x}")
        elif kind == 2:
            done = lee.message(case, direction="in", via="phone", outcome="conversation", to="tenant", text="x" * dice.randrange(500))
        elif kind == 3:
            done = lee.note_fact(case, "rent", f"{dice.randrange(1000)}.00 EUR", source="lease")
        elif kind == 4:
            done = lee.change(case, {"story": "y" * dice.randrange(500), "rooms": dice.randrange(1, 9)}, reason="seen")
        elif kind == 5:
            done = lee.do(case, "answer", {"tone": "angry"}, observed=True)
        else:
            done = lee.note(case, "z" * dice.randrange(1, 1000))
        return case, done.entries[-1], "-"


def desk_at(folder: str, url: str) -> Desk:
    """A desk that has touched nothing yet."""
    return open_desk(store=url, keys=f"{folder}/keys", documents=f"{folder}/documents", plugins=[tenancy], installed=False)


def main(folder: str, url: str, seed: str, synchronous: str = "FULL") -> None:
    """Forks children as it is told to, or writes by itself where ``once`` many commands are wanted."""
    if synchronous != "FULL":
        engine.PRAGMAS = tuple(p.replace("synchronous=FULL", f"synchronous={synchronous}") for p in engine.PRAGMAS)
    desk = desk_at(folder, url)
    dice = random.Random(seed)
    for line in sys.stdin:
        if line.startswith("here"):
            Writer(desk, dice).go(int(line.split()[1]))
            desk.close()
            return
        child_seed = dice.random()
        pid = os.fork()
        if not pid:
            Writer(desk, random.Random(child_seed)).go(int(line))
            os._exit(0)
        os.write(1, f"child {pid}\n".encode())
        os.waitpid(pid, 0)
        os.write(1, f"end {pid}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
