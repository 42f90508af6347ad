"""Processes that work on one store at the same time, told by a test what to do, and killed when it likes.

Run as a program it prepares a desk and forks a worker for each line on standard input. A worker connects to the
test's socket, says who it is, and then does one job after the other: a line of JSON each way.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from casekit import BadInput, Conflict, Denied, Desk, KeyReused, Refused, Seat, Stale, open_desk
from casekit.sdk import CaseType, Command, Need, Objection, Plugin, Recorded, State, Transition, View, field, hookimpl, role

MARKED = {"mark": field(str, personal=False)}

CASE = CaseType(
    key="crowd.case",
    version="1",
    title="Case",
    initial="here",
    data={"count": field(int), "reference": field(str, personal=False)},
    roles={"owner": role((0, None)), "handler": role((0, None), kind="staff")},
    states={"here": State("Here", "open"), "there": State("There", "open"), "off": State("Off", "closed", outcome="off")},
    transitions={
        "go": Transition("here", "there", on="turn", form=MARKED),
        "return": Transition("there", "here", on="turn", form=MARKED),
        "leave": Transition(("here", "there"), "off"),
    },
)

QUOTA = 3


class Crowd:
    """The plugin: three rules over several cases, and a listener that writes down what it hears."""

    PLUGIN = Plugin("crowd", api=1, handles=("crowd.case",), version="1.0")
    heard = ""
    """File to which what was heard is appended; empty: nothing is heard."""

    @staticmethod
    @hookimpl
    def casekit_case_types() -> list[CaseType]:
        return [CASE]

    @staticmethod
    @hookimpl
    def casekit_roles() -> Mapping[str, tuple[str, ...]]:
        return {"admin": ("*",)}

    @staticmethod
    @hookimpl(needs=(Need("parties"), Need("cases")))
    def casekit_before(view: View, command: Command) -> Iterator[Objection]:
        handlers = {p.id for p in view.parties if p.role == "handler"}
        if command.name == "role":
            handlers = {str(command.args["party"])}
        if command.name in ("open", "role"):
            for handler in sorted(handlers):
                held = [other for other in view.others[handler] if not other.closed and "handler" in other.roles]
                if len(held) >= QUOTA:
                    yield Objection("crowd.quota", "The handler has {held} open cases.", {"held": len(held)})
        owner = view.party("owner")
        if owner is None:
            return
        said = view.data.get("reference")
        if command.name == "open" and said and any(other.data.get("reference") == said for other in view.others[owner.id]):
            yield Objection("crowd.twice", "The reference {said} is taken.", {"said": said})
        if command.name == "do" and command.args["event"] == "leave" and all(other.closed for other in view.others[owner.id]):
            yield Objection("crowd.last", "Somebody must stay.")

    @staticmethod
    @hookimpl
    def casekit_recorded(recorded: Recorded) -> None:
        if Crowd.heard:
            to = os.open(Crowd.heard, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(to, f"{recorded.case} {recorded.n}\n".encode())
            os.close(to)


PLUGINS: Mapping[str, Any] = {"crowd": Crowd}


def desk_at(folder: str, url: str) -> Desk:
    """A desk that has touched nothing yet."""
    plugins = (Crowd, importlib.import_module("tenancy"))
    return open_desk(store=url, keys=f"{folder}/keys", documents=f"{folder}/documents", plugins=plugins, installed=False)


def clerk(desk: Desk) -> Seat:
    return desk.seat("user:lee", roles={"admin", "clerk"})


# What a worker can do


def turn(seat: Seat, dice: random.Random, name: str, cases: list[str], count: int) -> dict[str, Any]:
    """Brings about so many effects, half of them marks on an event, half a counter that is read, raised and written."""
    marks, counts, took = [], [], []
    stale = 0
    for i in range(count):
        case = dice.choice(cases)
        began = time.perf_counter()
        if i % 2:
            mark = f"{name}.{i}"
            done = seat.do(case, "turn", {"mark": mark})
            marks.append((case, done.entries[-1], mark))
            took.append(time.perf_counter() - began)
            continue
        while True:
            seen = seat.case(case)
            began = time.perf_counter()
            try:
                done = seat.change(seen, {"count": seen.data.get("count", 0) + 1})
            except Stale:
                stale += 1
                took.append(time.perf_counter() - began)
                continue
            took.append(time.perf_counter() - began)
            counts.append((case, done.entries[-1], done.case.data["count"]))
            break
    return {"marks": marks, "counts": counts, "took": took, "stale": stale}


def hot(seat: Seat, dice: random.Random, name: str, case: str, count: int, mark: str) -> dict[str, Any]:
    """So many events on one case."""
    marks = [f"{mark}.{name}.{i}" for i in range(count)]
    return {"marks": [(case, seat.do(case, "turn", {"mark": one}).entries[-1], one) for one in marks]}


def give(seat: Seat, dice: random.Random, name: str, command: str, args: list[Any], more: dict[str, Any]) -> Any:
    """Gives one command; says what came of it."""
    if command == "document":
        args = [*args[:2], args[2].encode()]
    try:
        return answer(getattr(seat, command)(*args, **more))
    except KeyReused as wrong:
        return ["key-reused", str(wrong)]
    except Conflict as wrong:
        return ["conflict", str(wrong)]
    except BadInput as wrong:
        return ["bad-input", str(wrong)]
    except Denied as wrong:
        return ["denied", str(wrong)]
    except Refused as wrong:
        return ["refused", type(wrong).__name__, [str(o) for o in wrong.objections]]


def answer(found: Any) -> Any:
    """An answer so that two of them can be compared."""
    if hasattr(found, "entries"):
        return ["done", found.case.id, found.case.n, found.entries, found.id, found.accepted, str(found.due)]
    if hasattr(found, "opened"):
        return ["case", found.id, found.number, found.n, found.state]
    return ["party", found.id, found.kind, found.name]


def write(seat: Seat, dice: random.Random, name: str, cases: list[str], count: int, url: str) -> int:
    """Writes so many entries in commands, batches and hosts' transactions that stay open for a while; some are taken back."""
    import sqlalchemy

    import casekit

    engine = casekit.prepare(sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool))
    written = 0
    while written < count:
        kind = dice.randrange(5)
        case = dice.choice(cases)
        some = sorted(dice.sample(cases, 3))
        try:
            if kind == 0:
                with seat.batch() as batch:
                    for one in some:
                        batch.note(one, "in a batch")
                    time.sleep(dice.random() * 0.004)
                written += len(some)
            elif kind == 1:
                with engine.connect() as connection, seat.desk.join(connection) as joined:
                    for one in some:
                        clerk(joined).do(one, "turn", {"mark": "joined"})
                    time.sleep(dice.random() * 0.004)
                    if dice.random() < 0.3:
                        connection.rollback()
                        continue
                    connection.commit()
                written += len(some)
            else:
                seat.do(case, "turn", {"mark": "alone"})
                written += 1
        except Conflict:
            continue
    return written


