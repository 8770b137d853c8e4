"""Events are chosen by their headers and by simple comparisons of their fields."""

from typing import Any

import pytest

from deptbus.clock import from_iso
from deptbus.envelope import Envelope
from deptbus.errors import SettingsError
from deptbus.operations.filters import Filter, read_comparison, read_filter

EVENT = Envelope(
    "1", "health.CasesConfirmed", "/departments/health", from_iso("2020-01-24T00:00Z"),
    correlationid="epidemic/440100/2", region="440106",
)  # fmt: skip
DATA = {"count": 5, "share": 0.5, "urgent": True, "city": "广州市", "patient": {"age": 61}, "left": None}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({}, True),
        ({"types": ["health.CasesConfirmed", "police.GatheringStopped"]}, True),
        ({"types": ["health.CaseReported"]}, False),
        ({"departments": ["health"]}, True),
        ({"departments": ["police"]}, False),
        ({"instances": ["epidemic/440100/2"]}, True),
        ({"instances": ["epidemic/440100"]}, True),
        ({"instances": ["epidemic/440100/1"]}, False),
        ({"regions": ["440100"]}, True),
        ({"regions": ["440000"]}, True),
        ({"regions": ["440300"]}, False),
        ({"since": "2020-01-24T08:00+08:00"}, True),
        ({"since": "2020-01-24T08:01+08:00"}, False),
        ({"until": "2020-01-24T08:00+08:00"}, False),
        ({"types": ["health.CasesConfirmed"], "regions": ["440300"]}, False),
    ],
)
def test_headers_say_which_events_are_meant(given: dict[str, Any], meant: bool) -> None:
    assert read_filter(**given).envelope(EVENT) is meant


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("count=5", True),
        ("count >= 5", True),
        ("count<5", False),
        ("count!=4", True),
        ("share<0.6", True),
        ("urgent=true", True),
        ("city=广州市", True),
        ("city~广州", True),
        ("patient.age>60", True),
        ("patient.name=x", False),
        ("nothing>1", False),
        ("left=null", True),
        ("left!=null", False),
        ("city>a", True),
        ("count>many", False),
    ],
)
def test_fields_are_compared_as_what_they_are(text: str, holds: bool) -> None:
    assert Filter(where=(read_comparison(text),)).data(DATA) is holds


@pytest.mark.parametrize("text", ["", "count", "=5", "count==__import__('os')", "a b=1", "1count=2"])
def test_what_is_no_comparison_is_refused_or_only_a_text(text: str) -> None:
    if text.startswith("count=="):
        assert read_comparison(text).holds({"count": "=__import__('os')"})
        return
    with pytest.raises(SettingsError, match="--where is FIELD=VALUE"):
        read_comparison(text)


def test_a_time_without_a_zone_and_an_inverted_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="--since is a time with a zone"):
        read_filter(since="2020-01-24")
    with pytest.raises(SettingsError, match="lies before --since"):
        read_filter(since="2020-01-25T00:00Z", until="2020-01-24T00:00Z")
