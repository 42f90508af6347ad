"""How one case stands to another: a closed set of relations, each said by the case that stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RELATIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "parent": ("is part of", "has as its part"),
        "follow-up": ("follows up", "is followed up by"),
        "duplicate": ("is a duplicate of", "is duplicated by"),
        "contributes": ("contributes to", "is contributed to by"),
        "related": ("is related to", "is related to by"),
    }
)
"""Relation → what the case that names it reads, and what the other one reads. A case has one parent at most."""
