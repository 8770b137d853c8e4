"""Typed event classes come from the schemas, stay as the schemas say, and carry every value faithfully."""

import importlib
import shutil
import subprocess
import sys
import types
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.catalogue import BUS_OWNERS
from deptbus.codec import Codec
from deptbus.errors import CodecError, SchemaError
from deptbus.schemas import SchemaStore, codec_schemas, load_schemas
from deptbus.schemas.check import check_schemas
from deptbus.schemas.events import EventData, from_ms, from_us, to_ms, to_us
from deptbus.schemas.generate import source, write
from tests.catalogue.files import case_reported, field, record, write_schema
from tests.catalogue.samples import values

PROJECT = Path(__file__).parents[2]
STORE = load_schemas(PROJECT)


def _module(root: Path, owner: str = "health") -> Any:
    store = load_schemas(root)
    files = [store.newest(name) for name in store.types() if name.startswith(f"{owner}.")]
    module = types.ModuleType("generated_events")
    exec(compile(source(owner, files), f"{owner}.py", "exec"), module.__dict__)
    return module


def _sample() -> dict[str, Any]:
    return {
        "number": "GD-1",
        "level": "HIGH",
        "before": None,
        "reported_at": 1_579_521_600_123,
        "patient": {"name": "李"},
        "tags": ["a", "b"],
    }


def test_a_class_says_its_type_and_version_and_reads_its_data(root: Path) -> None:
    event_class = _module(root).CaseReported
    assert (event_class.EVENT_TYPE, event_class.VERSION) == ("health.CaseReported", 1)
    event = event_class.from_data(_sample())
    assert event.reported_at == datetime(2020, 1, 20, 12, 0, 0, 123_000, tzinfo=UTC)
    assert event.patient.name == "李"
    assert event.tags == ("a", "b")


def test_data_go_out_as_the_codec_takes_them(root: Path) -> None:
    store = load_schemas(root)
    codec = Codec(codec_schemas(store, {("health.CaseReported", 1): 1}))
    event_class = _module(root).CaseReported
    event = event_class.from_data(_sample())
    assert codec.decode(codec.encode("health.CaseReported", event.to_data())) == _sample()
    assert event_class.from_data(event.to_data()) == event


def test_times_of_any_zone_become_the_same_milliseconds(root: Path) -> None:
    event_class = _module(root).CaseReported
    china = datetime(2020, 1, 20, 20, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=8)))
    event = event_class(number="GD-1", level="LOW", reported_at=china)
    assert event.to_data()["reported_at"] == 1_579_521_600_123


def test_an_event_cannot_be_changed(root: Path) -> None:
    event = _module(root).CaseReported.from_data(_sample())
    with pytest.raises(ValueError, match="frozen"):
        event.number = "GD-2"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"level": "MIDDLE"}, "level: Input should be 'LOW' or 'HIGH'"),
        ({"lost": 1}, "lost: Extra inputs are not permitted"),
        ({"reported_at": datetime(2020, 1, 20)}, "reported_at: Input should have timezone info"),  # noqa: DTZ001  # that is the point
    ],
)
def test_data_that_do_not_fit_name_the_field(root: Path, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(CodecError, match=expected):
        _module(root).CaseReported.from_data(_sample() | change)


def test_defaults_are_those_of_the_schema(root: Path) -> None:
    schema = record(
        "CaseReported",
        field("text", "string", default='a "b"'),
        field("count", "long", default=3),
        field("share", "double", default=1),
        field("open", "boolean", default=True),
        field("bytes_", "bytes", default="ÿ"),
        field("at", {"type": "long", "logicalType": "timestamp-millis"}, default=1000),
        field("by_name", {"type": "map", "values": "int"}, default={}),
        field("level", "common.Level", default="LOW"),
    )
    schema["fields"][4]["name"] = "raw"
    write_schema(root, "health.CaseReported", schema)
    assert _module(root).CaseReported().to_data() == {
        "text": 'a "b"',
        "count": 3,
        "share": 1.0,
        "open": True,
        "raw": b"\xff",
        "at": 1000,
        "by_name": {},
        "level": "LOW",
    }


def test_one_name_for_two_things_of_one_owner_is_refused(root: Path) -> None:
    other = record("CaseLost", field("patient", record("Patient", field("age", "int"))))
    write_schema(root, "health.CaseLost", other)
    with pytest.raises(SchemaError, match="the name Patient means something else in another event of health"):
        _module(root)


def test_a_stale_file_is_found_and_generated_anew(root: Path) -> None:
    assert write(root, load_schemas(root)) == [root / "services/health/events.py"]
    assert write(root, load_schemas(root)) == []
    write_schema(root, "health.CaseReported", case_reported() | {"doc": "Another meaning."})
    problem = "services/health/events.py: the file is not as the schemas say; run `deptbus schemas generate`."
    assert check_schemas(root, 0).problems == (problem,)
    write(root, load_schemas(root))
    assert check_schemas(root, 0).problems == ()


def test_generated_source_is_formatted_and_known_to_the_type_checker(root: Path) -> None:
    long_doc = "A description 很长的说明" * 30 + ' with "quotes" and a \\ backslash"'
    schema = case_reported()
    schema["fields"].append(field("more", "string") | {"doc": long_doc})
    symbols = [f"SYMBOL_{number}" for number in range(20)]
    schema["fields"].append(field("sort", {"type": "enum", "name": "Sort", "doc": long_doc, "symbols": symbols}))
    write_schema(root, "health.CaseReported", schema)
    write(root, load_schemas(root))
    use = root / "use.py"
    use.write_text(
        "from generated import CaseReported\n\n"
        "event = CaseReported.from_data({})\n"
        "count: int = event.number\n"
        'event.number = "other"\n'
        "event.lost\n",
        encoding="utf-8",
    )
    shutil.copy(PROJECT / "pyproject.toml", root / "pyproject.toml")
    file = shutil.copy(root / "services/health/events.py", root / "generated.py")
    for command in (("format", "--check"), ("check",)):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, file], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "use.py"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={"MYPYPATH": str(PROJECT), "PATH": "/usr/bin:/bin"},
    ).stdout
    assert 'use.py:4: error: Incompatible types in assignment (expression has type "str"' in checked, checked
    assert 'use.py:5: error: Property "number" defined in "CaseReported" is read-only' in checked, checked
    assert 'use.py:6: error: "CaseReported" has no attribute "lost"' in checked, checked


def _class_of(event_type: str) -> type[EventData]:
    owner, _, name = event_type.partition(".")
    module = f"deptbus.schemas.generated.{owner}" if owner in BUS_OWNERS else f"services.{owner}.events"
    found: type[EventData] = getattr(importlib.import_module(module), name)
    return found


@pytest.mark.parametrize("event_type", STORE.types())
def test_every_event_of_the_project_survives_class_and_codec(event_type: str) -> None:
    file = STORE.newest(event_type)
    codec = Codec(codec_schemas(SchemaStore([file]), {(event_type, file.version): 1}))
    event_class = _class_of(event_type)

    @given(values(file.schema))
    @settings(max_examples=10)
    def survives(data: dict[str, Any]) -> None:
        event = event_class.from_data(data)
        assert codec.decode(codec.encode(event_type, event.to_data()), event_type) == data

    survives()


def test_the_projects_schemas_hold_to_every_rule() -> None:
    assert check_schemas(PROJECT, 0).problems == ()


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_every_millisecond_survives(at_ms: int) -> None:
    assert to_ms(from_ms(at_ms)) == at_ms
    assert to_us(from_us(at_ms * 1000 + 7)) == at_ms * 1000 + 7
