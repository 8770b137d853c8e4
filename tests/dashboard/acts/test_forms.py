"""Forms of events: what is asked, what is known already, and one sentence with a path for what does not fit."""

from typing import Any

import pytest

from deptbus.codec import Codec
from deptbus.schemas.codecs import codec_schema
from services.dashboard.web.forms import form, read
from services.dashboard.web.refusals import FieldRefused
from tests.workflow.world import START, codec, sample, schemas

TIME = {"type": "long", "logicalType": "timestamp-millis"}


def record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "n", "doc": "d", "fields": list(fields)}


def named(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "doc": f"the {name}"} | more


COLOUR = {"type": "enum", "name": "Colour", "namespace": "n", "symbols": ["red", "blue"]}
SITE = record("Site", named("name", "string"), named("beds", "int"), named("open", "boolean", default=True))
EVENT = record(
    "Event",
    named("region", "string"),
    named("note", ["null", "string"], default=None),
    named("at", TIME),
    named("until", ["null", TIME], default=None),
    named("colour", COLOUR),
    named("old_colour", ["null", "n.Colour"], default=None),
    named("main", SITE),
    named("sites", {"type": "array", "items": "n.Site"}),
    named("second", ["null", "n.Site"], default=None),
    named("stock", {"type": "map", "values": "long"}),
    named("share", "double"),
    named("sure", "boolean"),
    named("seal", ["null", "bytes"], default=None),
)
GOOD: dict[str, Any] = {
    "region": "440300",
    "at": "2020-01-20T08:30:00+08:00",
    "colour": "red",
    "main": {"name": "A", "beds": 3},
    "sites": [{"name": "B", "beds": 0, "open": False}],
    "stock": {"masks": 20},
    "share": 1,
    "sure": True,
}


def by_name(fields: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in fields}


def test_every_kind_of_field_is_asked_for() -> None:
    fields = by_name(form(EVENT, {}))
    kinds = {name: field["kind"] for name, field in fields.items()}
    assert kinds == {
        "region": "text", "note": "text", "at": "time", "until": "time", "colour": "choice", "old_colour": "choice",
        "main": "group", "sites": "list", "second": "group", "stock": "map", "share": "number", "sure": "boolean",
        "seal": "text",
    }  # fmt: skip
    assert [name for name, field in fields.items() if field["optional"]] == [
        "note", "until", "old_colour", "second", "seal",
    ]  # fmt: skip
    assert fields["colour"]["choices"] == fields["old_colour"]["choices"] == ["red", "blue"]
    assert fields["region"]["label"] == "the region"
    beds = {part["name"]: part for part in fields["sites"]["item"]["fields"]}
    assert (beds["beds"]["kind"], beds["open"]["optional"], beds["open"]["value"]) == ("integer", True, True)
    assert fields["stock"]["item"]["kind"] == "integer"


def test_what_is_known_is_filled_in() -> None:
    fields = by_name(form(EVENT, {"region": "440300", "share": "0.5", "colour": "green", "at": START}))
    assert (fields["region"]["value"], fields["share"]["value"]) == ("440300", 0.5)
    assert fields["at"]["value"] == START
    assert "value" not in fields["colour"]  # it is none of the choices
    assert "value" not in fields["note"]
    assert "value" not in fields["sites"]


def test_what_was_filled_in_can_be_encoded() -> None:
    datum = read(EVENT, GOOD | {"seal": "AAE=", "second": {"name": "C", "beds": 1}, "until": START, "note": " "})
    assert datum["at"] == 1_579_480_200_000
    assert datum["main"]["open"] is True
    assert (datum["seal"], datum["old_colour"], datum["until"]) == (b"\0\1", None, START)
    Codec([codec_schema("n.Event", 1, 1, EVENT)]).encode("n.Event", datum)


@pytest.mark.parametrize(
    ("changes", "path", "sentence"),
    [
        ({"region": None}, "region", "region must be filled in."),
        ({"region": 7}, "region", "region must be text."),
        ({"other": 1}, "other", "other is no field of the event."),
        ({"at": "yesterday"}, "at", "at must be a time with a zone"),
        ({"at": "2020-01-20T08:30:00"}, "at", "at must be a time with a zone"),
        ({"at": 1 << 60}, "at", "at is out of range."),
        ({"at": True}, "at", "at must be a time"),
        ({"colour": "green"}, "colour", "colour must be one of red, blue."),
        ({"colour": ["red"]}, "colour", "colour must be one of red, blue."),
        ({"main": "A"}, "main", "main must be a group of fields."),
        ({"main": {"name": "A"}}, "main.beds", "main.beds must be filled in."),
        ({"main": {"name": "A", "beds": "many"}}, "main.beds", "main.beds must be a whole number."),
        ({"main": {"name": "A", "beds": True}}, "main.beds", "main.beds must be a whole number."),
        ({"main": {"name": "A", "beds": 1 << 31}}, "main.beds", "main.beds is out of range."),
        ({"sites": {}}, "sites", "sites must be a list."),
        ({"sites": [GOOD["main"], {"name": "B", "beds": 1.5}]}, "sites[1].beds", "sites[1].beds must be a whole"),
        ({"sites": [GOOD["main"], None]}, "sites[1]", "sites[1] must be filled in."),
        ({"stock": []}, "stock", "stock must be names with values."),
        ({"stock": {"masks": "x"}}, "stock.masks", "stock.masks must be a whole number."),
        ({"share": float("inf")}, "share", "share is out of range."),
        ({"share": "1"}, "share", "share must be a number."),
        ({"sure": "yes"}, "sure", "sure must be true or false."),
        ({"seal": "***"}, "seal", "seal must be base64."),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(changes: dict[str, Any], path: str, sentence: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        read(EVENT, GOOD | changes)
    assert refused.value.field == path
    assert sentence in str(refused.value)
    assert refused.value.said.zh.startswith(path)


def test_the_event_itself_must_be_a_group() -> None:
    for data in ([], "x", None, 3):
        with pytest.raises(FieldRefused, match="data must be a group of fields"):
            read(EVENT, data)


@pytest.mark.parametrize("kind", [kind for kind in schemas().types() if not kind.startswith(("workflow.", "bus."))])
def test_every_event_of_a_department_has_a_form_and_takes_what_it_asks_for(kind: str) -> None:
    schema = schemas().newest(kind).schema
    fields = form(schema, {"region": "440300"})
    assert [field["name"] for field in fields] == [field["name"] for field in schema["fields"]]
    data = sample(kind)
    assert codec().encode(kind, read(schema, data)) == codec().encode(kind, data)
