"""P13: every operation on every surface is authorised, every denial is in the desk log, every list holds only what may be read.

What an operation asks for is written down here by hand, beside the code and not told by it. Roles are made for the
purpose: one that has nothing, one for each permission alone, one that has everything but that permission.
"""

from __future__ import annotations

import inspect
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from sqlalchemy import create_engine

import casekit
import release
import tenancy
from casekit import CasekitError, Denied, Desk, Refused, Seat, builtin, open_desk
from casekit.cli import main
from casekit.cli.commands import COMMANDS
from casekit.desk.keeping import Keeper
from casekit.desk.permissions import CORE, Grants
from casekit.desk.turn import Call, Spec
from casekit.sdk import Plugin, hookimpl
from casekit.store.escrow import Passphrase
from commandline import DISPUTE
from conftest import TestClock
from proofs.test_tenants import ACTS, APART, Ids, Own, _forms

TYPE = "tenancy.dispute"


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


# What asks for what -------------------------------------------------------------------------------------------------

Act = Callable[[Seat, "Things"], Any]


@attrs.frozen
class Things:
    """What operations are tried on: a case with a document, a posting, a task, a goal; a party; files."""

    ids: Ids
    own: Own
    folder: Path
    fresh: Callable[[], str]


def _as_tried(name: str) -> Act:
    return lambda s, t: ACTS[name](s, t.ids, t.own, random.Random(0))


READ, LOG = "case.read", "journal.verify"
ASKS: dict[str, tuple[str, ...]] = {
    "adjust": ("case.review",),
    "access_export": ("party.access",),
    "approve_disposal": ("disposal.approve",),
    "classify": ("case.classify", "level.secret"),
    "disposal": ("disposal.read",),
    "disposals": ("disposal.read",),
    "due_for_disposal": ("disposal.read",),
    "holds": ("hold.read",),
    "lift_hold": ("hold.lift",),
    "place_hold": ("hold.place",),
    "propose_disposal": ("disposal.propose",),
    "recipients": ("party.read",),
    "rectify": ("case.rectify",),
    "rectify_fact": ("case.rectify",),
    "rectify_party": ("party.rectify",),
    "retention": ("disposal.read",),
    "run_disposal": ("disposal.run",),
    "tombstones": ("disposal.read",),
    "withdraw_disposal": ("disposal.propose",),
    "adopt_calendars": ("clock.extend",),
    "approve": ("case.approve", "tenancy.decide"),
    "assess": ("case.assess",),
    "case": (READ,),
    "cases": (READ, "party.read"),
    "change": ("case.change",),
    "change_party": ("party.write",),
    "charge": ("ledger.charge",),
    "check": (READ,),
    "checkpoint": ("checkpoint.make",),
    "checkpoint_key": (LOG,),
    "checkpoints": (LOG,),
    "choose": ("case.choose",),
    "clocks": (READ,),
    "close": ("case.close", "tenancy.decide"),
    "confirm_clock": ("clock.confirm",),
    "deadlines": (READ,),
    "do": ("case.do", "tenancy.answer"),
    "document": ("document.add",),
    "document_status": ("document.status",),
    "drop_goal": ("goal.set",),
    "erase": ("party.erase",),
    "explain": (READ,),
    "explain_clock": (READ,),
    "explain_closing": (READ,),
    "explain_item": (READ,),
    "explain_running": (READ,),
    "export": ("case.export",),
    "export_deadlines": (READ,),
    "extend": ("clock.extend",),
    "file": (READ,),
    "find_parties": ("party.read",),
    "find_party": ("party.read",),
    "get_party": ("party.read",),
    "give_role": ("case.role",),
    "goals": (READ,),
    "item": ("item.work",),
    "journal": ("journal.read",),
    "keep_clock": ("clock.confirm",),
    "link": ("case.link",),
    "links": (READ,),
    "look": ("case.assess",),
    "merge_parties": ("party.write",),
    "message": ("message.record",),
    "note": ("note.add",),
    "note_fact": ("fact.note",),
    "open": ("case.open",),
    "open_goals": (READ,),
    "options": ("case.plan",),
    "party": ("party.write",),
    "pay": ("ledger.pay",),
    "picture": (READ,),
    "plan": (READ,),
    "read_document": ("document.read",),
    "report_caseload": ("report.read",),
    "report_clocks": ("report.read",),
    "resume": ("case.resume",),
    "reverse": ("ledger.reverse",),
    "review": ("case.review",),
    "rounds": (READ,),
    "run_due": ("desk.due",),
    "set_goal": ("goal.set",),
    "take_role": ("case.role",),
    "tasks": (READ,),
    "timeline": (READ,),
    "undelivered": ("journal.read",),
    "unlink": ("case.link",),
}
"""Method of a seat → the permissions that it can't do without."""

