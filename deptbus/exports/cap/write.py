"""An alert, as ``warning.AlertReceived`` has it, as CAP 1.2 in UTF-8. The inverse of reading it."""

from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree

from deptbus.imports.cap.elements import CAP_12

Data = Mapping[str, Any]


def write_alert(alert: Data) -> bytes:
    """One CAP 1.2 message; raises ``ValueError`` for a text that XML cannot hold (a control character)."""
    root = etree.Element(f"{{{CAP_12}}}alert", nsmap={None: CAP_12})
    for name in ("identifier", "sender", "sent", "status"):
        _add(root, name, alert[name])
    _add(root, "msgType", alert["message_type"])
    _add(root, "source", alert["source"])
    _add(root, "scope", alert["scope"])
    _add(root, "restriction", alert["restriction"])
    _add(root, "addresses", _words(alert["addresses"]))
    for code in alert["codes"]:
        _add(root, "code", code)
    _add(root, "note", alert["note"])
    named = (f"{one['sender']},{one['identifier']},{one['sent']}" for one in alert["references"])
    _add(root, "references", " ".join(named) or None)
    _add(root, "incidents", _words(alert["incidents"]))
    for info in alert["infos"]:
        _info(_add(root, "info"), info)
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def _info(element: etree._Element, info: Data) -> None:
    _add(element, "language", info["language"])
    for category in info["categories"]:
        _add(element, "category", category)
    _add(element, "event", info["event"])
    for response in info["response_types"]:
        _add(element, "responseType", response)
    for name in ("urgency", "severity", "certainty", "audience"):
        _add(element, name, info[name])
    _pairs(element, "eventCode", info["event_codes"])
    for name in ("effective", "onset", "expires"):
        _add(element, name, info[name])
    _add(element, "senderName", info["sender_name"])
    for name in ("headline", "description", "instruction", "web", "contact"):
        _add(element, name, info[name])
    _pairs(element, "parameter", info["parameters"])
    for resource in info["resources"]:
        _resource(_add(element, "resource"), resource)
    for area in info["areas"]:
        _area(_add(element, "area"), area)


def _resource(element: etree._Element, resource: Data) -> None:
    _add(element, "resourceDesc", resource["description"])
    _add(element, "mimeType", resource["mime_type"] or "application/octet-stream")
    _add(element, "size", resource["size"])
    _add(element, "uri", resource["uri"])
    _add(element, "derefUri", resource["deref_uri"])
    _add(element, "digest", resource["digest"])


def _area(element: etree._Element, area: Data) -> None:
    _add(element, "areaDesc", area["description"])
    for polygon in area["polygons"]:
        _add(element, "polygon", " ".join(map(_point, polygon)))
    for circle in area["circles"]:
        _add(element, "circle", f"{_point(circle['centre'])} {_number(circle['radius_km'])}")
    _pairs(element, "geocode", area["geocodes"])
    for name in ("altitude", "ceiling"):
        _add(element, name, None if area[name] is None else _number(area[name]))


def _pairs(parent: etree._Element, name: str, pairs: Iterable[Data]) -> None:
    for pair in pairs:
        element = _add(parent, name)
        etree.SubElement(element, f"{{{CAP_12}}}valueName").text = pair["name"]
        etree.SubElement(element, f"{{{CAP_12}}}value").text = pair["value"]


def _add(parent: etree._Element, name: str, text: object = "") -> etree._Element:
    """A child, unless its text is None: what is not said is not written."""
    if text is None:
        return parent
    element = etree.SubElement(parent, f"{{{CAP_12}}}{name}")
    if text != "":
        element.text = str(text)
    return element


def _words(words: Iterable[str]) -> str | None:
    """A list separated by spaces; what has spaces in it stands in double quotes."""
    return " ".join(f'"{word}"' if word.split() != [word] else word for word in words) or None


def _point(point: Data) -> str:
    return f"{_number(point['latitude'])},{_number(point['longitude'])}"


def _number(value: float) -> str:
    """All digits of a number, without an exponent."""
    return f"{value:.12f}".rstrip("0").rstrip(".")
