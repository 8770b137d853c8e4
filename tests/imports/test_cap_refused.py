"""What breaks the standard is refused with line and reason: all that is wrong with a file, not only the first."""

import pytest

from tests.imports.cap_files import AREA, INFO, NAMESPACES, cap, read, reference, refusals, with_info

POLYGON = "22.5,113.9 22.5,114.2 22.7,114.2 22.7,113.9 22.5,113.9"
CLEAR = "    <responseType>AllClear</responseType>\n    <urgency>"
RESOURCE = "    <resource><resourceDesc>x</resourceDesc>"


def _swap(old: str, new: str) -> str:
    text = cap().replace(old, new, 1)
    assert text != cap()
    return text


CHANGES = {
    "no scope": ("  <scope>Public</scope>\n", "", 2, "alert lacks scope, which is mandatory"),
    "no event": ("    <event>暴雨</event>\n", "", 9, "info lacks event"),
    "an empty event": ("<event>暴雨</event>", "<event> </event>", 12, "event: it is empty"),
    "an empty identifier": (">44030041600000_20200124090000_1<", "><", 3, "identifier: it is empty"),
    "an empty urgency": ("<urgency>Immediate</urgency>", "<urgency/>", 13, "urgency: it is empty; allowed are Imm"),
    "a word of none": ("Met", "Weather", 11, "category: 'Weather' is none of its words"),
    "a word in another case": ("Severe", "severe", 14, "not written as it has to be, Severe"),
    "a word with spaces": ("Actual", " Actual ", 6, "' Actual ' is not written as it has to be"),
    "a certainty of CAP 1.0": ("Likely", "Very Likely", 15, "'Very Likely' is a word of CAP 1.0"),
    "Z": ("+08:00", "Z", 5, "ends in Z, which CAP 1.2 forbids"),
    "no offset": ("+08:00", "", 5, "sent: '2020-01-24T09:00:00' is no time such as"),
    "a fraction": ("09:00:00+", "09:00:00.5+", 5, "is no time such as"),
    "an offset that none has": ("+08:00", "+15:00", 5, "is no time such as"),
    "a day that is none": ("01-24T", "02-30T", 5, "is no time that there is"),
    "a year of no alert": ("2020-01-24T", "0001-01-01T", 5, "0001 is no year in which an alert is sent"),
    "a null by XML schema": (
        "<event>",
        '<event xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="false">',
        12,
        "event has the attribute",
    ),
    "an element twice": ("  <scope>", "  <scope>Public</scope>\n  <scope>", 9, "scope stands twice in alert"),
    "an element out of order": (
        "<status>Actual</status>\n  <msgType>Alert</msgType>",
        "<msgType>Alert</msgType>\n  <status>Actual</status>",
        7,
        "status stands after msgType; it belongs before it",
    ),
    "an element misspelt": ("<msgType>Alert</msgType>", "<msgtype>Alert</msgtype>", 7, "msgType is meant, perhaps"),
    "a foreign element": (
        "  <scope>",
        '  <x:y xmlns:x="urn:x"/>\n  <scope>',
        8,
        "the element y of urn:x does not belong",
    ),
    "an element of the other version": (
        "<scope>Public</scope>",
        f'<scope xmlns="{NAMESPACES["1.1"]}">Public</scope>',
        8,
        "the element scope of urn:oasis:names:tc:emergency:cap:1.1 does not belong into alert",
    ),
    "an attribute": ("<info>", '<info lang="zh">', 9, "info has the attribute lang"),
    "stray text": ("<info>", "<info>storm", 9, "the text 'storm' stands in info outside an element"),
    "mark-up in a text": ("暴雨<", "<b>暴雨</b><", 12, "event holds the element b"),
    "a space in the identifier": ("44030041600000_", "4403 ", 3, "holds a space"),
    "a comma in the sender": ("warning@", "warning,", 4, "holds a comma"),
    "a polygon of three points": (
        POLYGON,
        "22.5,113.9 22.5,114.2 22.5,113.9",
        19,
        "polygon: it has 3 points; at least 4 are needed",
    ),
    "an open polygon": (" 22.5,113.9</polygon>", "</polygon>", 19, "polygon: it is not closed"),
    "an empty polygon": (POLYGON, "", 19, "polygon: it is empty"),
    "latitude and longitude swapped": ("22.5,114.2", "114.2,22.5", 19, "point 2: the latitude 114.2 is not from -90"),
    "a longitude beyond": ("22.5,114.2", "22.5,180.1", 19, "point 2: the longitude 180.1 is not from -180"),
    "a pair that is none": ("22.5,114.2", "22.5;114.2", 19, "point 2: '22.5;114.2' is no pair lat,lon"),
    "a number that is none": ("22.5,114.2", "nan,114.2", 19, "is no pair lat,lon"),
    "a circle without a radius": ("22.55,114.06 5.5", "22.55,114.06", 20, "circle: '22.55,114.06' is no circle"),
    "a radius below zero": (" 5.5<", " -1<", 20, "the radius '-1' is no number of kilometres"),
    "an infinite radius": (" 5.5<", " inf<", 20, "the radius 'inf'"),
    "a language that is none": ("zh-CN", "中文", 10, "is no language tag"),
    "a ceiling alone": (
        "    </area>",
        "      <ceiling>900</ceiling>\n    </area>",
        25,
        "ceiling stands without altitude",
    ),
    "a ceiling below": (
        "    </area>",
        "      <altitude>900</altitude>\n      <ceiling>100</ceiling>\n    </area>",
        26,
        "the ceiling 100 is below the altitude 900",
    ),
    "a private alert for nobody": ("Public", "Private", 8, "addresses does not say for whom"),
    "a restricted alert without a rule": ("Public", "Restricted", 8, "restriction does not say how"),
    "an address without its quote": (
        "Public</scope>",
        'Private</scope>\n  <addresses>a "b c</addresses>',
        9,
        "is no list of words",
    ),
    "empty references": ("  <info>", "  <references/>\n  <info>", 9, "references: it is empty"),
    "a resource without a media type": (
        "    <area>",
        f"{RESOURCE}</resource>\n    <area>",
        17,
        "resource lacks mimeType",
    ),
    "a size that is none": (
        "    <area>",
        f"{RESOURCE}<mimeType>a/b</mimeType><size>-1</size></resource>\n    <area>",
        17,
        "size: '-1' is no number of bytes",
    ),
}
"""What is changed, into what, and what is said of it on which line."""

