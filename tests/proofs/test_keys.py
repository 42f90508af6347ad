"""P6: the same request sent twice has one effect, and the same answer.

Every command that takes an idempotency key is sent by eight processes at the same time under one key, and some of
them are killed while they are at it. Then it is sent once more.
"""

from __future__ import annotations

import inspect
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen

import casekit
from casekit import Seat
from proofs import crowd
from proofs.crowd import Crew, crew

WRITERS = 8
KILLED = 0.3
"""In how many of the races somebody is killed."""


@frozen
class Request:
    """A command under a key.

    Attributes:
        command, args, more: What is sent.
        comes: What comes of it: done, refused, case, party or bad-input.
        case: The case that it is about; empty: it makes something new.
    """

    command: str
    args: list[Any]
    more: dict[str, Any]
    comes: str = "done"
    case: str = ""


class Desk:
    """Prepares what a command can be sent to."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.people = [seat.party("person", name=name).id for name in ("Ada", "Bo")]
        self.kim = seat.party("staff", name="Kim").id

    def case(self) -> str:
        parties = {"tenant": self.people[0], "landlord": self.people[1]}
        return self.seat.open("tenancy.dispute", data={"deposit": "900.00 EUR", "story": "a stain"}, parties=parties).id

    def request(self, kind: str, i: int) -> Request:
        """A request of a kind, which has not been sent yet."""
        if kind == "party":
            return Request("party", ["person"], {"name": f"Person {i}"}, "party")
        if kind == "open":
            parties = {"tenant": self.people[0], "landlord": self.people[1]}
            return Request("open", ["tenancy.dispute"], {"data": {"deposit": f"{i + 1}.00 EUR"}, "parties": parties}, "case")
        case = self.case()
        command, args, more, *comes = getattr(self, f"_{kind}")(case)
        return Request(command, [case, *args], more, *comes, case=case)

    def _do(self, case: str) -> Any:
        return "do", ["answer", {"tone": "angry"}], {"reason": "a letter came"}

    def _do_not(self, case: str) -> Any:
        return "do", ["resume"], {}, "refused"

    def _change(self, case: str) -> Any:
        return "change", [{"rooms": 3, "story": "two stains"}], {"unset": ["moved_out"]}

    def _choose(self, case: str) -> Any:
        return "choose", ["two-halves"], {}

    def _add_item(self, case: str) -> Any:
        return "item", ["add", "ring"], {"own": {"kind": "task", "due": {"after": "P9D"}, "who": "clerk"}, "title": "Ring"}

    def _complete_item(self, case: str) -> Any:
        self.seat.item(case, "add", "ring", own={"kind": "task", "who": "clerk"}, title="Ring")
        return "item", ["complete", "ring"], {}

    def _set_goal(self, case: str) -> Any:
        return "set_goal", ["paid", "balance", "0.00 EUR"], {"want": "at-most", "title": "All is paid"}

    def _drop_goal(self, case: str) -> Any:
        self.seat.set_goal(case, "paid", "balance", "0.00 EUR", want="at-most")
        return "drop_goal", ["paid"], {}

    def _review(self, case: str) -> Any:
        return "review", ["looked at"], {}

    def _close(self, case: str) -> Any:
        self.seat.document(case, "letter", b"Dear Ada")
        return "close", ["withdrawn"], {}

    def _close_not(self, case: str) -> Any:
        return "close", ["decided"], {"reason": "enough"}, "refused"

    def _give_role(self, case: str) -> Any:
        return "give_role", ["handler", self.kim], {}

    def _take_role(self, case: str) -> Any:
        self.seat.give_role(case, "handler", self.kim)
        return "take_role", ["handler", self.kim], {}

    def _link(self, case: str) -> Any:
        return "link", ["parent", self.case()], {"reason": "one flat"}

    def _unlink(self, case: str) -> Any:
        other = self.case()
        self.seat.link(case, "parent", other)
        return "unlink", ["parent", other], {}

    def _document_status(self, case: str) -> Any:
        return "document_status", [self.seat.document(case, "photo", b"a door").id, "accepted"], {"reason": "sharp"}

    def _note(self, case: str) -> Any:
        return "note", ["she called"], {}

    def _message(self, case: str) -> Any:
        return "message", [], {"direction": "in", "via": "phone", "outcome": "conversation", "to": "tenant", "text": "I will pay"}

    def _note_fact(self, case: str) -> Any:
        return "note_fact", ["rent", "250.00 EUR"], {"source": "lease"}

    def _rectify(self, case: str) -> Any:
        return "rectify", [{"rooms": 3, "story": "two stains"}], {"reason": "a slip", "effective": "2026-01-01"}

    def _rectify_fact(self, case: str) -> Any:
        wrong = self.seat.note_fact(case, "rent", "250.00 EUR").id
        return "rectify_fact", [wrong, "260.00 EUR"], {"reason": "a slip", "source": "lease"}

    def _classify(self, case: str) -> Any:
        return "classify", ["normal"], {"reason": "nothing is secret about it"}

    def _document(self, case: str) -> Any:
        return "document", ["letter", f"Dear Ms Silva, about {case}"], {"name": "letter.txt"}

    def _pay(self, case: str) -> Any:
        return "pay", ["900.00 EUR"], {"note": "by transfer"}  # all of it: a second time would be too much

    def _pay_too_much(self, case: str) -> Any:
        return "pay", ["900.01 EUR"], {}, "refused"

    def _charge(self, case: str) -> Any:
        return "charge", ["damage", "30.00 EUR"], {}

    def _reverse(self, case: str) -> Any:
        return "reverse", [self.seat.pay(case, "100.00 EUR").id], {}

    def _extend(self, case: str) -> Any:
        return "extend", ["answer"], {"by": "P3D", "reason": "she asked for it"}

    def _approve(self, case: str) -> Any:
        return "approve", ["tenancy.checked"], {"reason": "seen twice"}  # counts once for each actor

    def _adjust(self, case: str) -> Any:
        return "adjust", ["tenancy.nobody-proposed-it"], {}, "bad-input"

    def _confirm_clock(self, case: str) -> Any:
        return "confirm_clock", ["answer"], {"reason": "nothing is proposed"}, "bad-input"

    def _keep_clock(self, case: str) -> Any:
        return "keep_clock", ["answer"], {"reason": "nothing is proposed"}, "bad-input"

    def _adopt_calendars(self, case: str) -> Any:
        return "adopt_calendars", [], {}, "bad-input"

    def _take_role_not(self, case: str) -> Any:
        return "take_role", ["handler", self.kim], {}, "bad-input"


KINDS = ["party", "open", *(name[1:] for name in vars(Desk) if name.startswith("_") and not name.startswith("__"))]


def test_every_command_with_a_key_is_tried() -> None:
    keyed = {n for n, f in inspect.getmembers(Seat, inspect.isfunction) if "key" in inspect.signature(f).parameters and n[0] != "_"}

    class Anything:
        def __getattr__(self, name: str) -> Any:
            return lambda *a, **k: type("Said", (), {"id": "1"})()

    desk = Desk(Anything())  # type: ignore[arg-type]
    assert {desk.request(kind, 0).command for kind in KINDS} == keyed


def warm(desk: casekit.Desk) -> None:
    """Gives every command once."""
    seat = crowd.clerk(desk)
    there = Desk(seat)
    for i, kind in enumerate(KINDS, start=10**6):
        request = there.request(kind, i)
        crowd.give(seat, random.Random(i), "", request.command, request.args, {**request.more, "key": f"warm-{i}"})


def race(workers: Crew, request: Request, key: str, dice: random.Random) -> tuple[list[Any], int]:
    """Lets all send it at once, kills some; gives the answers that came, and how many were killed."""
    more = {**request.more, "key": key}
    for worker in workers.workers:
        worker.ask("give", command=request.command, args=request.args, more=more)
    killed = []
    if dice.random() < KILLED:
        time.sleep(dice.uniform(0, 0.02))
        killed = dice.sample(workers.workers, dice.randrange(1, 4))
        for worker in killed:
            worker.kill()
    answers = [found for worker in workers.workers if (found := worker.answer()) is not None]
    for worker in killed:
        workers.replace(worker)
    return answers, len(killed)


def effects(seat: Seat, request: Request, before: int) -> int:
    """How many effects the request had."""
    if request.comes == "party":
        return len(seat.find_parties(name=request.more["name"]))
    if request.comes == "case":
        deposit = request.more["data"]["deposit"]
        return sum(str(case.totals["charged"]) == deposit for case in map(seat.case, _newest(seat)))
    return seat.case(request.case).n - before


def _newest(seat: Seat) -> list[str]:
    return [case.id for case in seat.cases(size=WRITERS + 2).cases]


def test_one_key_has_one_effect(
    engine: str, store_url: str, tmp_path: Path, times: Callable[..., int], dice: random.Random, figure: Callable[[str], None]
) -> None:
    keys = times(500, full=10_000)
    wrong: list[str] = []
    came: Counter[str] = Counter()
    dead = 0
    with crowd.desk_at(str(tmp_path), store_url) as desk, crew(tmp_path, store_url, WRITERS, warm="proofs.test_keys") as workers:
        seat = crowd.clerk(desk)
        there = Desk(seat)
        for i in range(keys):
            request = there.request(KINDS[i % len(KINDS)], i)
            before = seat.case(request.case).n if request.case else 0
            answers, killed = race(workers, request, f"key-{i}", dice)
            dead += killed
            workers.workers[0].ask("give", command=request.command, args=request.args, more={**request.more, "key": f"key-{i}"})
            last = workers.workers[0].answer()
            came[last[0]] += 1
            wrong += [f"{request}: answered {one}, and in the end {last}" for one in answers if one != last]
            if last[0] != request.comes:
                wrong.append(f"{request}: {last}")
            had, wanted = effects(seat, request, before), 0 if request.comes == "bad-input" else 1
            if had != wanted:
                wrong.append(f"{request}: {had} effects")
        assert seat.verify().wrong == []

    figure(
        f"P6 keys ({engine}): {keys} keys of {len(KINDS)} kinds of request × {WRITERS} writers, {dead} killed; "
        f"{len(wrong)} with another effect or answer"
    )
    assert wrong == []
    assert dead > 0
    assert min(came[kind] for kind in ("done", "refused", "case", "party", "bad-input")) > 0
