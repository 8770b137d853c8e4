"""Data filled in along a schema: what is known where it fits, then defaults, then whatever stands for the unknown."""

from typing import Any

from deptbus.schemas.filling import fill, is_time

TIME = {"type": "long", "logicalType": "timestamp-millis"}
COLOUR = {"type": "enum", "name": "Colour", "namespace": "x", "symbols": ["red", "blue"], "doc": "c"}


def schema(*fields: tuple[str, Any], **defaults: Any) -> dict[str, Any]:
    described = [
        {"name": name, "type": kind, "doc": f"Of {name}."} | ({"default": defaults[name]} if name in defaults else {})
        for name, kind in fields
    ]
    return {"type": "record", "name": "Thing", "namespace": "x", "fields": described}


def unknown(name: str, kind: Any, doc: str) -> Any:
    return f"?{name}"


def test_texts_become_what_the_field_is_of() -> None:
    fields = (
        ("count", "int"), ("share", "double"), ("done", "boolean"), ("codes", {"type": "array", "items": "string"}),
        ("at", TIME), ("colour", COLOUR), ("maybe", ["null", "int"]), ("name", "string"),
    )  # fmt: skip
    known = {
        "count": "3", "share": "0.5", "done": "true", "codes": "440307 440310", "at": "17", "colour": "blue",
        "maybe": "4", "name": "n",
    }  # fmt: skip
    assert fill(schema(*fields), known, unknown) == {
        "count": 3, "share": 0.5, "done": True, "codes": ["440307", "440310"], "at": 17, "colour": "blue",
        "maybe": 4, "name": "n",
    }  # fmt: skip


def test_what_does_not_fit_counts_as_unknown() -> None:
    fields = (
        ("count", "int"),
        ("done", "boolean"),
        ("colour", COLOUR),
        ("part", {**schema(("a", "int")), "name": "P"}),
    )
    known = {"count": "many", "done": "perhaps", "colour": "green", "part": "whole"}
    assert fill(schema(*fields), known, unknown) == {
        "count": "?count", "done": "?done", "colour": "?colour", "part": {"a": "?a"},
    }  # fmt: skip


def test_a_default_comes_before_the_unknown_and_after_the_known() -> None:
    of = schema(("a", "int"), ("b", "int"), a=1, b=2)
    assert fill(of, {"a": "5"}, unknown) == {"a": 5, "b": 2}


def test_a_type_is_known_by_its_name_wherever_it_was_written_out() -> None:
    fields = (("first", ["null", COLOUR]), ("second", "x.Colour"), ("third", {"type": "array", "items": "x.Colour"}))
    assert fill(schema(*fields, first=None), {"second": "red"}, unknown) == {
        "first": None, "second": "red", "third": ["?third"],
    }  # fmt: skip


def test_the_unknown_is_asked_for_only_where_it_is_needed() -> None:
    asked: list[str] = []

    def note(name: str, kind: Any, doc: str) -> Any:
        asked.append(f"{name} {doc} {is_time(kind)}")
        return 0

    fill(schema(("a", "int"), ("b", TIME), ("c", "int"), c=1), {"a": 1}, note)
    assert asked == ["b Of b. True"]