TEXTS = {
    "an update of nothing": (cap(kind="Update"), 7, "references does not name what it supersedes"),
    "a cancel of nothing": (cap(kind="Cancel", info=""), 7, "references does not name what it cancels"),
    "a reference of two parts": (cap(kind="Update", references="a,b"), 9, "'a,b' is not sender,identifier,sent"),
    "a reference of four parts": (
        cap(kind="Update", references="a,b,c,d"),
        9,
        "'a,b,c,d' is not sender,identifier,sent",
    ),
    "a reference in Z": (cap(kind="Update", references="a,b,2020-01-01T00:00:00Z"), 9, "which CAP 1.2 forbids"),
    "a reference to itself": (
        cap(identifier="A-1", kind="Update", references=reference("A-1")),
        9,
        "the alert references itself",
    ),
    "CAP 1.0": (cap().replace(NAMESPACES["1.2"], "http://www.incident.com/cap/1.0"), 2, "the alert is in CAP 1.0"),
    "no namespace": (cap().replace(f' xmlns="{NAMESPACES["1.2"]}"', ""), 2, "in the namespace (none)"),
    "a feed": ('<feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>', 1, "this is an Atom feed, not an alert"),
    "another document": ("<html/>", 1, "the root is the element html without a namespace"),
    "a response of CAP 1.2 in 1.1": (
        cap(version="1.1", info=INFO.replace("    <urgency>", CLEAR)),
        13,
        "responseType: 'AllClear' is none of its words",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "reason"), CHANGES.values(), ids=CHANGES)
def test_a_change_for_the_wrong_is_named_with_its_line(old: str, new: str, line: int, reason: str) -> None:
    _says_one_thing(_swap(old, new), line, reason)


@pytest.mark.parametrize(("text", "line", "reason"), TEXTS.values(), ids=TEXTS)
def test_the_wrong_thing_is_named_with_its_line(text: str, line: int, reason: str) -> None:
    _says_one_thing(text, line, reason)


def _says_one_thing(text: str, line: int, reason: str) -> None:
    found = refusals(text)
    assert len(found) == 1, found
    assert found[0][0] == line
    assert reason in found[0][1]


def test_everything_that_is_wrong_is_listed_in_order() -> None:
    text = _swap("Actual", "Real").replace("<scope>Public</scope>", "").replace("Met", "Sun").replace(" 5.5<", " x<")
    assert [line for line, _ in refusals(text)] == [2, 6, 11, 20]
    points = _swap("22.5,114.2 22.7,114.2", "22.5 95,200")
    assert len(refusals(points)) == 3


def test_a_flood_of_findings_is_bounded() -> None:
    found = refusals(with_info(lambda info: info.replace(AREA, "".join(f"<x{n}/>\n" for n in range(500)))))
    assert len(found) == 101
    assert found[-1][1] == "400 more like these"


def test_a_response_of_cap_1_2_is_one_there() -> None:
    text = with_info(lambda info: info.replace("    <urgency>", CLEAR))
    assert read(text).item is not None
