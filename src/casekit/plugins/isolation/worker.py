"""A worker: loads one plugin, then answers questions about it, one at a time, until the desk has gone."""

from __future__ import annotations

import math
import os
import resource
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from casekit.definition.load import canonical
from casekit.errors import BadInput, CasekitError, PluginFailed
from casekit.model.canonical import encode, plain
from casekit.plugins.catalogue import Catalogue, call_with, check_rule, collect_any
from casekit.plugins.contained import told
from casekit.plugins.declared import CalendarSource
from casekit.plugins.isolation.forms import pack, unpack
from casekit.plugins.isolation.wire import Broken, Channel
from casekit.plugins.specs import ANSWERS
from casekit.plugins.view import View

QUESTION = 1 << 28
"""Bytes of a question, or of a part of a case file, at most."""


def find(place: str) -> Any:
    """The module, or the object in one, that a place names (``package.module:object``)."""
    name, _, inner = place.partition(":")
    found: Any = import_module(name)
    for part in filter(None, inner.split(".")):
        found = getattr(found, part)
    return found


def serve(pipe: socket.socket) -> None:
    """Answers until the other side is gone."""
    Worker(Channel(pipe, QUESTION)).run()


class _Gone(BaseException):
    """What a hook looks at can't be had: the desk has given its question up."""


class Worker:
    """One plugin and its questions."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.pid = os.getpid()
        self.n = 0
        self.most = 0
        self.catalogue: Catalogue

    def run(self) -> None:
        """Loads the plugin, then answers question after question."""
        self._answer(self.channel.receive(), self._load)
        while True:
            question = self.channel.receive()
            _seconds(question["seconds"])
            self._answer(question, self._ask)

    def _answer(self, question: dict[str, Any], how: Callable[[dict[str, Any]], Any]) -> None:
        self.n = question["n"]
        try:
            said = {"is": how(question)}
            if len(encode(said)) > (self.most or QUESTION):
                said = {"failed": f"answered more than {self.most} bytes"}
        except Broken:
            os._exit(0)
        except BaseException as wrong:  # noqa: BLE001 - whatever a plugin raises is told to the desk
            said = {"failed": str(wrong) if isinstance(wrong, PluginFailed) else f"raised {told(wrong)}"}
        if os.getpid() != self.pid:
            os._exit(0)  # a copy that the plugin has made of this process: it has nothing to say
        try:
            self.channel.send({"n": self.n, "busy": _busy(), **said})
        except Broken:
            os._exit(0)

    def _load(self, hello: dict[str, Any]) -> Any:
        self.most = hello["answer"]
        sys.path[:] = hello["path"]
        module = find(hello["place"])
        self.catalogue = Catalogue([module], installed=False)
        for broken in self.catalogue.broken:
            raise PluginFailed(broken.broken)
        if self.catalogue.declared.importers:
            raise BadInput.at("casekit_importers", "an isolated plugin can't read logs", "bring importers in a plugin of their own")
        return self._declared()

    def _declared(self) -> dict[str, Any]:
        (loaded,) = self.catalogue.loaded
        asked = [self.catalogue.asked_of(hook) for hook in loaded.hooks]
        declared = self.catalogue.declared
        records = {g: [canonical(r) for r, _ in getattr(declared, g).values()] for g in ("case_types", "counts")}
        calendars = [(r.key, r.title, None if isinstance(r, CalendarSource) else canonical(r)) for r, _ in declared.calendars.values()]
        said = {
            "says": canonical(loaded.says),
            "hooks": {
                hook: {"needs": [canonical(n) for n in a.needs], "args": list(a.names)} for hook, a in zip(loaded.hooks, asked, strict=True)
            },
            **records,
            "calendars": calendars,
            "requirements": [
                {"key": r.key, "unmet": r.unmet, "citation": r.citation, "remedy": r.remedy, "needs": [canonical(n) for n in r.needs]}
                for r, _ in declared.requirements.values()
            ],
            "calculators": [
                {"key": c.key, "title": c.title, "inputs": {k: canonical(f) for k, f in c.inputs.items()}, "citation": c.citation}
                for c, _ in declared.calculators.values()
            ],
            "roles": [{role: list(grants) for role, grants in roles.items()} for roles, _ in declared.roles],
        }
        return dict(plain(said))

    def _ask(self, question: dict[str, Any]) -> Any:
        what, name = question["what"], question["name"]
        given: dict[str, Any] = {
            key: _View(self) if said == {"t": "view"} else unpack(said, self._far) for key, said in question["args"].items()
        }
        if what == "hook":
            return self._ask_hook(name, given)
        declared = self.catalogue.declared
        if what == "rule":
            return pack(check_rule(declared.requirements[name][0], given["view"]))
        if what == "calculate":
            return pack(declared.calculators[name][0].function(**given))
        source = declared.calendars[name][0]
        assert isinstance(source, CalendarSource)
        return plain(canonical(source.build(given["first"], given["last"])))

    def _ask_hook(self, hook: str, given: dict[str, Any]) -> Any:
        asked = self.catalogue.asked_of(hook)
        if hook not in ANSWERS:
            call_with(asked.call, given)
            return None
        try:
            return [pack(answer) for answer in collect_any(asked, ANSWERS[hook], **given)]
        except PluginFailed as wrong:
            raise PluginFailed(str(wrong).removeprefix(f"{asked.said} ")) from None

    def get(self, **wanted: Any) -> Any:
        """What the desk says when it is asked back; None where there is no such thing.

        Raises:
            _Gone: the desk has given the question up.
        """
        self.channel.send({"n": self.n, **wanted})
        reply = self.channel.receive()
        if "gone" in reply:
            raise _Gone
        return reply.get("is")

    def _far(self, number: int) -> Mapping[str, Any]:
        return _Far(self, number)

    def value(self, said: Any) -> Any:
        """A value that the desk has said."""
        return unpack(said, self._far)


class _View(View):
    """A view whose parts are asked for when they are first looked at."""

    __slots__ = ("_worker",)

    def __init__(self, worker: Worker) -> None:
        object.__setattr__(self, "_worker", worker)

    @property  # type: ignore[misc]
    def __class__(self) -> type[View]:  # type: ignore[override]
        """A view like any other."""
        return View

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in View.__annotations__:
            raise AttributeError(f"a view has no {name!r}")
        value = self._worker.value(self._worker.get(part=name))
        object.__setattr__(self, name, value)
        return value


class _Far(Mapping[str, Any]):
    """A map whose values are asked for one by one: only what is looked at is opened."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker, self._number = worker, number
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            found = self._worker.get(of=self._number, name=name)
            if found is None:
                raise KeyError(name)
            self._known[name] = self._worker.value(found["v"])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._worker.get(of=self._number, name=None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _seconds(seconds: float) -> None:
    """Ends the process where it goes on for long after its time, even if nobody is left to kill it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + seconds) + 1, resource.RLIM_INFINITY))


SPARE = 32
"""Files that a process must still be able to open so as to be asked again."""


def _busy() -> bool:
    """Whether the plugin has left something behind: a thread or a process that runs, or so many open files that few are left."""
    if len(sys._current_frames()) > 1:  # noqa: SLF001 - threads that were started by whatever means
        return True
    try:
        if sum(1 for _ in Path("/dev/fd").iterdir()) + SPARE > resource.getrlimit(resource.RLIMIT_NOFILE)[0]:
            return True
    except OSError:
        return True
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


__all__ = ["CasekitError", "Worker", "find", "serve"]
