"""What must hold between elements of an alert, beyond the schema (CAP 1.2, section 3.2)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from deptbus.clock import from_iso
from deptbus.imports.cap.finding import Findings
from deptbus.imports.cap.structure import Node

_YEARS = ("1970", "9998")
"""Events of other years cannot be dated."""
_ANSWERS = {
    "Update": "what it supersedes",
    "Cancel": "what it cancels",
    "Ack": "what it acknowledges",
    "Error": "what it rejects",
}


def check(alert: Node, findings: Findings) -> None:
    """Report what does not hold; what could not be read at all is not looked at again."""
    sent = alert.one("sent")
    if sent is not None and not _YEARS[0] <= sent[:4] <= _YEARS[1]:
        findings.refuse(alert.line_of("sent"), f"sent: {sent[:4]} is no year in which an alert is sent")
    _addressing(alert, findings)
    _references(alert, findings)
    for info in alert.all("info"):
        _times(info, findings)
        _links(info, findings)
        for area in info.all("area"):
            _heights(area, findings)


def _addressing(alert: Node, findings: Findings) -> None:
    scope = alert.one("scope")
    if scope == "Private" and (alert.one("addresses") == () or "addresses" not in alert.lines):
        findings.refuse(alert.line_of("scope"), "the scope is Private, but addresses does not say for whom")
    if scope == "Restricted" and not alert.text("restriction"):
        findings.refuse(alert.line_of("scope"), "the scope is Restricted, but restriction does not say how")
    if scope in ("Public", "Private") and alert.text("restriction"):
        findings.remark(alert.line_of("restriction"), f"a restriction is given, but the scope is {scope}")


def _references(alert: Node, findings: Findings) -> None:
    kind = alert.one("msgType")
    if kind in _ANSWERS and "references" not in alert.lines:
        findings.refuse(
            alert.line_of("msgType"), f"the message is of type {kind}, but references does not name {_ANSWERS[kind]}"
        )
    if kind == "Error" and not alert.text("note"):
        findings.remark(alert.line_of("msgType"), "an Error should explain in note what it rejects")
    if kind in ("Alert", "Update") and not alert.all("info") and "info" not in alert.lines:
        findings.remark(alert.line_of("msgType"), f"the {kind} has no info: it says nothing")
    sent = alert.one("sent")
    for reference in alert.one("references") or ():
        line = alert.line_of("references")
        if (reference["sender"], reference["identifier"]) == (alert.one("sender"), alert.one("identifier")):
            findings.refuse(line, "the alert references itself")
        elif sent is not None and from_iso(reference["sent"]) > from_iso(sent):
            findings.remark(line, f"{reference['identifier']} was sent after the alert that references it")


def _times(info: Node, findings: Findings) -> None:
    effective, expires = info.one("effective"), info.one("expires")
    if effective and expires and from_iso(expires) < from_iso(effective):
        findings.remark(info.line_of("expires"), f"it expires at {expires}, before it is effective at {effective}")


def _links(info: Node, findings: Findings) -> None:
    for line, name, uri in _uris(info):
        if not _absolute(uri):
            findings.remark(line, f"{name} is no full address: {uri[:60]!r}")


def _uris(info: Node) -> Iterator[tuple[int, str, str]]:
    if web := info.text("web"):
        yield info.line_of("web"), "web", web
    for resource in info.all("resource"):
        uri = resource.text("uri")
        if uri and not resource.text("derefUri"):
            yield resource.line_of("uri"), "uri", uri


def _absolute(uri: str) -> bool:
    try:
        return bool(urlsplit(uri).scheme)
    except ValueError:
        return False


def _heights(area: Node, findings: Findings) -> None:
    altitude, ceiling = area.one("altitude"), area.one("ceiling")
    if "ceiling" in area.lines and "altitude" not in area.lines:
        findings.refuse(area.line_of("ceiling"), "ceiling stands without altitude; it is the upper end of a range")
    elif altitude is not None and ceiling is not None and ceiling < altitude:
        findings.refuse(area.line_of("ceiling"), f"the ceiling {ceiling:g} is below the altitude {altitude:g}")