PASSPHRASE = Passphrase("six words that were drawn by lot")

MORE: dict[str, tuple[tuple[str, ...], Act]] = {
    "verify": ((LOG,), lambda s, _: s.verify()),
    "rotate_signing": (("checkpoint.rotate",), lambda s, _: s.rotate_signing()),
    "import_log": (("import.run",), lambda s, t: s.import_log(t.folder / "log.xes", t.folder / "map.toml")),
    "import_bundle": (("case.import",), lambda s, t: s.import_bundle(json.loads((t.folder / "bundle.json").read_text()))),
    "do, forced": (("case.do",), lambda s, t: s.do(t.fresh(), "answer", observed=True, force=True)),
    "item, add": (("plan.change",), lambda s, t: s.item(t.own.case, "add", "own", own={"kind": "task"})),
    "item, skip": (("plan.change",), lambda s, t: s.item(t.fresh(), "skip", "needed", reason="x")),
    "cases, no names": ((READ,), lambda s, _: s.cases()),
    "cases, of a type": ((READ,), lambda s, _: s.cases([TYPE])),
    "export, with keys": (("case.export", "store.keep"), lambda s, t: s.export(t.own.case, keys=PASSPHRASE)),
    "checkpoint, renamed": (("checkpoint.rotate",), lambda s, _: s.checkpoint(origin="another.example")),
    "deadlines, all": ((READ,), lambda s, _: s.deadlines()),
    "check, contact": ((READ,), lambda s, t: s.check(t.own.case, "contact", to="tenant")),
    "case, as of": ((READ,), lambda s, t: s.case(t.own.case, as_of="2026-11-25")),
    "case, effective": ((READ,), lambda s, t: s.case(t.own.case, effective="2026-11-25")),
    "pay, observed": (("ledger.pay",), lambda s, t: s.pay(t.own.case, "1.00 EUR", observed=True)),
    "resolved by number": ((READ,), lambda s, t: s.timeline(t.ids.cases[1])),
    "resolved by value": ((READ,), lambda s, t: s.timeline(t.ids.cases[2])),
}
"""Further ways of giving them, and those that need files."""

OPERATIONS: dict[str, tuple[tuple[str, ...], Act]] = {
    **{name: (asks, _as_tried(name)) for name, asks in ASKS.items()},
    **MORE,
    "cases": ((READ, "party.read"), lambda s, _: s.cases(names=True)),
    "item": (("item.work",), lambda s, t: s.item(t.fresh(), "complete", "ring")),
    "do": (("case.do", "tenancy.answer"), lambda s, t: s.do(t.fresh(), "answer")),
    "classify": (("case.classify", "level.secret"), lambda s, t: s.classify(t.fresh(), "secret", reason="x")),
    "place_hold": (("hold.place",), lambda s, t: s.place_hold("held", cases=[t.fresh()], reason="x")),
    "close": (("case.close", "tenancy.decide"), lambda s, t: s.close(t.fresh(), "withdrawn")),
}

SOURCES = {name: inspect.getsource(act) for name, (_, act) in OPERATIONS.items()}

KEEPER: dict[str, Callable[[Keeper, Path], Any]] = {
    "back_up": lambda k, f: k.back_up(f / "backup"),
    "restore": lambda k, f: k.restore(f / "backup"),
    "examine": lambda k, _: k.examine(),
    "grant": lambda k, _: k.grant("nobody"),
    "check_contents": lambda k, _: k.check_contents(),
    "erasures": lambda k, _: k.erasures(),
    "keys": lambda k, _: k.keys(),
    "rotate": lambda k, _: k.rotate(),
    "destroy_key": lambda k, _: k.destroy_key("0123"),
    "escrow": lambda k, f: k.escrow(f / "escrow", PASSPHRASE),
    "recover": lambda k, f: k.recover(f / "escrow", PASSPHRASE),
    "drill": lambda k, f: k.drill(f / "escrow", PASSPHRASE),
}
"""Whatever a keeper can do: all of it asks for ``store.keep``."""

UNLOGGED = {"recover", "drill"}
"""What is done without the keyring: then nothing can be written down."""

