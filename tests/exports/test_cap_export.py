"""Activations become CAP 1.2 that others accept and that says the same when it is read again."""

from collections.abc import Sequence
from typing import Any

import capvalidator
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.errors import ExportRefused
from deptbus.exports.cap.activation import About, Confirmed, about
from deptbus.exports.cap.messages import Message, messages
from deptbus.exports.cap.write import write_alert
from deptbus.imports.cap.alert import read_bytes
from deptbus.schemas.store import load_schemas
from deptbus.workflow.definition import Definition, Titles
from tests.catalogue.samples import values
from tests.workflow.world import ROOT, sample, workflow

SENDER = Titles(zh="人民政府", en="People's governments")
COMMON = about("epidemic/440300/1", Definition.model_validate(workflow("epidemic")), SENDER)
BOTH = ("zh", "en")


def number(hour: int) -> str:
    return f"44030000000000_20200124{hour:02}0000_1"


def activated(hour: int, level: str = "III", mode: str = "actual", **fields: Any) -> Confirmed:
    data = sample(
        "government.LevelActivated", region="440300", level=level, alert_sender="government/440300",
        alert_identifier=number(hour), alert_sent=f"2020-01-24T{hour:02}:00:00+08:00", urgency="Immediate",
        severity="Moderate", certainty="Observed", **fields,
    )  # fmt: skip
    return Confirmed(f"event-{hour}", "government.LevelActivated", hour, mode, data)


def cancelled(hour: int, references: str = "") -> Confirmed:
    data = {
        "region": "440300", "alert_sender": "government/440300", "alert_identifier": number(hour),
        "alert_sent": f"2020-01-24T{hour:02}:00:00+08:00", "references": references,
    }  # fmt: skip
    return Confirmed(f"event-{hour}", "government.AlertCancelled", hour, "actual", data)


def export(*confirmed: Confirmed, kind: str | None = None, languages: Sequence[str] = BOTH) -> list[Message]:
    return messages(COMMON, confirmed, languages, kind)


def said(message: Message) -> dict[str, Any]:
    """What the import makes of a message."""
    done = read_bytes("x.cap", message.xml)
    assert done.item is not None, done.refusals
    assert done.remarks == ()
    return done.item.data


def test_the_first_is_an_alert_later_ones_update_all_before_and_the_end_cancels() -> None:
    found = export(cancelled(15), activated(12, "II"), activated(9), activated(10, "I"))
    assert [message.kind for message in found] == ["Alert", "Update", "Update", "Cancel"]
    assert [len(said(message)["references"]) for message in found] == [0, 1, 2, 3]
    assert [one["identifier"] for one in said(found[-1])["references"]] == [number(9), number(10), number(12)]
    assert [message.identifier for message in found] == [number(9), number(10), number(12), number(15)]


def test_after_a_cancel_the_response_begins_with_an_alert_again() -> None:
    found = export(activated(9), cancelled(10), activated(11), activated(12))
    assert [message.kind for message in found] == ["Alert", "Cancel", "Alert", "Update"]
    assert [one["identifier"] for one in said(found[3])["references"]] == [number(11)]


def test_a_cancel_names_what_the_government_named() -> None:
    reference = f"government/440300,{number(9)},2020-01-24T09:00:00+08:00"
    found = export(activated(9), activated(10), cancelled(11, reference))
    assert [one["identifier"] for one in said(found[2])["references"]] == [number(9)]


def test_an_activation_says_the_same_when_it_is_read_again() -> None:
    (message,) = export(activated(9, "II", colour="orange", grade="III"))
    facts = said(message)
    assert (facts["identifier"], facts["sender"], facts["sent"]) == (
        number(9), "government/440300", "2020-01-24T09:00:00+08:00",
    )  # fmt: skip
    assert (facts["status"], facts["message_type"], facts["scope"]) == ("Actual", "Alert", "Public")
    assert (facts["colour"], facts["grade"], facts["level"]) == ("orange", "III", "II")
    assert (facts["category"], facts["urgency"], facts["severity"], facts["certainty"]) == (
        "Health", "Immediate", "Moderate", "Observed",
    )  # fmt: skip
    assert (facts["region"], facts["regions"], facts["incidents"]) == ("440300", "440300", ["epidemic/440300/1"])
    assert facts["warning_id"]["region"] == "440300"
    assert [info["language"] for info in facts["infos"]] == ["zh-CN", "en-US"]
    assert [info["event"] for info in facts["infos"]] == ["传染病疫情", "Epidemic"]
    assert facts["headline"] == "深圳市启动突发公共卫生事件（传染病疫情）Ⅱ级应急响应"
    assert facts["infos"][0]["sender_name"] == "深圳市人民政府"


def test_a_mark_that_is_not_known_is_not_written() -> None:
    (message,) = export(activated(9))
    assert [pair["name"] for pair in said(message)["infos"][0]["parameters"]] == ["response level"]
    assert (said(message)["colour"], said(message)["grade"]) == (None, None)


@pytest.mark.parametrize(("mode", "status"), [("actual", "Actual"), ("exercise", "Exercise"), ("test", "Test")])
def test_the_status_is_that_of_the_world(mode: str, status: str) -> None:
    (message,) = export(activated(9, mode=mode))
    assert said(message)["status"] == status


def test_kinds_and_languages_can_be_chosen() -> None:
    everything = (activated(9), activated(10), cancelled(11))
    assert [message.kind for message in export(*everything, kind="cancel")] == ["Cancel"]
    (alert,) = export(*everything, kind="alert", languages=["en"])
    assert [info["language"] for info in said(alert)["infos"]] == ["en-US"]
    with pytest.raises(ExportRefused, match="it has no message of the kind update"):
        export(activated(9), kind="update")
    with pytest.raises(ExportRefused, match="no response level was confirmed in it yet"):
        export()


