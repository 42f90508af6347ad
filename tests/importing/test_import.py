"""What an import records, and that it records it once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casekit import Denied, Desk, Money, NotFound, builtin
from casekit.desk import importing
from casekit.desk.importing import Imported, Loss
from casekit.model.canonical import decode
from casekit.store import reading
from logs import Lab, day, event, everything, trace

EUR = "EUR"


def ordered(*rest: str, name: str = "A", **attributes: Any) -> str:
    return trace(name, event("Ordered", day(1), **({"price": "30.0"} | attributes)), *rest)


def packed(name: str = "A") -> str:
    return ordered(event("Packed", day(2), weight=7), name=name)


def reasons(imported: Imported) -> list[tuple[str, str]]:
    return [(found.event, found.reason) for found in imported.nonconforming]


def bodies(lab: Lab) -> list[list[tuple[Any, ...]]]:
    """Of every case what its entries say, apart from identities, nonces and the moment of recording."""
    found = []
    for case in lab.cases:
        entries = []
        for raw in lab.seat.journal(case):
            said = decode(raw["body"])
            changes = [
                c if c["c"] != "head" else {**c, "set": {k: v for k, v in c.get("set", {}).items() if k not in ("imported", "held")}}
                for c in said["changes"]
                if c["c"] != "open"
            ]
            entries.append((raw["kind"], raw["effective"], raw["day"], raw["actor"], [c for c in changes if c.get("set") != {}]))
        found.append(entries)
    return found


# what an event becomes


def test_an_event_is_one_entry_at_its_own_time_recorded_now(lab: Lab) -> None:
    imported = lab.run(ordered(event("Packed", day(2), weight=7, org__resource="541"), event("Paid", day(3), amount="30.0")))

    assert (imported.cases, imported.events, imported.new, imported.accepted) == (1, 3, 3, 3)
    [case] = lab.cases
    entries = lab.seat.journal(case)
    assert [e["kind"] for e in entries] == ["open", "do", "pay"]
    assert [e["actor"] for e in entries] == ["user:lee", "log:541", "user:lee"]
    assert [e["day"] for e in entries] == ["2011-03-01", "2011-03-02", "2011-03-03"]
    assert {e["recorded"] for e in entries} == {"2026-11-25T10:00:00.000000Z"}
    assert decode(entries[1]["body"])["about"]["log"] == {"source": "lab", "event": "Packed", "ordinal": 2, "by": "user:lee"}
    assert (case.state, case.opened, case.time) == ("packed", "2011-02-28T23:00:00.000000Z", "2011-03-02T23:00:00.000000Z")


@pytest.mark.parametrize(
    ("text", "says", "starts"),
    [
        ("2011-03-26T00:00:00.000+01:00", "2011-03-26", "2011-03-25T23:00:00.000000Z"),
        ("2011-03-27T00:00:00.000+01:00", "2011-03-27", "2011-03-26T23:00:00.000000Z"),  # the day on which summer time begins
        ("2011-03-28T00:00:00.000+02:00", "2011-03-28", "2011-03-27T22:00:00.000000Z"),
        ("2011-10-31T00:00:00.000+01:00", "2011-10-31", "2011-10-30T23:00:00.000000Z"),
        ("2011-07-01T00:00:00+02:00", "2011-07-01", "2011-06-30T22:00:00.000000Z"),
        ("2011-07-01T09:30:00+02:00", None, "2011-07-01T07:30:00.000000Z"),
    ],
)
def test_a_local_midnight_stays_that_day(lab: Lab, text: str, says: str | None, starts: str) -> None:
    lab.run(trace("A", event("Ordered", text, price="30.0")))

    [entry] = lab.seat.journal(lab.cases[0])
    assert (entry["day"], entry["effective"], entry["zone"]) == (says, starts, "Europe/Rome")
    assert lab.seat.file(lab.cases[0]).postings[0].at == starts


def test_amounts_are_read_from_the_text_to_the_cent(lab: Lab) -> None:
    lab.run(ordered(event("Paid", day(2), amount="0.1"), event("Paid", day(3), amount="0.2"), price="0.30"))

    [case] = lab.cases
    assert (case.totals["paid"], case.totals["balance"]) == (Money("0.30", EUR), Money("0.00", EUR))


def test_an_amount_of_zero_posts_nothing(lab: Lab) -> None:
    imported = lab.run(ordered(event("Paid", day(2), amount="0.0"), price="0"))

    assert (imported.accepted, lab.seat.file(lab.cases[0]).postings) == (2, ())


def test_a_replaced_charge_is_taken_back_and_both_stay_on_the_ledger(lab: Lab) -> None:
    priced = [event("Priced", day(n), price=f"{n}0.0") for n in (2, 3)]
    lab.run(ordered(*priced))

    [case] = lab.cases
    assert case.totals["charged"] == Money("30.00", EUR)
    assert [(p.kind, str(p.amount)) for p in lab.seat.file(case).postings] == [
        ("charge", "30.00 EUR"),
        ("reversal", "30.00 EUR"),
        ("charge", "20.00 EUR"),
        ("reversal", "20.00 EUR"),
        ("charge", "30.00 EUR"),
    ]


def test_what_the_case_type_charges_by_itself_can_be_replaced_in_the_opening(lab: Lab) -> None:
    lab.order["ledger"]["opening"] = {"price": "money('9.00 EUR')"}
    lab.map = lab.map.replace('amount = "price" }]\n\n[events.Priced]', 'amount = "price", replace = true }]\n\n[events.Priced]')
    lab.run(ordered())

    [case] = lab.cases
    assert (case.n, case.totals["charged"]) == (1, Money("30.00", EUR))


def test_a_payment_counts_before_the_move_of_its_event(lab: Lab) -> None:
    imported = lab.run(ordered(event("Packed", day(2)), event("Paid and shipped", day(3), amount="30.0")))

    assert (imported.accepted, lab.cases[0].state, lab.cases[0].outcome) == (3, "gone", "gone")


def test_a_fact_is_known_to_the_move_of_its_event(lab: Lab) -> None:
    imported = lab.run(ordered(event("Seen and marked", day(2), colour="red", taste="sour")))

    assert imported.accepted == 2
    facts = {fact.key: (fact.value, fact.day) for fact in lab.seat.file(lab.cases[0]).facts}
    assert facts == {"colour": ("red", "2011-03-02"), "taste": ("sour", "2011-03-02")}


def test_data_come_with_the_trace_the_opening_and_later_events(lab: Lab) -> None:
    events = [event("Ordered", day(1), size=11), event("Resized", day(2), size=12), event("Written", day(3), text="wrapped twice")]
    lab.run(trace("A", *events, customer="Maria"))

    [case] = lab.cases
    assert dict(case.data) == {"size": 12, "who": "Maria"}
    assert [h.text for h in lab.seat.timeline(case)] == [None, None, "wrapped twice"]
    assert lab.seat.case(case.id, effective="2011-03-01T12:00:00Z").data["size"] == 11


def test_events_out_of_order_never_turn_case_time_back(lab: Lab) -> None:
    lab.run(trace("A", event("Ordered", day(9), price="30.0"), event("Packed", day(2)), event("Paid", day(5), amount="1.0")))

    [case] = lab.cases
    assert (case.state, case.time) == ("packed", "2011-03-08T23:00:00.000000Z")
    assert [p.at[:10] for p in lab.seat.file(case).postings] == ["2011-03-08", "2011-03-04"]


def test_a_numbered_type_numbers_its_cases_without_gaps(lab: Lab) -> None:
    lab.order["number"] = "O-{year}-{seq:03}"
    lab.run(*(ordered(name=f"T{i}") for i in range(5)))
    lab.run(*(ordered(name=f"T{i}") for i in range(7)))

    assert [case.number for case in lab.cases] == [f"O-2011-{i:03}" for i in range(1, 8)]


# what does not fit


def test_an_event_that_the_lifecycle_does_not_allow_leaves_the_state(lab: Lab) -> None:
    imported = lab.run(ordered(event("Shipped", day(2)), event("Packed", day(3), weight=7, packer="Ann")))

    assert (imported.new, imported.accepted) == (3, 2)
    assert reasons(imported) == [("Shipped", "casekit.state: ship can't happen in the state open: it is taken from packed.")]
    [case] = lab.cases
    assert case.state == "packed"
    assert [h.objections[0].rule if h.objections else "" for h in lab.seat.timeline(case)] == ["", "casekit.state", ""]


def test_a_broken_rule_is_named_and_force_moves_on(lab: Lab) -> None:
    shipped = ordered(event("Packed", day(2)), event("Shipped", day(3)))
    imported = lab.run(shipped)
    assert reasons(imported) == [("Shipped", "lab.paid: Something is owed.")]

    lab.map = lab.map.replace('[events.Shipped]\ndo = "ship"', '[events.Shipped]\ndo = "ship"\nforce = true').replace('"lab"', '"forced"')
    forced = lab.run(shipped)

    assert reasons(forced) == reasons(imported)
    assert [case.state for case in lab.cases] == ["packed", "gone"]


def test_force_moves_from_where_the_lifecycle_has_no_way(lab: Lab) -> None:
    lab.map = lab.map.replace('do = "ship"\n', 'do = "ship"\nforce = true\n')
    imported = lab.run(ordered(event("Shipped", day(2))))

    assert [event_ for event_, _ in reasons(imported)] == ["Shipped"]
    assert lab.cases[0].state == "gone"


def test_a_rule_whose_data_is_missing_is_unknown_and_not_broken(lab: Lab) -> None:
    marked = [event("Marked", day(2)), event("Seen and marked", day(3), colour="blue"), event("Seen and marked", day(4), colour="red")]
    imported = lab.run(ordered(*marked))

    assert (imported.accepted, imported.unknown) == (3, 1)
    assert reasons(imported) == [("Seen and marked", "lab.red: It is not red.")]
    unknown = [decode(e["body"])["about"].get("unknown", []) for e in lab.seat.journal(lab.cases[0])]
    assert unknown == [[], ["lab.red"], [], []]


def test_an_event_that_the_map_does_not_know_is_kept_raw(lab: Lab) -> None:
    imported = lab.run(ordered(event("Called Maria", day(2), phone="+39 06 555"), event("", day(3))))

    unknown = "casekit.import.unknown-event: The map does not know the event"
    assert reasons(imported) == [("Called Maria", f"{unknown} Called Maria."), ("", f"{unknown} .")]
    [case] = lab.cases
    assert [e["kind"] for e in lab.seat.journal(case)] == ["open", "import", "import"]


def test_a_known_event_without_meaning_is_recorded_and_accepted(lab: Lab) -> None:
    assert lab.run(ordered(event("Nothing", day(2)))).accepted == 2
    assert lab.cases[0].n == 2


def test_a_trace_that_does_not_begin_with_an_opening_opens_where_it_begins(lab: Lab) -> None:
    lab.order["data"]["size"]["required"] = True
    imported = lab.run(trace("A", event("Paid", day(1), amount="5.0"), event("Ordered", day(2), price="30.0", size=3)), trace("empty"))

    assert [name for name, _ in reasons(imported)] == ["Paid", "Ordered"]
    assert "casekit.import.no-opening" in reasons(imported)[0][1]
    assert "casekit.import.incomplete: The case opens without size." in reasons(imported)[0][1]
    assert "lab.small" in reasons(imported)[0][1]
    assert reasons(imported)[1][1] == "casekit.import.open-already: The case is open already."
    [case] = lab.cases
    assert (case.totals["balance"], case.data["size"], imported.cases) == (Money("25.00", EUR), 3, 2)


def test_a_form_that_lacks_a_field_is_named_and_not_bad_input(lab: Lab) -> None:
    lab.order["transitions"]["pack"]["form"]["weight"]["required"] = True
    imported = lab.run(ordered(event("Packed", day(2), packer="Ann"), event("Packed", day(3), weight=7)))

    assert reasons(imported) == [("Packed", "casekit.import.incomplete: The form of pack lacks weight.")]
    assert lab.cases[0].state == "packed"


# what is kept of what was not mapped


def test_every_occurrence_of_an_attribute_is_counted_once(lab: Lab) -> None:
    packed_ = event("Packed", day(2), weight=7, noise="x", extra="y")
    imported = lab.run(ordered(packed_, noise="x", size=3, customer="c"), ordered(packed_, name="B"))

    assert imported.loss == {
        "concept:name": Loss(mapped=6),
        "customer": Loss(raw=1),
        "extra": Loss(raw=2),
        "noise": Loss(dropped=3),
        "price": Loss(mapped=2),
        "size": Loss(mapped=1),
        "time:timestamp": Loss(mapped=4),
        "weight": Loss(mapped=2),
    }


def test_what_is_kept_raw_or_personal_is_sealed_with_the_case(lab: Lab, desk: Desk) -> None:
    secrets = [f"MARKER{i}" for i in range(7)]
    called = event(f"Called {secrets[0]}", day(2), phone=secrets[1])
    seen = event("Seen and marked", day(3), colour="red", taste=secrets[2])
    done = event("Packed", day(4), packer=secrets[3])
    late = event("Packed", day(5), packer=secrets[4])
    lab.run(trace(f"T-{secrets[5]}", event("Ordered", day(1), price="30.0"), called, seen, done, late, customer=secrets[6]))

    rows = repr(everything(desk))
    assert [secret for secret in secrets if secret in rows] == []
    work = desk.work(desk.shelf("main"))
    stream = work.stream(lab.cases[0].id, "case")
    from casekit.desk.timeline import _about_words

    words = [_about_words(work, stream, decode(e["body"])["about"]) for e in lab.seat.journal(stream.uuid)]
    assert words[0]["trace"] == f"T-{secrets[5]}"
    assert (words[1]["event"], words[1]["raw"]) == (f"Called {secrets[0]}", {"phone": secrets[1]})
    assert words[3]["fields"] == {"by": secrets[3]}
    assert words[4]["form"] == {"by": secrets[4]}


def test_attributes_keep_their_kind_and_what_is_nested_in_them(lab: Lab, desk: Desk) -> None:
    nested = (
        '<int key="parts" value="2"><string key="first" value="lid"/></int><list key="l"><values><int key="a" value="1"/></values></list>'
    )
    lab.run(ordered(event("Nothing", day(2)).replace("</event>", nested + "</event>")))

    work = desk.work(desk.shelf("main"))
    stream = work.stream(lab.cases[0].id, "case")
    from casekit.desk.timeline import _about_words

    words = _about_words(work, stream, decode(lab.seat.journal(stream.uuid)[1]["body"])["about"])
    assert words["raw"] == {"parts": {"int": "2", "members": [{"first": "lid"}]}, "l": {"list": "", "members": [{"a": {"int": "1"}}]}}


def test_attributes_can_be_dropped_by_default(lab: Lab) -> None:
    lab.map = lab.map.replace('drop = ["noise"]', 'default = "drop"')
    assert lab.run(ordered(extra="x")).loss["extra"] == Loss(dropped=1)


# clocks, outbox, held cases


def test_clocks_speak_on_case_time_between_the_events(lab: Lab) -> None:
    lab.run(ordered(event("Packed", day(2)), event("Nothing", day(30))))

    [case] = lab.cases
    entries = lab.seat.journal(case)
    assert [(e["kind"], e["effective"][:10], e["actor"]) for e in entries[2:4]] == [
        ("tick", "2011-03-11", "system:clock"),
        ("tick", "2011-03-15", "system:clock"),
    ]
    assert entries[3]["effective"] == "2011-03-15T23:00:00.000000Z"
    assert lab.seat.file(case).clocks[0].status == "breached"


def test_nothing_of_a_log_reaches_the_outbox(lab: Lab, desk: Desk) -> None:
    lab.run(ordered(event("Packed", day(2)), event("Nothing", day(30))))

    assert reading.outbox(desk.shelf("main")) == []


@pytest.mark.parametrize(
    ("live_from", "heard"),
    [("2011-03-12", ["tick", "tick", "import"]), ("2011-03-13", ["tick", "import"]), ("2011-03-31", []), ("2011-03-01", 5), (None, [])],
)
def test_from_live_from_on_what_happened_is_told(lab: Lab, desk: Desk, live_from: str | None, heard: Any) -> None:
    lab.run(ordered(event("Packed", day(2)), event("Nothing", day(30))), live_from=live_from)

    entries = lab.seat.journal(lab.cases[0])
    told = [entries[row[1] - 1]["kind"] for row in reading.outbox(desk.shelf("main"))]
    assert told == heard if isinstance(heard, list) else len(told) == heard


def test_cases_left_open_are_held_until_they_are_let_run_on(lab: Lab) -> None:
    lab.run(packed(), ordered(event("Packed", day(2)), event("Paid and shipped", day(3), amount="30.0"), name="B"))
    first, second = lab.cases
    assert (first.held, second.held) == (True, False)

    assert lab.seat.run_due().cases == 0
    assert lab.seat.file(first).clocks[0].status == "running"

    lab.seat.resume(first, "confirm")
    assert lab.seat.run_due().cases == 1
    assert lab.seat.file(first.id).clocks[0].status == "breached"


def test_a_case_without_running_clocks_is_not_held_until_its_log_starts_one(lab: Lab) -> None:
    lab.run(ordered())
    [case] = lab.cases
    assert (case.held, lab.seat.file(case).clocks) == (False, ())

    lab.run(packed())
    assert lab.cases[0].held is True
    assert lab.seat.run_due().cases == 0


def test_a_case_that_was_worked_on_meanwhile_is_not_held_again(lab: Lab) -> None:
    lab.run(ordered())
    lab.seat.do(lab.cases[0], "pack")
    lab.run(ordered(event("Nothing", day(3))))
    assert lab.cases[0].held is False


def test_an_import_goes_on_with_a_case_that_was_let_run_on(lab: Lab) -> None:
    lab.run(packed())
    lab.seat.resume(lab.cases[0], "confirm")

    lab.run(ordered(event("Packed", day(2), weight=7), event("Nothing", day(3))))

    assert lab.cases[0].held is False
    assert [e["kind"] for e in lab.seat.journal(lab.cases[0])] == ["open", "do", "resume", "tick", "import"]


# once


@pytest.fixture
def several() -> list[str]:
    return [
        ordered(event("Packed", day(2), weight=7), event("Paid", day(3), amount="10.0"), event("Nothing", day(25)), name=f"T{i}")
        for i in range(7)
    ]


def test_a_second_run_records_nothing(lab: Lab, desk: Desk, several: list[str]) -> None:
    first = lab.run(*several)
    before = everything(desk)

    second = lab.run(*several)

    assert (first.new, second.new, second.accepted, second.nonconforming) == (28, 0, 0, ())
    assert everything(desk) == before


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(lab: Lab, several: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 2)
    calls = []

    def interrupt(done: int, whole: int) -> None:
        calls.append(done)
        if done > whole * 0.7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.run(*several, progress=interrupt)
    stored = len(lab.cases)
    assert 0 < stored < 7

    rest = lab.run(*several)

    assert rest.new == (7 - stored) * 4
    whole = bodies(lab)
    assert len(whole) == 7
    assert all(entries == whole[0] for entries in whole)


def test_a_transaction_that_fails_leaves_nothing_of_its_cases(lab: Lab, several: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 3)
    original, count = importing._Importing._continue, iter(range(100))

    def fail(self: Any, *about: Any) -> None:
        original(self, *about)
        if next(count) == 4:
            raise RuntimeError("the power is gone")

    monkeypatch.setattr(importing._Importing, "_continue", fail)
    with pytest.raises(RuntimeError):
        lab.run(*several)
    assert len(lab.cases) == 3

    assert lab.run(*several).new == 16


def test_a_killed_import_is_resumed(lab: Lab, several: list[str], store_url: str, tmp_path: Path) -> None:
    path = lab.write(*several)
    code = f"""
        import os, signal
        from casekit import builtin, open_desk
        from casekit.desk import importing

        importing.AT_ONCE = 2
        desk = open_desk(store={store_url!r}, keys={str(tmp_path / "keys")!r}, plugins=[builtin], installed=False)

        def kill(done, whole):
            if done > whole * 0.7:
                os.kill(os.getpid(), signal.SIGKILL)

        desk.seat("user:lee", roles={{"admin"}}).import_log({str(path)!r}, {str(tmp_path / "map.toml")!r}, progress=kill)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env={**os.environ}, check=False)
    assert killed.returncode == -signal.SIGKILL
    stored = len(lab.cases)
    assert 0 < stored < 7

    assert lab.run(*several).new == (7 - stored) * 4
    assert len(lab.cases) == 7


