"""An incident on the map: regions, areas of alerts, and whatever else has coordinates."""

from itertools import pairwise
from math import cos, hypot, radians
from typing import Any

import pytest

from deptbus.envelope import Envelope
from services.dashboard.places import PLACES, place_of
from services.dashboard.views import shapes
from services.dashboard.views.map import ALERT, alerts, regions, sites
from tests.command.projecting import REGION, command_pack
from tests.workflow.world import START, sample

SQUARE = [
    {"latitude": 22.0, "longitude": 113.0}, {"latitude": 23.0, "longitude": 113.0},
    {"latitude": 23.0, "longitude": 114.0}, {"latitude": 22.0, "longitude": 114.0},
    {"latitude": 22.0, "longitude": 113.0},
]  # fmt: skip


def area(**parts: Any) -> dict[str, Any]:
    return {"description": "along the river", "polygons": [], "circles": [], "geocodes": [], **parts}


def alert(identifier: str, sent_at: int, kind: str = "Alert", of: str | None = None, **parts: Any) -> Any:
    references = [{"sender": "s", "identifier": of, "sent": "t"}] if of else []
    infos = [{"areas": [area(**parts)]}] * 2  # in two languages
    data = sample(
        ALERT, identifier=identifier, sent_at=sent_at, message_type=kind, references=references, infos=infos,
        severity="Severe", colour="orange",
    )  # fmt: skip
    envelope = Envelope("e", ALERT, "/departments/warning", START)
    return envelope, "warning.alerts[0]@7", data


def test_regions_that_an_incident_its_tasks_and_targets_name() -> None:
    snapshot = {"region": REGION, "targets": {"verify G-1": ["440300", "440307"], "ban": []}}
    definition = command_pack().definition
    found = {
        one["properties"]["code"]: one for one in regions(snapshot, definition, [("440300", "verify"), (None, "x")], {})
    }
    assert set(found) == {REGION, "440300", "440307"}
    shenzhen = found["440300"]
    assert shenzhen["geometry"] == {"type": "Point", "coordinates": [114.06, 22.54]}
    assert shenzhen["properties"]["label"] == {"zh": "深圳市", "en": "Shenzhen"}
    assert shenzhen["properties"]["of"] == ["target", "task"]
    assert [step["en"] for step in shenzhen["properties"]["steps"]] == ["Test"]
    assert found[REGION]["properties"]["of"] == ["incident"]


def test_a_region_that_is_none_is_left_out() -> None:
    assert list(regions({"region": "999999", "targets": {}}, None, [("x", "y")], {})) == []


def test_areas_of_an_alert_once_for_all_its_languages() -> None:
    told = alert(
        "A1", START, polygons=[SQUARE], circles=[{"centre": SQUARE[0], "radius_km": 10.0}],
        geocodes=[{"name": "GB/T 2260", "value": "440300"}, {"name": "SAME", "value": "440300"}],
    )  # fmt: skip
    found = list(alerts([told]))
    assert [one["geometry"]["type"] for one in found] == ["Polygon", "Polygon", "Point"]
    assert {one["properties"]["kind"] for one in found} == {"area"}
    about = found[0]["properties"]
    assert (about["label"]["zh"], about["colour"], about["state"]) == ("along the river", "orange", "in_force")
    assert (about["record"], about["at"]) == ("warning.alerts[0]@7", START)
    assert found[2]["properties"]["code"] == "440300"


def test_a_later_message_says_what_became_of_an_alert() -> None:
    told = [
        alert("A3", START + 2, "Cancel", "A2"),
        alert("A1", START, polygons=[SQUARE]),
        alert("A2", START + 1, "Update", "A1", polygons=[SQUARE]),
        alert("B1", START, polygons=[SQUARE]),
    ]
    states = {one["properties"]["alert"]: one["properties"]["state"] for one in alerts(told)}
    assert states == {"A1": "superseded", "A2": "cancelled", "B1": "in_force"}


