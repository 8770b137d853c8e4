"""Another's reading of the standard: what its XML schema refuses is refused here too."""

import logging

import capvalidator
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imports.cap_files import INFO, cap, read, reference

RICH = cap(
    kind="Update",
    references=reference("A-1"),
    info=INFO.replace("    <urgency>", "    <responseType>AllClear</responseType>\n    <urgency>").replace(
        "    <headline>",
        "    <audience>所有人</audience>\n    <eventCode><valueName>SAME</valueName><value/></eventCode>\n"
        "    <effective>2020-01-24T09:00:00+08:00</effective>\n    <expires>2020-01-25T09:00:00-00:00</expires>\n"
        "    <senderName>深圳市气象台</senderName>\n    <headline>",
    ).replace(
        "    <area>",
        "    <parameter><valueName>warning colour</valueName><value>orange</value></parameter>\n"
        "    <resource><resourceDesc>图</resourceDesc><mimeType>image/png</mimeType><size>9</size></resource>\n"
        "    <area>",
    ),
)  # fmt: skip
LINES = RICH.splitlines()
WORDS = ("", " ", "Alert", "Unknown", "2020-01-24T09:00:00Z", "2020-01-24T24:00:00+08:00", "-1", "1e3", "x y", "Minor ")


def _accepted_by_the_schema(text: str) -> bool:
    return bool(capvalidator.check_schema(text.encode()).passed)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("signxml").setLevel(logging.WARNING)


def test_a_rich_alert_is_accepted_by_both() -> None:
    assert _accepted_by_the_schema(RICH)
    assert read(RICH).item is not None


@st.composite
def _changed(draw: st.DrawFn) -> str:
    """The rich alert with a few lines dropped, doubled, moved or given another text."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(2, len(lines) - 2))
        match draw(st.sampled_from(("drop", "double", "move", "say"))):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "move":
                lines.insert(draw(st.integers(2, len(lines) - 2)), lines.pop(at))
            case "say":
                start, middle, rest = lines[at].partition(">")
                _, end, close = rest.rpartition("</")
                lines[at] = f"{start}{middle}{draw(st.sampled_from(WORDS))}{end}{close}"
    return "\n".join(lines)


@settings(max_examples=400)
@given(_changed())
def test_what_is_read_is_valid_by_the_schema(text: str) -> None:
    if read(text).item is not None:
        assert _accepted_by_the_schema(text)
