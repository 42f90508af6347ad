"""The keyring in good hands: shown, rotated, its old keys destroyed, sealed for an escrow, proved to open the store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from casekit.desk import holds
from casekit.desk.keeper import allowed, noted, tenants_of
from casekit.desk.work import new_uuid
from casekit.errors import BadInput, Refused, StoreFailed
from casekit.model.actor import Actor
from casekit.model.time import add, duration
from casekit.store import auditing
from casekit.store.escrow import Holder, Passphrase, Recipient, seal, unseal
from casekit.store.keys import Keyring, Vault, keep_keyring, keyring_text, parse_keyring, replace_keyring
from casekit.store.private import write_private
from casekit.store.rewrapping import nobody_makes_keys, rewrap, rows_after, wrapped_by
from casekit.store.shelf import Shelf
from casekit.store.upkeep import sweep_residue

if TYPE_CHECKING:
    from casekit.desk.desk import Desk

QUIET = "PT10M"
"""How long a key must have been out of use before it is destroyed: commands that began with it are over by then."""


@frozen
class Keys:
    """What there is to know of a keyring but its keys.

    Attributes:
        file: Where it lies.
        current: Id of the key that wraps new data keys.
        older: Ids of older keys → the instant since which they are out of use.
        wraps: Id of a key → how many data keys of all tenants it wraps.
        lacking: Ids of keys that wrap data keys and are not in the keyring.
    """

    file: str
    current: str
    older: Mapping[str, str]
    wraps: Mapping[str, int]
    lacking: tuple[str, ...]


@frozen
class Rotated:
    """What a rotation did.

    Attributes:
        current: Id of the key that wraps everything now.
        older: Ids of the keys that wrap nothing any more, and are still in the keyring.
        rewrapped: How many data keys were wrapped anew.
        resumed: Whether it went on with a rotation that was cut off.
    """

    current: str
    older: tuple[str, ...]
    rewrapped: int
    resumed: bool


@frozen
class Drilled:
    """What a restore drill found.

    Attributes:
        opens: Whether the escrow opens everything that is sealed in this store.
        keys: How many data keys it opened.
        shut: Owners whose data keys it does not open, the first of them.
    """

    opens: bool
    keys: int
    shut: tuple[str, ...]


def show(desk: Desk, actor: Actor) -> Keys:
    """Which keys there are, by id."""
    allowed(desk, actor)
    ring, file = _ring(desk)
    wraps = _wraps(desk)
    older = {name: ring.retired.get(name, "") for name in sorted(ring.keys) if name != ring.current}
    return Keys(str(file), ring.current, older, wraps, tuple(sorted(set(wraps) - set(ring.keys))))


def rotate(desk: Desk, actor: Actor) -> Rotated:
    """Makes a new outer key and wraps every data key with it. Cut off at any point, the store is as readable as before,
    and the next rotation goes on with the same key. Older keys stay in the keyring until they are destroyed.

    Raises:
        StoreFailed: the keyring or the database can't be written, or a data key does not open.
    """
    allowed(desk, actor)
    shelves = [desk.shelf(tenant) for tenant in tenants_of(desk)]
    with nobody_makes_keys(shelves):
        ring, file = _ring(desk)
        resumed = _unfinished(ring, _wraps(desk))
        if not resumed:
            ring = _with_a_new_key(ring, desk.now())
            replace_keyring(file, ring)
    for shelf in shelves:
        shelf.vault.refresh()
    made = sum(rewrap(shelf) for shelf in shelves)
    older = tuple(sorted(set(ring.keys) - {ring.current}))
    noted(desk, actor, "keys.rotate", {"current": ring.current, "older": list(older), "rewrapped": made})
    return Rotated(ring.current, older, made, resumed)


def destroy(desk: Desk, actor: Actor, key: str, *, at_once: bool = False) -> None:
    """Destroys an older key of the keyring. What it wraps in older backups can't be opened any more by anybody who has
    no other copy of it: with that, erasures are final there too.

    Args:
        desk: On the store.
        actor: Who.
        key: Its id.
        at_once: Whether nobody else is at work on the store, so that no command which began with it can be under way.

    Raises:
        BadInput: it is in use, or was until just now.
        Refused: it still wraps what is held.
    """
    allowed(desk, actor)
    shelves = [desk.shelf(tenant) for tenant in tenants_of(desk)]
    for shelf in shelves:
        _refuse_held(desk, shelf, actor, key)
    with nobody_makes_keys(shelves):
        ring, file = _ring(desk)
        _refuse_destroying(desk, ring, key, at_once=at_once)
        keys = {name: bare for name, bare in ring.keys.items() if name != key}
        retired = {name: since for name, since in ring.retired.items() if name != key}
        replace_keyring(file, evolve(ring, keys=keys, retired=retired), wipe=True)
    for shelf in shelves:
        shelf.vault.refresh()
        sweep_residue(shelf)
    noted(desk, actor, "keys.destroy", {"key": key})


def escrow(desk: Desk, actor: Actor, file: str | Path, by: Passphrase | Recipient) -> Keys:
    """Writes the keyring, sealed, into a new file: for a safe, or for whoever else is to keep it.

    Raises:
        BadInput: there is a file already, or the recipient is none.
    """
    allowed(desk, actor)
    ring, _ = _ring(desk)
    what = {"what": "keyring", "keyring": ring.check, "current": ring.current, "made": desk.now()}
    _write_new(Path(file), seal(keyring_text(ring).encode(), what, by).encode())
    noted(desk, actor, "keys.escrow", {"keys": sorted(ring.keys), "by": "passphrase" if isinstance(by, Passphrase) else "recipient"})
    return show(desk, actor)


def recover(desk: Desk, actor: Actor, file: str | Path, by: Passphrase | Holder) -> Path:
    """Makes a keyring of an escrow, where the store expects it; never over one that is there.

    Raises:
        BadInput: it does not open, there is a keyring already, or it is that of another store.
    """
    desk.bus.demand(actor, "store.keep")
    ring, place = opened(Path(file), by), desk.store.keys
    if place is None:
        raise BadInput.at("keys", "it is not said where the keyring is to lie", "say where: --keys FILE or CASEKIT_KEYS")
    if place.exists():
        raise BadInput.at(str(place), "there is a keyring already", "take it away first, or name another place: --keys")
    for tenant in desk.store.tenants():
        _refuse_foreign(desk, tenant, ring, Path(file))
    keep_keyring(place, ring)
    return place


def drill(desk: Desk, actor: Actor, file: str | Path, by: Passphrase | Holder) -> Drilled:
    """Proves that an escrow opens this store, without the keyring and without changing anything.

    Raises:
        BadInput: it does not open, or it is that of another store.
    """
    desk.bus.demand(actor, "store.keep")
    ring, opens, shut = opened(Path(file), by), 0, []
    for tenant in tenants_of(desk):
        _refuse_foreign(desk, tenant, ring, Path(file))
        shelf, vault, after = desk.shelf(tenant), Vault(ring, tenant), ""
        while rows := rows_after(shelf, after):
            after = rows[-1][0]
            for row in rows:
                try:
                    vault.bare(row)
                    opens += 1
                except StoreFailed:
                    shut.append(row[0])
    return Drilled(not shut, opens, tuple(shut[:20]))


def opened(file: Path, by: Passphrase | Holder) -> Keyring:
    """The keyring in an escrow.

    Raises:
        BadInput: it can't be read, or this does not open it.
    """
    try:
        text = file.read_bytes()
    except OSError as wrong:
        raise BadInput.at(str(file), f"can't be read: {wrong.strerror}", "check the path") from None
    head, content = unseal(text, str(file), by)
    if head.get("what") != "keyring":
        raise BadInput.at(str(file), f"it holds no keyring but {head.get('what')}", "name the file that casekit keys escrow has made")
    return parse_keyring(content, str(file))


def _ring(desk: Desk) -> tuple[Keyring, Path]:
    """The keyring as its file has it now, and the file."""
    vault = desk.shelf(tenants_of(desk)[0]).vault
    vault.refresh()
    assert desk.store.keys is not None  # the vault has asked
    return vault.ring, desk.store.keys


def _wraps(desk: Desk) -> dict[str, int]:
    found: dict[str, int] = {}
    for tenant in tenants_of(desk):
        for kek, count in wrapped_by(desk.shelf(tenant)).items():
            found[kek] = found.get(kek, 0) + count
    return found


def _unfinished(ring: Keyring, wraps: Mapping[str, int]) -> bool:
    """Whether a rotation was cut off: the current key came last, and an older one still wraps something."""
    return bool(set(wraps) & set(ring.retired))


def _with_a_new_key(ring: Keyring, now: str) -> Keyring:
    fresh = os.urandom(8).hex()
    return evolve(ring, current=fresh, keys={**ring.keys, fresh: os.urandom(32)}, retired={**ring.retired, ring.current: now})


def _refuse_destroying(desk: Desk, ring: Keyring, key: str, *, at_once: bool) -> None:
    if key == ring.current:
        raise BadInput.at("key", f"{key} is the current key", "rotate first: casekit keys rotate")
    if key not in ring.keys:
        raise BadInput.at("key", f"the keyring has no key {key}", f"those it has are: {', '.join(sorted(ring.keys))}")
    wraps = _wraps(desk).get(key, 0)
    if wraps:
        raise BadInput.at("key", f"{key} still wraps {wraps} data keys", "go on with the rotation: casekit keys rotate")
    free = add(ring.retired[key], duration(QUIET), "UTC") if key in ring.retired else ""
    if not at_once and desk.now() < free:
        do = f"wait until {free}, or say --at-once where nobody else is at work on the store"
        raise BadInput.at("key", f"{key} was in use until {ring.retired[key]}: commands that began with it may be under way", do)


def _refuse_held(desk: Desk, shelf: Shelf, actor: Actor, key: str) -> None:
    """Refuses to destroy what still wraps the key of a held case or person; the refusal is in the log of holds."""
    if not holds.standing(shelf) or key not in wrapped_by(shelf):
        return
    work, after, names = desk.work(shelf), "", set[str]()
    covering = holds.Covering.of(work)
    while rows := rows_after(shelf, after):
        after = rows[-1][0]
        names.update(name for row in rows if row[2] == key for name in covering.over_owner(row[0]))
    if names:
        with holds.alone(shelf) as connection:
            told = desk.work(shelf)
            holds.stopped(told, sorted(names), "keys.destroy", key, actor.name, told.now(), new_uuid())
            told.flush(connection)
        raise Refused([holds.objection(names)])


def _refuse_foreign(desk: Desk, tenant: str, ring: Keyring, file: Path) -> None:
    said = auditing.meta(desk.shelf(tenant)).get("keyring", "")
    if said and said != ring.check:
        raise BadInput.at(str(file), "it holds the keyring of another store", "name the escrow of this one")


def _write_new(file: Path, content: bytes) -> None:
    try:
        write_private(file, content)
    except FileExistsError:
        raise BadInput.at(str(file), "there is a file already", "name a new one") from None
    except OSError as wrong:
        with suppress(OSError):
            file.unlink()
        raise BadInput.at(str(file), f"can't be written: {wrong.strerror}", "check path and rights") from None
