"""A plugin that does its worst: a file says what, and in which of its hooks. Otherwise it behaves, and says so."""

from __future__ import annotations

import atexit
import builtins
import contextlib
import ctypes
import decimal
import gc
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from casekit import errors
from casekit.sdk import (
    Adjustment,
    Calculator,
    Calendar,
    CaseType,
    Count,
    Counts,
    Finding,
    Importer,
    Objection,
    Option,
    Plugin,
    Rule,
    State,
    field,
    hookimpl,
    week,
)

PLUGIN = Plugin("hostile", api=1, handles=("tenancy.dispute",), version="1.0")

ORDER = "CASEKIT_HOSTILE"
"""Variable with the path of the file that says what to do."""

SEATS: list[Any] = []
"""A seat that the host has handed out, as a host in the same process might."""

DECLARES = {
    "casekit_case_types": lambda: CaseType("hostile.case", "1", "T", "open", {"open": State(category="open")}),
    "casekit_requirements": lambda: Rule("hostile.rule", _rule),
    "casekit_calculators": lambda: Calculator("hostile.calc", "T", _calculate, {"n": field(int)}),
    "casekit_importers": lambda: Importer("hostile", "T", lambda _path, _tell: iter(())),
    "casekit_calendars": lambda: Calendar("hostile.office", "1", hours=week("09:00-17:00"), zone="UTC"),
    "casekit_counts": lambda: Counts("hostile.answer", [Count("hostile.answer", "1", amount="P14D")]),
}


def good(hook: str, args: Mapping[str, Any] | None = None, words: str = "all is well", rule: str = "hostile.fine") -> Any:
    """An answer as the hook promises it."""
    if hook in DECLARES:
        return DECLARES[hook]()
    if hook == "casekit_plan":
        return Option("hostile-option", words, args=args or {})
    if hook in ("casekit_assess", "casekit_review", "rule", "calculator", "import", "casekit_recorded", "casekit_roles"):
        return Finding(rule, words, args=args or {})
    return Objection(rule, words, args or {})


class Rude(BaseException):
    pass


class Mute(Exception):
    def __str__(self) -> str:
        raise Rude

    __repr__ = __str__


class Liar(str):
    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise Rude

    def __repr__(self) -> str:
        raise Rude


class Agrees:
    """Equal to everything, of no hash, and of no words."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        raise Rude


class Disguised:
    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return Finding


class Bomb:
    def __reduce__(self) -> Any:
        return os.system, ("touch " + os.environ[ORDER] + ".pickled",)


class Endless(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        return name

    def __iter__(self) -> Iterator[str]:
        i = 0
        while True:
            i += 1
            yield str(i)

    def __len__(self) -> int:
        return 1


@frozen
class Odd(Finding):
    """A finding that is more than one."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        raise Rude

    def __getattribute__(self, name: str) -> Any:
        raise Rude


def circle() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["again"] = found
    return found


def deep() -> Any:
    found: Any = "x"
    for _ in range(5000):
        found = [found]
    return found


def forced(hook: str, name: str, value: Any) -> Any:
    answer = good(hook)
    object.__setattr__(answer, name if hasattr(answer, name) else "key", value)
    return [answer]


def raising(error: Callable[[], BaseException]) -> Callable[[str, Any], Any]:
    def trick(hook: str, given: Any) -> Any:
        raise error()

    return trick


def answering(args: Callable[[], Any], name: str = "x") -> Callable[[str, Any], Any]:
    return lambda hook, given: forced(hook, "args", {name: args()}) if hook not in DECLARES else forced(hook, "title", args())


def doing(deed: Callable[[], Any]) -> Callable[[str, Any], Any]:
    """Does something bad, then answers as if nothing had been."""

    def trick(hook: str, given: Any) -> Any:
        deed()
        return [] if hook != "casekit_roles" else {}

    return trick


def halfway(hook: str, given: Any) -> Iterator[Any]:
    yield good(hook)
    raise ZeroDivisionError


def stubborn(hook: str, given: Any) -> Iterator[Any]:
    for _ in range(10**9):
        try:
            yield good(hook)
        except GeneratorExit:
            return


def slowly(hook: str, given: Any) -> Iterator[Any]:
    while True:
        time.sleep(0.01)
        if hook == "nothing":
            yield


def recursion() -> None:
    recursion()


def bottomless() -> None:
    sys.setrecursionlimit(10**9)
    type("Deep", (), {"__getattr__": lambda self, name: getattr(self, name + "x")})().x  # noqa: B018


