"""Sealing what is personal and opening it again: one envelope per record and owner.

Owners are parties and cases, by UUID. A case owns what belongs to nobody in particular: free text, raw
attributes of imports, the words of answers. A value that rests on several owners is sealed under all of them,
one around the other, so that erasing any one of them shuts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from casekit.desk.work import Work
from casekit.errors import BadInput
from casekit.model.canonical import Json
from casekit.store.keys import Key, place

Sealed = dict[str, str]
"""Owner → envelope."""


def seal(work: Work, stream: str, owner: str, path: str, value: Any, *, makes: bool = False) -> str:
    """The envelope of a value.

    Args:
        work: The transaction.
        stream: UUID of the stream in which the envelope will stand.
        owner: UUID of the owner.
        path: Place within the stream.
        value: Canonical value.
        makes: Whether an owner without a key gets one: a case does, a party has had one from the start.

    Raises:
        BadInput: the owner was erased.
    """
    key = work.key(owner)
    if key is None:
        if not makes:
            raise BadInput.at(path, f"the party {owner} has been erased: nothing personal can be written of it", "name another party")
        key = work.make_key(owner)
    return key.seal(value, place(work.shelf.tenant, stream, path))


def seal_for(work: Work, case: str, owners: Iterable[str], path: str, value: Any) -> Sealed:
    """A value sealed under every owner that it rests on; under the case where there is none.

    The outermost owner is the key of the map; the others follow inside, one per layer, each as a list of owner and
    envelope: what is sealed in the end is always a map, whatever its names.
    """
    layers = sorted(set(owners) - {case}) or [case]
    sealed: Any = value
    for inner in layers[1:]:
        sealed = [inner, seal(work, case, inner, path, sealed)]
    return {layers[0]: seal(work, case, layers[0], path, sealed, makes=layers[0] == case)}


KeyOf = Callable[[str], Key | None]
"""Gives the data key of an owner; None: it was destroyed, or never made."""


def opened(key_of: KeyOf, tenant: str, stream: str, path: str, sealed: Mapping[str, str]) -> Json:
    """What the envelopes of one record hold, together; what was erased is absent."""
    found: Json = {}
    for owner, envelope in sealed.items():
        value = _open(key_of, tenant, stream, path, owner, envelope)
        if value is not None:
            found.update(value)
    return found


def layers(work: Work, stream: str, path: str, sealed: Mapping[str, str]) -> Iterator[tuple[set[str], Json]]:
    """What each envelope of a record holds, with everyone on whom it rests; what was erased is left out.

    Where a layer within is shut, whom it rests on further can't be told; then there is nothing to give either.
    """
    for owner, envelope in sealed.items():
        owners, value = {owner}, _layer(work, stream, path, owner, envelope)
        while isinstance(value, list):
            owners.add(value[0])
            value = _layer(work, stream, path, *value)
        if value is not None:
            yield owners, value


def _layer(work: Work, stream: str, path: str, owner: str, envelope: str) -> Any:
    key = work.key(owner)
    return None if key is None else key.open(envelope, place(work.shelf.tenant, stream, path))


def _open(key_of: KeyOf, tenant: str, stream: str, path: str, owner: str, envelope: str) -> Any:
    key = key_of(owner)
    value = None if key is None else key.open(envelope, place(tenant, stream, path))
    if isinstance(value, list):
        return _open(key_of, tenant, stream, path, *value)
    return value
