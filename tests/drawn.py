"""JSON values drawn at random from the types of records: right ones, and ones with a defect."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Union, get_args, get_origin

import attrs
from hypothesis import strategies as st

from casekit.definition.load import hints, says_text

NAMES = st.sampled_from(["a", "b", "c-d", "e_f"])
TEXTS = st.sampled_from(["", "a", "open", "P14D", "clear: é", "closed", "free", "UTC"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=3,
)


def values_of(wanted: Any, depth: int = 3) -> st.SearchStrategy[Any]:
    """JSON values that a record, or a type within one, is read from."""
    scalars: Mapping[Any, st.SearchStrategy[Any]] = {str: TEXTS, int: st.integers(0, 9), bool: st.booleans(), Any: JSON}
    if wanted in scalars:
        return scalars[wanted]
    if attrs.has(wanted):
        return _records(wanted, depth)
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin in (Union, types.UnionType):
        return st.one_of(*(st.none() if part is type(None) else values_of(part, depth) for part in inner))
    if origin is tuple:
        many = st.lists(values_of(inner[0], depth - 1), max_size=2)
        return many | TEXTS if says_text(inner[0]) else many
    return st.dictionaries(NAMES, values_of(inner[1], depth - 1), max_size=0 if depth <= 0 else 2)


def _records(record: type, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    fields = attrs.fields(record)
    made = {a.name: st.deferred(lambda a=a: values_of(hints(record)[a.name], depth)) for a in fields}
    needed = {a.name: made[a.name] for a in fields if a.default is attrs.NOTHING}
    return st.fixed_dictionaries(needed, optional={name: s for name, s in made.items() if name not in needed})


def places(value: Any) -> list[tuple[Any, ...]]:
    """The paths of all that stands within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, part in inner for path in ((key,), *((key, *rest) for rest in places(part)))]


@st.composite
def changed(draw: st.DrawFn, wanted: Any) -> Any:
    """A value with one thing replaced, taken away or added."""
    value = deepcopy(draw(values_of(wanted)))
    paths = places(value)
    if not paths:
        return draw(JSON)
    *above, last = draw(st.sampled_from(paths))
    holder = value
    for key in above:
        holder = holder[key]
    how = draw(st.sampled_from(["replace", "take", "add"]))
    if how == "take" or (how == "add" and not isinstance(holder, dict)):
        del holder[last]
    elif how == "add":
        holder[draw(st.sampled_from(["unheard", "title", "order"]))] = draw(JSON)
    else:
        holder[last] = draw(JSON)
    return value