def mutate(hook: str, given: Mapping[str, Any]) -> Any:
    view = given.get("view")
    if view is not None:
        for change in (lambda: setattr(view, "zone", "Mars/Olympus"), lambda: view.data.__setitem__("deposit", 0)):
            with contextlib.suppress(Exception):  # it goes on with what it can change
                change()
        for clock in view.clocks:
            clock.args["amount"] = "0.00 EUR"
            clock.args["due"] = "2000-01-01"
    for value in given.values():
        for inner in (getattr(value, "args", None), value, *getattr(value, "effects", ())):
            if isinstance(inner, dict):
                inner.clear()
                inner["deposit"] = "0.00 EUR"
    return []


def force(hook: str, given: Mapping[str, Any]) -> Any:
    for value in given.values():
        for name in ("data", "parties", "active", "id", "type", "args", "events", "direction"):
            if hasattr(value, name):
                object.__setattr__(value, name, ())
    return [] if hook != "casekit_roles" else {}


def command(hook: str, given: Any) -> Any:
    """Gives a command, by the host's seat or a desk of its own."""
    if SEATS:
        lee, case = SEATS
        lee.note(case, "from within a hook")
    else:
        from casekit import open_desk

        with open_desk(store=os.environ[ORDER + "_STORE"], installed=False) as desk:
            desk.seat("user:hostile", roles={"clerk"}).party("person", name="Made Up")
    return [] if hook != "casekit_roles" else {}


def commit() -> None:
    """Ends whatever transactions there are."""
    import sqlite3

    for connection in [one for one in gc.get_objects() if type(one) is sqlite3.Connection]:
        connection.commit()


def tamper() -> None:
    import sqlite3

    found = [one for one in gc.get_objects() if type(one) is sqlite3.Connection]
    for connection in found:
        connection.execute("DELETE FROM entries")
    if not found:
        raise LookupError("no connection is in reach")


def forge() -> None:
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(number, b"\x00\x00\x00\x02{}")


def claim() -> None:
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(number, b"\xff\xff\xff\xff")


def ask_too_much(hook: str, given: Mapping[str, Any]) -> Any:
    view = given.get("view")
    worker = object.__getattribute__(view, "_worker") if view is not None else None
    if worker is None:
        raise LookupError("nobody to ask")
    return worker.get(part="__class__")


def spin(_: Any = None) -> None:
    while True:
        pass


def swallow() -> None:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(1)


def lock() -> None:
    one = threading.Lock()
    one.acquire()
    one.acquire()


def allocate() -> None:
    held = []
    while True:
        held.append(bytearray(1 << 26))


def deaf() -> None:
    for number in range(1, 65):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    time.sleep(60)


def patch() -> None:
    import casekit.record.fold as room

    builtins.len = lambda _: 0  # type: ignore[assignment]
    room.fold = lambda *_: ({}, [])
    Finding.__init__ = lambda *_: None  # type: ignore[method-assign]


def flood() -> None:
    for _ in range(50):
        os.write(1, b"x" * (1 << 20))
        os.write(2, b"x" * (1 << 20))


def fork_and_stay() -> None:
    if os.fork() == 0:
        time.sleep(60)


def fork_and_both_answer() -> None:
    os.fork()


def leave_thread() -> None:
    threading.Thread(target=spin, daemon=True).start()


def trace() -> None:
    sys.settrace(lambda *_: (_ for _ in ()).throw(Rude()))
    len("x")


def limits() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