OUTSIDE = {
    *("run_due", "erase", "export", "export, with keys", "checkpoint", "checkpoint, renamed", "rotate_signing", "verify"),
    *("import_log", "import_bundle", "access_export"),
    *("place_hold", "lift_hold", "propose_disposal", "approve_disposal", "withdraw_disposal", "run_disposal"),
}
"""What can't be part of a batch or a host's transaction, whoever asks."""

ALL = (*CORE, "tenancy.answer", "tenancy.decide")


class Roles:
    """Roles made for the purpose."""

    PLUGIN = Plugin("roles", api=1, handles=("*",), version="1.0")

    @staticmethod
    @hookimpl
    def casekit_roles() -> Mapping[str, list[str]]:
        alone = {f"only-{one}": [one] for one in ALL}
        but = {f"but-{one}": [other for other in ALL if other != one] for one in ALL}
        just = {f"just-{name}": list(asks) for name, (asks, _) in OPERATIONS.items()}
        return {**alone, **but, **just, "nobody": [], "everything": ["*"]}


def has(role: str, permission: str) -> bool:
    """Whether a role has a permission: told by the role's name, not by the desk."""
    kind, _, rest = role.partition("-")
    if kind == "only":
        return permission == rest
    if kind == "but":
        return permission != rest
    if kind == "just":
        return permission in OPERATIONS[rest][0]
    return role == "everything"


# A command without a permission -------------------------------------------------------------------------------------


def test_a_command_without_a_declared_permission_can_not_even_be_imported() -> None:
    for made in (
        lambda: Spec("steal", ""),
        lambda: Spec("steal", "case.steal"),
        lambda: Spec("steal", "*"),
        lambda: Spec("steal", "case.*"),
    ):
        with pytest.raises(TypeError, match="declares no permission"):
            made()
    with pytest.raises(TypeError):
        Spec("steal")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Call(actor=None)  # type: ignore[call-arg,arg-type]
    source = "from casekit.desk.turn import Spec\nSTEAL = Spec('steal', 'case.steal')\n"
    with pytest.raises(TypeError, match="'steal' declares no permission of the core"):
        exec(compile(source, "stealing.py", "exec"), {})


def test_every_operation_is_in_the_matrix() -> None:
    public = {name for name, _ in inspect.getmembers(Seat, inspect.isfunction) if not name.startswith("_")}
    assert public - {"batch"} == {name.partition(",")[0] for name in OPERATIONS if " by " not in name}
    assert set(ASKS) == set(ACTS)
    assert set(APART) - set(OPERATIONS) == {"batch"}, "a batch is a surface"
    kept = {name for name, _ in inspect.getmembers(Keeper, inspect.isfunction) if not name.startswith("_")}
    assert kept == set(KEEPER)
    assert {permission for asks, _ in OPERATIONS.values() for permission in asks} | {
        "store.keep",
        "item.override",
        "level.confidential",
    } == set(ALL)
    assert set(COMMANDS) == set(LINES) | set(STORELESS)


# Operation × surface × role -----------------------------------------------------------------------------------------


@pytest.fixture
def matrix(open_store: Callable[..., Desk], tmp_path: Path) -> tuple[Desk, Things]:
    desk = open_store(plugins=[tenancy, release, Roles, builtin], documents=tmp_path / "documents")
    boss = desk.seat("user:boss", roles={"everything"})
    ada = boss.party("person", name="Ada", ref="a-1")
    fresh = partial(_fresh, boss, ada)
    case = boss.case(fresh())
    document = boss.document(case.id, "letter", b"x").id
    posting = boss.pay(case.id, "1.00 EUR").id
    boss.set_goal(case.id, "paid", "paid", "50.00 EUR")
    (tmp_path / "bundle.json").write_text(json.dumps(boss.export(case.id), default=str))
    (tmp_path / "log.xes").write_text('<log xmlns="http://www.xes-standard.org/"></log>')
    (tmp_path / "map.toml").write_text(
        f'case_type = "{DISPUTE}"\nsource = "x"\n[time]\nzone = "UTC"\n[case]\nkey = "concept:name"\n[events.Opened]\nopen = true\n'
    )
    value = boss.case(case.id)
    one = {
        "case": case.id,
        "number": str(value.number),
        "party": ada.id,
        "document": document,
        "posting": posting,
        "mark": "1",
        "hold": "held",
    }
    return desk, Things(_forms(one, value, ada), Own(case.id, ada.id), tmp_path, fresh)


