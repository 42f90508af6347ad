"""Plugins: which there are, what they bring, what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casekit.cli.everywhere import HERE, Everywhere, is_new
from casekit.cli.face import DONE, REFUSED

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.desk import Desk
    from casekit.desk.values import Undelivered
    from casekit.plugins.catalogue import Catalogue, Loaded


def list_plugins(*, common: Everywhere = HERE) -> int:
    """Lists the plugins found."""
    with common.desk() as desk:
        found = [_plugin(loaded, desk.catalogue) for loaded in desk.catalogue.loaded]

    def words(out: Console) -> None:
        from casekit.cli.looks import table

        columns = ("name", "version", "title", "source", "isolated", "broken")
        rows = [[plugin[name] for name in columns] for plugin in found]
        out.print(table(columns, rows) if found else "No plugin is installed.")

    return common.face.give({"plugins": found}, words)


def doctor(*, common: Everywhere = HERE) -> int:
    """Says what is wrong with plugins, and which of their deliveries wait; exit code 1 where something is."""
    with common.desk() as desk:
        found = [_plugin(loaded, desk.catalogue) for loaded in desk.catalogue.loaded]
        waiting = () if is_new(desk) else _waiting(common, desk)
    broken = [plugin for plugin in found if plugin["broken"]]
    failing = [delivery for delivery in waiting if delivery.error]

    def words(out: Console) -> None:
        from casekit.cli.looks import heading, indented, table

        out.print(f"{len(found) - len(broken)} of {len(found)} plugins work; {len(waiting)} deliveries wait, {len(failing)} have failed.")
        if broken:
            heading(out, "In quarantine")
            out.print(indented(table(("plugin", "source", "why"), [(p["name"], p["source"], p["broken"]) for p in broken])))
        if failing:
            heading(out, "Deliveries that failed")
            columns = ("case", "n", "attempts", "next_at", "error")
            out.print(indented(table(columns, [[getattr(delivery, name) for name in columns] for delivery in failing])))

    answer = {"ok": not broken and not failing, "broken": broken, "waiting": len(waiting), "failing": failing}
    return common.face.give(answer, words, REFUSED if broken or failing else DONE)


def _waiting(common: Everywhere, desk: Desk) -> tuple[Undelivered, ...]:
    with common.seat_at(desk) as seat:
        return seat.undelivered()


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
        "isolated": loaded.isolated,
        "broken": loaded.broken,
    }
