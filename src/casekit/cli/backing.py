"""Keeping the store: backup, restore, the doctor, documents on disk, the ledger of erasures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from casekit.cli.everywhere import HERE, Everywhere
from casekit.cli.face import DONE, REFUSED
from casekit.cli.options import Out

if TYPE_CHECKING:
    from rich.console import Console

    from casekit.desk.contents import Contents
    from casekit.desk.health import Sign
    from casekit.desk.restoring import Restored
    from casekit.record.verify import Wrong

Damaged = Annotated[bool, Parameter(name="--damaged", help="Take a record that is not whole as it is, better than nothing.")]

_BESIDE = "The keyring lies in this backup: whoever gets hold of the folder reads everything that is sealed."


def backup(
    folder: Annotated[Path, Parameter(name="FOLDER", help="The folder to make; it must not exist yet.")],
    /,
    *,
    with_keys: Annotated[bool, Parameter(name="--with-keys", help="Put the keyring into the backup too: it then opens by itself.")] = False,
    damaged: Damaged = False,
    common: Everywhere = HERE,
) -> int:
    """Copies the running store into a folder: tables, documents, a manifest; never the keyring, unless you say so."""
    with common.keeper() as keeper:
        made = keeper.back_up(folder, keys=with_keys, damaged=damaged)
    if with_keys:
        common.face.aside(_BESIDE)
    answer = {
        "folder": made.folder,
        "digest": made.digest,
        "manifest": made.manifest,
        "noted": made.noted,
        "wrong": _wrong(made.wrong),
        "warnings": [_BESIDE] if with_keys else [],
    }

    def words(out: Console) -> None:
        from casekit.cli.looks import facts, indented

        tenants = made.manifest.tenants.values()
        out.print("Backed up, and proved." if made.manifest.whole else "Backed up as it is: the record is not whole.")
        rows = [
            ("folder", made.folder),
            ("entries", sum(t.entries for t in tenants)),
            ("documents", sum(t.documents for t in tenants)),
            ("keyring", "in it" if with_keys else "not in it: keep it elsewhere (casekit keys escrow)"),
            ("digest", made.digest),
        ]
        out.print(indented(facts(rows)))

    return common.face.give(answer, words, REFUSED if made.wrong else DONE)


def restore(
    folder: Annotated[Path, Parameter(name="FOLDER", help="The backup.")],
    /,
    *,
    erasures: Annotated[
        tuple[Path, ...], Parameter(name="--erasures", help="A ledger of erasures beside the one with the keyring; repeatable.")
    ] = (),
    with_keys: Annotated[bool, Parameter(name="--with-keys", help="Put the keyring in the backup where --keys says.")] = False,
    without_keys: Annotated[bool, Parameter(name="--without-keys", help="Restore although the keys that open it are not here.")] = False,
    damaged: Damaged = False,
    force: Annotated[bool, Parameter(name="--force", help="Replace a store that has no entry which the backup lacks.")] = False,
    common: Everywhere = HERE,
) -> int:
    """Makes a store of a backup, proved, and erased of whoever was erased since."""
    with common.keeper() as keeper:
        done = keeper.restore(folder, erasures=erasures, keys=with_keys, locked=without_keys, damaged=damaged, force=force)
    warnings = _warnings(done)
    for warning in warnings:
        common.face.aside(warning)
    answer = {
        "digest": done.digest,
        "manifest": done.manifest,
        "erased": done.erased,
        "ledgers": done.ledgers,
        "documents": done.documents,
        "behind": done.behind,
        "keys": done.keys,
        "wrong": _wrong(done.wrong),
        "warnings": warnings,
    }

    def words(out: Console) -> None:
        from casekit.cli.looks import facts, indented

        out.print("Restored, and proved." if not done.wrong else "Restored as it is: the record is not whole.")
        rows = [("backup of", done.manifest.made), ("documents", done.documents), ("erased again", done.erased), ("keys", done.keys)]
        out.print(indented(facts(rows)))

    return common.face.give(answer, words, REFUSED if done.wrong or done.keys != "here" else DONE)


def _warnings(done: Restored) -> list[str]:
    found = []
    if done.keys == "missing":
        found.append("The keys are not here: nothing that is sealed can be opened, and nothing can be written (casekit keys recover).")
    elif done.keys == "partly":
        found.append("Some keys are not here any more: what they wrap stays shut.")
    if done.behind:
        found.append(
            f"Checkpoints were signed that this backup is too old to know ({', '.join(done.behind)}): casekit verify says what was cut. "
            "To go on with this copy, begin another log: casekit checkpoint make --origin NAME"
        )
    if not done.ledgers:
        found.append("No ledger of erasures was found: whoever was erased after the backup is back (casekit restore --erasures FILE).")
    return found


def doctor(*, common: Everywhere = HERE) -> int:
    """Says whether the store is set so that what is promised about it holds; exit code 1 where something is wrong."""
    with common.keeper() as keeper:
        found = keeper.examine()
    wrong = [one for one in found if one.level == "wrong"]
    answer = {"ok": not wrong, "findings": found}
    return common.face.give(answer, lambda out: _examined(out, found), REFUSED if wrong else DONE)


def _examined(out: Console, found: tuple[Sign, ...]) -> None:
    from casekit.cli.looks import facts, heading, indented, table

    for level, words in (("wrong", "Wrong"), ("note", "Worth knowing")):
        some = [one for one in found if one.level == level]
        if some:
            heading(out, words)
            out.print(indented(table(("", "found", "wanted", "what to do"), [(f.about, f.found, f.wanted, f.do) for f in some])))
    heading(out, "Good")
    out.print(indented(facts((one.about, one.found) for one in found if one.level == "good")))


def fsck(
    *,
    grace: Annotated[float, Parameter(name="--grace", help="Hours for which a file may be named by nothing. Default: 24.")] = 24.0,
    remove_orphans: Annotated[bool, Parameter(name="--remove-orphans", help="Take older ones away.")] = False,
    common: Everywhere = HERE,
) -> int:
    """Holds documents on disk against the record: missing, changed, named by nothing; exit code 1 where one is lost."""
    with common.keeper() as keeper:
        found = keeper.check_contents(grace=grace, remove=remove_orphans)
    answer = {"ok": found.ok, **{name: getattr(found, name) for name in ("checked", "missing", "changed", "orphans", "young", "removed")}}
    return common.face.give(answer, lambda out: _checked(out, found), DONE if found.ok else REFUSED)


def _checked(out: Console, found: Contents) -> None:
    from casekit.cli.looks import heading, indented, table

    out.print(
        f"{found.checked} documents are named: {len(found.missing)} missing, {len(found.changed)} changed. "
        f"{len(found.orphans)} files are named by nothing, {found.young} younger ones too; {found.removed} removed."
    )
    for words, some in (("Missing", found.missing), ("Changed", found.changed), ("Named by nothing", found.orphans)):
        if some:
            heading(out, words)
            out.print(indented(table(("tenant", "file", "cases"), [(one.tenant, one.file, one.cases) for one in some])))


def grant(role: Annotated[str, Parameter(name="ROLE", help="The role as which casekit connects.")], /, *, common: Everywhere = HERE) -> int:
    """Lets a role of PostgreSQL work with the tables; said with the URL of their owner, once."""
    with common.keeper() as keeper:
        given = keeper.grant(role)
    return common.face.give(given, lambda out: out.print(f"{given.role} may work with {len(given.tables)} tables in {given.schema}."))


def erasures(*, out: Out = None, common: Everywhere = HERE) -> int:
    """Brings the ledger of erasures up to date: the one beside the keyring, or another."""
    with common.keeper() as keeper:
        file, count = keeper.erasures(out)
    return common.face.give({"file": str(file), "erasures": count}, lambda face: face.print(f"{count} erasures stand in {file}"))


def _wrong(several: tuple[tuple[str, Wrong], ...]) -> list[dict[str, Any]]:
    from casekit.cli.shapes import shape

    return [{"tenant": tenant, **shape(wrong)} for tenant, wrong in several]
