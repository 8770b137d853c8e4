"""Boundaries of administrative areas, from a file that a city has: GeoJSON (RFC 7946), each feature with its code.

None come with the project: which lines may be shown is for the authority of the place to say.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from deptbus.errors import SettingsError
from deptbus.workflow.regions import significant
from services.dashboard.views.shapes import Geometry

Boundaries = Mapping[str, Geometry]
"""By GB/T 2260 code."""

_CODES = ("code", "adcode", "gb")
"""What files of areas call the code, the first that is there."""
_GB = "156"
"""China's number in ISO 3166, which the national platform's files set before a code."""


def load_boundaries(path: Path | None) -> Boundaries:
    """The boundaries of a file; none without one. ``SettingsError`` where the file is none of areas."""
    if path is None:
        return {}
    try:
        content = orjson.loads(path.read_bytes())
        features = content["features"]
        return dict(_read(number, feature) for number, feature in enumerate(features))
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from None
    except orjson.JSONDecodeError as error:
        raise _unusable(path, f"not JSON: {error}") from None
    except (AttributeError, KeyError, TypeError):
        raise _unusable(path, "not a GeoJSON FeatureCollection") from None
    except ValueError as error:
        raise _unusable(path, str(error)) from None


def around(boundaries: Boundaries, regions: Collection[str]) -> Iterator[tuple[str, Geometry]]:
    """The smallest city or province that contains these regions, and its other areas: what they lie among."""
    shared = _shared([significant(region) for region in regions])
    for code, geometry in boundaries.items():
        if shared and code.startswith(shared) and code not in regions:
            yield code, geometry


def _shared(codes: Collection[str]) -> str:
    """The digits of the city, or else of the province, in which all lie; none where there is no such."""
    for digits in (4, 2):
        found = {code[:digits] for code in codes if len(code) >= digits}
        if len(found) == 1 and all(len(code) >= digits for code in codes):
            return found.pop()
    return ""


def _read(number: int, feature: Mapping[str, Any]) -> tuple[str, Geometry]:
    properties, geometry = feature["properties"] or {}, feature["geometry"] or {}
    code = next((str(properties[name]) for name in _CODES if properties.get(name)), "")
    if len(code) == 9 and code.startswith(_GB):
        code = code.removeprefix(_GB)
    if len(code) != 6 or not code.isdigit():
        raise ValueError(f"feature {number} has no code of six digits in its properties ({', '.join(_CODES)})")
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"feature {number} ({code}) is a {geometry.get('type')}, and no Polygon or MultiPolygon")
    return code, {"type": geometry["type"], "coordinates": geometry["coordinates"]}


def _unusable(path: Path, reason: str) -> SettingsError:
    return SettingsError(f"BUS_DASHBOARD_BOUNDARIES is not usable: {path}: {reason}.")