def test_the_same_event_twice_is_one_message() -> None:
    assert len(export(activated(9), activated(9))) == 1


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("alert_identifier", "A 1", "holds a space"),
        ("alert_sender", "a,b", "holds a comma"),
        ("alert_sent", "2020-01-24T09:00:00Z", "ends in Z"),
        ("alert_sent", "yesterday", "is no time with an offset"),
        ("region", "44\x0003", "cannot be written"),
    ],
)
def test_what_cap_does_not_allow_is_refused(field: str, value: str, reason: str) -> None:
    event = activated(9)
    spoiled = Confirmed(event.id, event.type, event.time_ms, event.mode, {**event.data, field: value})
    with pytest.raises(ExportRefused, match=reason):
        export(spoiled)


def test_a_workflow_without_cap_cannot_be_exported() -> None:
    definition = Definition.model_validate({**workflow("epidemic"), "cap": None})
    with pytest.raises(ExportRefused, match=r"add `cap` with category and event to services/workflows/epidemic"):
        about("epidemic/440300/1", definition, SENDER)


@pytest.mark.parametrize("name", ["epidemic", "leak", "flood"])
def test_every_emergency_says_what_its_alerts_are_about(name: str) -> None:
    common: About = about(f"{name}/440300/1", Definition.model_validate(workflow(name)), SENDER)
    for message in messages(common, [activated(9), activated(10), cancelled(11)], BOTH, None):
        assert capvalidator.check_schema(message.xml).passed


def test_another_library_accepts_every_kind_of_message() -> None:
    found = export(activated(9, colour="red", grade="I"), activated(10), cancelled(11), activated(12, mode="exercise"))
    assert len(found) == 4
    for message in found:
        assert capvalidator.check_schema(message.xml).passed


RECEIVED = load_schemas(ROOT).newest("warning.AlertReceived").schema


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_written_is_read_again_as_the_same(data: st.DataObject) -> None:
    """Any data of the event type that an alert can hold."""
    alert = data.draw(values(RECEIVED).map(_possible))
    xml = write_alert(alert)
    assert capvalidator.check_schema(xml).passed
    done = read_bytes("x.cap", xml)
    assert done.item is not None, done.refusals
    written = {
        name: alert[name] for name in ("identifier", "references", "addresses", "codes", "note", "incidents", "infos")
    }
    assert {name: done.item.data[name] for name in written} == written


def _possible(alert: dict[str, Any]) -> dict[str, Any]:
    """What any data become when they are made to keep CAP's rules: texts trimmed, times real, polygons closed."""
    alert = {**alert, "identifier": "A-1", "sender": "s", "sent": "2020-01-24T09:00:00+08:00", "message_type": "Alert"}
    alert |= {"scope": "Public", "source": None, "restriction": None, "note": _text(alert["note"])}
    alert["addresses"] = [word for word in map(_word, alert["addresses"]) if word]
    alert["incidents"] = [word for word in map(_word, alert["incidents"]) if word]
    alert["codes"] = [text for text in map(_text, alert["codes"]) if text]
    alert["references"] = [
        {"sender": "s", "identifier": f"R-{n}", "sent": "2020-01-23T09:00:00+08:00"}
        for n, _ in enumerate(alert["references"])
    ]
    alert["infos"] = [_info(info) for info in alert["infos"]]
    return alert


def _info(info: dict[str, Any]) -> dict[str, Any]:
    texts = ("audience", "sender_name", "headline", "description", "instruction", "web", "contact")
    return {
        **info,
        "language": "zh-CN",
        "categories": info["categories"] or ["Met"],
        "event": _text(info["event"]) or "x",
        "effective": None,
        "onset": "2020-01-24T10:00:00+08:00",
        "expires": None,
        **{name: _text(info[name]) for name in texts},
        "event_codes": [_pair(pair) for pair in info["event_codes"]],
        "parameters": [_pair(pair) for pair in info["parameters"]],
        "resources": [
            {
                "description": "x", "mime_type": "a/b", "size": None if one["size"] is None else abs(one["size"]),
                "uri": None, "deref_uri": _text(one["deref_uri"]), "digest": _text(one["digest"]),
            }
            for one in info["resources"]
        ],
        "areas": [_area(area) for area in info["areas"]],
    }  # fmt: skip


def _area(area: dict[str, Any]) -> dict[str, Any]:
    polygons = [[_point(point) for point in polygon] for polygon in area["polygons"] if len(polygon) >= 3]
    altitude = None if area["altitude"] is None else _round(area["altitude"], 90_000)
    return {
        "description": "x",
        "polygons": [[*polygon, polygon[0]] for polygon in polygons],
        "circles": [
            {"centre": _point(one["centre"]), "radius_km": abs(_round(one["radius_km"], 9_000))}
            for one in area["circles"]
        ],
        "geocodes": [_pair(pair) for pair in area["geocodes"]],
        "altitude": altitude,
        "ceiling": None if altitude is None or area["ceiling"] is None else round(altitude + 1, 6),
    }


def _point(point: dict[str, float]) -> dict[str, float]:
    return {"latitude": _round(point["latitude"], 90), "longitude": _round(point["longitude"], 180)}


def _round(value: float, bound: int) -> float:
    return round(max(-bound, min(bound, value)), 6) + 0.0


def _pair(pair: dict[str, str]) -> dict[str, str]:
    return {name: _text(text) or "" for name, text in pair.items()}


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None


def _word(text: str) -> str | None:
    return _text(text.replace('"', ""))
