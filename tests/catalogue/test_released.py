"""Released versions are never edited."""

import json
from pathlib import Path

import pytest

from deptbus.errors import SchemaError
from deptbus.schemas.check import check_schemas
from deptbus.schemas.generate import write
from deptbus.schemas.released import release
from deptbus.schemas.store import load_schemas
from tests.catalogue.files import LEVEL, case_reported, field, write_schema


@pytest.fixture
def released(root: Path) -> Path:
    """The small catalogue, its only version released."""
    assert release(root, load_schemas(root)) == ["health.CaseReported v1"]
    write(root, load_schemas(root))
    assert check_schemas(root, 0).problems == ()
    return root


def test_releasing_again_changes_nothing(released: Path) -> None:
    lock = (released / "schemas" / "released.json").read_bytes()
    assert release(released, load_schemas(released)) == []
    assert (released / "schemas" / "released.json").read_bytes() == lock


def test_an_edited_version_is_refused(released: Path) -> None:
    schema = case_reported()
    schema["fields"].append(field("more", "string", default=""))
    write_schema(released, "health.CaseReported", schema)
    assert "schemas/health/CaseReported/v1.avsc: the version is released" in check_schemas(released, 0).problems[0]
    with pytest.raises(SchemaError, match=r"write v2\.avsc"):
        release(released, load_schemas(released))


def test_a_changed_shared_type_edits_what_uses_it(released: Path) -> None:
    write_schema(released, "common.Level", LEVEL | {"symbols": ["LOW", "HIGH", "HIGHEST"]})
    assert "or a shared type in it, was edited" in check_schemas(released, 0).problems[0]


def test_a_changed_shared_type_is_written_out_in_the_next_version(released: Path) -> None:
    schema = case_reported()
    schema["fields"][1]["type"] = LEVEL | {"symbols": ["LOW", "HIGH", "HIGHEST"]}
    write_schema(released, "health.CaseReported", schema, 2)
    write(released, load_schemas(released))
    assert check_schemas(released, 0).problems == ()
    assert release(released, load_schemas(released)) == ["health.CaseReported v2"]


def test_a_removed_version_is_missed(released: Path) -> None:
    write_schema(released, "health.CaseReported", case_reported(), 2)
    release(released, load_schemas(released))
    (released / "schemas/health/CaseReported/v2.avsc").unlink()
    assert "v2.avsc: the version is released and was removed" in check_schemas(released, 0).problems[0]


def test_a_description_may_be_put_right(released: Path) -> None:
    schema = case_reported()
    schema["fields"][0]["doc"] = "The case number."
    write_schema(released, "health.CaseReported", json.dumps(schema, indent=8))
    write(released, load_schemas(released))
    assert check_schemas(released, 0).problems == ()


def test_a_broken_lock_says_to_restore_it(released: Path) -> None:
    (released / "schemas" / "released.json").write_text("{", encoding="utf-8")
    assert "released.json: this is not valid JSON" in check_schemas(released, 0).problems[0]
