"""Keys in good hands: rotated while others work, killed in the middle, destroyed, sealed for an escrow, drilled."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from casekit import BadInput, Desk, StoreFailed
from casekit.store.escrow import Holder, Passphrase, Recipient, seal, unseal
from casekit.store.keys import read_keyring
from casekit.store.writing import Conflict
from keeping import rotator
from keeping.conftest import PLUGINS, Filled, auditor, operator, rows

WORDS = Passphrase("six words that were drawn by lot")


def keks(url: str) -> set[str]:
    return {row[3] for row in rows(url)["data_keys"]}


def test_a_rotation_wraps_everything_anew_and_changes_nothing_else(filled: Filled) -> None:
    before = rows(filled.url)
    (old,) = keks(filled.url)
    done = filled.keeper.rotate()
    after = rows(filled.url)

    assert (done.older, done.rewrapped, done.resumed) == ((old,), len(before["data_keys"]), False)
    assert keks(filled.url) == {done.current}
    assert [row[:3] for row in after["data_keys"]] == [row[:3] for row in before["data_keys"]], "the data keys are the same ones"
    assert set(before["entries"]) <= set(after["entries"])
    assert after["search"] == before["search"]
    assert auditor(filled.desk) == []
    assert stat.S_IMODE((filled.folder / "keys").stat().st_mode) == 0o600


def test_what_shows_keys_shows_none(filled: Filled) -> None:
    filled.keeper.rotate()
    shown = filled.keeper.keys()
    ring = json.loads((filled.folder / "keys").read_text())
    assert set(shown.older) == set(ring["keys"]) - {ring["current"]}
    assert shown.wraps == {ring["current"]: len(rows(filled.url)["data_keys"])}
    assert not [key for key in (*ring["keys"].values(), ring["index"]) if key in repr(shown)]


def test_a_desk_that_was_open_before_goes_on_after_a_rotation_elsewhere(filled: Filled, open_store: Callable[..., Desk]) -> None:
    """Two desks are two processes to a keyring: neither is told."""
    other = open_store(plugins=PLUGINS, documents=filled.folder / "documents")
    lee = other.seat("user:lee", roles={"clerk"})
    assert lee.get_party(filled.office.people["maria"]).name == "Maria Silva"
    done = filled.keeper.rotate()
    filled.keeper.destroy_key(done.older[0], at_once=True)

    assert lee.get_party(filled.office.people["shop"]).name == "Haus GmbH"
    made = lee.party("person", name="Made after the rotation")
    assert keks(filled.url) == {done.current}
    assert filled.desk.seat("user:lee", roles={"clerk"}).get_party(made).name == "Made after the rotation"


def test_a_data_key_that_a_destroyed_key_wraps_is_never_written(filled: Filled, open_store: Callable[..., Desk]) -> None:
    other = open_store(plugins=PLUGINS, documents=filled.folder / "documents")
    shelf = other.shelf("main")
    work = other.work(shelf)
    stream = work.new("party")
    work.make_key(stream.uuid)  # a command is under way …
    done = filled.keeper.rotate()
    filled.keeper.destroy_key(done.older[0], at_once=True)
    with pytest.raises(Conflict, match="the keyring has changed"):
        work.flush()  # … and would write what nobody can open


def test_a_key_in_use_is_not_destroyed(filled: Filled, clock: Any) -> None:
    (old,) = keks(filled.url)
    with pytest.raises(BadInput, match="is the current key"):
        filled.keeper.destroy_key(old)
    with pytest.raises(BadInput, match="has no key nonsense"):
        filled.keeper.destroy_key("nonsense", at_once=True)
    filled.keeper.rotate()
    with pytest.raises(BadInput, match="may be under way"):
        filled.keeper.destroy_key(old)
    clock.forward(minutes=11)
    filled.keeper.destroy_key(old)
    assert set(read_keyring(filled.folder / "keys").keys) == keks(filled.url)


def test_a_destroyed_key_is_in_no_file(filled: Filled) -> None:
    ring = json.loads((filled.folder / "keys").read_text())
    opened = os.open(filled.folder / "keys", os.O_RDONLY)  # the old file, whatever becomes of its name
    done = filled.keeper.rotate()
    between = os.open(filled.folder / "keys", os.O_RDONLY)
    filled.keeper.destroy_key(done.older[0], at_once=True)
    key = ring["keys"][ring["current"]].encode()
    assert key not in os.pread(between, 10**6, 0), "the bytes of the file that was replaced are overwritten"
    assert key not in b"".join(path.read_bytes() for path in filled.folder.rglob("*") if path.is_file())
    os.close(opened)
    os.close(between)


def test_killed_at_any_moment_a_rotation_leaves_a_store_that_opens(
    engine: str, filled: Filled, open_store: Callable[..., Desk], record_property: Any
) -> None:
    lee = filled.desk.seat("user:lee", roles={"clerk"})
    people = [lee.party("person", name=f"Person {i}").id for i in range(12)]
    dice, kills, rotations, resumed = random.Random(os.urandom(8)), 12 if engine == "sqlite" else 6, 0, 0
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, rotator.__file__, str(filled.folder), filled.url], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(dice.uniform(0.0, 0.15))
        process.send_signal(signal.SIGKILL)
        lines = process.communicate()[0].splitlines()
        rotations += len(lines)
        ring = read_keyring(filled.folder / "keys")
        assert keks(filled.url) <= set(ring.keys)
        fresh = open_store(plugins=PLUGINS, documents=filled.folder / "documents")
        assert [fresh.seat("user:lee", roles={"clerk"}).get_party(one).name for one in people] == [f"Person {i}" for i in range(12)]
        resumed += operator(fresh).rotate().resumed
        assert len(keks(filled.url)) == 1
        fresh.close()
    record_property("figure", f"{kills} kills, {rotations} rotations done, {resumed} taken up again")


@pytest.fixture
def pair() -> tuple[bytes, bytes]:
    private = X25519PrivateKey.generate()
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def test_an_escrow_opens_this_store_and_the_drill_proves_it_without_the_keyring(
    filled: Filled, open_store: Callable[..., Desk], pair: tuple[bytes, bytes]
) -> None:
    filled.keeper.escrow(filled.folder / "safe", WORDS)
    filled.keeper.escrow(filled.folder / "notary", Recipient(pair[1]))
    kept = (filled.folder / "keys").read_bytes()
    (filled.folder / "keys").unlink()
    before, files = rows(filled.url), sorted(filled.folder.rglob("*"))
    fresh = operator(open_store(plugins=PLUGINS, documents=filled.folder / "documents"))

    for file, by in (("safe", WORDS), ("notary", Holder(pair[0]))):
        drilled = fresh.drill(filled.folder / file, by)
        assert (drilled.opens, drilled.keys) == (True, len(before["data_keys"]))
    assert rows(filled.url) == before
    assert [path for path in filled.folder.rglob("*") if path not in files and not path.name.startswith("store.db-")] == []

    assert fresh.recover(filled.folder / "notary", Holder(pair[0])) == filled.folder / "keys"
    assert (filled.folder / "keys").read_bytes() == kept
    assert stat.S_IMODE((filled.folder / "keys").stat().st_mode) == 0o600
    with pytest.raises(BadInput, match="there is a keyring already"):
        fresh.recover(filled.folder / "safe", WORDS)


def test_an_escrow_from_before_a_rotation_is_found_out_by_the_drill(filled: Filled) -> None:
    filled.keeper.escrow(filled.folder / "safe", WORDS)
    filled.keeper.rotate()
    drilled = filled.keeper.drill(filled.folder / "safe", WORDS)
    assert (drilled.opens, drilled.keys) == (False, 0)
    assert drilled.shut


def test_another_store_s_escrow_a_wrong_passphrase_and_a_wrong_key_are_refused(
    filled: Filled, open_store: Callable[..., Desk], another: Callable[..., str], pair: tuple[bytes, bytes]
) -> None:
    filled.keeper.escrow(filled.folder / "safe", WORDS)
    filled.keeper.escrow(filled.folder / "notary", Recipient(pair[1]))
    other = open_store(store=another("other"), plugins=PLUGINS, keys=filled.folder / "other keys")
    other.seat("user:lee", roles={"clerk"}).party("person", name="x")
    stranger = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    refused: list[tuple[str, Callable[[], Any]]] = [
        ("of another store", lambda: operator(other).drill(filled.folder / "safe", WORDS)),
        ("does not open it", lambda: filled.keeper.drill(filled.folder / "safe", Passphrase("six words of somebody else"))),
        ("does not open it", lambda: filled.keeper.drill(filled.folder / "notary", Holder(stranger))),
        ("under a passphrase", lambda: filled.keeper.drill(filled.folder / "safe", Holder(pair[0]))),
        ("holder of a private key", lambda: filled.keeper.drill(filled.folder / "notary", WORDS)),
        ("no escrow", lambda: filled.keeper.drill(filled.folder / "keys", WORDS)),
        ("can't be read", lambda: filled.keeper.drill(filled.folder / "nothing", WORDS)),
        ("there is a file already", lambda: filled.keeper.escrow(filled.folder / "safe", WORDS)),
        ("no public key for X25519", lambda: filled.keeper.escrow(filled.folder / "x", Recipient(pair[0]))),
        ("no public key for X25519", lambda: filled.keeper.escrow(filled.folder / "x", Recipient(of_another_kind()))),
        ("no private key for X25519", lambda: filled.keeper.drill(filled.folder / "notary", Holder(pair[1]))),
        ("7 characters", lambda: Passphrase("1234567")),
    ]
    for what, command in refused:
        with pytest.raises(BadInput, match=what):
            command()
    assert not (filled.folder / "x").exists()


def of_another_kind() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_every_changed_bit_of_an_escrow_shuts_it(pair: tuple[bytes, bytes]) -> None:
    text = seal(b"the keyring", {"what": "keyring"}, Recipient(pair[1])).encode()
    said = json.loads(text)
    assert unseal(text, "escrow", Holder(pair[0]))[1] == b"the keyring"
    shut = 0
    for at in range(len(text)):
        for bit in range(8):
            raw = bytearray(text)
            raw[at] ^= 1 << bit
            if _says(bytes(raw)) != said:  # a space between two members may become a tab
                with pytest.raises(BadInput):
                    unseal(bytes(raw), "escrow", Holder(pair[0]))
                shut += 1
    assert shut > 7 * len(text)


def _says(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def test_an_escrow_can_be_opened_with_nothing_but_the_primitives(filled: Filled, pair: tuple[bytes, bytes]) -> None:
    """What the page on formats says is all that one needs."""
    from base64 import b64decode

    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    filled.keeper.escrow(filled.folder / "safe", WORDS)
    filled.keeper.escrow(filled.folder / "notary", Recipient(pair[1]))
    for name in ("safe", "notary"):
        said = json.loads((filled.folder / name).read_text())
        sealed = b64decode(said.pop("sealed"))
        bound = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        if name == "safe":
            key = Scrypt(b64decode(said["salt"]), 32, n=2**17, r=8, p=1).derive(WORDS.text.encode())
        else:
            private: Any = load_pem_private_key(pair[0], None)
            shared = private.exchange(X25519PublicKey.from_public_bytes(b64decode(said["with"])))
            key = HKDF(SHA256(), 32, b64decode(said["with"]) + b64decode(said["for"]), b"casekit escrow 1").derive(shared)
        opened = ChaCha20Poly1305(key).decrypt(b64decode(said["nonce"]), sealed, bound)
        assert json.loads(opened) == json.loads((filled.folder / "keys").read_text())


def test_another_keyring_in_the_place_of_ours_is_not_taken_in(filled: Filled) -> None:
    from casekit.store.keys import make_keyring

    kept = (filled.folder / "keys").read_bytes()
    (filled.folder / "keys").unlink()
    make_keyring(filled.folder / "keys")
    with pytest.raises(StoreFailed, match="another keyring lies there"):
        filled.desk.seat("user:lee", roles={"clerk"}).party("person", name="x")
    (filled.folder / "keys").write_bytes(kept)
