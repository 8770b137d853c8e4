"""Schemas are read, made self-contained, and refused in words when a rule is broken."""

import copy
import re
from pathlib import Path
from typing import Any

import fastavro
import pytest

from deptbus.codec import Codec
from deptbus.errors import SchemaError
from deptbus.schemas import codec_schemas, load_schemas
from tests.catalogue.files import LEVEL, case_reported, field, record, write_schema

NOON_MS = 1_579_521_600_000


def test_a_shared_type_is_written_out_at_its_first_use(root: Path) -> None:
    fields = load_schemas(root).newest("health.CaseReported").schema["fields"]
    assert fields[1]["type"] == LEVEL
    assert fields[2]["type"] == ["null", "common.Level"]


def test_a_schema_stands_alone_and_keeps_its_attributes(root: Path) -> None:
    schema = load_schemas(root).newest("health.CaseReported").schema
    fastavro.parse_schema(schema, named_schemas={})
    patient = schema["fields"][4]["type"][1]
    assert patient["fields"][0]["personal"] is True
    assert schema["fields"][3]["type"]["logicalType"] == "timestamp-millis"


def test_versions_come_in_the_order_of_their_numbers(root: Path) -> None:
    for version in range(2, 12):
        write_schema(root, "health.CaseReported", case_reported(), version)
    store = load_schemas(root)
    assert [file.version for file in store.versions("health.CaseReported")] == list(range(1, 12))
    assert store.newest("health.CaseReported").version == 11
    assert store.types() == ("health.CaseReported",)


def test_an_unknown_type_says_which_file_to_add(root: Path) -> None:
    with pytest.raises(SchemaError, match=r"add schemas/health/CaseLost/v1\.avsc"):
        load_schemas(root).newest("health.CaseLost")


def test_the_codec_reads_timestamps_as_integers(root: Path) -> None:
    store = load_schemas(root)
    codec = Codec(codec_schemas(store, {("health.CaseReported", 1): 7}))
    data = {
        "number": "GD-1",
        "level": "HIGH",
        "before": None,
        "reported_at": NOON_MS,
        "patient": {"name": "李"},
        "tags": ["a"],
    }
    assert codec.decode(codec.encode("health.CaseReported", data)) == data


def test_a_schema_without_an_id_says_to_register_it(root: Path) -> None:
    with pytest.raises(SchemaError, match=r"health\.CaseReported v1; run `deptbus schemas register`"):
        codec_schemas(load_schemas(root), {})


def _spoiled(change: Any) -> dict[str, Any]:
    schema = copy.deepcopy(case_reported())
    change(schema)
    return schema