def _fresh(boss: Seat, party: Any) -> str:
    """A case on which nothing has been done yet."""
    case = boss.open(TYPE, data={"deposit": "50.00 EUR"}, parties={"tenant": party, "landlord": party}).id
    boss.item(case, "add", "ring", own={"kind": "task"})
    boss.item(case, "add", "needed", own={"kind": "task", "required": True})
    return case


def _roles_for(asks: tuple[str, ...], name: str, dice: random.Random, full: bool) -> list[str]:
    alone = [f"only-{one}" for one in ALL]
    without = [f"but-{one}" for one in ALL]
    if full:
        return ["nobody", f"just-{name}", *alone, *without]
    needed = [f"but-{one}" for one in asks]
    return ["nobody", f"just-{name}", *needed, *(f"only-{one}" for one in asks), *dice.sample(alone, 1), *dice.sample(without, 1)]


def _tried(desk: Desk, surface: str, host: Any, role: str, act: Callable[[Seat], Any]) -> Denied | None:
    """The denial that came of trying, if one did."""
    who = {"actor": f"user:{surface}", "roles": {role}}
    try:
        if surface == "seat":
            act(desk.seat(**who))
        elif surface == "batch":
            with desk.seat(**who).batch() as batch:
                act(batch)
        else:
            with host.begin() as connection, desk.join(connection) as joined:
                try:
                    act(joined.seat(**who))
                except Denied as denied:  # the host goes on, and commits
                    return denied
    except Denied as denied:
        return denied
    except CasekitError:
        return None
    return None


@pytest.mark.parametrize("engine", ["sqlite"])
def test_every_operation_on_every_surface_asks_for_its_permissions(
    engine: str, matrix: tuple[Desk, Things], store_url: str, dice: random.Random, full: bool, figure: Callable[[str], None]
) -> None:
    desk, things = matrix
    host = casekit.prepare(create_engine(store_url))
    before = denials(desk)
    tried, allowed, wrong, expected = 0, 0, [], Counter[tuple[str, str]]()
    for surface in ("seat", "batch", "joined"):
        for name, (asks, act) in OPERATIONS.items():
            if surface != "seat" and name in OUTSIDE:
                continue
            for role in _roles_for(asks, name, dice, full):
                case = things.fresh() if "t.fresh" in SOURCES[name] else ""
                ready = attrs.evolve(things, fresh=lambda case=case: case)
                denied = _tried(desk, surface, host, role, lambda s, act=act, ready=ready: act(s, ready))  # type: ignore[misc]
                tried += 1
                lacking = [one for one in asks if not has(role, one)]
                allowed += denied is None
                if denied is not None:
                    expected[role, str(denied.objections[0].args["permission"])] += 1
                if bool(lacking) != (denied is not None):
                    wrong.append(f"{name} through a {surface} as {role}: lacks {lacking}, " + (f"denied {denied}" if denied else "allowed"))
                elif denied is not None and denied.objections[0].args["permission"] not in lacking:
                    wrong.append(f"{name} through a {surface} as {role}: lacks {lacking}, denied for {denied}")
    host.dispose()
    found = denials(desk) - before
    figure(
        f"P13 matrix: {len(OPERATIONS)} operations, all {len(ASKS) + 4} methods, x 3 surfaces x roles: {tried} tried, {allowed} allowed, "
        f"{len(wrong)} unexpected; {sum(expected.values())} denials, {sum(found.values())} in the desk log"
    )
    assert wrong == [], "\n".join(wrong[:20])
    assert found == expected
    assert desk.seat("test:auditor", roles={"everything"}).verify().wrong == []


@pytest.mark.parametrize("engine", ["sqlite"])
def test_to_skip_what_is_required_takes_a_permission_of_its_own(engine: str, matrix: tuple[Desk, Things]) -> None:
    """Lacking it is an objection: the refusal says who could, and is on the journal."""
    desk, things = matrix
    for role in ("but-item.override", "only-plan.change"):
        with pytest.raises(Refused, match=r"item\.override"):
            desk.seat("user:eve", roles={role}).item(things.fresh(), "skip", "needed", reason="x")
    assert (
        desk.seat("user:eve", roles={"only-plan.change", "only-item.override"}).item(things.fresh(), "skip", "needed", reason="x").entries
    )


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_level_takes_a_permission_and_a_higher_one_will_do(engine: str, matrix: tuple[Desk, Things]) -> None:
    desk, things = matrix
    with pytest.raises(Denied, match=r"level\.confidential"):
        desk.seat("user:eve", roles={"only-case.classify"}).classify(things.fresh(), "confidential", reason="x")
    for level in ("confidential", "secret"):
        seat = desk.seat("user:eve", roles={"only-case.classify", f"only-level.{level}"})
        assert seat.classify(things.fresh(), "confidential", reason="x").entries