def test_a_log_that_has_grown_continues_its_cases(lab: Lab) -> None:
    events = [event("Packed", day(2), weight=7), event("Paid", day(3), amount="10.0"), event("Nothing", day(25))]
    assert lab.run(ordered(events[0])).new == 2

    grown = lab.run(ordered(*events), ordered(name="B"))

    assert (grown.events, grown.new) == (5, 3)
    first, second = lab.cases
    assert [e["kind"] for e in lab.seat.journal(first)] == ["open", "do", "pay", "tick", "tick", "import"]
    assert (first.totals["paid"], first.held, second.state) == (Money("10.00", EUR), True, "open")


def test_a_log_that_has_shrunk_records_nothing(lab: Lab) -> None:
    lab.run(packed())
    assert lab.run(ordered()).new == 0
    assert lab.cases[0].state == "packed"


def test_a_case_is_known_by_source_and_trace(lab: Lab) -> None:
    lab.run(packed(), ordered(name="B/7"))
    first, second = lab.cases
    assert (lab.seat.case("lab/A").id, lab.seat.case("lab/B/7").id) == (first.id, second.id)
    assert lab.seat.pay("lab/A", "1.00 EUR").case.id == first.id
    for unknown in ("lab/C", "other/A", "A"):
        with pytest.raises(NotFound):
            lab.seat.case(unknown)


