"""An incident on the map, as GeoJSON: the regions it names, the areas of its alerts, and what else has coordinates."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from deptbus.desk.board import Snapshot, asked
from deptbus.envelope import Envelope
from deptbus.errors import CodecError
from deptbus.imports.cap.regions import is_region_list, read_region
from deptbus.workflow.definition import Definition
from services.dashboard.access.people import Person
from services.dashboard.boundaries import Boundaries, around
from services.dashboard.look import Look
from services.dashboard.places import PLACES, Place, place_of
from services.dashboard.views import shapes
from services.dashboard.views.incident import record_of

ALERT = "warning.AlertReceived"
"""An alert of another system, in the shape of the Common Alerting Protocol."""
_CHECKPOINT = "Checkpoint"
Feature = dict[str, Any]
Told = tuple[Envelope, str, Mapping[str, Any]]
"""An event: its envelope, where it stands and its data."""


def incident_map(look: Look, person: Person, instance: str) -> dict[str, Any]:
    """What can be drawn of an incident. ``Missing``, also for who may not see it."""
    record = record_of(look, person, instance)
    events = []
    for stored in look.store.events({str(line["cause"]) for line in record.timeline}):
        try:
            events.append((stored.envelope, stored.record.coordinates, look.decode(stored.record)))
        except CodecError:
            continue
    asked_in = [(task.region, task.step) for task in record.tasks]
    named = list(regions(record.snapshot or {}, record.definition, asked_in, look.boundaries))
    lie_in = ground(look.boundaries, [one["properties"]["code"] for one in named])
    return {"type": "FeatureCollection", "features": [*lie_in, *named, *alerts(events), *sites(events)]}


def ground(boundaries: Boundaries, codes: Collection[str]) -> Iterator[Feature]:
    """What the named regions lie among, so that a map without streets says where it is: areas, or else marks."""
    areas = dict(around(boundaries, codes))
    marks = {code: _mark(place) for code, place in PLACES.items() if codes and code not in {*codes, *boundaries}}
    for code, geometry in (areas | marks).items():
        place = place_of(code)
        label = {"zh": place.zh, "en": place.en} if place is not None else {"zh": code, "en": code}
        yield _feature(geometry, "ground", label, code=code)


def regions(
    snapshot: Snapshot,
    definition: Definition | None,
    tasks: Iterable[tuple[str | None, str]],
    boundaries: Boundaries,
) -> Iterator[Feature]:
    """The regions that an incident, its targets and its tasks name, with the steps asked there: each its area where
    the boundary is known, and else a mark."""
    of: dict[str, dict[str, None]] = {}
    steps: dict[str, dict[str, None]] = {}
    if snapshot.get("region"):
        of.setdefault(str(snapshot["region"]), {})["incident"] = None
    for name, targets in (snapshot.get("targets") or {}).items():
        for region in targets:
            of.setdefault(region, {})["target"] = None
            steps.setdefault(region, {})[name.partition(" ")[0]] = None
    for task_region, step in tasks:
        if task_region:
            of.setdefault(task_region, {})["task"] = None
            steps.setdefault(task_region, {})[step] = None
    for region, named_by in of.items():
        place = place_of(region)
        if place is None:
            continue
        geometry = boundaries.get(region)
        yield _feature(
            geometry or _mark(place), "region", {"zh": place.zh, "en": place.en},
            code=region, exact=geometry is not None or place.exact, of=list(named_by),
            steps=[asked(definition, step).titles.model_dump() for step in steps.get(region, ())],
        )  # fmt: skip


def alerts(events: Sequence[Told]) -> Iterator[Feature]:
    """The areas of alerts: polygons, circles, and places of codes; what another message ended says so."""
    own = sorted((told for told in events if told[0].type == ALERT), key=lambda told: int(told[2]["sent_at"]))
    standing: dict[str, str] = {}
    for _, _, data in own:
        standing[data["identifier"]] = "cancelled" if data["message_type"] == "Cancel" else "in_force"
        if data["message_type"] in ("Update", "Cancel"):
            ended = "superseded" if data["message_type"] == "Update" else "cancelled"
            standing |= {reference["identifier"]: ended for reference in data["references"]}
    for envelope, record, data in own:
        about = {
            "at": envelope.time_ms, "record": record, "alert": data["identifier"], "colour": data["colour"],
            "severity": data["severity"], "state": standing[data["identifier"]],
        }  # fmt: skip
        for area in _areas(data):
            label = {"zh": area["description"], "en": area["description"]}
            for geometry, code in _shapes_of(area):
                yield _feature(geometry, "area", label, **about, **({"code": code} if code else {}))


def sites(events: Iterable[Told]) -> Iterator[Feature]:
    """Whatever else names coordinates, wherever they lie in an event's data."""
    for envelope, record, data in events:
        if envelope.type == ALERT:
            continue
        name = envelope.subject or envelope.type
        kind = "checkpoint" if _CHECKPOINT in envelope.type else "site"
        for longitude, latitude in shapes.places_in(data):
            yield _feature(
                shapes.point(longitude, latitude), kind, {"zh": name, "en": name},
                at=envelope.time_ms, record=record, type=envelope.type, department=envelope.department,
            )  # fmt: skip


def _areas(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The areas of an alert; those that its languages repeat, once."""
    seen = []
    for info in data["infos"]:
        for area in info["areas"]:
            shape = area["polygons"], area["circles"], area["geocodes"]
            if shape not in seen:
                seen.append(shape)
                yield area


def _shapes_of(area: Mapping[str, Any]) -> Iterator[tuple[shapes.Geometry, str | None]]:
    for corners in area["polygons"]:
        if (drawn := shapes.polygon(corners)) is not None:
            yield drawn, None
    for one in area["circles"]:
        if (drawn := shapes.circle(one["centre"], one["radius_km"])) is not None:
            yield drawn, None
    for code in area["geocodes"]:
        region = read_region(code["value"]) if is_region_list(code["name"]) else None
        place = place_of(region) if region else None
        if place is not None:
            yield _mark(place), region


def _mark(place: Place) -> shapes.Geometry:
    return shapes.point(place.longitude, place.latitude)


def _feature(geometry: shapes.Geometry, kind: str, label: Mapping[str, str], **properties: Any) -> Feature:
    return {
        "type": "Feature", "geometry": geometry, "properties": {"kind": kind, "label": dict(label), **properties}
    }  # fmt: skip
