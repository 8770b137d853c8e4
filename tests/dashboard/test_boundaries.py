"""Boundaries of administrative areas, of a file that a city has, and the map that is drawn with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from deptbus.errors import SettingsError
from services.dashboard.boundaries import load_boundaries
from services.dashboard.views.map import ground, regions

SQUARE = {"type": "Polygon", "coordinates": [[[113, 22], [114, 22], [114, 23], [113, 23], [113, 22]]]}


def feature(properties: dict[str, Any] | None, geometry: dict[str, Any] | None = SQUARE) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def written(folder: Path, *features: dict[str, Any]) -> Path:
    path = folder / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_codes_by_the_names_that_files_of_areas_have_for_them(tmp_path: Path) -> None:
    path = written(tmp_path, feature({"code": "440307"}), feature({"adcode": 440306}), feature({"gb": "156440300"}))
    assert load_boundaries(path) == {"440307": SQUARE, "440306": SQUARE, "440300": SQUARE}
    assert load_boundaries(None) == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a GeoJSON FeatureCollection"),
        (json.dumps({"features": [{"properties": ["code"], "geometry": None}]}), "not a GeoJSON FeatureCollection"),
        (json.dumps({"features": [feature(None)]}), "feature 0 has no code"),
        (json.dumps({"features": [feature({"code": "440307"}), feature({"code": "44"})]}), "feature 1 has no code"),
        (json.dumps({"features": [feature({"code": "440307"}, {"type": "Point"})]}), "feature 0 (440307) is a Point"),
        (json.dumps({"features": [feature({"code": "440307"}, None)]}), "feature 0 (440307) is a None"),
    ],
)
def test_a_file_that_is_none_of_areas_is_refused_with_its_name_and_the_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "areas.geojson"
    path.write_text(content)
    with pytest.raises(SettingsError) as refused:
        load_boundaries(path)
    assert str(path) in str(refused.value)
    assert reason in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_boundaries(tmp_path / "none")


def test_a_region_is_drawn_as_its_area_where_the_boundary_is_known() -> None:
    found = list(regions({"region": "440307"}, None, [("440304", "close")], {"440307": SQUARE}))
    assert [one["geometry"]["type"] for one in found] == ["Polygon", "Point"]


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        (["440307"], {"440306", "440300"}),
        (["440307", "441302"], {"440306", "440300", "441303"}),
        (["440000", "440307"], {"440306", "440300", "441302", "441303"}),
        (["420100", "440307"], set()),
        ([], set()),
    ],
    ids=["a city's", "a province's", "a province itself", "two provinces", "nothing named"],
)
def test_what_regions_lie_among_is_the_rest_of_their_city_or_province(named: list[str], shown: set[str]) -> None:
    boundaries = dict.fromkeys(("440300", "440306", "440307", "441302", "441303", "430100"), SQUARE)
    found = {one["properties"]["code"]: one["geometry"]["type"] for one in ground(boundaries, named)}
    assert {code for code, kind in found.items() if kind == "Polygon"} == shown
    assert not found.keys() & set(named)
    assert ("Point" in found.values()) == bool(named), "where no boundary is known, places are marked"
