"""The desk: plugins and case types, open on a store. Thread-safe, one per process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from casekit.decisions.compiled import Compiled
from casekit.definition.calendars import Calendar, read_calendar
from casekit.definition.casetype import CaseType
from casekit.definition.fields import read
from casekit.definition.forms import Form
from casekit.definition.load import read_case_type
from casekit.desk.bus import Bus
from casekit.desk.casefile import CaseFile, Rows
from casekit.desk.door import text
from casekit.desk.levels import LEVELS, Levels
from casekit.desk.library import Library
from casekit.desk.permissions import Grants
from casekit.desk.reads import Reads
from casekit.desk.seat import Seat
from casekit.desk.values import Case
from casekit.desk.work import Stream, Work
from casekit.errors import BadInput, PluginFailed
from casekit.model.actor import Actor
from casekit.model.canonical import decode, parse
from casekit.model.money import Money
from casekit.model.time import duration, instant
from casekit.plugins.catalogue import Catalogue
from casekit.plugins.contained import demand_outside, told
from casekit.plugins.isolation.limits import Limits, read_limits
from casekit.record.entry import START
from casekit.store.lock import SameThread
from casekit.store.shelf import Shelf, Store

if TYPE_CHECKING:
    from sqlalchemy import Connection as HostConnection

    from casekit.desk.keeping import Keeper

Clock = Callable[[], datetime]
"""Gives the present moment, aware."""


def open_desk(
    *,
    store: str = "sqlite:///casekit.db",
    keys: str | Path | None = None,
    documents: str | Path | None = None,
    plugins: Iterable[Any] = (),
    installed: bool = True,
    required: Iterable[str] = (),
    case_types: Iterable[CaseType | str | Path] = (),
    calendars: Iterable[Calendar | str | Path] = (),
    clock: Clock | None = None,
    checkpoints: str = "",
    isolated: Iterable[str] | Mapping[str, Limits] = (),
    discreet: bool = False,
    levels: Iterable[str] = LEVELS,
) -> Desk:
    """A desk on a store.

    Args:
        store: ``sqlite:///file.db`` or ``postgresql://user@host/database``. Nothing is touched before it is used.
        keys: The keyring's file; on SQLite, beside the database where none is named. On PostgreSQL it must be named.
        documents: Folder of document contents; beside the database or the keyring where none is named.
        plugins: Plugins beside those installed: modules or objects with a ``PLUGIN`` and hooks.
        installed: Whether installed plugins are used.
        required: Plugins without which the desk must not start.
        case_types: Case types beside those of plugins: records, or paths of their JSON files.
        calendars: Calendars beside those of plugins: records, or paths of their JSON files.
        clock: Gives the present moment; the machine's clock where none is given.
        checkpoints: How often ``run_due`` makes a checkpoint at most (ISO 8601, ``PT1H``); it makes none where none is given.
        isolated: Plugins that run in processes of their own, by name or by place (``package.module``), ``*`` for all that are
            installed; with :class:`casekit.Limits` each, or with the usual ones. A place brings its plugin along.
        discreet: Whether what stands in the way of something is explained only to those who may do it.
        levels: Levels of confidentiality, from ordinary to the most confidential; seen with the permission ``level.<name>``.

    Raises:
        BadInput: a malformed URL or duration, a case type that makes no sense, a required plugin that is missing or broken.
    """
    catalogue = Catalogue(plugins, installed=installed, required=required, isolated=read_limits(isolated))
    return Desk(
        Store(store, keys, documents),
        catalogue,
        case_types,
        clock or _now,
        calendars,
        discreet=discreet,
        checkpoints=checkpoints,
        levels=levels,
    )


class Desk:
    """Plugins, case types and grants, on a store.

    Attributes:
        store: Where the record is.
        catalogue: The plugins.
        library: The case types.
        grants: Who may do what.
        levels: What is how confidential, and who may see it.
        reads: Puts reads of what is confidential on record.
        bus: Takes commands.
        checkpoints: How often ``run_due`` makes a checkpoint at most; empty: never.
        discreet: Whether reasons are shown only to those who may.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        case_types: Iterable[CaseType | str | Path],
        clock: Clock,
        calendars: Iterable[Calendar | str | Path] = (),
        *,
        discreet: bool = False,
        checkpoints: str = "",
        levels: Iterable[str] = LEVELS,
    ) -> None:
        if checkpoints:
            duration(checkpoints)
        self.store = store
        self.discreet = discreet
        self.catalogue = catalogue
        self.library = Library(catalogue, [_calendar(one) for one in calendars])
        self.grants = Grants(catalogue)
        self.levels = Levels(levels, self.grants)
        self.reads = Reads(self)
        self.bus = Bus(self)
        self.checkpoints = checkpoints
        self._clock = clock
        for case_type in case_types:
            self.add_case_type(case_type)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection, and ends the processes of isolated plugins."""
        self.store.close()
        self.catalogue.close()

    def seat(self, actor: str, *, roles: Iterable[str] = (), tenant: str = "main") -> Seat:
        """The desk as one actor sees it.

        Args:
            actor: ``kind:id``, pseudonymous: it stays in the journal for ever.
            roles: The roles taken; permissions come from them alone.
            tenant: Whose record.
        """
        return Seat(self, Actor(actor, frozenset(roles), tenant))

    def keeper(self, actor: str, *, roles: Iterable[str] = (), tenant: str = "main") -> Keeper:
        """The desk as whoever keeps its store sees it: backups, keys, settings, files. Arguments as of :meth:`seat`."""
        from casekit.desk.keeping import Keeper

        return Keeper(self, Actor(actor, frozenset(roles), tenant))

    def ready(self, tenant: str = "main") -> Self:
        """Makes the tables and the keyring of a tenant, where they are not; gives the desk.

        Otherwise the first command does so. A host calls it when it starts, for within a transaction of its own it is too late.
        """
        _ = self.shelf(tenant).vault
        return self

    @contextmanager
    def join(self, connection: HostConnection, *, tenant: str = "main") -> Iterator[Desk]:
        """The desk within a transaction of a host: its seats' commands are savepoints of it.

        What they write is there when the host commits, a refusal and a denied attempt too; nothing leaves the outbox
        before. Within the transaction a case shows what was done in it. A command that fails takes only itself back.
        ``run_due``, imports, checkpoints, erasing, ``verify`` and exports belong outside. The desk that is given is for this thread, and
        ends with the block or the transaction; until that is over, this thread's way to the store is this one.

        Args:
            connection: A connection of an engine that :func:`casekit.prepare` has seen, to the store's own database; of a
                session, ``session.connection()``. Where no transaction has begun, it begins.
            tenant: Whose record.

        Raises:
            BadInput: the connection can't be joined; says what to do.
            StoreFailed: this thread is in another transaction on this store.
            Conflict: of a command: what it read has changed in between (PostgreSQL). Roll back, and try again.
        """
        from casekit.desk.joining import Joined
        from casekit.store.hosts import joined

        try:
            shelf = self.ready(tenant).shelf(tenant)
        except SameThread:
            what = "the store has no tables or no keyring yet, and can't get them while this thread is writing"
            raise BadInput.at("join", what, "call desk.ready() when the program starts") from None
        with joined(shelf, connection) as there:
            yield Joined(self, there)

    def add_case_type(self, case_type: CaseType | str | Path) -> Compiled:
        """Takes in a case type: a record, or the path of its JSON file.

        Raises:
            BadInput: everything that is wrong with it.
        """
        where, says = ("", case_type) if isinstance(case_type, CaseType) else (str(case_type), read_case_type(Path(case_type)))
        self.levels.check(says, where or says.key)
        return self.library.add(says, where)

    def add_calendar(self, calendar: Calendar | str | Path) -> None:
        """Takes in a calendar: a record, or the path of its JSON file. Cases that are opened from now on go by it.

        Raises:
            BadInput: everything that is wrong with it.
        """
        self.library.calendars.add(_calendar(calendar))

    def calculate(self, key: str, inputs: Mapping[str, Any]) -> Any:
        """What a plugin's calculator gives; no case and no store is needed.

        Args:
            key: The calculator (``debt.instalments``).
            inputs: Its inputs, as Python values or in canonical form.

        Raises:
            BadInput: no such calculator, or inputs that do not fit, each with its path.
            PluginFailed: the calculator raised.
        """
        text("calc", key)
        known = self.catalogue.declared.calculators
        if key not in known:
            raise BadInput.at("calc", f"there is no calculator {key!r}", "those known are: " + (", ".join(sorted(known)) or "none"))
        calculator, plugin = known[key]
        given = Form(calculator.inputs).read(inputs, key)
        try:
            return calculator.function(**{name: read(value, calculator.inputs[name].schema) for name, value in given.items()})
        except (BadInput, KeyboardInterrupt):
            raise
        except PluginFailed as wrong:
            raise PluginFailed(f"{plugin.name} {plugin.version}: {key} {wrong}") from wrong
        except BaseException as wrong:
            raise PluginFailed(f"{plugin.name} {plugin.version}: {key} raised {told(wrong)}") from wrong

    def picture(self, case_type: str, kind: str = "states", format: str = "svg") -> str:  # noqa: A002 - the field's word
        """A picture of a case type; no case is needed.

        Args:
            case_type: Its key.
            kind: ``states`` or ``plan``.
            format: ``svg`` (which takes ``casekit[pictures]``), ``mermaid`` or ``dot``.

        Raises:
            BadInput: no such case type, kind or format, or the library that places a graph is not there.
        """
        from casekit.desk import pictures

        return pictures.written(pictures.of_type(self.library.current(case_type), kind), format)

    def now(self) -> str:
        """The present moment (canonical instant)."""
        return instant(self._clock())

    def shelf(self, tenant: str) -> Shelf:
        """A tenant's part of the store.

        Raises:
            BadInput: it is a hook that asks, one that decides or guards: it must not reach the store.
        """
        demand_outside()
        return self.store.shelf(tenant)

    def work(self, shelf: Shelf) -> Work:
        """A fresh transaction in memory."""
        return Work(shelf, self.now)

    def case_left(self, work: Work, stream: Stream, definition: Compiled) -> Case:
        """A case as a command has just left it: a value like any other, read when it is looked at."""
        return _Left(self, work, stream, definition)

    def case_value(self, work: Work, stream: Stream, definition: Compiled | None, past: Rows | None = None) -> Case:
        """A case as embedders see it."""
        head, machine = stream.head, stream.head["machine"]
        return Case(
            id=stream.uuid,
            type=head["type"],
            number=head.get("number"),
            state=" ".join(machine["active"]),
            category=machine["category"],
            outcome=machine.get("outcome"),
            version=head["version"],
            n=stream.n,
            opened=head["opened"],
            closed=head.get("closed"),
            time=head["time"],
            due=machine.get("wake"),
            zone=head["zone"],
            currency=head.get("currency", ""),
            totals={name: Money.parse(value) for name, value in machine["totals"].items() if value is not None},
            held=bool(head.get("held")),
            data=CaseFile(work, stream, definition, past).data,
            definition=head["definition"],
        )


class _Left(Case):
    """A case value that knows who it is, and reads the rest of itself when it is wanted: a batch wants none of it.

    It holds the head as text, so it stays what it was when the batch goes on.
    """

    def __init__(self, desk: Desk, work: Work, stream: Stream, definition: Compiled) -> None:
        head, text = stream.head, stream.text

        def whole() -> Case:
            then = Stream(stream.sid, stream.uuid, stream.kind, n, n, START, "", decode(text), text)
            return desk.case_value(work, then, definition)

        n = stream.n
        self.__dict__.update(id=stream.uuid, version=head["version"], n=n, due=head["machine"].get("wake"), _whole=whole)

    @property  # type: ignore[misc]
    def __class__(self) -> type[Case]:  # type: ignore[override]
        """A case value like any other: it compares with others, and ``evolve`` makes a plain one of it."""
        return Case

    def __getattr__(self, name: str) -> Any:
        if name not in Case.__annotations__:
            raise AttributeError(f"a case has no {name!r}")
        self.__dict__.update(vars(self.__dict__["_whole"]()))
        return self.__dict__[name]


def _calendar(given: Calendar | str | Path) -> Calendar:
    if isinstance(given, Calendar):
        return given
    try:
        text = Path(given).read_bytes()
    except OSError as wrong:
        raise BadInput.at(str(given), f"can't be read: {wrong.strerror}", "check the path") from None
    return read_calendar(parse(text, str(given)), str(given))


def _now() -> datetime:
    return datetime.now(UTC)
