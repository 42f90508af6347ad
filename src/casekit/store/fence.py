"""The second wall between tenants on PostgreSQL: row-level security, and the word that opens one tenant's rows.

Each table that belongs to tenants has a policy, forced on its owner too: a row is there only while the setting
``casekit.tenant`` names its tenant. The setting holds for one transaction. Where it is not set there are no rows, and
none can be written. A statement that is a transaction by itself carries it: a condition that the executor decides
before it fetches the first row sets it. So the wall costs no round trip, and nothing is left on a connection that
another tenant may get.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Delete, Select, Update, literal_column
from sqlalchemy.engine import Dialect

SETTING = "casekit.tenant"
"""Whose rows a transaction sees."""

NAMES = "casekit.names"
"""Set within the functions that see over the fence, and there alone."""

POLICY = "casekit_tenant"
"""The policy by which a table is fenced."""

OVER = "casekit_names"
"""The policy by which the functions that belong to the owner see over the fence, and nobody else."""

MARK = f"set_config('{SETTING}'"
"""What a statement contains that says by itself whose rows it sees."""

TELL = f"SELECT set_config('{SETTING}', %s, true)"


def telling(tenant: str) -> str:
    """The statement that says whose rows the transaction sees. The name is one that was checked: it holds no quote."""
    return f"SELECT {MARK}, '{tenant}', true)"


def gated(statement: Any, tenant: str, dialect: Dialect) -> Any:
    """The statement, saying by itself whose rows it sees; as it is, where it can't, or need not.

    A condition without columns is decided once, before the first row is fetched, and with the setting in it the rows
    that the policies let through are those of the tenant.
    """
    if not tenant or dialect.name != "postgresql" or not isinstance(statement, (Select, Update, Delete)):
        return statement
    return statement.where(literal_column(f"({telling(tenant)}) IS NOT NULL"))


def untold(text: str) -> bool:
    """Whether a statement touches rows and does not say whose."""
    return MARK not in text and text.startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"))
