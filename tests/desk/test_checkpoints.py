from __future__ import annotations

import json
import random
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casekit import BadInput, Denied, Desk, Seat, StoreFailed
from casekit.desk import checkpoints
from casekit.desk.library import log
from casekit.desk.logcheck import DISPOSALS
from casekit.desk.work import new_uuid
from casekit.record.checkpoint import Checkpoint, Leaf
from casekit.record.merkle import root
from casekit.record.note import PLAIN, TIMED, Note, PublicKey, Signature, proved, timed_message
from casekit.store import leaves
from casekit.store.signing import read_signing


def persons(seat: Seat, count: int) -> list[str]:
    return [seat.party("person", name=f"Person {i}").id for i in range(count)]


def test_a_checkpoint_is_the_signed_root_over_every_entry_of_every_stream(seat: Seat, desk: Desk) -> None:
    people = persons(seat, 3)
    seat.change_party(people[0], phone="1234")
    made = seat.checkpoint()

    shelf = desk.shelf("main")
    rows = shelf.connection.execute(
        "SELECT s.uuid, e.n, e.hash FROM entries e JOIN streams s ON s.sid = e.sid ORDER BY s.sid, e.n"
    ).fetchall()
    expected = [Leaf(i, uuid, n, bytes(hash_)).hashed for i, (uuid, n, hash_) in enumerate(rows[:-1])]  # the last tells of the checkpoint
    note = Note.parse(made.note)
    checkpoint = Checkpoint.parse(note.text)
    assert (made.size, made.fresh) == (4, True)
    assert checkpoint == Checkpoint(made.origin, 4, root(expected))
    signed = proved(note, [PublicKey.parse(seat.checkpoint_key())])
    assert [one.key.name for one in signed] == [made.origin]
    assert seat.checkpoints() == (checkpoints.Made(made.origin, 4, made.root, made.made, made.note),)


def test_nothing_new_makes_no_new_checkpoint(seat: Seat, desk: Desk) -> None:
    persons(seat, 1)
    first = seat.checkpoint()
    again = seat.checkpoint()

    assert (again.fresh, again.note, again.made) == (False, first.note, first.made)
    assert len(seat.checkpoints()) == 1
    persons(seat, 1)
    assert [made.size for made in (seat.checkpoint(), *seat.checkpoints())] == [3, 3, 1]


@pytest.mark.parametrize("rounds", [7])
def test_growing_bit_by_bit_gives_the_roots_of_the_whole(seat: Seat, desk: Desk, rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "BATCH", 3)
    monkeypatch.setattr(leaves, "PAGE", 2)
    dice = random.Random(5)
    people = persons(seat, 2)
    for _ in range(rounds):
        for _ in range(dice.randrange(1, 6)):
            people += persons(seat, 1)
            seat.change_party(dice.choice(people), phone=str(dice.randrange(10**6)))
        seat.checkpoint()

    hashed = [leaf.hashed for leaf in leaves.leaves(desk.shelf("main"))]
    for made in seat.checkpoints():
        assert made.root == root(hashed[: made.size]).hex()


def test_old_checkpoints_stand_while_the_record_goes_on(seat: Seat, clock: Any) -> None:
    kept = []
    people = persons(seat, 1)
    for _ in range(4):
        kept.append(seat.checkpoint().note)
        people += persons(seat, 2)
        seat.change_party(people[0], phone="1")
        clock.forward(days=1)
    seat.erase(people[1])
    kept.append(seat.checkpoint().note)

    for number, note in enumerate(kept):
        report = seat.verify(against=note)
        assert report.wrong == []
        assert report.against is not None
        assert report.against.later == seat.checkpoints()[0].size - report.against.size
        assert (report.against.trust, report.against.made is not None) == ("signing", True)
        assert (number == len(kept) - 1) == (report.against.later == 0)