def denials(desk: Desk) -> Counter[tuple[str, str]]:
    """Denied attempts in the desk log, by role and permission."""
    asked = (
        "SELECT e.body FROM entries e JOIN streams s ON s.tenant = e.tenant AND s.sid = e.sid WHERE s.kind = 'log' AND e.kind = 'denied'"
    )
    found = [json.loads(row[0])["about"] for row in desk.shelf("main").connection.execute(asked).fetchall()]
    return Counter((about["roles"][0] if about["roles"] else "", about["permission"]) for about in found)


def test_whatever_a_keeper_does_asks_for_it(matrix: tuple[Desk, Things], tmp_path: Path, figure: Callable[[str], None]) -> None:
    desk, _ = matrix
    before = denials(desk)
    for role in ("nobody", "but-store.keep", "only-journal.verify"):
        for name, act in KEEPER.items():
            with pytest.raises(Denied):
                act(desk.keeper("user:eve", roles={role}), tmp_path / name)
            assert name == "keys" or not (tmp_path / name).exists()
    found = denials(desk) - before
    assert sum(found.values()) == 3 * (len(KEEPER) - len(UNLOGGED))
    ops = desk.keeper("user:ops", roles={"only-store.keep"})
    assert ops.keys()
    assert ops.examine()
    figure(f"P13 keeper: {len(KEEPER)} operations x 3 roles: 0 unexpected allows, {sum(found.values())} denials in the desk log")


# The command line ---------------------------------------------------------------------------------------------------

STORELESS = {
    "demo": "a store of its own",
    "calc": "no store",
    "plugin list": "no store",
    "type list": "no store",
    "type show": "no store",
    "type check": "no store",
    "type picture": "no store",
    "type import": "no store",
}
"""Commands that reach no record, each with the reason."""

