"""Who acts: a pseudonymous name, the roles taken, the tenant. Login is the host product's business."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import field, frozen

from casekit.errors import BadInput

_NAME = re.compile(r"[a-z][a-z0-9-]*:[A-Za-z0-9._@+-]{1,100}")
TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""Names that a tenant may have: they become parts of file names, and nothing else."""


def _frozen(roles: Iterable[str]) -> frozenset[str]:
    return frozenset(roles)


@frozen
class Actor:
    """An authenticated actor, as the host names it.

    Attributes:
        name: ``kind:id``, pseudonymous, for it stays in the journal for ever (``user:lee``, ``system:clock``).
        roles: The roles taken in this seat; permissions come from them alone.
        tenant: Whose record it is.
    """

    name: str
    roles: frozenset[str] = field(factory=frozenset, converter=_frozen)
    tenant: str = "main"

    def __attrs_post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadInput.at("actor", f"{self.name!r} is no actor", "name it kind:id, such as user:lee")
        if not TENANT.fullmatch(self.tenant):
            raise BadInput.at("tenant", f"{self.tenant!r} is no tenant", "use lower-case letters, digits and hyphens, at most 40")
