"""Signed notes and checkpoints against the examples of others: Go's sumdb/note, and the texts of C2SP."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from casekit.record.checkpoint import Checkpoint, Leaf
from casekit.record.merkle import leaf_hash
from casekit.record.note import PLAIN, TIMED, Malformed, Note, PublicKey, Signature, Unproved, proved, timed_message

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
BY_PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
"""Keys, text and signatures of the tests of golang.org/x/mod/sumdb/note."""

SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
"""The example of the specifications tlog-checkpoint and tlog-cosignature."""

peter, enoch = PublicKey.parse(PETER), PublicKey.parse(ENOCH)


def test_a_note_of_others_is_proved() -> None:
    note = Note.parse(f"{TEXT}\n{BY_PETER}{BY_ENOCH}")

    assert note.text == TEXT
    assert str(note) == f"{TEXT}\n{BY_PETER}{BY_ENOCH}"
    assert [one.key for one in proved(note, [peter])] == [peter]
    assert [one.key for one in proved(note, [enoch, peter])] == [peter, enoch]
    assert [one.key for one in proved(Note.parse(f"{TEXT}\n{BY_PETER}{BY_PETER}"), [peter])] == [peter]
    assert str(peter) == PETER


def test_our_signature_is_theirs() -> None:
    """Ed25519 has one signature for a text: ours must be the one that Go's test wants."""
    private = Ed25519PrivateKey.from_private_bytes(SEED)

    assert private.public_key().public_bytes_raw() == peter.key
    assert str(Signature("PeterNeumann", peter.id, private.sign(TEXT.encode()))) == BY_PETER


@pytest.mark.parametrize("keys", [[], [enoch], [PublicKey("PeterNeumann", PLAIN, enoch.key)], [PublicKey("Peter", PLAIN, peter.key)]])
def test_a_note_that_nobody_known_has_signed_proves_nothing(keys: list[PublicKey]) -> None:
    with pytest.raises(Unproved, match="PeterNeumann"):
        proved(Note.parse(f"{TEXT}\n{BY_PETER}"), keys)


def test_one_wrong_signature_of_a_known_key_is_enough_to_refuse_all() -> None:
    note = Note.parse(f"{TEXT.replace('answer', 'question')}\n{BY_PETER}")
    forged = Note(TEXT, (*Note.parse(f"{TEXT}\n{BY_PETER}").signatures, Signature("EnochRoot", enoch.id, bytes(64))))

    with pytest.raises(Unproved, match="does not fit"):
        proved(note, [peter])
    with pytest.raises(Unproved, match="EnochRoot"):
        proved(forged, [peter, enoch])
    assert [one.key for one in proved(forged, [peter])] == [peter]


@pytest.mark.parametrize(
    "said",
    [
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n{BY_PETER[:-1]}",
        f"\x01{TEXT}\n{BY_PETER}",
        b"\xff" + f"{TEXT}\n{BY_PETER}".encode(),
        f"{TEXT}\n{BY_PETER.replace('PeterNeumann', 'Bad Name')}",
        f"{TEXT}\n{BY_PETER.replace('PeterNeumann', 'a+b')}",
        f"{TEXT}\n{BY_PETER}Unexpected line.\n",
        f"{TEXT}\n{BY_PETER * 101}",
        f"{TEXT}\n{BY_PETER.replace('nAM=', 'nAN=')}",
        f"{TEXT}\n— PeterNeumann x08goA==\n",
        f"{TEXT}\n— PeterNeumann\n",
        f"{TEXT}\n" + BY_PETER.replace("— ", "- "),
        f"\n\n{BY_PETER}",
        "\ud800\n\n" + BY_PETER,
        "",
        b"",
    ],
)
def test_what_is_no_note_is_refused(said: Any) -> None:
    with pytest.raises(Malformed):
        Note.parse(said)


def test_a_note_may_have_a_hundred_signatures_and_empty_lines_within() -> None:
    assert len(Note.parse(f"one\n\ntwo\n\n{BY_PETER * 100}").signatures) == 100
    assert Note.parse(f"one\n\ntwo\n\n{BY_PETER}").text == "one\n\ntwo\n"