LINES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "case open": (("case.open",), ("test.dispute", "--data", "deposit=1.00 EUR", "--party", "tenant=PARTY")),
    "case show": ((READ,), ("CASE",)),
    "case list": ((READ,), ()),
    "case do": (("case.do",), ("CASE", "answer", "--field", "rooms=2")),
    "case change": (("case.change",), ("CASE", "--data", "rooms=2")),
    "case role": (("case.role",), ("CASE", "landlord", "PARTY")),
    "case plan": ((READ,), ("CASE",)),
    "case item": (("item.work",), ("CASE", "complete", "x")),
    "case look": (("case.assess",), ("CASE",)),
    "case review": (("case.review",), ("CASE",)),
    "case adjust": (("case.review",), ("CASE", "x")),
    "case assess": (("case.assess",), ("CASE",)),
    "case options": (("case.plan",), ("CASE",)),
    "case choose": (("case.choose",), ("CASE", "x")),
    "case approve": (("case.approve",), ("CASE", "x")),
    "case check": ((READ,), ("CASE", "answer")),
    "case explain": ((READ,), ("CASE", "answer")),
    "case rectify": (("case.rectify",), ("CASE", "--data", "rooms=2", "--reason", "x")),
    "case classify": (("case.classify",), ("CASE", "secret", "--reason", "x")),
    "party rectify": (("party.rectify",), ("PARTY", "--name", "x", "--reason", "x")),
    "party access": (("party.access",), ("PARTY", "--out", "FOLDER")),
    "party recipients": (("party.read",), ("PARTY",)),
    "disposal list": (("disposal.read",), ()),
    "disposal explain": (("disposal.read",), ("CASE",)),
    "disposal propose": (("disposal.propose",), ("CASE",)),
    "disposal approve": (("disposal.approve",), ("D-1",)),
    "disposal withdraw": (("disposal.propose",), ("D-1",)),
    "disposal run": (("disposal.run",), ("D-1",)),
    "disposal get": (("disposal.read",), ()),
    "hold place": (("hold.place",), ("x", "--case", "CASE", "--reason", "x")),
    "hold lift": (("hold.lift",), ("x", "--reason", "x")),
    "hold list": (("hold.read",), ()),
    "case clocks": ((READ,), ("CASE",)),
    "case explain-clock": ((READ,), ("CASE", "answer")),
    "case picture": ((READ,), ("CASE", "--format", "dot")),
    "case deadlines": ((READ,), ("CASE",)),
    "case extend": (("clock.extend",), ("CASE", "answer", "--by", "P1D", "--reason", "x")),
    "case confirm-clock": (("clock.confirm",), ("CASE", "answer", "--reason", "x")),
    "case keep-clock": (("clock.confirm",), ("CASE", "answer", "--reason", "x")),
    "case adopt-calendars": (("clock.extend",), ("CASE",)),
    "case close": (("case.close",), ("CASE", "decided")),
    "case resume": (("case.resume",), ("CASE", "keep")),
    "case import": (("case.import",), ("BUNDLE",)),
    "party add": (("party.write",), ("person", "--name", "x")),
    "party show": (("party.read",), ("PARTY",)),
    "party find": (("party.read",), ("--name", "x")),
    "party change": (("party.write",), ("PARTY", "--name", "x")),
    "party merge": (("party.write",), ("PARTY", "PARTY")),
    "document add": (("document.add",), ("CASE", "letter", "FILE")),
    "case link": (("case.link",), ("CASE", "related", "CASE")),
    "case links": ((READ,), ("CASE",)),
    "document status": (("document.status",), ("CASE", "DOCUMENT", "accepted")),
    "document get": (("document.read",), ("CASE", "DOCUMENT")),
    "task list": ((READ,), ()),
    "goal set": (("goal.set",), ("CASE", "x", "rooms", "2")),
    "goal drop": (("goal.set",), ("CASE", "x")),
    "goal show": ((READ,), ("CASE",)),
    "goal list": ((READ,), ()),
    "note": (("note.add",), ("CASE", "x")),
    "message": (("message.record",), ("CASE", "--direction", "in", "--via", "phone", "--outcome", "conversation")),
    "fact": (("fact.note",), ("CASE", "people.living", "2")),
    "pay": (("ledger.pay",), ("CASE", "1.00 EUR")),
    "charge": (("ledger.charge",), ("CASE", "costs", "1.00 EUR")),
    "reverse": (("ledger.reverse",), ("CASE", "1.0")),
    "deadlines": ((READ,), ()),
    "journal": (("journal.read",), ("CASE",)),
    "verify": ((LOG,), ()),
    "checkpoint make": (("checkpoint.make",), ()),
    "checkpoint list": ((LOG,), ()),
    "checkpoint get": ((LOG,), ("1",)),
    "checkpoint key": ((LOG,), ()),
    "checkpoint rotate": (("checkpoint.rotate",), ()),
    "erase": (("party.erase",), ("PARTY",)),
    "erasures": (("store.keep",), ()),
    "backup": (("store.keep",), ("FOLDER",)),
    "restore": (("store.keep",), ("FOLDER",)),
    "doctor": (("store.keep",), ()),
    "store grant": (("store.keep",), ("app",)),
    "fsck": (("store.keep",), ()),
    "keys show": (("store.keep",), ()),
    "keys rotate": (("store.keep",), ()),
    "keys destroy": (("store.keep",), ("0123",)),
    "keys escrow": (("store.keep",), ("FOLDER", "--passphrase", "WORDS")),
    "keys recover": (("store.keep",), ("FILE", "--passphrase", "WORDS")),
    "keys drill": (("store.keep",), ("FILE", "--passphrase", "WORDS")),
    "run-due": (("desk.due",), ()),
    "import xes": (("import.run",), ("LOG", "--map", "MAP")),
    "export": (("case.export",), ("CASE",)),
    "report clocks": (("report.read",), ()),
    "report caseload": (("report.read",), ()),
    "plugin doctor": (("journal.read",), ()),
}
"""Command of the command line → what it asks for, and what it is given."""

AUDITOR = {READ, "party.read", "document.read", "journal.read", LOG, "report.read", "case.export"}