def test_a_key_is_made_once_is_private_and_never_in_the_store(seat: Seat, desk: Desk, tmp_path: Path) -> None:
    persons(seat, 1)
    seat.checkpoint()
    path = desk.shelf("main").signing
    seed = json.loads(path.read_text())["seed"]

    assert path.name == "keys.signing"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for file in tmp_path.iterdir():
        if file.is_file() and file != path:
            assert seed.encode() not in file.read_bytes()


def test_a_fresh_key_is_vouched_for_by_the_old_one(seat: Seat, desk: Desk) -> None:
    persons(seat, 1)
    old, before = seat.checkpoint(), seat.checkpoint_key()
    seed = read_signing(desk.shelf("main").signing).seed
    turned = seat.rotate_signing()
    persons(seat, 1)
    later, now = seat.checkpoint(), seat.checkpoint_key()

    assert now != before
    assert {str(one.key) for one in proved(Note.parse(turned.note), map(PublicKey.parse, (before, now)))} == {before, now}
    assert seat.verify(against=old.note).ok
    assert seat.verify(against=turned.note, keys=[before]).ok
    assert seat.verify(against=turned.note, keys=[now]).ok
    with pytest.raises(BadInput, match="none of these keys is known"):
        seat.verify(against=later.note, keys=[before])
    assert seed != read_signing(desk.shelf("main").signing).seed
    said = checkpoints.entries(desk.shelf("main"), checkpoints.LOG)
    assert ("rotate", {"key": now, "before": before}) in [(kind, about) for kind, about, _ in said]


def test_run_due_makes_one_when_it_is_time(open_store: Callable[..., Desk], clock: Any) -> None:
    desk = open_store(checkpoints="PT1H")
    seat = desk.seat("user:lee", roles={"clerk"})
    persons(seat, 1)
    sizes = []
    for minutes in (0, 30, 31, 61, 61):
        clock.forward(minutes=minutes)
        sizes.append(seat.run_due().checkpoint)
        if minutes == 30:
            persons(seat, 1)

    assert sizes == [1, 0, 3, 0, 0]
    assert open_store().seat("user:lee", roles={"clerk"}).run_due().checkpoint == 0
    with pytest.raises(BadInput, match="no duration"):
        open_store(checkpoints="hourly")


def test_only_who_may_makes_checkpoints(desk: Desk, seat: Seat) -> None:
    persons(seat, 1)
    seat.checkpoint()
    eve = desk.seat("user:eve", roles={"reader"})
    for ask in (eve.checkpoint, eve.rotate_signing, eve.checkpoints, eve.checkpoint_key, eve.verify, lambda: eve.checkpoint(origin="e")):
        with pytest.raises(Denied):
            ask()
    auditor = desk.seat("user:ada", roles={"auditor"})
    assert auditor.checkpoints()[0].size == 1
    with pytest.raises(Denied):
        auditor.checkpoint()


def test_what_is_no_checkpoint_of_this_log_is_refused_in_words(
    seat: Seat, desk: Desk, tmp_path: Path, open_store: Callable[..., Desk]
) -> None:
    persons(seat, 1)
    note, key = seat.checkpoint().note, seat.checkpoint_key()
    file = tmp_path / "kept"
    file.write_text(note)
    assert seat.verify(against=file).ok
    assert seat.verify(against=str(file), keys=[key]).ok
    (tmp_path / "key").write_text(f"# ours\n{key}\n")
    assert seat.verify(against=file, keys=[tmp_path / "key"]).ok

    private = Ed25519PrivateKey.generate()
    other = PublicKey("example.com/other", PLAIN, private.public_key().public_bytes_raw())
    text = note.partition("\n\n")[0].replace(note.partition("\n")[0], "example.com/other") + "\n"
    theirs = str(Note(text, (Signature(other.name, other.id, private.sign(text.encode())),)))
    cases: list[tuple[str, Any, list[str], str]] = [
        ("can't be read", tmp_path / "nowhere", [], "nowhere"),
        ("is no signed checkpoint", "words\n", [], "against"),
        ("is no signed checkpoint", f"words\n\n{note.partition(chr(10) * 2)[2]}", [], "against"),
        ("none of these keys is known", note, [str(other)], "against"),
        ("was changed", note.replace("\n1\n", "\n2\n"), [key], "against"),
        ("none of these keys is known", theirs, [], "against"),
        ("a checkpoint of the log example.com/other", theirs, [str(other)], "against"),
        ("a public key reads name", note, ["words"], "key"),
        ("id of the public key does not fit", note, [key.replace("+A", "+B", 1).replace("B", "A", 1)[:-2] + "AA"], "key"),
    ]
    for what, given, keys, where in cases:
        with pytest.raises(BadInput, match=what) as refused:
            seat.verify(against=given, keys=keys)
        assert where in refused.value.problems[0].where, what


