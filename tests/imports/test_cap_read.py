"""An alert becomes one event that says what the alert says."""

import pytest

from deptbus.clock import from_iso
from tests.imports.cap_files import AREA, IDENTIFIER, INFO, SENDER, SENT, cap, data, read, reference, remarks, with_info


def test_the_event_says_what_the_alert_says() -> None:
    done = read(cap())
    assert done.item is not None
    assert (done.item.department, done.item.type) == ("warning", "warning.AlertReceived")
    assert done.item.at_ms == from_iso(SENT)
    assert (done.item.subject, done.item.region, done.item.mode) == (IDENTIFIER, "440300", None)
    said = done.item.data
    assert (said["identifier"], said["sender"], said["sent"], said["cap_version"]) == (IDENTIFIER, SENDER, SENT, "1.2")
    assert (said["status"], said["message_type"], said["scope"]) == ("Actual", "Alert", "Public")
    assert (said["category"], said["event"], said["urgency"], said["severity"], said["certainty"]) == (
        "Met", "暴雨", "Immediate", "Severe", "Likely",
    )  # fmt: skip
    assert (said["references"], said["reference"], said["signature"]) == ([], "", "none")
    area = said["infos"][0]["areas"][0]
    assert area["polygons"][0][1] == {"latitude": 22.5, "longitude": 114.2}
    assert area["circles"] == [{"centre": {"latitude": 22.55, "longitude": 114.06}, "radius_km": 5.5}]
    assert area["geocodes"] == [{"name": "GB/T 2260", "value": "440300"}]
    assert done.remarks == ()


def test_the_same_alert_has_the_same_id_and_another_sent_another() -> None:
    first, again, later = read(cap()), read(cap()), read(cap(sent="2020-01-24T09:00:01+08:00"))
    assert first.item is not None
    assert again.item is not None
    assert later.item is not None
    assert first.item.id == again.item.id
    assert later.item.id != first.item.id


def test_an_update_names_what_it_supersedes() -> None:
    said = data(cap(kind="Update", references=f"{reference('A-1')}\n    {reference('A-2')}"))
    assert said["reference"] == "A-1"
    assert said["references"][1] == {"sender": SENDER, "identifier": "A-2", "sent": SENT}


def test_a_cancel_needs_no_info() -> None:
    said = data(cap(kind="Cancel", references=reference("A-1"), info=""))
    assert said["infos"] == []
    assert (said["category"], said["event"], said["severity"], said["colour"]) == ("", "", "", None)
    assert said["region"] == "440300"  # from the warning number


def test_every_language_is_kept_and_the_first_counts() -> None:
    english = INFO.replace("zh-CN", "en-US").replace("暴雨<", "rainstorm<")
    said = data(cap(info=INFO + english))
    assert [info["language"] for info in said["infos"]] == ["zh-CN", "en-US"]
    assert said["event"] == "暴雨"


def test_without_a_language_it_is_english_as_the_standard_has_it() -> None:
    assert (
        data(with_info(lambda info: info.replace("    <language>zh-CN</language>\n", "")))["infos"][0]["language"]
        == "en-US"
    )


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("ISO-8859-1", "latin-1"),
        ("UTF-16", "utf-16"),
        ("UTF-16LE", "utf-16-le"),
        ("GB18030", "gb18030"),
        ("UTF-8", "utf-8-sig"),
    ],
)
def test_encodings_are_read_as_declared(encoding: str, codec: str) -> None:
    event = "Tempête" if codec == "latin-1" else "暴雨"
    text = cap(encoding=encoding, info=INFO.replace("暴雨", event))
    raw = text.encode(codec, errors="xmlcharrefreplace") if codec == "latin-1" else text.encode(codec)
    assert data(raw)["event"] == event