@pytest.fixture
def line(tmp_path: Path) -> dict[str, str]:
    """A store that the command line is tried on, and the words that stand for what is in it."""
    store = f"sqlite:///{tmp_path}/line.db"
    with open_desk(store=store, case_types=[DISPUTE]) as desk:
        boss = desk.seat("user:boss", roles={"admin"})
        ada = boss.party("person", name="Ada", zone="Europe/Rome")
        case = boss.open("test.dispute", data={"deposit": "5.00 EUR"}, parties={"tenant": ada})
        document = boss.document(case.id, "letter", b"x").id
        (tmp_path / "bundle.json").write_text(json.dumps(boss.export(case.id), default=str))
    (tmp_path / "words").write_text("six words that were drawn by lot")
    (tmp_path / "file").write_text("x")
    (tmp_path / "log.xes").write_text('<log xmlns="http://www.xes-standard.org/"></log>')
    (tmp_path / "map.toml").write_text(
        f'case_type = "{DISPUTE}"\nsource = "x"\n[time]\nzone = "UTC"\n[case]\nkey = "concept:name"\n[events.Opened]\nopen = true\n'
    )
    files = {"BUNDLE": "bundle.json", "WORDS": "words", "FILE": "file", "LOG": "log.xes", "MAP": "map.toml", "FOLDER": "made"}
    return {"CASE": case.id, "PARTY": ada.id, "DOCUMENT": document, "STORE": store, **{k: str(tmp_path / v) for k, v in files.items()}}


def test_every_command_of_the_command_line_asks_too(
    line: dict[str, str], capsys: pytest.CaptureFixture[str], full: bool, figure: Callable[[str], None]
) -> None:
    tried, wrong = 0, []
    for role in ("nobody", *(("auditor",) if full else ())):
        for name, (asks, given) in LINES.items():
            arguments = [*name.split(), *(line.get(word, word) for word in given), "--store", line["STORE"], "--type", str(DISPUTE)]
            capsys.readouterr()
            code = main([*arguments, "--as", "user:eve", "--role", role, "--json"])
            said = capsys.readouterr()
            tried += 1
            denied = code == 1 and any(one["rule"] == "casekit.permission" for one in json.loads(said.out or "{}").get("refused", ()))
            if denied == (role == "auditor" and set(asks) <= AUDITOR):
                wrong.append(f"{name} as {role}: exit code {code}, {said.out[:200]} {said.err[:300]}")
    with open_desk(store=line["STORE"], case_types=[DISPUTE]) as desk:
        logged = sum(denials(desk).values())
        assert desk.seat("test:auditor", roles={"admin"}).verify().wrong == []
    figure(
        f"P13 command line: {tried} commands tried, all {len(LINES)} that reach a record: {len(wrong)} unexpected; {logged} denials logged"
    )
    assert wrong == [], "\n".join(wrong)
    assert logged == len(LINES) - len(UNLOGGED) or full


# Lists hold only what may be read -----------------------------------------------------------------------------------


@attrs.frozen
class Offices:
    """Cases of several types, open and closed, with tasks, goals, deadlines and deliveries that wait."""

    desk: Desk
    cases: Mapping[str, str]

    def of(self, types: Iterable[str]) -> set[str]:
        wanted = set(types)
        return {case for case, type_ in self.cases.items() if type_ in wanted}


@pytest.fixture
def offices(open_store: Callable[..., Desk], tmp_path: Path) -> Offices:
    def other(key: str) -> Any:
        return attrs.evolve(tenancy.DISPUTE, key=key, number="")

    class Deaf:
        PLUGIN = Plugin("deaf", api=1, handles=("*",), version="1.0")

        @staticmethod
        @hookimpl
        def casekit_recorded(recorded: Any) -> None:
            raise RuntimeError("deaf")

    desk = open_store(plugins=[tenancy, release, Roles, Deaf, builtin], case_types=[other("tenancy.other"), other("tenancy.third")])
    boss = desk.seat("user:boss", roles={"everything"})
    ada = boss.party("person", name="Ada")
    cases = {}
    for type_ in (TYPE, "tenancy.other", "tenancy.third"):
        for k in range(2):
            case = boss.open(type_, data={"deposit": "50.00 EUR"}, parties={"tenant": ada, "landlord": ada}).id
            boss.item(case, "add", "ring", own={"kind": "task", "who": "clerk", "due": {"after": "P9D"}})
            boss.set_goal(case, "paid", "paid", "50.00 EUR", owner="clerk", by="2026-12-31")
            boss.document(case, "letter", b"x")
            cases[case] = type_
            if k:
                boss.do(case, "withdraw")
    for _ in range(2):
        cases[boss.open("release.case", data={"amount": "5.00 EUR"}).id] = "release.case"
    boss.run_due()
    return Offices(desk, cases)


