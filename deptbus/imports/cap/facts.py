"""The data of ``warning.AlertReceived`` from an alert that was read without fault."""

from collections.abc import Iterator
from typing import Any

from deptbus.clock import from_iso
from deptbus.imports.cap.finding import Findings
from deptbus.imports.cap.marks import read_marks
from deptbus.imports.cap.regions import is_region_list, read_region, smallest
from deptbus.imports.cap.signature import Verdict
from deptbus.imports.cap.structure import Node
from deptbus.imports.cap.warning_id import NoWarningId, WarningId, read_warning_id


def event_data(
    alert: Node, version: str, signature: Verdict, source_file: str, source_hash: str, findings: Findings
) -> dict[str, Any]:
    """The event's data; what is odd about numbers, codes and marks becomes a remark."""
    number = _number(alert, findings)
    regions = list(dict.fromkeys(_regions(alert, findings)))
    if not regions and number is not None and read_region(number.region):
        regions = [number.region]
    references = list(alert.one("references") or ())
    infos = [_info(info) for info in alert.all("info")]
    return {
        **{name: alert.one(name) for name in ("identifier", "sender", "sent", "status", "scope")},
        "sent_at": from_iso(alert.one("sent")),
        "cap_version": version,
        "message_type": alert.one("msgType"),
        **{name: alert.text(name) for name in ("source", "restriction", "note")},
        "addresses": list(alert.one("addresses") or ()),
        "codes": [code for code in alert.all("code") if code],
        "references": references,
        "reference": references[0]["identifier"] if references else "",
        "incidents": list(alert.one("incidents") or ()),
        "infos": infos,
        "region": smallest(regions),
        "regions": " ".join(regions),
        **_first(infos),
        **read_marks(alert, number is not None, findings),
        "warning_id": number.to_data() if number else None,
        "signature": signature.verdict,
        "signature_reason": signature.reason,
        "source_file": source_file,
        "source_hash": source_hash,
    }


def _number(alert: Node, findings: Findings) -> WarningId | None:
    try:
        return read_warning_id(alert.one("identifier"))
    except NoWarningId as error:
        findings.remark(alert.line_of("identifier"), f"the identifier looks like a warning number, but {error}")
        return None


def _regions(alert: Node, findings: Findings) -> Iterator[str]:
    for info in alert.all("info"):
        for area in info.all("area"):
            for geocode in area.all("geocode"):
                if not is_region_list(geocode.one("valueName")):
                    continue
                region = read_region(geocode.one("value"))
                if region is None:
                    findings.remark(geocode.line, f"the geocode {geocode.one('value')[:40]!r} is no code of GB/T 2260")
                else:
                    yield region


def _first(infos: list[dict[str, Any]]) -> dict[str, str]:
    names = ("event", "headline", "urgency", "severity", "certainty")
    if not infos:
        return dict.fromkeys(("category", *names), "")
    return {"category": infos[0]["categories"][0], **{name: infos[0][name] or "" for name in names}}


def _info(info: Node) -> dict[str, Any]:
    return {
        "language": info.one("language") or "en-US",
        "categories": info.all("category"),
        "event": info.one("event"),
        "response_types": info.all("responseType"),
        **{name: info.one(name) for name in ("urgency", "severity", "certainty")},
        "audience": info.text("audience"),
        "event_codes": _pairs(info.all("eventCode")),
        **{name: info.one(name) for name in ("effective", "onset", "expires")},
        "sender_name": info.text("senderName"),
        **{name: info.text(name) for name in ("headline", "description", "instruction", "web", "contact")},
        "parameters": _pairs(info.all("parameter")),
        "resources": [_resource(resource) for resource in info.all("resource")],
        "areas": [_area(area) for area in info.all("area")],
    }


def _pairs(nodes: list[Node]) -> list[dict[str, str]]:
    return [{"name": node.one("valueName"), "value": node.one("value")} for node in nodes]


def _resource(resource: Node) -> dict[str, Any]:
    return {
        "description": resource.one("resourceDesc"),
        "mime_type": resource.text("mimeType"),
        "size": resource.one("size"),
        "uri": resource.text("uri"),
        "deref_uri": resource.text("derefUri"),
        "digest": resource.text("digest"),
    }


def _area(area: Node) -> dict[str, Any]:
    return {
        "description": area.one("areaDesc"),
        "polygons": [list(points) for points in area.all("polygon")],
        "circles": area.all("circle"),
        "geocodes": _pairs(area.all("geocode")),
        "altitude": area.one("altitude"),
        "ceiling": area.one("ceiling"),
    }