def test_prefixes_comments_cdata_and_instructions_change_nothing() -> None:
    plain = data(cap())
    text = (
        cap(info=INFO.replace("暴雨<", "<![CDATA[暴]]><!-- heavy -->雨<"))
        .replace("<alert", "<?style x?>\n<!-- hello <!DOCTYPE -->\n<alert")
        .replace("  <scope>", "  <!-- c --><?p q?>\n  <scope>")
    )
    assert {**data(text), "source_hash": ""} == {**plain, "source_hash": ""}
    prefixed = cap().replace("</", "</c:").replace(' xmlns="', ' xmlns:c="')
    for name in ("alert", "identifier", "sender", "sent", "status", "msgType", "scope", "info", "language", "category",
                 "event", "urgency", "severity", "certainty", "headline", "areaDesc", "area", "polygon", "circle",
                 "geocode", "valueName", "value"):  # fmt: skip
        prefixed = prefixed.replace(f"<{name}>", f"<c:{name}>").replace(f"<{name} ", f"<c:{name} ")
    assert {**data(prefixed), "source_hash": ""} == {**plain, "source_hash": ""}


def test_empty_optional_elements_say_nothing() -> None:
    text = cap().replace(
        "  <info>", "  <restriction/><addresses></addresses><code/><note> </note><incidents/>\n  <info>", 1
    )
    text = text.replace("    <area>", "    <web/><contact/>\n    <area>", 1)
    said = data(text)
    assert (said["restriction"], said["addresses"], said["codes"], said["note"], said["incidents"]) == (
        None,
        [],
        [],
        None,
        [],
    )
    assert said["infos"][0]["contact"] is None


def test_addresses_and_incidents_with_spaces_stand_in_quotes() -> None:
    text = cap().replace("Public</scope>", 'Private</scope>\n  <addresses>a@x "North Wind"  b@y</addresses>')
    text = text.replace("  <info>", '  <incidents>"暴雨 2020" I-7</incidents>\n  <info>', 1)
    said = data(text)
    assert said["addresses"] == ["a@x", "North Wind", "b@y"]
    assert said["incidents"] == ["暴雨 2020", "I-7"]


def test_cap_1_1_has_times_and_resources_of_its_own() -> None:
    resource = "    <resource><resourceDesc>map</resourceDesc><size>12</size></resource>\n"
    said = data(
        cap(version="1.1", sent="2020-01-24T01:00:00.5Z", info=INFO.replace("    <area>", f"{resource}    <area>"))
    )
    assert said["cap_version"] == "1.1"
    assert said["infos"][0]["resources"][0]["mime_type"] is None
    assert said["infos"][0]["resources"][0]["size"] == 12


@pytest.mark.parametrize(
    ("status", "mode"), [("Exercise", "exercise"), ("Test", "test"), ("Draft", "test"), ("System", None)]
)
def test_what_is_not_meant_is_marked_so(status: str, mode: str | None) -> None:
    done = read(cap().replace("Actual", status))
    assert done.item is not None
    assert done.item.mode == mode


def test_several_areas_lie_in_the_smallest_region_that_contains_them() -> None:
    other = AREA.replace("440300", "440400")
    said = data(cap(identifier="A-1", info=INFO.replace(AREA, AREA + other)))
    assert (said["region"], said["regions"]) == ("440000", "440300 440400")
    far = AREA.replace("440300", "510100")
    assert data(cap(identifier="A-1", info=INFO.replace(AREA, AREA + far)))["region"] is None


def test_a_street_and_a_community_are_regions_and_an_unknown_code_is_none() -> None:
    assert data(with_info(lambda info: info.replace("440300<", "440305001<")))["region"] == "440305001"
    assert data(with_info(lambda info: info.replace("440300<", "440305001012<")))["region"] == "440305001"
    odd = with_info(lambda info: info.replace("440300<", "999999<"))
    assert data(odd)["region"] == "440300"  # the warning number's
    assert remarks(odd) == ["the geocode '999999' is no code of GB/T 2260"]


def test_geocodes_of_other_lists_are_no_regions() -> None:
    text = cap(identifier="A-1", info=INFO.replace("GB/T 2260", "FIPS6"))
    assert data(text)["region"] is None


def test_what_is_odd_but_allowed_is_said() -> None:
    assert remarks(cap(kind="Alert", info="")) == ["the Alert has no info: it says nothing"]
    assert remarks(with_info(lambda info: info.replace("    <area>", "    <web>www.example.cn</web>\n    <area>"))) == [
        "web is no full address: 'www.example.cn'"
    ]
    assert remarks(cap(kind="Update", references=reference("A-1", "2020-02-01T00:00:00+08:00"))) == [
        "A-1 was sent after the alert that references it"
    ]