def soak(seat: Seat, dice: random.Random, name: str, cases: list[str], seconds: float) -> dict[str, Any]:
    """Works for so long; gives when each command began and how long it took, and the memory held at a fifth of it and in the end."""
    took: list[tuple[float, float]] = []
    began = time.monotonic()
    held: list[int] = []
    while (at := time.monotonic() - began) < seconds:
        if not held and at > seconds / 5:
            held.append(memory())
        case = dice.choice(cases)
        kind = dice.randrange(6)
        with suppress(Conflict, Stale):
            if kind < 3:
                seat.do(case, "turn", {"mark": name})
            elif kind == 3:
                seat.change(seat.case(case), {"count": dice.randrange(1000)})
            elif kind == 4:
                seat.note(case, "she called", key=f"{name}-{at}")
            else:
                seat.tasks(size=20)  # a page: what grows with the age of a case (its timeline) would not show decay, but age
        took.append((round(at, 3), round(time.monotonic() - began - at, 5)))
    return {"took": took, "held": [*held, memory()]}


def memory() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def relay(seat: Seat, dice: random.Random, name: str, heard: str) -> list[int]:
    """Tells what waits in the outbox."""
    Crowd.heard = heard
    worked = seat.run_due()
    return [worked.delivered, worked.failed]


JOBS: Mapping[str, Callable[..., Any]] = {"turn": turn, "hot": hot, "give": give, "write": write, "relay": relay, "soak": soak}


