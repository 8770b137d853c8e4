"""What changed between two versions of a schema, by field path and in words."""

from itertools import pairwise
from typing import Any

from services.dashboard.views.schemadiff import differences, type_text
from tests.workflow.world import schemas


def record(name: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "n", "doc": "d", "fields": list(fields)} | more


def named(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "doc": "d"} | more


def colour(*symbols: str) -> dict[str, Any]:
    return {"type": "enum", "name": "Colour", "namespace": "n", "symbols": list(symbols)}


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def told(older: dict[str, Any], newer: dict[str, Any]) -> list[tuple[str, str, str, str | None, str | None]]:
    return [(one.kind, one.path, one.what, one.before, one.after) for one in differences(older, newer)]


def test_the_same_schema_has_no_differences() -> None:
    for kind in schemas().types():
        newest = schemas().newest(kind).schema
        assert differences(newest, newest) == []


def test_fields_that_were_added_and_removed() -> None:
    older = record("E", named("a", "int"), named("gone", "string"))
    newer = record("E", named("a", "int"), named("new", ["null", "string"], default=None))
    assert told(older, newer) == [
        ("added", "new", "type", None, "string?"), ("removed", "gone", "type", "string", None),
    ]  # fmt: skip
    added, removed = differences(older, newer)
    assert added.says == ("新增字段 new（string?）", "new was added (string?)")
    assert removed.says == ("删除字段 gone（string）", "gone was removed (string)")
    assert added.to_json()["says"] == {"zh": "新增字段 new（string?）", "en": "new was added (string?)"}


def test_a_record_that_is_added_is_one_difference() -> None:
    site = record("Site", named("name", "string"), named("beds", "int"))
    older = record("E", named("a", "int"))
    newer = record("E", named("a", "int"), named("sites", listed(site)))
    assert told(older, newer) == [("added", "sites", "type", None, "list of Site")]
    assert told(newer, older) == [("removed", "sites", "type", "list of Site", None)]


def test_what_lies_deep_is_named_by_its_path() -> None:
    def event(*more: dict[str, Any]) -> dict[str, Any]:
        site = record("Site", named("name", "string"), *more)
        by_name = {"type": "map", "values": "n.Site"}
        return record("E", named("sites", listed(site)), named("by_name", by_name), named("one", ["null", "n.Site"]))

    assert told(event(), event(named("beds", "int"))) == [
        ("added", "sites[].beds", "type", None, "int"),
        ("added", "by_name[].beds", "type", None, "int"),
        ("added", "one.beds", "type", None, "int"),
    ]


def test_types_defaults_descriptions_choices_and_marks() -> None:
    older = record(
        "E", named("a", "int"), named("b", colour("red")), named("c", "string"), named("d", "int", default=1)
    )
    newer = record(
        "E", named("a", "long", doc="how many"), named("b", colour("red", "blue")), named("c", "string", personal=True),
        named("d", "int"), doc="Something happened.",
    )  # fmt: skip
    found = differences(older, newer)
    assert [(one.path, one.what, one.before, one.after) for one in found] == [
        ("", "doc", "d", "Something happened."),
        ("a", "type", "int", "long"),
        ("a", "doc", "d", "how many"),
        ("b", "symbols", "red", "red, blue"),
        ("c", "personal", None, "true"),
        ("d", "default", "1", None),
    ]
    assert found[1].says == ("a 的类型由“int”改为“long”", "the type of a changed from “int” to “long”")
    assert found[4].says.en == "c got the mark as personal true"
    assert found[5].says.zh == "d 去掉默认值：1"


def test_types_in_few_words() -> None:
    assert type_text({"type": "long", "logicalType": "timestamp-millis"}) == "timestamp-millis"
    assert type_text(["null", "boolean", "string"]) == "boolean or string?"
    assert type_text({"type": "map", "values": listed("common.Task")}) == "map of list of common.Task"


def test_every_version_of_the_project_can_be_compared() -> None:
    for kind in schemas().types():
        for older, newer in pairwise(schemas().versions(kind)):
            assert differences(older.schema, newer.schema)