TRICKS: dict[str, Callable[[str, Any], Any]] = {
    "raise": raising(lambda: ValueError("no")),
    "raise-base": raising(lambda: Rude("no")),
    "sys-exit": raising(lambda: SystemExit(3)),
    "keyboard-interrupt": raising(KeyboardInterrupt),
    "generator-exit": raising(GeneratorExit),
    "stop-iteration": raising(StopIteration),
    "group": raising(lambda: BaseExceptionGroup("many", [ValueError(), Rude()])),
    "mute-error": raising(Mute),
    "loud-error": raising(lambda: ValueError("x" * 10_000_000)),
    "refused": raising(lambda: errors.Refused([Objection("a.b", "no")])),
    "conflict": raising(lambda: errors.Conflict("never")),
    "memory-error": raising(MemoryError),
    "recursion": lambda hook, given: recursion(),
    "half-way": halfway,
    "endless": stubborn,
    "many": lambda hook, given: [good(hook)] * 1_000_000,
    "huge-text": lambda hook, given: forced(hook, "words", "x" * 20_000_000),
    "circle": answering(circle),
    "deep": answering(deep),
    "nan": answering(lambda: float("nan")),
    "infinite-decimal": answering(lambda: decimal.Decimal("Infinity")),
    "surrogate": answering(lambda: "\ud800"),
    "huge-number": answering(lambda: 10**5000),
    "bytes": answering(lambda: b"x"),
    "pickle-bomb": answering(Bomb),
    "liar": answering(lambda: Liar("x")),
    "agrees": answering(Agrees),
    "endless-map": answering(Endless),
    "no-text": lambda hook, given: forced(hook, "words", 5),
    "unhashable-key": lambda hook, given: forced(hook, "rule", ["x"]),
    "lying-key": lambda hook, given: forced(hook, "rule", Liar("x")),
    "a-text": lambda hook, given: "text",
    "a-number": lambda hook, given: 5,
    "of-another-hook": lambda hook, given: [Adjustment("x", "x", drop="y")],
    "nothing-in-list": lambda hook, given: [None],
    "disguised": lambda hook, given: [Disguised()],
    "subclass": lambda hook, given: [Odd("a.b", "x")],
    "mutate": mutate,
    "force": force,
    "command": command,
    "commit": doing(commit),
    "decimal-context": doing(lambda: setattr(decimal.getcontext(), "prec", 1)),
    "tamper": doing(tamper),
    "ask-too-much": ask_too_much,
    "sleep": doing(lambda: time.sleep(60)),
    "slow-generator": slowly,
    "spin": doing(spin),
    "regex": doing(lambda: re.fullmatch(r"(a+)+b", "a" * 40)),
    "deadlock": doing(lock),
    "swallow": doing(swallow),
    "deaf": doing(deaf),
    "memory": doing(allocate),
    "exit": doing(lambda: os._exit(0)),
    "abort": doing(os.abort),
    "crash": doing(lambda: ctypes.string_at(0)),
    "kill-itself": doing(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "kill-parent": doing(lambda: os.kill(os.getppid(), signal.SIGKILL)),
    "kill-group": doing(lambda: os.killpg(0, signal.SIGKILL)),
    "thread": doing(leave_thread),
    "fork": doing(fork_and_stay),
    "fork-answer": doing(fork_and_both_answer),
    "subprocess": doing(lambda: subprocess.Popen(["sleep", "60"])),
    "close-files": doing(lambda: os.closerange(0, 256)),
    "forge": doing(forge),
    "claim": doing(claim),
    "patch": doing(patch),
    "flood": doing(flood),
    "bottomless": doing(bottomless),
    "environment": doing(os.environ.clear),
    "chdir": doing(lambda: os.chdir("/")),
    "at-exit": doing(lambda: atexit.register(sys.exit, 7)),
    "trace": doing(trace),
    "collector": doing(gc.disable),
    "limits": doing(limits),
    "modules": doing(sys.modules.clear),
}
"""Kind of hostility → what it does in a hook."""


def act(hook: str, behaves: Callable[[], Any], **given: Any) -> Any:
    """Does what the file says, if it is about this hook."""
    place = os.environ.get(ORDER, "")
    said = Path(place).read_text().split() if place else ["", ""]
    return TRICKS[said[0]](hook, given) if said[1] == hook else behaves()


def _rule(view: Any) -> Any:
    return act("rule", lambda: True, view=view)


def _calculate(n: int = 1) -> Any:
    return act("calculator", lambda: n)


@hookimpl
def casekit_case_types() -> Any:
    return act("casekit_case_types", list)


@hookimpl
def casekit_requirements() -> Any:
    return act("casekit_requirements", lambda: [good("casekit_requirements")])


@hookimpl
def casekit_calculators() -> Any:
    return act("casekit_calculators", lambda: [good("casekit_calculators")])


@hookimpl
def casekit_roles() -> Any:
    return act("casekit_roles", lambda: {"hostile": ["case.read"]})


@hookimpl
def casekit_importers() -> Any:
    return act("casekit_importers", list)


@hookimpl
def casekit_calendars() -> Any:
    return act("casekit_calendars", list)


@hookimpl
def casekit_counts() -> Any:
    return act("casekit_counts", list)


@hookimpl
def casekit_assess(view: Any) -> Any:
    return act("casekit_assess", lambda: [good("casekit_assess")], view=view)


@hookimpl
def casekit_plan(view: Any, findings: Any) -> Any:
    return act("casekit_plan", lambda: [good("casekit_plan")], view=view, findings=findings)


@hookimpl
def casekit_review(view: Any, findings: Any) -> Any:
    return act("casekit_review", lambda: [good("casekit_review")], view=view, findings=findings)


@hookimpl
def casekit_close(view: Any, outcome: str) -> Any:
    return act("casekit_close", list, view=view, outcome=outcome)


@hookimpl
def casekit_before(view: Any, command: Any) -> Any:
    return act("casekit_before", list, view=view, command=command)


@hookimpl
def casekit_before_transition(view: Any, event: str, fields: Any) -> Any:
    return act("casekit_before_transition", list, view=view, event=event, fields=fields)


@hookimpl
def casekit_before_message(view: Any, message: Any) -> Any:
    return act("casekit_before_message", list, view=view, message=message)


@hookimpl
def casekit_recorded(recorded: Any) -> None:
    act("casekit_recorded", lambda: None, recorded=recorded)


act("import", lambda: None)