def _policy(dice: random.Random, types: list[str]) -> tuple[list[tuple[dict[str, list[str]], Any]], list[str]]:
    """Random grants of random roles by random plugins; and the roles."""
    words = ["case.read", "case.*", "journal.read", "report.read", "report.*", "party.read", "case.do", "case.export", "note.add", "*"]
    roles = [f"r{k}" for k in range(dice.randint(1, 4))]
    grants = []
    for _ in range(dice.randint(1, 4)):
        handles = ("*",) if dice.random() < 0.2 else tuple(dice.sample(types, dice.randint(1, 3)))
        granted = {
            role: dice.sample(words[: 10 if dice.random() < 0.2 else 9], dice.randint(0, 3))
            for role in dice.sample(roles, dice.randint(1, len(roles)))
        }
        grants.append((granted, SimpleNamespace(handles=handles, name="p")))
    return grants, roles


def _readable(grants: Any, roles: set[str], permission: str, type_: str) -> bool:
    """Whether a policy lets somebody with those roles do something on a type, worked out anew."""
    for granted, plugin in grants:
        if type_ in plugin.handles or "*" in plugin.handles:
            for role in roles & set(granted):
                for word in granted[role]:
                    if word in ("*", permission) or (word.endswith(".*") and permission.split(".", maxsplit=1)[0] == word[:-2]):
                        return True
    return False


def _shown(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Denied:
        return ()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_list_is_what_may_be_read_one_by_one(
    engine: str, offices: Offices, dice: random.Random, times: Callable[..., int], figure: Callable[[str], None]
) -> None:
    desk, count = offices.desk, times(200, full=5000)
    types = sorted(set(offices.cases.values()))
    lists, asked, empty = 0, 0, 0
    for k in range(count):
        grants, roles = _policy(dice, types)
        desk.grants = Grants(SimpleNamespace(declared=SimpleNamespace(roles=grants)))  # type: ignore[arg-type]
        mine = set(dice.sample(roles, dice.randint(1, len(roles))))
        seat = desk.seat("user:some", roles=mine)
        may = {p: [t for t in types if _readable(grants, mine, p, t)] for p in ("case.read", "journal.read", "report.read")}
        one_by_one = offices.of(may["case.read"])
        if k % 10 == 0:  # the check itself, case by case; each denial is an entry
            found = {case for case in offices.cases if _shown(partial(seat.case, case))}
            assert found == one_by_one
            asked += len(offices.cases)
        for name, shown, expected in _lists(seat, offices, may, dice):
            assert shown == expected, (name, mine, grants)
            lists += 1
            empty += not shown
    figure(
        f"P13 lists: {count} random policies, {lists} lists, counts, searches and exports: each just what may be read one by one "
        f"({empty} empty, {asked} cases asked for by themselves)"
    )
    assert 0 < empty < lists


def _lists(seat: Seat, offices: Offices, may: Mapping[str, list[str]], dice: random.Random) -> Iterable[tuple[str, Any, Any]]:
    """Each list with what it shows, and what it should."""
    readable, closed = offices.of(may["case.read"]), {case for k, case in enumerate(offices.cases) if k % 2 and k < 6}
    told = offices.of(set(may["case.read"]) & set(may["journal.read"]))
    counted = set(may["case.read"]) & set(may["report.read"])
    wanted = dice.choice(sorted(set(offices.cases.values())))
    yield "cases", {one.id for one in _pages(seat)}, readable
    yield "cases of a type", {one.id for one in _shown(lambda: seat.cases([wanted]).cases)}, readable & offices.of([wanted])
    yield "open cases", {one.id for one in _shown(lambda: seat.cases(open=True).cases)}, readable - closed
    yield (
        "tasks",
        {one.case for one in _shown(lambda: seat.tasks().tasks)},
        {c for c in readable - closed if offices.cases[c] != "release.case"} | {c for c in readable if offices.cases[c] == "release.case"},
    )
    yield (
        "goals",
        {one.case for one in _shown(lambda: seat.open_goals().goals)},
        {c for c in readable - closed if offices.cases[c] != "release.case"},
    )
    yield "caseload", set(_shown(seat.report_caseload)), counted
    yield "clocks", set(_shown(seat.report_clocks)), counted
    yield "deadlines", {one.case for one in _shown(seat.deadlines)}, readable - closed
    yield "undelivered", {one.case for one in _shown(seat.undelivered)}, told


def _pages(seat: Seat) -> list[Any]:
    """All pages of the list, three cases each."""
    found: list[Any] = []
    after = None
    while True:
        page = _shown(lambda after=after: seat.cases(size=3, after=after))  # type: ignore[misc]
        if not page:
            return found
        found += page.cases
        after = page.more
        if after is None:
            return found
