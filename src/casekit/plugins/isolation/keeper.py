"""The desk's side of isolation: a nursery per process, workers per plugin, questions with a limit of time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

from attrs import fields

from casekit.errors import BadInput, CasekitError, PluginFailed
from casekit.plugins.isolation.forms import pack, unpack
from casekit.plugins.isolation.limits import Limits
from casekit.plugins.isolation.nursery import ORDER, end
from casekit.plugins.isolation.wire import Broken, Channel, Late
from casekit.plugins.view import View

PARTS = frozenset(attribute.name for attribute in fields(View))
"""What can be asked of a view."""

QUESTION_OVERHEAD = 4096
"""Bytes of a message beside the answer in it."""


class Nursery:
    """The process that forks workers. It is started when it is first needed, and again when it is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of = 0
        self._control: socket.socket | None = None
        self._end: Any = None

    def fork(self, memory: int) -> tuple[int, socket.socket]:
        """A fresh worker: its process id, and our end of its pipe.

        Raises:
            Broken: no process can be had.
        """
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            for left in (1, 0):
                try:
                    control = self._ready()
                    socket.send_fds(control, [ORDER.pack(b"s", memory)], [theirs.fileno()])
                    return self._reply(control), ours
                except OSError as wrong:
                    self._leave()
                    if not left:
                        ours.close()
                        raise Broken(f"can't have a process of its own: {wrong}") from wrong
        raise AssertionError

    def reap(self, pid: int) -> None:
        """Kills a worker with all that it has started; it is gone when this returns."""
        end(pid)
        with self._lock, suppress(OSError):
            if self._control is not None and self._of == os.getpid():
                self._control.sendall(ORDER.pack(b"r", pid))
                self._reply(self._control)

    def _reply(self, control: socket.socket) -> int:
        said = control.recv(ORDER.size, socket.MSG_WAITALL)
        if len(said) < ORDER.size:
            raise ConnectionResetError("the nursery is gone")
        return int(ORDER.unpack(said)[1])

    def _ready(self) -> socket.socket:
        if self._control is None or self._of != os.getpid():
            self._leave()
            ours, theirs = socket.socketpair()
            ours.settimeout(60)
            with theirs:
                command = [sys.executable, "-P", "-c", _START, str(theirs.fileno()), *sys.path]
                process = subprocess.Popen(  # noqa: S603 - our own program
                    command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
                )
            self._control, self._of = ours, os.getpid()
            self._end = weakref.finalize(self, _let_go, ours, process, os.getpid())
        return self._control

    def _leave(self) -> None:
        if self._end is not None:
            self._end()
        self._control = self._end = None


_START = """
import sys
sys.path[:] = sys.argv[2:]
import casekit.sdk  # what every plugin imports, so that no worker has to
from casekit.plugins.isolation.nursery import main
main(int(sys.argv[1]))
"""


def _let_go(control: socket.socket, process: subprocess.Popen[bytes], owner: int) -> None:
    control.close()
    if os.getpid() == owner:
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()
    else:
        process.returncode = 0  # another process's child: nothing is to be waited for here


NURSERY = Nursery()
"""The nursery of this process. It knows no plugin and no desk, so one serves them all."""


class Worker:
    """A process that has loaded a plugin.

    Attributes:
        declared: What the plugin says of itself and declares.
        busy: Whether the plugin has left something running: then it is not asked again.
    """

    def __init__(self, place: str, limits: Limits) -> None:
        self.limits = limits
        self.pid, pipe = NURSERY.fork(int(limits.memory))
        self.channel = Channel(pipe, int(limits.answer) + QUESTION_OVERHEAD)
        self.n, self.busy = 0, False
        try:
            self.declared = self.ask({"place": place, "path": sys.path, "answer": int(limits.answer)}, limits.start)
        except BaseException:
            self.end()
            raise

    def ask(self, question: dict[str, Any], seconds: float, counter: Counter | None = None) -> Any:
        """The answer to a question.

        Raises:
            PluginFailed: the plugin failed, in words.
            Broken: the worker is of no use any more.
            CasekitError: what the plugin looked at could not be had.
        """
        self.n += 1
        until = monotonic() + seconds
        missing: CasekitError | None = None
        self.channel.send({"n": self.n, "seconds": seconds, **question}, until)
        while True:
            said = self.channel.receive(until)
            if type(said) is not dict or said.get("n") != self.n:
                raise Broken("answered what was not asked")
            if "is" in said or "failed" in said:
                break
            if missing is None and counter is not None:
                try:
                    reply = counter.reply(said)
                except (KeyError, TypeError, IndexError) as wrong:
                    raise Broken("asked for what there is not") from wrong
                except CasekitError as wrong:
                    missing = wrong
            self.channel.send({"gone": True} if missing or counter is None else {"is": reply}, until)
        self.busy = said.get("busy") is not False
        if missing is not None:
            raise missing
        if "failed" in said:
            raise PluginFailed(str(said["failed"])[:1000])
        return said["is"]

    def end(self) -> None:
        """Ends the process, with all that it has started."""
        NURSERY.reap(self.pid)
        self.channel.close()