def test_every_part_of_a_key_counts() -> None:
    for i in range(len(PETER)):
        with pytest.raises(Malformed):
            PublicKey.parse(PETER[:i] + chr(ord(PETER[i]) + 1) + PETER[i + 1 :])
        if i:
            with pytest.raises(Malformed):
                PublicKey.parse(PETER[i:])
            with pytest.raises(Malformed):
                PublicKey.parse(PETER[:i])
    for other in (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # too long, its id put right
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # of an unknown kind, its id put right
    ):
        with pytest.raises(Malformed):
            PublicKey.parse(other)


def test_the_checkpoint_of_the_specification() -> None:
    note = Note.parse(SOFA)
    checkpoint = Checkpoint.parse(note.text)

    assert (checkpoint.origin, checkpoint.size, checkpoint.more) == ("example.com/behind-the-sofa", 20852163, ())
    assert b64encode(checkpoint.root).decode() == "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    assert str(checkpoint) == note.text
    assert str(note) == SOFA
    witness = note.signatures[1]
    assert (witness.name, witness.id.hex(), int.from_bytes(witness.raw[:8]), len(witness.raw)) == (
        "witness.example.com/w1", "8d66cf3f", 1679315147, 72,
    )  # fmt: skip


def test_the_message_of_a_timed_signature_is_that_of_the_specification() -> None:
    assert timed_message(Note.parse(SOFA).text, 1679315147).decode() == (
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_a_witness_is_proved_with_its_time_and_no_other() -> None:
    private = Ed25519PrivateKey.from_private_bytes(SEED)
    witness = PublicKey("witness.example.com/w1", TIMED, private.public_key().public_bytes_raw())
    raw = (77).to_bytes(8) + private.sign(b"cosignature/v1\ntime 77\n" + TEXT.encode())
    note = Note.parse(f"{TEXT}\n{BY_PETER}{Signature(witness.name, witness.id, raw)}")

    assert [(one.key, one.time) for one in proved(note, [peter, witness])] == [(peter, None), (witness, 77)]
    assert PublicKey.parse(str(witness)) == witness
    late = Note(TEXT, (Signature(witness.name, witness.id, (78).to_bytes(8) + raw[8:]),))
    plain = Note(TEXT, (Signature(witness.name, witness.id, private.sign(TEXT.encode())),))
    for wrong in (late, plain, Note(TEXT, (Signature(witness.name, witness.id, raw[:-1]),))):
        with pytest.raises(Unproved, match="does not fit"):
            proved(wrong, [witness])


ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    "text",
    [
        f"log\n1\n{ROOT}",
        f"log\n1\n{ROOT}\n\n",
        f"\n1\n{ROOT}\n",
        f"log\n01\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n+1\n{ROOT}\n",
        f"log\n1 \n{ROOT}\n",
        f"log\n¹\n{ROOT}\n",
        f"log\n{2**63}\n{ROOT}\n",
        "log\n1\n",
        "log\n1\nAAAA\n",
        f"log\n1\n{ROOT[:-2]}J=\n",
        f"log\n1\n {ROOT}\n",
        f"log\n1\n{ROOT}\nmore\n\nmore\n",
        "",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


@given(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_a_checkpoint_is_read_as_it_was_written(origin: str, size: int, root: bytes) -> None:
    for more in ((), ("one", "two words")):
        checkpoint = Checkpoint(origin, size, root, more)

        assert Checkpoint.parse(str(checkpoint)) == checkpoint


def test_a_leaf_is_canonical_json_of_what_it_names() -> None:
    leaf = Leaf(7, "01932f9a-7c00-7000-8000-000000000001", 3, bytes(range(32)))

    assert leaf.data == b'{"hash":"' + bytes(range(32)).hex().encode() + b'","n":3,"stream":"01932f9a-7c00-7000-8000-000000000001"}'
    assert leaf.hashed == leaf_hash(leaf.data)
    assert Leaf(8, leaf.stream, leaf.n, leaf.hash).hashed == leaf.hashed