def test_one_source_is_not_another(lab: Lab) -> None:
    lab.run(packed())
    lab.map = lab.map.replace('source = "lab"', 'source = "lab-2"')
    assert lab.run(packed()).new == 2
    assert len(lab.cases) == 2


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_log_in_pieces_comes_to_the_same_as_in_one(lab: Lab, data: st.DataObject) -> None:
    names = ("Packed", "Paid", "Shipped", "Marked", "Nothing", "Strange", "Ordered")
    rest = data.draw(st.lists(st.tuples(st.sampled_from(names), st.integers(1, 28)), max_size=6))
    events = [event("Ordered", day(1), price="30.0"), *(event(name, day(at), amount="9.0", weight=3) for name, at in rest)]
    cuts = data.draw(st.lists(st.integers(1, len(events)), max_size=3).map(sorted))
    before = len(lab.cases)

    lab.map = lab.map.replace(lab.map.split('source = "')[1].split('"')[0], f"whole-{before}")
    whole = lab.run(trace("A", *events))
    lab.map = lab.map.replace(f"whole-{before}", f"pieces-{before}")
    pieces = [lab.run(trace("A", *events[:cut])) for cut in (*cuts, len(events))]

    assert sum(piece.new for piece in pieces) == whole.new == len(events)
    assert [n for piece in pieces for n in piece.nonconforming] == list(whole.nonconforming)
    one, other = lab.cases[-2:]
    assert (one.state, one.totals, one.time, one.held) == (other.state, other.totals, other.time, other.held)
    one_body, other_body = bodies(lab)[-2:]
    assert one_body == other_body


