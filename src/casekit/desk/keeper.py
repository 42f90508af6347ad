"""What whoever keeps a store may do with it as a whole: back it up, look after its keys, its files and its settings.

None of it moves a case. It goes over all tenants, for keys and settings belong to the store and not to one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from casekit.desk.library import log
from casekit.desk.turn import Call, Spec
from casekit.desk.work import Work, new_uuid
from casekit.errors import BadInput, StoreFailed
from casekit.model.actor import Actor

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

KEEP = Spec("keep", "store.keep")
LOG = "keeping"
"""The desk log of backups, rotations, escrows and what was taken out of a folder of documents."""


def allowed(desk: Desk, actor: Actor) -> None:
    """Refuses an actor who may not keep the store.

    Raises:
        BadInput: the desk lies in a host's transaction.
        Denied: it lacks the permission. Where there is a store that works, the attempt is in the desk log of the day.
    """
    if actor.tenant in desk.store.tenants() and not desk.store.restoring:
        desk.shelf(actor.tenant).demand_own("keeping the store")
        desk.bus.authorise(Call(KEEP, actor), None)
    else:
        desk.bus.demand(actor, KEEP.permission)


def tenants_of(desk: Desk) -> tuple[str, ...]:
    """Everyone who has a record in the store.

    Raises:
        BadInput: there is no store.
    """
    found = desk.store.tenants()
    if not found:
        where = desk.store.url.render_as_string(hide_password=True)
        raise BadInput.at("store", f"there is no store at {where}", "say where it is: --store or CASEKIT_STORE")
    return found


def noted(desk: Desk, actor: Actor, kind: str, about: Mapping[str, object]) -> bool:
    """Writes down, in every tenant's desk log, what was done; False where the store does not take it.

    What was done has been done by then: a full disk must not undo a backup.
    """
    try:
        for tenant in desk.store.tenants():
            note(desk, tenant, actor, kind, about)
    except StoreFailed:
        return False
    return True


def note(desk: Desk, tenant: str, actor: Actor, kind: str, about: Mapping[str, object]) -> None:
    """Writes down in a tenant's desk log what was done."""

    def once(work: Work, locked: bool) -> None:  # noqa: ARG001 - the shape that transact asks for
        log(work, LOG, kind, about, actor=actor.name, recorded=work.now(), command=new_uuid())

    desk.bus.transact(desk.shelf(tenant), once)
