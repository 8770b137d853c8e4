"""Versions are compared strictly: an incompatible change names field, rule and the reader that breaks."""

import copy
import io
import re
from pathlib import Path
from typing import Any

import fastavro
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import make_avsc_object
from hypothesis import assume, given
from hypothesis import strategies as st

from deptbus.schemas.check import check_schemas
from deptbus.schemas.compatibility import cannot_read, compare
from deptbus.schemas.store import SchemaFile
from tests.catalogue.files import TOPICS, case_reported, field, record, write_schema, write_topics
from tests.catalogue.samples import schemas, values

KIND = {"type": "enum", "name": "Kind", "namespace": "health", "doc": "It.", "symbols": ["A", "B"]}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}
FIRST = record(
    "Happened",
    field("number", "string"),
    field("count", "int", default=1),
    field("kind", KIND),
    field("at", {"type": "long", "logicalType": "timestamp-millis"}),
    field("paid", ["null", MONEY], default=None),
    field("place", record("Place", field("name", "string"))),
)


def _versions(*schemas_: dict[str, Any]) -> tuple[SchemaFile, ...]:
    return tuple(
        SchemaFile("health.Happened", number, Path(f"v{number}.avsc"), schema)
        for number, schema in enumerate(schemas_, start=1)
    )


def _changed(change: Any) -> dict[str, Any]:
    schema = copy.deepcopy(FIRST)
    change(schema["fields"])
    return schema


def _rules(level: str, *schemas_: dict[str, Any]) -> list[str]:
    return [f"{found.field}: {found.rule}" for found in compare(_versions(*schemas_), level)]


ALLOWED_BACKWARD = {
    "nothing": lambda fields: None,
    "a field with a default": lambda fields: fields.append(field("more", "string", default="")),
    "a field less": lambda fields: fields.pop(0),
    "a wider number": lambda fields: fields[1].update(type="long"),
    "a new symbol": lambda fields: fields[2].update(type=KIND | {"symbols": ["A", "B", "C"]}),
    "a symbol less, with a default": lambda fields: fields[2].update(type=KIND | {"symbols": ["A"], "default": "A"}),
    "null is allowed too": lambda fields: fields[0].update(type=["null", "string"]),
    "another doc": lambda fields: fields[0].update(doc="Other."),
    "another order": lambda fields: fields.reverse(),
    "a nested field with a default": lambda fields: fields[5]["type"]["fields"].append(
        field("code", "string", default="")
    ),
}


@pytest.mark.parametrize("change", ALLOWED_BACKWARD.values(), ids=ALLOWED_BACKWARD)
def test_what_every_newer_reader_can_bear_is_allowed(change: Any) -> None:
    assert _rules("BACKWARD_TRANSITIVE", FIRST, _changed(change)) == []


REFUSED_BACKWARD = {
    "a field without a default": (
        lambda fields: fields.append(field("more", "string")),
        "more: the field is not in the other version and has no",
    ),
    "a nested field without a default": (
        lambda fields: fields[5]["type"]["fields"].append(field("code", "string")),
        "place.code: the field is not in",
    ),
    "another type": (lambda fields: fields[0].update(type="int"), "number: the type string became int"),
    "a narrower number": (lambda fields: fields[3].update(type="int"), "at: the type long became int"),
    "microseconds": (
        lambda fields: fields[3]["type"].update(logicalType="timestamp-micros"),
        "at: the logical type timestamp-millis became timestamp-micros",
    ),
    "a time that becomes a number": (
        lambda fields: fields[3].update(type="long"),
        "at: the logical type timestamp-millis became none",
    ),
    "another scale": (
        lambda fields: fields[4].update(type=["null", MONEY | {"scale": 3}]),
        "paid: the decimal's scale 2 became 3",
    ),
    "another precision": (
        lambda fields: fields[4].update(type=["null", MONEY | {"precision": 9}]),
        "paid: the decimal's precision 10",
    ),
    "a symbol less": (
        lambda fields: fields[2].update(type=KIND | {"symbols": ["A"]}),
        "kind: the enum health.Kind lacks B and has no",
    ),
    "a name bridged by an alias": (
        lambda fields: fields[0].update(name="case_number", aliases=["number"]),
        "case_number: the field was renamed from number by an alias",
    ),
    "a type bridged by an alias": (
        lambda fields: fields[2].update(type=KIND | {"name": "Sort", "aliases": ["health.Kind"]}),
        "kind: the type health.Kind was renamed to health.Sort by an alias",
    ),
    "a default taken away": (lambda fields: fields[1].pop("default"), "count: the field lost its default"),
    "null is no longer allowed": (lambda fields: fields[4].update(type=MONEY), "paid: the type null became bytes"),
    "a branch less": (
        lambda fields: fields[4].update(type=["null", "string"]),
        "paid: the union has no branch for bytes",
    ),
}


