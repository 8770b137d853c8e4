"""Real alerts of others, where the data folder is at hand."""

from pathlib import Path

import pytest

from tests.imports.cap_files import data, read

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "cap"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"there are no shared alerts: {FOLDER} is absent")


@pytest.mark.parametrize(
    ("name", "version", "signature"),
    [
        ("canada", "1.2", "none"),
        ("earthquake", "1.1", "none"),
        ("earthquake-iso8859-1", "1.2", "valid"),
        ("earthquake_signed", "1.1", "valid"),
        ("weather", "1.1", "none"),
    ],
)
def test_valid_alerts_are_read(name: str, version: str, signature: str) -> None:
    said = data((FOLDER / f"{name}.cap").read_bytes())
    assert (said["cap_version"], said["signature"]) == (version, signature)
    assert said["infos"]


def test_two_languages_and_two_references_are_kept() -> None:
    said = data((FOLDER / "canada.cap").read_bytes())
    assert [info["language"] for info in said["infos"]] == ["en-CA", "fr-CA"]
    assert [one["identifier"] for one in said["references"]] == [
        "2.49.0.1.124.a3f342a4.2012", "2.49.0.1.124.60f31a3a.2012",
    ]  # fmt: skip
    assert "Usulután" in str(data((FOLDER / "earthquake-iso8859-1.cap").read_bytes())["headline"])


@pytest.mark.parametrize(
    ("name", "lines"),
    [("canada_errors", [12]), ("invalid", [2]), ("noaa_errors", [13, 17, 18, 19, 66, 66, 67])],
)
def test_invalid_alerts_name_each_wrong_thing(name: str, lines: list[int]) -> None:
    assert [finding.line for finding in read((FOLDER / f"{name}.cap").read_bytes()).refusals] == lines
