"""The steps by which a store came to its present tables, in order. Each runs once, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from alembic.operations import Operations

from casekit.store.migrations import checkpoints, first, goals_as_rows, linked_cases, privacy, tenants

STEPS: Mapping[str, Callable[[Operations], None]] = {
    "0001": first.upgrade,
    "0002": goals_as_rows.upgrade,
    "0003": checkpoints.upgrade,
    "0004": linked_cases.upgrade,
    "0005": privacy.upgrade,
    "0006": tenants.upgrade,
}