@pytest.mark.parametrize(("change", "expected"), REFUSED_BACKWARD.values(), ids=REFUSED_BACKWARD)
def test_what_breaks_a_newer_reader_is_refused(change: Any, expected: str) -> None:
    found = _rules("BACKWARD_TRANSITIVE", FIRST, _changed(change))
    assert any(rule.startswith(expected) for rule in found), found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda fields: fields.pop(0), "number: the field is not in the other version and has no default"),
        (
            lambda fields: fields[2].update(type=KIND | {"symbols": ["A", "B", "C"]}),
            "kind: the enum health.Kind lacks C",
        ),
        (lambda fields: fields[1].update(type="long"), "count: the type long became int"),
    ],
)
def test_full_compatibility_holds_old_readers_too(change: Any, expected: str) -> None:
    changed = _changed(change)
    assert _rules("BACKWARD_TRANSITIVE", FIRST, changed) == []
    (broken,) = compare(_versions(FIRST, changed), "FULL_TRANSITIVE")
    assert f"{broken.field}: {broken.rule}".startswith(expected)
    assert broken.reader.version == 1


def test_every_pair_is_compared_not_only_neighbours() -> None:
    without = _changed(lambda fields: fields.pop(0))
    again = _changed(lambda fields: fields[0].update(type="bytes", default=""))
    last = _changed(lambda fields: fields[0].update(type="int", default=0))
    assert _rules("BACKWARD_TRANSITIVE", FIRST, without, again, last) == [
        "number: the type string became int",
        "number: the type bytes became int",
    ]


def test_text_may_become_bytes_and_bytes_never_text() -> None:
    as_bytes = _changed(lambda fields: fields[0].update(type="bytes"))
    assert _rules("BACKWARD_TRANSITIVE", FIRST, as_bytes) == []
    assert _rules("BACKWARD_TRANSITIVE", as_bytes, FIRST) == ["number: the type bytes became string"]


def test_without_a_declared_level_nothing_is_compared() -> None:
    assert _rules("NONE", FIRST, _changed(lambda fields: fields[0].update(type="int"))) == []


def test_a_record_within_itself_is_compared_once() -> None:
    node = record("Happened", field("next", ["null", "health.Happened"], default=None), field("value", "int"))
    assert cannot_read(node, node) == []


def _avro_says_no(reader: Any, writer: Any) -> bool:
    result = ReaderWriterCompatibilityChecker().get_compatibility(make_avsc_object(reader), make_avsc_object(writer))
    return result.compatibility is SchemaCompatibilityType.incompatible


@given(schemas())
def test_a_schema_always_reads_itself(schema: dict[str, Any]) -> None:
    assert cannot_read(schema, schema) == []


@given(schemas(), schemas())
def test_what_avro_refuses_is_refused_with_a_field(reader: dict[str, Any], writer: dict[str, Any]) -> None:
    assume(_avro_says_no(reader, writer))
    found = cannot_read(reader, writer)
    assert found
    assert all(path and "Avro's own checker" not in rule for path, rule in found)


@given(st.data())
def test_what_is_allowed_can_really_be_read(data: st.DataObject) -> None:
    reader, writer = data.draw(schemas()), data.draw(schemas())
    assume(not cannot_read(reader, writer))
    # As the codec has them: timestamps are plain integers.
    written = data.draw(values(writer))
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(writer, named_schemas={}), written)
    out.seek(0)
    read = fastavro.schemaless_reader(
        out, fastavro.parse_schema(writer, named_schemas={}), fastavro.parse_schema(reader, named_schemas={})
    )
    assert set(read) == {part["name"] for part in reader["fields"]}


def test_an_incompatible_version_names_file_field_rule_and_the_readers_it_breaks(root: Path) -> None:
    changed = case_reported()
    changed["fields"][0]["type"] = "long"
    write_schema(root, "health.CaseReported", changed, 2)
    report = check_schemas(root, 0)
    assert report.problems[0] == (
        "schemas/health/CaseReported/v2.avsc, field number: the type string became long. A reader with v2 cannot "
        "use what v1 wrote (BACKWARD_TRANSITIVE); this breaks health, cdc. Undo it, or make a new event type."
    )


def test_a_topic_that_only_its_owner_reads_may_go_without_compatibility(root: Path) -> None:
    changed = case_reported()
    changed["fields"][0]["type"] = "long"
    write_schema(root, "health.CaseReported", changed, 2)
    alone = re.sub(r"    grants:.*", "    compatibility: NONE\n", TOPICS, flags=re.DOTALL)
    write_topics(root, "health", alone)
    assert not [problem for problem in check_schemas(root, 0).problems if "events.py" not in problem]