BROKEN = {
    "no doc on the record": (lambda s: s.pop("doc"), "the record health.CaseReported has no doc"),
    "no doc on a field": (lambda s: s["fields"][0].pop("doc"), "field number: the field has no doc"),
    "no doc on a nested field": (
        lambda s: s["fields"][4]["type"][1]["fields"][0].pop("doc"),
        "field patient.name: the field has no doc",
    ),
    "no doc on an enum": (
        lambda s: s["fields"].append(field("kind", {"type": "enum", "name": "Kind", "symbols": ["A"]})),
        "field kind: the enum health.Kind has no doc",
    ),
    "camelCase": (
        lambda s: s["fields"][0].update(name="caseNumber"),
        "field caseNumber: a field's name is in snake_case",
    ),
    "a Python keyword": (lambda s: s["fields"][0].update(name="class"), "field class: this name is reserved"),
    "another name": (
        lambda s: s.update(name="CaseFound"),
        "the full name is health.CaseFound, but folder and file say",
    ),
    "another namespace": (lambda s: s.update(namespace="cdc"), "the full name is cdc.CaseReported"),
    "an unknown type": (
        lambda s: s["fields"][0].update(type="common.Lost"),
        "field number: the type common.Lost is not",
    ),
    "a field twice": (
        lambda s: s["fields"].append(field("number", "string")),
        "field number: the record has two fields",
    ),
    "a default that does not fit": (
        lambda s: s["fields"][0].update(default=3),
        "field number: the default 3 does not fit string",
    ),
    "a default of a later branch": (
        lambda s: s["fields"][2].update(default="LOW"),
        "field before: the default 'LOW' does not fit null",
    ),
    "a logical type on the wrong type": (
        lambda s: s["fields"][3]["type"].update(type="int"),
        "stands on long, not on int",
    ),
    "an unknown logical type": (
        lambda s: s["fields"][3]["type"].update(logicalType="timestamp"),
        "'timestamp' is not one that Avro defines",
    ),
    "a decimal without precision": (
        lambda s: s["fields"].append(field("money", {"type": "bytes", "logicalType": "decimal"})),
        "field money: a decimal has a precision",
    ),
    "a union in a union": (
        lambda s: s["fields"].append(field("odd", ["null", ["int", "string"]])),
        "field odd: a union holds another union",
    ),
    "a symbol twice": (
        lambda s: s["fields"].append(
            field("kind", {"type": "enum", "name": "Kind", "doc": "It.", "symbols": ["A", "A"]})
        ),
        "holds a symbol twice",
    ),
    "an enum default that is no symbol": (
        lambda s: s["fields"].append(
            field("kind", {"type": "enum", "name": "Kind", "doc": "It.", "symbols": ["A"], "default": "B"})
        ),
        "the default 'B' of health.Kind is none of its symbols",
    ),
    "one name for two types": (
        lambda s: s["fields"].append(field("other", record("Patient", field("age", "int")))),
        "field other: the type health.Patient is defined twice and differently",
    ),
    "personal that is not true or false": (
        lambda s: s["fields"][0].update(personal="yes"),
        "field number: personal is true or false",
    ),
}


@pytest.mark.parametrize(("change", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_names_file_field_and_rule(root: Path, change: Any, expected: str) -> None:
    write_schema(root, "health.CaseReported", _spoiled(change))
    with pytest.raises(SchemaError, match=re.escape(expected)) as raised:
        load_schemas(root)
    assert str(raised.value).startswith("schemas/health/CaseReported/v1.avsc")


def test_broken_json_names_the_line(root: Path) -> None:
    write_schema(root, "health.CaseReported", '{\n  "type": "record",\n  "name": }')
    with pytest.raises(SchemaError, match=r"v1\.avsc, line 3, column 11: this is not valid JSON"):
        load_schemas(root)


def test_a_key_that_stands_twice_is_refused(root: Path) -> None:
    write_schema(root, "health.CaseReported", '{"type": "record", "type": "enum"}')
    with pytest.raises(SchemaError, match="the key 'type' stands twice"):
        load_schemas(root)


def test_a_broken_shared_type_is_reported_once_at_its_own_file(root: Path) -> None:
    write_schema(root, "common.Level", {key: value for key, value in LEVEL.items() if key != "doc"})
    with pytest.raises(SchemaError) as raised:
        load_schemas(root)
    assert str(raised.value) == "schemas/common/Level.avsc: the enum common.Level has no doc."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CaseReported/v3.avsc", "versions must be v1, v2, … without a gap, not [1, 3]"),
        ("CaseReported/first.avsc", "a version's file is named v1.avsc"),
        ("caseLost/v1.avsc", "an event's name is in PascalCase"),
    ],
)
def test_files_and_folders_are_named_by_rule(root: Path, name: str, expected: str) -> None:
    path = root / "schemas" / "health" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text((root / "schemas/health/CaseReported/v1.avsc").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(SchemaError, match=re.escape(expected)):
        load_schemas(root)


def test_further_problems_are_counted(root: Path) -> None:
    write_schema(root, "health.CaseReported", _spoiled(lambda s: [part.pop("doc") for part in s["fields"]]))
    with pytest.raises(SchemaError, match=r"\(5 more: run `deptbus schemas check`\.\)"):
        load_schemas(root)