def test_a_ring_goes_round_against_the_clock_and_is_closed() -> None:
    for corners in (SQUARE, SQUARE[::-1], SQUARE[:-1]):
        drawn = shapes.polygon(corners)
        assert drawn is not None
        (ring,) = drawn["coordinates"]
        assert ring[0] == ring[-1]
        assert sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) > 0
    assert shapes.polygon(SQUARE[:2]) is None
    assert shapes.polygon([{"latitude": 91.0, "longitude": 0.0}] * 4) is None


@pytest.mark.parametrize("latitude", [0.0, 22.5, 60.0])
def test_a_circle_is_as_wide_as_it_says(latitude: float) -> None:
    drawn = shapes.circle({"latitude": latitude, "longitude": 114.0}, 30.0)
    assert drawn is not None
    (ring,) = drawn["coordinates"]
    for longitude, north in ring:
        east_km = (longitude - 114.0) * 111.195 * cos(radians((north + latitude) / 2))
        assert hypot(east_km, (north - latitude) * 111.195) == pytest.approx(30, rel=0.01)
    assert shapes.circle({"latitude": 1.0, "longitude": 2.0}, 0) == shapes.point(2.0, 1.0)
    assert shapes.circle({"latitude": 1.0, "longitude": 2.0}, -1) is None


def test_coordinates_anywhere_in_an_event_are_a_site() -> None:
    data = {
        "site": {"name": "A", "latitude": 22.5, "longitude": 114.0},
        "posts": [{"at": {"lat": 23, "lon": 113}}, {"at": {"lat": "x", "lon": 113}}, {"at": {"lat": 95, "lon": 113}}],
        "flag": {"latitude": True, "longitude": 1},
    }
    envelope = Envelope("e", "transport.CheckpointActivated", "/departments/transport", START, subject="G4-7")
    found = list(sites([(envelope, "transport.traffic[0]@1", data)]))
    assert [one["geometry"]["coordinates"] for one in found] == [[114.0, 22.5], [113.0, 23.0]]
    assert {(one["properties"]["kind"], one["properties"]["label"]["zh"]) for one in found} == {("checkpoint", "G4-7")}
    assert list(sites([alert("A1", START, polygons=[SQUARE])])) == []


def test_data_without_end_are_looked_through_so_far_only() -> None:
    deep: Any = {"latitude": 1.0, "longitude": 1.0}
    for _ in range(50):
        deep = {"in": [deep]}
    assert list(shapes.places_in(deep)) == []
    assert len(list(shapes.places_in([{"lat": 1.0, "lon": 1.0}] * 1_000))) == shapes.FOUND_MAX


def test_provinces_and_the_cities_of_guangdong_and_hubei_are_known() -> None:
    assert sum(code.endswith("0000") and code != "100000" for code in PLACES) == 34
    assert sum(code.startswith("44") and code.endswith("00") for code in PLACES) == 22
    assert sum(code.startswith("42") and len(code) == 6 for code in PLACES) == 18
    for place in PLACES.values():
        assert 73 < place.longitude < 136, place
        assert 3 < place.latitude < 54, place
        assert place.zh
        assert place.en


def test_an_unknown_region_lies_near_what_contains_it_and_apart_from_its_neighbours() -> None:
    found = [place_of(f"4401{number:02}") for number in range(3, 12)]
    guangzhou = PLACES["440100"]
    for place in found:
        assert place is not None
        assert not place.exact
        assert abs(place.latitude - guangzhou.latitude) < 0.2
        assert abs(place.longitude - guangzhou.longitude) < 0.25
    assert len({(place.longitude, place.latitude) for place in found if place}) == len(found)
    assert place_of("440103") == place_of("440103")
    county = place_of("340100")
    assert county is not None
    assert county.zh == "合肥市"
    assert hypot(county.longitude - 117.23, county.latitude - 31.82) < 1
    street, district = place_of("440307001"), PLACES["440307"]
    assert street is not None
    assert (street.longitude, street.latitude) == (district.longitude, district.latitude)
    assert place_of("990000") is None
    assert place_of("") is None