def test_a_log_too_long_to_be_kept_is_read_again(lab: Lab, several: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "KEPT", 5)
    told: list[tuple[int, int]] = []
    imported = lab.run(*several, progress=lambda done, whole: told.append((done, whole)))

    assert (imported.new, imported.loss["weight"]) == (28, Loss(mapped=7))
    assert lab.run(*several).new == 0
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]


def test_progress_comes_to_the_whole(lab: Lab, several: list[str]) -> None:
    told: list[tuple[int, int]] = []
    lab.run(*several, progress=lambda done, whole: told.append((done, whole)))

    size = (lab.folder / "log.xes").stat().st_size
    assert {whole for _, whole in told} == {2 * size}
    assert told[-1] == (2 * size, 2 * size)


def test_gzipped_or_plain_it_is_the_same_log(lab: Lab, several: list[str]) -> None:
    import gzip

    path = lab.write(*several)
    packed_ = path.with_name("log.xes.gz")
    packed_.write_bytes(gzip.compress(path.read_bytes()))
    assert lab.seat.import_log(packed_, lab.folder / "map.toml").new == 28
    assert lab.seat.import_log(path, lab.folder / "map.toml").new == 0


# who may


def test_an_import_takes_its_permission(lab: Lab, desk: Desk) -> None:
    path = lab.write(packed())
    with pytest.raises(Denied, match=r"import\.run"):
        desk.seat("user:eve", roles={"auditor"}).import_log(path, lab.folder / "map.toml")
    assert lab.cases == []


def test_two_desks_import_one_log_once(open_store: Callable[..., Desk], lab: Lab, several: list[str]) -> None:
    """The second one stands between the other's reading and writing: it meets the key, and finds nothing new."""
    other = open_store(plugins=[builtin]).seat("user:kim", roles={"admin"})
    path = lab.write(*several)
    original = importing._Importing._check

    def slow(self: Any, steps: Any) -> Any:
        checked = original(self, steps)
        if self.actor.name == "user:lee":
            other.import_log(path, lab.folder / "map.toml")
        return checked

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(importing._Importing, "_check", slow)
        assert lab.seat.import_log(path, lab.folder / "map.toml").new == 0
    assert len(lab.cases) == 7


def test_a_newer_version_that_the_desk_knows_stays_the_current_one(open_store: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_store(plugins=[builtin])
    lab = Lab(desk.seat("user:lee", roles={"admin"}), tmp_path)
    lab.order["version"] = "2.0"
    lab.write()
    desk.add_case_type(tmp_path / "order.json")
    lab.order["version"] = "1.0"

    lab.run(packed())

    assert desk.library.current("lab.order").says.version == "2.0"
    assert desk.library.pinned(desk.shelf("main"), lab.cases[0].definition).says.version == "1.0"
