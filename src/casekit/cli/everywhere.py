"""The options that every command takes, and the desk and seat that they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from attrs import frozen
from cyclopts import Group, Parameter

from casekit.cli.commands import GLOBALS
from casekit.cli.face import Face

if TYPE_CHECKING:
    from casekit.desk.desk import Desk
    from casekit.desk.keeping import Keeper
    from casekit.desk.seat import Seat

STORE = "sqlite:///casekit.db"
LOCAL = "user:local"
OPERATOR = "admin"
"""Role of someone who says neither who they are nor which roles they take."""


def everywhere_option(name: str, env: str = "") -> Parameter:
    """A global option by name, with its line of help and the environment variable that stands in for it."""
    return Parameter(name=name, help=GLOBALS[name], env_var=env or None)


@Parameter(name="*", group=Group("Everywhere", sort_key=9))
@frozen
class Everywhere:
    """What every command takes.

    Attributes:
        store: URL of the store.
        actor: Who acts; None: ``user:local``. An empty name is none: it must not make an operator of anybody.
        role: Roles taken. With neither an actor nor a role given, that of the local operator: who holds a store and
            its keys can do everything with them anyhow. As soon as one of the two is given, nothing is implied.
        tenant: Whose record it is.
        keys, documents: Keyring and folder of documents; None: where the store expects them.
        types: JSON files of further case types.
        calendars: JSON files of further calendars.
        isolated: Plugins that run in processes of their own.
        json: Whether the answer is one JSON document.
    """

    store: Annotated[str, everywhere_option("--store", "CASEKIT_STORE")] = STORE
    actor: Annotated[str | None, everywhere_option("--as", "CASEKIT_AS")] = None
    role: Annotated[tuple[str, ...], everywhere_option("--role", "CASEKIT_ROLE")] = ()
    tenant: Annotated[str, everywhere_option("--tenant")] = "main"
    keys: Annotated[Path | None, everywhere_option("--keys", "CASEKIT_KEYS")] = None
    documents: Annotated[Path | None, everywhere_option("--documents")] = None
    types: Annotated[tuple[Path, ...], everywhere_option("--type")] = ()
    calendars: Annotated[tuple[Path, ...], everywhere_option("--calendar")] = ()
    isolated: Annotated[tuple[str, ...], everywhere_option("--isolated", "CASEKIT_ISOLATED")] = ()
    json: Annotated[bool, everywhere_option("--json")] = False

    @property
    def face(self) -> Face:
        """Where answers go."""
        return Face(json=self.json)

    @property
    def roles(self) -> frozenset[str]:
        """The roles taken."""
        return frozenset({OPERATOR}) if self.actor is None and not self.role else frozenset(self.role)

    @contextmanager
    def desk(self, *, checkpoints: str = "") -> Iterator[Desk]:
        """The desk on the store; nothing is touched before it is used."""
        from casekit import open_desk

        given: dict[str, Any] = {"store": self.store or STORE, "keys": self.keys, "documents": self.documents}
        given["isolated"] = self.isolated
        with open_desk(**given, case_types=self.types, calendars=self.calendars, checkpoints=checkpoints) as desk:
            yield desk

    @contextmanager
    def seat(self) -> Iterator[Seat]:
        """The desk as the actor sees it."""
        with self.desk() as desk, self.seat_at(desk) as seat:
            yield seat

    @contextmanager
    def seat_at(self, desk: Desk) -> Iterator[Seat]:
        """The actor's seat at a desk that is open already. That a store is new is said, in case its name was mistyped."""
        if is_new(desk):
            self.face.aside(f"There was no store at {desk.store.url.database}: this is a new one.")
        with desk.seat(LOCAL if self.actor is None else self.actor, roles=self.roles, tenant=self.tenant) as seat:
            yield seat

    @contextmanager
    def keeper(self) -> Iterator[Keeper]:
        """The desk as whoever keeps its store sees it; it makes no store."""
        with self.desk() as desk:
            yield desk.keeper(LOCAL if self.actor is None else self.actor, roles=self.roles, tenant=self.tenant)


def is_new(desk: Desk) -> bool:
    """Whether the store's file does not exist yet."""
    url = desk.store.url
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()


HERE = Everywhere()
"""The defaults."""
