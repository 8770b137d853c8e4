"""Shapes on the ground as GeoJSON (RFC 7946): longitude first, rings closed and counter-clockwise. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from math import asin, atan2, cos, degrees, pi, radians, sin
from typing import Any

EARTH_KM = 6_371.0088
CORNERS = 64
"""Of the polygon that stands for a circle."""
DEPTH_MAX = 8
FOUND_MAX = 200
"""Places taken of one event at most."""
_LATITUDES = ("latitude", "lat")
_LONGITUDES = ("longitude", "lon", "lng")
Position = list[float]
Geometry = dict[str, Any]


def point(longitude: float, latitude: float) -> Geometry:
    """A place."""
    return {"type": "Point", "coordinates": [_round(longitude), _round(latitude)]}


def polygon(corners: Iterable[Mapping[str, float]]) -> Geometry | None:
    """An area of its corners, which have ``latitude`` and ``longitude``; None where they enclose nothing."""
    ring = [[_round(one["longitude"]), _round(one["latitude"])] for one in corners]
    if ring and ring[0] != ring[-1]:
        ring.append(list(ring[0]))
    if len(ring) < 4 or not all(_on_earth(*one) for one in ring):
        return None
    return {"type": "Polygon", "coordinates": [ring if _area(ring) >= 0 else ring[::-1]]}


def circle(centre: Mapping[str, float], radius_km: float) -> Geometry | None:
    """A circle on the ground as a polygon; of radius nothing the place itself."""
    longitude, latitude = centre["longitude"], centre["latitude"]
    if not _on_earth(longitude, latitude) or radius_km < 0:
        return None
    if radius_km == 0:
        return point(longitude, latitude)
    far = min(radius_km / EARTH_KM, pi)
    ring = [_at(longitude, latitude, far, 2 * pi * corner / CORNERS) for corner in range(CORNERS)]
    ring.append(list(ring[0]))
    return {"type": "Polygon", "coordinates": [ring if _area(ring) >= 0 else ring[::-1]]}


def places_in(value: Any, depth: int = 0) -> Iterator[tuple[float, float]]:
    """Longitude and latitude of every record in the data of an event that has both, at most ``FOUND_MAX``."""
    left = FOUND_MAX
    for one in _places(value, depth):
        if left == 0:
            return
        left -= 1
        yield one


def _places(value: Any, depth: int) -> Iterator[tuple[float, float]]:
    if depth > DEPTH_MAX:
        return
    if isinstance(value, Mapping):
        found = _named(value, _LONGITUDES), _named(value, _LATITUDES)
        if found[0] is not None and found[1] is not None and _on_earth(*found):
            yield found[0], found[1]
        for part in value.values():
            yield from _places(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _places(part, depth + 1)


def _named(value: Mapping[str, Any], names: Iterable[str]) -> float | None:
    for name in names:
        given = value.get(name)
        if isinstance(given, int | float) and not isinstance(given, bool):
            return float(given)
    return None


def _at(longitude: float, latitude: float, far: float, towards: float) -> Position:
    """What lies so far (an angle at the middle of the earth) in a direction, both in radians."""
    north = radians(latitude)
    there = asin(max(-1.0, min(1.0, sin(north) * cos(far) + cos(north) * sin(far) * cos(towards))))
    east = atan2(sin(towards) * sin(far) * cos(north), cos(far) - sin(north) * sin(there))
    return [_round(longitude + degrees(east)), _round(degrees(there))]


def _area(ring: list[Position]) -> float:
    """Twice the area within a ring, positive where it goes counter-clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))


def _on_earth(longitude: float | None, latitude: float | None) -> bool:
    return longitude is not None and latitude is not None and abs(longitude) <= 180 and abs(latitude) <= 90


def _round(degrees_: float) -> float:
    """To about a decimetre."""
    return round(degrees_, 6)
