"""schemas/ and the records are one: the files are what the generator writes, and both accept and refuse alike."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

import journal
import tenancy
from casekit.builtin.counting import counting_rules
from casekit.definition.calendars import Calendar
from casekit.definition.casetype import CaseType
from casekit.definition.counts import Count
from casekit.definition.load import canonical, structure
from casekit.definition.maprules import ImportMap
from casekit.errors import BadInput
from casekit.record.bundle import packed
from drawn import changed, values_of

ROOT = Path(__file__).parents[1]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_schemas", ROOT / "schemas" / "write.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


WRITE = generator()
SCHEMAS: dict[str, Any] = WRITE.schemas()
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
CASE_TYPE, MAP = VALIDATORS["case-type.schema.json"], VALIDATORS["import-map.schema.json"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_file_is_what_the_records_give(name: str) -> None:
    written = (ROOT / "schemas" / name).read_text(encoding="utf-8")

    assert written == WRITE.text(SCHEMAS[name]), "write them anew: make schemas"
    Draft202012Validator.check_schema(json.loads(written))


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in (ROOT / "schemas").glob("*.json")} == set(SCHEMAS)


def reads(value: Any, record: type) -> bool:
    try:
        structure(value, record, "x")
    except BadInput:
        return False
    return True


@given(values_of(CaseType))
def test_what_is_a_case_type_fits(value: Any) -> None:
    assert reads(value, CaseType)
    CASE_TYPE.validate(value)
    CASE_TYPE.validate(canonical(structure(value, CaseType, "x")))


@given(changed(CaseType))
def test_schema_and_reader_agree_on_case_types(value: Any) -> None:
    assert CASE_TYPE.is_valid(value) == reads(value, CaseType)


@given(changed(ImportMap))
def test_schema_and_reader_agree_on_maps(value: Any) -> None:
    assert MAP.is_valid(value) == reads(value, ImportMap)


@given(changed(Calendar))
def test_schema_and_reader_agree_on_calendars(value: Any) -> None:
    assert VALIDATORS["calendar.schema.json"].is_valid(value) == reads(value, Calendar)


@given(changed(Count))
def test_schema_and_reader_agree_on_rules_of_counting(value: Any) -> None:
    assert VALIDATORS["count.schema.json"].is_valid(value) == reads(value, Count)


def test_the_law_that_ships_fits() -> None:
    for book in counting_rules():
        for rule in book.versions:
            VALIDATORS["count.schema.json"].validate(canonical(rule))


def test_examples_fit() -> None:
    for path in (ROOT / "examples").glob("*/*.json"):
        CASE_TYPE.validate(json.loads(path.read_bytes()))
    for path in (ROOT / "examples").glob("*/map.toml"):
        MAP.validate(tomllib.loads(path.read_text(encoding="utf-8")))
    CASE_TYPE.validate(canonical(tenancy.DISPUTE))


def test_entries_and_streams_fit() -> None:
    stream = packed(journal.written(journal.EVERY))
    for entry in stream["entries"]:
        VALIDATORS["journal-entry.schema.json"].validate(entry)
    bundle = {
        "format": 1,
        "tenant": journal.TENANT,
        "case": stream["stream"],
        "exported": journal.WHEN["at"],
        "streams": [stream],
        "definitions": {"ab" * 32: "{}"},
        "readable": {},
    }
    VALIDATORS["export-bundle.schema.json"].validate(bundle)
    for gone in bundle:
        assert not VALIDATORS["export-bundle.schema.json"].is_valid({k: v for k, v in bundle.items() if k != gone})


def test_a_case_that_was_exported_fits(seat: Any) -> None:
    parties = {role: seat.party("person", name=role) for role in ("tenant", "landlord")}
    case = seat.open("tenancy.dispute", data={"deposit": "100.00 EUR", "story": "It was damp."}, parties=parties)
    VALIDATORS["export-bundle.schema.json"].validate(seat.export(case))