def test_a_witness_that_cosigned_is_proved_too(seat: Seat) -> None:
    persons(seat, 1)
    note, key = Note.parse(seat.checkpoint().note), seat.checkpoint_key()
    private = Ed25519PrivateKey.generate()
    witness = PublicKey("witness.example.com/w1", TIMED, private.public_key().public_bytes_raw())
    raw = (1_900_000_000).to_bytes(8) + private.sign(timed_message(note.text, 1_900_000_000))
    cosigned = str(Note(note.text, (*note.signatures, Signature(witness.name, witness.id, raw))))

    both = seat.verify(against=cosigned, keys=[key, str(witness)])
    alone = seat.verify(against=cosigned, keys=[str(witness)])
    assert both.ok
    assert alone.ok
    assert both.against is not None
    assert alone.against is not None
    assert both.against.signed_by == (key, str(witness))
    assert both.against.made == "2026-11-25T10:00:00.000000Z"
    assert (alone.against.signed_by, alone.against.made) == ((str(witness),), None)
    assert seat.verify(against=cosigned).against is not None


def test_without_the_key_file_the_word_of_the_store_is_all_there_is_and_nothing_is_signed(seat: Seat, desk: Desk) -> None:
    persons(seat, 1)
    note = seat.checkpoint().note
    path = desk.shelf("main").signing
    kept = path.read_bytes()
    path.unlink()

    report = seat.verify(against=note)
    assert report.ok
    assert report.against is not None
    assert report.against.trust == "store"
    persons(seat, 1)
    for ask in (seat.checkpoint, seat.rotate_signing, seat.checkpoint_key):
        with pytest.raises(StoreFailed, match="are not there"):
            ask()
    path.write_bytes(kept[:-20])
    with pytest.raises(StoreFailed, match="no signing keys"):
        seat.checkpoint()
    assert [w.table for w in seat.verify().wrong] == ["signing"]
    path.write_bytes(kept)
    assert seat.checkpoint().size == 3
    assert seat.verify(against=note).ok


def test_an_older_copy_of_a_store_is_known_by_the_keys_and_goes_on_under_another_name(
    open_store: Callable[..., Desk], engine: str, store_url: str, tmp_path: Path
) -> None:
    from proofs.forger import put_back, taken_out

    seat = open_store().seat("user:lee", roles={"clerk"})
    persons(seat, 2)
    first = seat.checkpoint()
    older = taken_out(engine, store_url, tmp_path)
    persons(seat, 2)
    lost = seat.checkpoint()
    put_back(engine, store_url, tmp_path, older)
    seat = open_store().seat("user:lee", roles={"clerk"})

    assert ["older copy" in w.what for w in seat.verify().wrong] == [True]
    persons(seat, 1)
    with pytest.raises(StoreFailed, match="was cut, or is an older copy"):
        seat.checkpoint()
    persons(seat, 4)
    with pytest.raises(StoreFailed, match="not those for which a checkpoint was signed"):
        seat.checkpoint()
    assert [made.size for made in seat.checkpoints()] == [first.size]

    made = seat.checkpoint(origin="example.com/second")
    assert (made.origin, made.fresh) == ("example.com/second/main", True)
    assert seat.verify().ok
    assert seat.verify(against=made.note).ok
    assert seat.verify(against=first.note).ok
    assert not seat.verify(against=lost.note).ok
    with pytest.raises(BadInput, match="no name of a log"):
        seat.checkpoint(origin="two words")