class Counter:
    """What a worker may look at while it answers one question."""

    def __init__(self) -> None:
        self._views: list[View] = []
        self._kept: list[Mapping[str, Any]] = []

    def pack(self, value: Any) -> Any:
        """A value of a question; maps that open their values when they are looked at stay here."""
        if isinstance(value, View):
            self._views.append(value)
            return {"t": "view"}
        return pack(value, self._keep)

    def reply(self, said: dict[str, Any]) -> Any:
        """What a worker asks for.

        Raises:
            KeyError, TypeError, IndexError: there is nothing of the kind.
        """
        if "part" in said:
            if said["part"] not in PARTS:
                raise KeyError(said["part"])
            return self.pack(getattr(self._views[0], said["part"]))
        kept = self._kept[abs(said["of"])]
        if said["name"] is None:
            return list(kept)
        try:
            value = kept[str(said["name"])]
        except KeyError:
            return None
        return {"v": self.pack(value)}

    def _keep(self, value: Mapping[str, Any]) -> int:
        self._kept.append(value)
        return len(self._kept) - 1


class Crew:
    """The workers of one plugin.

    Args:
        place: Where the plugin is found.
        limits: What each of them may use.
        name: What errors call the plugin.

    Attributes:
        killed: How many workers were killed, or died, at work.
    """

    def __init__(self, place: str, limits: Limits, name: str) -> None:
        if not hasattr(os, "fork") or not hasattr(socket, "send_fds"):
            raise BadInput.at("isolated", f"{name} can't be isolated on this system", "it takes a Unix")
        self.place, self.limits, self.name = place, limits, name
        self.killed = 0
        self._free = threading.Semaphore(int(limits.workers))
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._of = os.getpid()
        weakref.finalize(self, _end_all, self._idle, self._of)

    def declared(self) -> dict[str, Any]:
        """What the plugin says of itself and declares.

        Raises:
            PluginFailed: it can't be loaded.
        """
        with self._free:
            try:
                worker = Worker(self.place, self.limits)
            except Broken as wrong:
                raise PluginFailed(self._words(wrong, self.limits.start)) from wrong
            self._give_back(worker, fit=not worker.busy)
            return dict(worker.declared)

    def ask(self, what: str, name: str, arguments: Mapping[str, Any]) -> Any:
        """What the plugin answers.

        Args:
            what: ``hook``, ``rule``, ``calculate`` or ``build``.
            name: Which one.
            arguments: Arguments, as Python values.

        Raises:
            PluginFailed: it failed, was killed, or answered what is too much; in words that follow its name.
            CasekitError: what it looked at could not be had.
        """
        counter = Counter()
        question = {"what": what, "name": name, "args": {key: counter.pack(value) for key, value in arguments.items()}}
        with self._free:
            worker, fit = self._worker(), True
            try:
                return worker.ask(question, self.limits.seconds, counter)
            except Broken as wrong:
                fit = False
                self.killed += 1
                raise PluginFailed(self._words(wrong, self.limits.seconds)) from wrong
            except CasekitError:
                raise  # it has answered, though with a failure
            except BaseException:
                fit = False
                raise
            finally:
                self._give_back(worker, fit=fit and not worker.busy)

    def close(self) -> None:
        """Ends all workers that are at rest."""
        with self._lock:
            _end_all(self._idle, self._of)

    def _worker(self) -> Worker:
        while True:
            with self._lock:
                if self._of != os.getpid():  # this process is a fork: the workers are its parent's
                    for one in self._idle:
                        one.channel.close()
                    self._idle.clear()
                    self._of = os.getpid()
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                try:
                    return Worker(self.place, self.limits)
                except Broken as wrong:
                    raise PluginFailed(self._words(wrong, self.limits.start)) from wrong
            if not worker.channel.stirs:
                return worker
            worker.end()

    def _give_back(self, worker: Worker, *, fit: bool) -> None:
        if fit:
            with self._lock:
                self._idle.append(worker)
        else:
            worker.end()

    def _words(self, wrong: Broken, seconds: float) -> str:
        if isinstance(wrong, Late):
            return f"took longer than {seconds:g} s, and was killed"
        return "has ended its process" if str(wrong) == "is gone" else f"{wrong}, and was killed"


def _end_all(idle: list[Worker], owner: int) -> None:
    while idle:
        worker = idle.pop()
        if os.getpid() == owner:
            worker.end()


__all__ = ["NURSERY", "Crew", "Nursery", "Worker", "unpack"]