# Both ends


class Worker:
    """One worker, as the test sees it."""

    def __init__(self, line: socket.socket) -> None:
        self._file = line.makefile("rw")
        self._line = line
        self.pid = int(self._file.readline())

    def ask(self, job: str, **how: Any) -> None:
        """Sets it to work."""
        self._file.write(json.dumps([job, how]) + "\n")
        self._file.flush()

    def answer(self) -> Any:
        """What came of it; None where it was killed.

        Raises:
            AssertionError: it failed in a way that nobody expects.
        """
        try:
            text = self._file.readline()
        except ConnectionResetError:
            return None
        if not text.endswith("\n"):
            return None
        well, found = json.loads(text)
        assert well, found
        return found

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()
        self._line.close()


class Crew:
    """Workers on one store."""

    def __init__(self, process: subprocess.Popen[bytes], listening: socket.socket) -> None:
        self._process, self._listening = process, listening
        self.workers: list[Worker] = []

    def hire(self, count: int = 1) -> Worker:
        """More workers; gives the last."""
        assert self._process.stdin is not None
        for _ in range(count):
            self._process.stdin.write(b"one\n")
            self._process.stdin.flush()
            self.workers.append(Worker(self._listening.accept()[0]))
        return self.workers[-1]

    def kill(self, worker: Worker) -> None:
        """Kills one; it is replaced by a fresh one once what it said is read."""
        worker.kill()

    def replace(self, worker: Worker) -> Worker:
        """A fresh worker in the place of one that was killed."""
        at = self.workers.index(worker)
        worker.close()
        self.hire()
        self.workers[at] = self.workers.pop()
        return self.workers[at]


@contextmanager
def crew(folder: Path, url: str, count: int, *, careless: bool = False, warm: str = "") -> Iterator[Crew]:
    """So many workers.

    Args:
        folder, url: Where the store is.
        count: How many.
        careless: Whether they take what a rule has read elsewhere for granted.
        warm: Module whose ``warm(desk)`` gives every command once, so that no worker has to write its statements first.
    """
    place = folder / f"crew-{time.monotonic_ns()}"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(place))
    listening.listen(64)
    listening.settimeout(120)
    program = [sys.executable, __file__, str(folder), url, str(place), "careless" if careless else "", warm]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": ""})
    found = Crew(process, listening)
    try:
        found.hire(count)
        yield found
    finally:
        for worker in found.workers:
            worker.close()
        process.kill()
        process.communicate()
        listening.close()


def main(folder: str, url: str, place: str, careless: str, warm: str) -> None:
    if careless:
        from casekit.desk.work import Work

        Work.__setattr__ = lambda self, name, value: object.__setattr__(self, name, True if name == "wide" else value)  # type: ignore[method-assign,assignment]
    desk = desk_at(folder, url)
    if warm:
        importlib.import_module(warm).warm(desk)
        desk.shelf("main").close()  # statements stay; no connection goes through a fork
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if not os.fork():
            try:
                work(desk, place)
            finally:
                os._exit(0)


def work(desk: Desk, place: str) -> None:
    """Does one job after the other, until nobody is there to give one."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(place)
    file = line.makefile("rw")
    file.write(f"{os.getpid()}\n")
    file.flush()
    dice = random.Random(os.getpid())
    for text in file:
        job, how = json.loads(text)
        try:
            found: Any = [True, JOBS[job](clerk(desk), dice, str(os.getpid()), **how)]
        except Exception as wrong:  # noqa: BLE001 - the test is told, whatever it is
            found = [False, f"{type(wrong).__name__}: {wrong}"]
        file.write(json.dumps(found) + "\n")
        file.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
