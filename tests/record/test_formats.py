"""The formats as docs/reference/formats.md says them, computed anew without casekit; then casekit against that."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casekit.record import entry as record
from casekit.record.checkpoint import leaf_data
from casekit.record.envelope import associated, pack, unpack
from casekit.record.fold import fold, touches_head

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"
EXAMPLE: dict[str, Any] = json.loads(PAGE.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0])


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def applied(head: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    """What the page says of the changes in the example, by hand."""
    head = deepcopy(head)
    for change in changes:
        match change["c"]:
            case "open":
                machine = {"active": [], "category": "open", "clocks": {}, "cycle": 1, "history": {}, "items": {}, "memory": {}}
                head = {"stream": "case", "version": 0, "data": {}, "sealed": {}, "facts": {}, "parties": {}, "documents": {}}
                head |= {"machine": machine | {"totals": {}}, **change["set"]}
            case "data":
                head["data"] |= change["set"]
                head["sealed"] |= change["sealed"]
            case "role":
                head["parties"][change["role"]] = {change["party"]: {}}
            case "machine":
                head["machine"] |= change["set"]
            case "totals":
                head["machine"]["totals"] |= change["set"]
            case "head":
                head |= change["set"]
    if changes:
        head["version"] += 1
    return head


def test_hashes_and_states_of_the_example_by_hand() -> None:
    previous, head = bytes(32), {}
    for n, entry in enumerate(EXAMPLE["entries"], start=1):
        header, body = json.loads(entry["header"]), json.loads(entry["body"])
        head = applied(head, body["changes"])
        previous = sha256(previous + entry["header"].encode() + sha256(entry["body"].encode()).digest()).digest()

        assert previous.hex() == entry["hash"]
        assert canonical(head) == entry["head"]
        assert header["state"] == sha256(entry["head"].encode()).hexdigest()
        assert (header["n"], header["v"], header["tenant"], header["stream"]) == (n, 1, EXAMPLE["tenant"], EXAMPLE["stream"])
        for text in (entry["header"], entry["body"], header["spoke"]):
            assert canonical(json.loads(text)) == text


def test_the_envelope_of_the_example_by_hand() -> None:
    said = EXAMPLE["envelope"]
    version, key, nonce, ciphertext = said["sealed"].split(".")
    padded = ciphertext + "=" * (-len(ciphertext) % 4)
    cipher = AESGCM(bytes.fromhex(EXAMPLE["data_key"]))

    assert (version, len(key)) == ("v1", 16)
    assert urlsafe_b64decode(nonce).hex() == said["nonce"]
    assert cipher.decrypt(bytes.fromhex(said["nonce"]), urlsafe_b64decode(padded), said["place"].encode()).decode() == said["text"]
    assert said["sealed"] in EXAMPLE["entries"][0]["body"]


def test_casekit_writes_the_example() -> None:
    previous, head = record.START, None
    for entry in EXAMPLE["entries"]:
        said = json.loads(entry["header"])
        columns = [said[name] if name != "state" else bytes.fromhex(said[name]) for name in record.COLUMNS[:11]]
        changes = json.loads(entry["body"])["changes"]
        head, _ = fold(head, changes, said["n"])
        header = record.header(EXAMPLE["tenant"], EXAMPLE["stream"], *columns)
        previous = record.link(previous, header, entry["body"])

        assert header == entry["header"]
        assert record.state_digest(canonical(head)).hex() == said["state"]
        assert previous.hex() == entry["hash"]


def test_casekit_packs_the_envelope() -> None:
    said = EXAMPLE["envelope"]
    opened = unpack(said["sealed"])

    assert associated(EXAMPLE["tenant"], EXAMPLE["stream"], "data").decode() == said["place"]
    assert pack(opened.key, opened.nonce, opened.ciphertext) == str(opened) == said["sealed"]


def test_the_leaf_of_the_page_is_the_first_entry_of_the_example() -> None:
    leaf = re.search(r"^    (\{\"hash\".*\})$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert leaf is not None
    assert leaf[1] == canonical({"hash": EXAMPLE["entries"][0]["hash"], "n": 1, "stream": EXAMPLE["stream"]})
    assert leaf_data(EXAMPLE["stream"], 1, bytes.fromhex(EXAMPLE["entries"][0]["hash"])) == leaf[1].encode()


def test_the_page_names_every_change_and_every_column() -> None:
    page = PAGE.read_text(encoding="utf-8")
    from casekit.record import fold as room

    for change in ("open", *room._FOLD):
        assert f"| `{change}` |" in page
    for column in record.COLUMNS:
        assert f"`{column}`" in page
    assert {c for c in room._FOLD if not touches_head({"c": c})} == {"message", "posting", "fact"}
    assert touches_head({"c": "fact", "latest": {}})
