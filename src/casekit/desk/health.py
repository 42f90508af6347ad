"""The doctor: whether a store is set so that what is promised about it holds. It changes nothing."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from casekit.desk.keeper import allowed
from casekit.desk.ledger import TELLING, ledger_lines
from casekit.errors import BadInput, StoreFailed
from casekit.model.actor import Actor
from casekit.model.time import add, duration
from casekit.store import auditing, reading
from casekit.store.engine import HEAD, tenant_url
from casekit.store.erasures import ledger_beside
from casekit.store.erasures import read as read_ledger
from casekit.store.health import Setting, held_cases, last_recorded, server_time, settings, version_at
from casekit.store.keys import read_keyring
from casekit.store.places import restoring, sqlite_file
from casekit.store.rewrapping import wrapped_by
from casekit.store.rights import Rights, rights_of
from casekit.store.shelf import Shelf

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

RELAXED = "CASEKIT_DURABILITY"
"""Environment variable by which somebody says in writing, ``relaxed``, that losing what was acknowledged will do."""

LITTLE, NONE_LEFT = 2 * 2**30, 200 * 2**20
"""Bytes of free space below which it is worth saying, and below which it is wrong."""

DRIFT = "PT5S"
LATE = "PT1H"

Level = Literal["good", "note", "wrong"]


@frozen
class Sign:
    """What the doctor says of one thing.

    Attributes:
        about: What was looked at.
        level: ``good``; ``note``: worth knowing; ``wrong``: a promise does not hold.
        found: How it is.
        wanted: How it should be, where that can be said.
        do: What puts it right.
    """

    about: str
    level: Level
    found: str
    wanted: str = ""
    do: str = ""


def examine(desk: Desk, actor: Actor) -> tuple[Sign, ...]:
    """Everything that the doctor looks at, in order.

    Raises:
        BadInput: the store can't be reached.
    """
    found = [*_plugins(desk)]
    tenants = desk.store.tenants()
    if not tenants:
        allowed(desk, actor)
        where = desk.store.url.render_as_string(hide_password=True)
        return (*found, Sign("store", "note", f"there is none at {where}", do="the first command makes it"))
    pending = [*_interrupted(desk), *_versions(desk, tenants)]
    if any(one.level != "good" for one in pending):
        desk.bus.demand(actor, "store.keep")  # a look must not bring the tables up to date
        return (*found, *pending)
    allowed(desk, actor)
    shelves = [desk.shelf(tenant) for tenant in tenants]
    found += [*pending, *_engine(shelves[0]), *_keyring(desk, shelves), *_space(desk), *_clock(desk, shelves)]
    for shelf in shelves:
        found += [*_outbox(desk, shelf), *_held(shelf), *_ledger(desk, shelf)]
    return tuple(found)


def _plugins(desk: Desk) -> Iterator[Sign]:
    broken = [loaded for loaded in desk.catalogue.loaded if loaded.broken]
    for loaded in broken:
        yield Sign(f"plugin {loaded.says.name}", "wrong", f"in quarantine: {loaded.broken}", do="see casekit plugin doctor")
    if not broken:
        yield Sign("plugins", "good", f"{len(desk.catalogue.loaded)}, all at work")


def _interrupted(desk: Desk) -> Iterator[Sign]:
    if desk.store.url.get_backend_name() == "sqlite" and restoring(desk.store.url).exists():
        yield Sign("restore", "wrong", "it was not finished", do="run it again: casekit restore FOLDER --force")


def _versions(desk: Desk, tenants: tuple[str, ...]) -> Iterator[Sign]:
    one_file = desk.store.url.get_backend_name() != "sqlite"
    for tenant in tenants[:1] if one_file else tenants:
        version = version_at(desk.store.url, tenant_url(desk.store.url, tenant))
        about = "tables" if one_file else f"tables of {tenant}"
        if version == HEAD:
            yield Sign(about, "good", f"version {version}")
        elif version is not None and version > HEAD:
            yield Sign(about, "wrong", f"version {version}", f"version {HEAD}", "use the newer casekit")
        else:
            do = "back the store up, then give any other command: it brings the tables up to date"
            yield Sign(about, "note", f"version {version or 'none'}", f"version {HEAD}", do)


def _engine(shelf: Shelf) -> Iterator[Sign]:
    relaxed = os.environ.get(RELAXED) == "relaxed"
    for setting in settings(shelf):
        yield _setting(setting, "sqlite" if shelf.sqlite else "postgresql", relaxed=relaxed)
    if not shelf.sqlite:
        yield from _wall(rights_of(shelf))


def _wall(rights: Rights) -> Iterator[Sign]:
    """Whether row-level security stands between tenants."""
    about, do = "postgresql role", "let desks connect as a role that owns nothing: casekit store grant ROLE"
    if rights.above:
        yield Sign(about, "wrong", f"{rights.role} is a superuser or has BYPASSRLS: row-level security does not bind it", do=do)
    elif rights.owner:
        yield Sign(about, "note", f"{rights.role} owns the tables, and could take row-level security off", do=do)
    else:
        yield Sign(about, "good", f"{rights.role} works with tables that it does not own")
    if rights.open:
        yield Sign("postgresql row security", "wrong", f"it does not bind {', '.join(rights.open)}", do="have the owner put it back")
    elif rights.views:
        yield Sign("postgresql row security", "wrong", f"views read past it: {', '.join(rights.views)}", do="make them security_invoker")
    else:
        yield Sign("postgresql row security", "good", "forced on every table that belongs to tenants")


def _setting(setting: Setting, engine: str, *, relaxed: bool) -> Sign:
    about = f"{engine} {setting.name}"
    if setting.good:
        return Sign(about, "good", setting.found)
    if not setting.needed:
        return Sign(about, "note", setting.found, setting.wanted, "damage of the disk is found late without it")
    if relaxed:
        return Sign(about, "note", f"{setting.found}, and {RELAXED}=relaxed allows it", setting.wanted)
    do = f"set it; or say in writing that what was acknowledged may be lost: {RELAXED}=relaxed"
    return Sign(about, "wrong", setting.found, setting.wanted, do)


def _keyring(desk: Desk, shelves: list[Shelf]) -> Iterator[Sign]:
    path = desk.store.keys
    said = {check for shelf in shelves if (check := auditing.meta(shelf).get("keyring"))}
    if path is None or not path.exists():
        if said:
            do = "put it there: casekit keys recover ESCROW; or say where it is: --keys or CASEKIT_KEYS"
            yield Sign("keyring", "wrong", f"{path or 'it'} is not there: nothing that is sealed can be opened", do=do)
        else:
            yield Sign("keyring", "good", "none yet, and nothing is sealed")
        return
    try:
        ring = read_keyring(path)
    except StoreFailed as wrong:
        yield Sign("keyring", "wrong", str(wrong), do="restore it: casekit keys recover ESCROW")
        return
    yield from _permissions(path)
    if said - {ring.check}:
        yield Sign("keyring", "wrong", f"{path} is not that of this store", do="say where the right one is: --keys")
        return
    wraps = {kek for shelf in shelves for kek in wrapped_by(shelf)}
    if lacking := wraps - set(ring.keys):
        yield Sign("keyring", "wrong", f"it lacks {', '.join(sorted(lacking))}", do="recover it from an escrow that has them")
    elif wraps - {ring.current}:
        yield Sign("keyring", "note", "a rotation is not finished", do="casekit keys rotate")
    else:
        yield Sign("keyring", "good", f"it opens all data keys; {len(ring.keys)} keys in it")


def _permissions(path: Path) -> Iterator[Sign]:
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if os.name == "posix" and mode & 0o077:
        yield Sign("keyring rights", "wrong", f"{mode:o}: others may read it", "600", f"chmod 600 {path}")
    elif os.name == "posix" and found.st_uid != os.geteuid():
        yield Sign("keyring rights", "note", f"{mode:o}, and it belongs to another user")
    else:
        yield Sign("keyring rights", "good", f"{mode:o}")


def _space(desk: Desk) -> Iterator[Sign]:
    path = sqlite_file(desk.store.url)
    places = {"store": None if path is None else path.parent, "documents": desk.store.documents}
    for about, place in places.items():
        there = next((p for p in (place, *place.parents) if p.exists()), None) if place is not None else None
        if there is not None:
            free = shutil.disk_usage(there).free
            level: Level = "wrong" if free < NONE_LEFT else "note" if free < LITTLE else "good"
            yield Sign(f"space for the {about}", level, f"{free // 2**20} MiB free", "" if level == "good" else f"{LITTLE // 2**20} MiB")


def _clock(desk: Desk, shelves: list[Shelf]) -> Iterator[Sign]:
    now = desk.now()
    last = max((at for shelf in shelves if (at := last_recorded(shelf))), default="")
    if last > add(now, duration(DRIFT), "UTC"):
        yield Sign("clock", "wrong", f"it says {now}, and something was recorded at {last}", do="set the clock of this machine")
    else:
        yield Sign("clock", "good", now)
    there = server_time(shelves[0])
    if there is not None and not add(there, duration(f"-{DRIFT}"), "UTC") < now < add(there, duration(DRIFT), "UTC"):
        yield Sign("clock of the server", "note", f"it says {there}, this machine {now}", do="let both follow one time server")


def _outbox(desk: Desk, shelf: Shelf) -> Iterator[Sign]:
    rows = reading.outbox(shelf)
    failing = sum(1 for row in rows if row[5])
    about = f"outbox of {shelf.tenant}"
    if failing:
        yield Sign(about, "wrong", f"{failing} deliveries have failed", do="see casekit plugin doctor, then casekit run-due")
        return
    late = add(desk.now(), duration(f"-{LATE}"), "UTC")
    oldest = rows[0] if rows else None
    since = reading.entry_of(shelf, oldest[0], oldest[1]) if oldest else None
    if since is not None and since[2] < late:
        yield Sign(about, "note", f"{len(rows)} deliveries wait, one since {since[2]}", do="let casekit run-due run every minute")
    else:
        yield Sign(about, "good", f"{len(rows)} deliveries wait")


def _held(shelf: Shelf) -> Iterator[Sign]:
    count = held_cases(shelf)
    if count:
        yield Sign(f"held cases of {shelf.tenant}", "note", f"{count}: their clocks stand still", do="casekit case resume, one by one")


def _ledger(desk: Desk, shelf: Shelf) -> Iterator[Sign]:
    lines = ledger_lines(shelf)
    if not lines or desk.store.keys is None:
        return
    path, about = ledger_beside(desk.store.keys), f"ledger of erasures of {shelf.tenant}"
    try:
        known = {line.hash for line in read_ledger(path)} if path.exists() else set()
    except (BadInput, StoreFailed) as wrong:
        yield Sign(about, "wrong", str(wrong), do="take the file away; casekit erasures --out writes it anew")
        return
    telling = [line for line in lines if line.entry[7] in TELLING]
    lacking = sum(1 for line in telling if line.hash not in known)
    if lacking:
        what = f"{path} lacks {lacking} erasures, disposals or holds: an older backup would bring back what is gone, and hold nothing"
        yield Sign(about, "wrong", what, do="casekit erasures")
    else:
        yield Sign(about, "good", f"{len(telling)} erasures, disposals and holds")
