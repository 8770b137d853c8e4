"""What is personal is hidden, wherever in the data it lies, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from deptbus.operations.masking import HIDDEN, Masker
from deptbus.schemas.codecs import codec_schema
from deptbus.schemas.store import load_schemas

ROOT = Path(__file__).parents[2]


def record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "n", "doc": "d", "fields": list(fields)}


def named(name: str, kind: Any, personal: bool = False) -> dict[str, Any]:
    return {"name": name, "type": kind, "doc": "d"} | ({"personal": True} if personal else {})


PERSON = record("Person", named("name", "string", True), named("age", "int"))
EVENT = record(
    "Event",
    named("case", "string"),
    named("one", ["null", PERSON]),
    named("many", {"type": "array", "items": "n.Person"}),
    named("by_role", {"type": "map", "values": {"type": "array", "items": "n.Person"}}),
    named("contact", ["null", "n.Person"], True),
    named("numbers", {"type": "map", "values": "long"}, True),
)
DATA = {
    "case": "c-1",
    "one": {"name": "张三", "age": 4},
    "many": [{"name": "李四", "age": 5}, {"name": "王五", "age": 6}],
    "by_role": {"name": [{"name": "赵六", "age": 7}]},
    "contact": {"name": "孙七", "age": 8},
    "numbers": {"a": 1},
}


def test_personal_fields_are_hidden_in_records_arrays_maps_and_unions() -> None:
    assert Masker([EVENT])(DATA) == {
        "case": "c-1",
        "one": {"name": HIDDEN, "age": 4},
        "many": [{"name": HIDDEN, "age": 5}, {"name": HIDDEN, "age": 6}],
        "by_role": {"name": [{"name": HIDDEN, "age": 7}]},
        "contact": HIDDEN,
        "numbers": HIDDEN,
    }
    assert DATA["one"] == {"name": "张三", "age": 4}  # what was given stays as it was


def test_what_is_null_stays_null() -> None:
    assert Masker([EVENT])(DATA | {"one": None, "contact": None})["contact"] is None


def test_a_field_is_hidden_when_any_version_marks_it() -> None:
    before, after = record("Event", named("patient", "string")), record("Event", named("patient", "string", True))
    assert Masker([before, after])({"patient": "张三"}) == {"patient": HIDDEN}
    assert Masker([before])({"patient": "张三"}) == {"patient": "张三"}


def test_of_a_union_of_records_what_one_marks_is_hidden_in_all() -> None:
    union = record("Event", named("who", [PERSON, record("Office", named("name", "string"), named("floor", "int"))]))
    assert Masker([union])({"who": {"name": "张三", "floor": 3}}) == {"who": {"name": HIDDEN, "floor": 3}}


@pytest.mark.parametrize(
    ("path", "hidden"),
    [("one.name", True), ("one.age", False), ("many.name", True), ("contact", True), ("contact.age", True),
     ("case", False), ("none", False), ("by_role.name", True)],
)  # fmt: skip
def test_it_tells_which_fields_are_personal(path: str, hidden: bool) -> None:
    assert Masker([EVENT]).hides(path.split(".")) is hidden


def test_every_personal_field_of_the_projects_schemas_is_hidden() -> None:
    """Also as the codec holds them, whose parser must keep the mark."""
    for file in load_schemas(ROOT).all():
        personal = json.dumps(file.schema).count('"personal": true')
        parsed = codec_schema(file.type, file.version, 1, file.schema).parsed
        for schema in (file.schema, parsed):
            assert bool(personal) is not Masker([schema])._mask.empty, file.type