def disposed(desk: Desk, uuid: str, n: int | None = None) -> None:
    """Takes a stream away as a disposal will, and leaves its grave in the desk log."""
    shelf = desk.shelf("main")
    connection = shelf.connection
    mark = "?" if shelf.sqlite else "%s"
    sid, last, hash_ = connection.execute(f"SELECT sid, n, hash FROM streams WHERE uuid = {mark}", (uuid,)).fetchone()
    work = desk.work(shelf)
    about = {"streams": [{"stream": uuid, "n": n or last, "hash": bytes(hash_).hex()}]}
    log(work, DISPOSALS, "dispose", about, actor="user:lee", recorded=desk.now(), command=new_uuid())
    work.flush()
    for table in ("entries", "search", "idempotency", "outbox", "streams"):
        connection.execute(f"DELETE FROM {table} WHERE sid = {mark}", (sid,))
    connection.execute(f"DELETE FROM data_keys WHERE owner = {mark}", (uuid,))


def test_a_disposal_leaves_old_checkpoints_whole(seat: Seat, desk: Desk) -> None:
    people = persons(seat, 3)
    seat.change_party(people[1], phone="1")
    note = seat.checkpoint().note
    seat.change_party(people[1], phone="2")
    seat.checkpoint()  # a disposal takes the stream in whole, before it goes
    disposed(desk, people[1])

    report = seat.verify(against=note)
    assert report.wrong == []
    assert report.against is not None
    assert report.against.disposed == (people[1],)
    seat.checkpoint()
    assert seat.verify(against=note).wrong == []


def test_a_grave_must_fit_what_the_log_took_in(open_store: Callable[..., Desk]) -> None:
    desk = open_store()
    seat = desk.seat("user:lee", roles={"clerk"})
    people = persons(seat, 2)
    seat.change_party(people[0], phone="1")
    note = seat.checkpoint().note
    disposed(desk, people[0], n=1)  # says of the second entry that it was the only one

    assert [(w.stream, w.table) for w in seat.verify(against=note).wrong] == [(people[0], "leaves")]


def test_two_who_make_checkpoints_at_once_make_one_log(open_store: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "BATCH", 2)
    desks = [open_store() for _ in range(3)]
    seats = [desk.seat("user:lee", roles={"clerk"}) for desk in desks]
    errors: list[BaseException] = []

    def work(seat: Seat) -> None:
        try:
            for _ in range(5):
                persons(seat, 2)
                seat.checkpoint()
        except BaseException as wrong:  # noqa: BLE001 - whatever it is, the test tells of it
            errors.append(wrong)

    persons(seats[0], 1)
    seats[0].checkpoint()
    threads = [threading.Thread(target=work, args=(seat,)) for seat in seats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert seats[0].verify().wrong == []
    for made in seats[0].checkpoints():
        assert seats[0].verify(against=made.note).ok


def test_a_checkpoint_is_not_made_of_a_damaged_log(open_store: Callable[..., Desk]) -> None:
    desk = open_store()
    seat = desk.seat("user:lee", roles={"clerk"})
    people = persons(seat, 3)
    seat.change_party(people[1], phone="1")
    shelf = desk.shelf("main")
    shelf.connection.execute("DELETE FROM entries WHERE n = 1 AND kind = 'party' AND sid = (SELECT sid FROM entries WHERE n = 2)")
    with pytest.raises(StoreFailed, match=f"stream {people[1]} lacks entry 1"):
        seat.checkpoint()
    assert seat.checkpoints() == ()
