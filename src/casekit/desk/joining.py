"""A desk within a host's transaction: what its seats do is written when the host commits, or never."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from casekit.desk.bus import Bus
from casekit.desk.desk import Desk
from casekit.desk.reads import Reads
from casekit.desk.seat import Seat
from casekit.errors import BadInput
from casekit.plugins.contained import demand_outside

if TYPE_CHECKING:
    from sqlalchemy import Connection as HostConnection

    from casekit.store.hosts import JoinedShelf


class Joined(Desk):
    """The desk as it is, on one shelf, in one transaction."""

    def __init__(self, desk: Desk, shelf: JoinedShelf) -> None:
        self.__dict__.update(vars(desk))
        self.bus = Bus(self)
        self.reads = Reads(self)
        self._shelf = shelf

    def seat(self, actor: str, *, roles: Iterable[str] = (), tenant: str = "") -> Seat:
        """The desk as one actor sees it, in this transaction; of the tenant whose record was joined."""
        return super().seat(actor, roles=roles, tenant=tenant or self._shelf.tenant)

    def shelf(self, tenant: str) -> JoinedShelf:
        """The shelf that was joined.

        Raises:
            BadInput: the tenant is another; or it is a hook that asks, one that decides or guards.
        """
        demand_outside()
        if tenant != self._shelf.tenant:
            raise BadInput.at(
                "tenant", f"the transaction was joined for {self._shelf.tenant!r}", f"join it for {tenant!r}, or use the desk"
            )
        return self._shelf

    def join(self, connection: HostConnection, *, tenant: str = "main") -> NoReturn:  # noqa: ARG002 - it can't be done
        """A desk joins one transaction at a time.

        Raises:
            BadInput: always.
        """
        raise BadInput.at("join", "this desk is within a transaction already", "use it, or join with the desk itself")

    def close(self) -> None:
        """Closes nothing: the desk and the connection are others'."""
