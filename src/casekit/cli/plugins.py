"""Plugins: which there are, what they bring, what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.face import DONE, REFUSED

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.desk import Desk
    from casekit.plugins.catalogue import Catalogue, Loaded


def list_plugins(*, common: Everywhere = HERE) -> int:
    """Lists the plugins found."""
    with common.desk() as desk:
        found = [_plugin(loaded, desk.catalogue) for loaded in desk.catalogue.loaded]

    def words(out: Console) -> None:
        from casekit.cli.looks import table

        columns = ("name", "version", "title", "source", "broken")
        rows = [[plugin[name] for name in columns] for plugin in found]
        out.print(table(columns, rows) if found else "No plugin is installed.")

    return common.face.give({"plugins": found}, words)


def doctor(*, common: Everywhere = HERE) -> int:
    """Says what is wrong with plugins, and which of their deliveries wait; exit code 1 where something is."""
    with common.desk() as desk:
        found = [_plugin(loaded, desk.catalogue) for loaded in desk.catalogue.loaded]
        waiting = _waiting(desk, common.tenant)
    broken = [plugin for plugin in found if plugin["broken"]]
    failing = [delivery for delivery in waiting if delivery["error"]]

    def words(out: Console) -> None:
        from casekit.cli.looks import heading, indented, table

        out.print(f"{len(found) - len(broken)} of {len(found)} plugins work; {len(waiting)} deliveries wait, {len(failing)} have failed.")
        if broken:
            heading(out, "In quarantine")
            out.print(indented(table(("plugin", "source", "why"), [(p["name"], p["source"], p["broken"]) for p in broken])))
        if failing:
            heading(out, "Deliveries that failed")
            columns = ("case", "entry", "attempts", "next", "error")
            out.print(indented(table(columns, [[delivery[name] for name in columns] for delivery in failing])))

    answer = {"ok": not broken and not failing, "broken": broken, "waiting": len(waiting), "failing": failing}
    return common.face.give(answer, words, REFUSED if broken or failing else DONE)


def _waiting(desk: Desk, tenant: str) -> list[dict[str, Any]]:
    """What the outbox holds; nothing where there is no store yet: a question makes none."""
    url = desk.store.url
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return []
    from casekit.store import reading

    shelf = desk.shelf(tenant)
    rows = reading.outbox(shelf)
    cases = {head.sid: head.uuid for head in reading.heads_of(shelf, reading.uuids_of(shelf, sorted({row[0] for row in rows}))).values()}
    return [
        {"case": cases.get(sid, ""), "entry": n, "attempts": attempts, "next": next_at, "error": error or ""}
        for sid, n, attempts, next_at, _, error in rows
    ]


def _plugin(loaded: Loaded, catalogue: Catalogue) -> dict[str, Any]:
    says, declared = loaded.says, catalogue.declared
    brings = {
        group: sorted(key for key, (_, plugin) in getattr(declared, group).items() if plugin.name == says.name)
        for group in ("case_types", "requirements", "calculators", "importers")
    }
    return {
        "name": says.name,
        "version": says.version,
        "title": says.title,
        "source": loaded.source,
        "handles": list(says.handles),
        "hooks": list(loaded.hooks),
        "brings": brings,
        "broken": loaded.broken,
    }
