"""Holds a parsed alert to the tables of ``elements``: every deviation is found, not only the first."""

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from lxml import etree

from deptbus.imports.cap.elements import ALERTS, CAP_10, Element
from deptbus.imports.cap.finding import Findings
from deptbus.imports.cap.values import Wrong
from deptbus.imports.cap.xml import XMLDSIG

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = (f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation")
"""Attributes that any element may have; nobody follows them here."""
_FEEDS = {"feed": "an Atom feed", "rss": "an RSS feed", "RDF": "an RSS feed", "EDXLDistribution": "an EDXL envelope"}


@dataclass(slots=True)
class Node:
    """An element that holds others: what was read of them, by name, in order."""

    line: int
    values: dict[str, list[Any]] = field(default_factory=dict)
    """Nodes or values; what could not be read is not here."""
    lines: dict[str, int] = field(default_factory=dict)
    """Where the first element of a name stands, also one that could not be read."""

    def one(self, name: str) -> Any:
        """The first of a name, or None."""
        return next(iter(self.values.get(name, ())), None)

    def all(self, name: str) -> list[Any]:
        """Every one of a name."""
        return self.values.get(name, [])

    def text(self, name: str) -> str | None:
        """The first of a name, or None where it says nothing."""
        return self.one(name) or None

    def line_of(self, name: str) -> int:
        """Where the first of a name stands, else the line of this one."""
        return self.lines.get(name, self.line)


def read_alert(root: etree._Element, findings: Findings) -> Node | None:
    """The alert; None where the root is no alert at all. Whatever is wrong inside is in ``findings``."""
    name = etree.QName(root)
    line = root.sourceline or 1
    if name.localname != "alert":
        what = _FEEDS.get(name.localname)
        if what:
            findings.refuse(line, f"this is {what}, not an alert; give each alert as a file of its own")
        elif name.localname == "EncryptedData":
            findings.refuse(line, "the alert is encrypted; decrypt it first")
        else:
            findings.refuse(line, f"the root is {_called(root)}, not the alert of a CAP message")
        return None
    if name.namespace not in ALERTS:
        known = " and ".join(ALERTS)
        found = "in CAP 1.0" if name.namespace == CAP_10 else f"in the namespace {name.namespace or '(none)'}"
        findings.refuse(line, f"the alert is {found}; those of {known} are read")
        return None
    return _children(root, Element("alert", children=ALERTS[name.namespace]), name.namespace, findings)


def _children(parent: etree._Element, spec: Element, namespace: str, findings: Findings) -> Node:
    node = Node(parent.sourceline or 0)
    _no_attributes(parent, findings)
    _no_text(parent, findings)
    place = {child.name: at for at, child in enumerate(spec.children)}
    reached, after = 0, ""
    for element in parent:
        name = etree.QName(element)
        line = element.sourceline or 0
        if spec.name == "alert" and name.namespace == XMLDSIG:
            reached, after = len(spec.children), "Signature"
            continue
        child = _known(element, spec, namespace, place, findings)
        if child is None:
            meant = _meant(element, place)
            if meant:
                node.lines.setdefault(meant, line)  # it is there, only not as it has to be
            continue
        at = place[child.name]
        if at < reached:
            findings.refuse(line, f"{child.name} stands after {after}; it belongs before it")
        else:
            reached, after = at, child.name
        if child.name in node.lines and not child.many:
            findings.refuse(line, f"{child.name} stands twice in {spec.name}; once is allowed")
        node.lines.setdefault(child.name, line)
        _take(node, element, child, namespace, findings)
    for child in spec.children:
        if child.least and child.name not in node.lines:
            findings.refuse(node.line, f"{spec.name} lacks {child.name}, which is mandatory")
    return node


def _known(
    element: etree._Element, spec: Element, namespace: str, place: dict[str, int], findings: Findings
) -> Element | None:
    """The table's line for an element; None, and a finding, where it has none."""
    if not isinstance(element.tag, str):
        findings.refuse(element.sourceline or 0, f"an entity that is not defined stands in {spec.name}")
        return None
    name = etree.QName(element)
    if name.namespace != namespace:
        findings.refuse(element.sourceline or 0, f"{_called(element)} does not belong into {spec.name}")
        return None
    if name.localname not in place:
        meant = _meant(element, place)
        hint = f"; {meant} is meant, perhaps" if meant else ""
        findings.refuse(element.sourceline or 0, f"{spec.name} has no element {name.localname}{hint}")
        return None
    return spec.children[place[name.localname]]


def _meant(element: etree._Element, place: dict[str, int]) -> str | None:
    """The element of the table that one was probably meant to be."""
    if not isinstance(element.tag, str):
        return None
    folded = {known.lower(): known for known in place}
    near = get_close_matches(etree.QName(element).localname.lower(), folded, 1, 0.8)
    return folded[near[0]] if near else None


def _take(node: Node, element: etree._Element, child: Element, namespace: str, findings: Findings) -> None:
    """Read one child into its parent's node."""
    line = element.sourceline or 0
    if child.children:
        node.values.setdefault(child.name, []).append(_children(element, child, namespace, findings))
        return
    _no_attributes(element, findings)
    inner = next(iter(element), None)
    if inner is not None:
        findings.refuse(inner.sourceline or line, f"{child.name} holds {_called(inner)}; it is text")
        return
    value = element.text or ""
    if not value.strip() and child.may_be_empty:
        node.values.setdefault(child.name, []).append(child.read(""))
        return
    try:
        node.values.setdefault(child.name, []).append(child.read(value))
    except Wrong as error:
        for reason in error.reasons:
            findings.refuse(line, f"{child.name}: {reason}")


def _no_attributes(element: etree._Element, findings: Findings) -> None:
    for attribute in element.attrib:
        if attribute not in _HINTS:
            name = etree.QName(element).localname
            findings.refuse(element.sourceline or 0, f"{name} has the attribute {attribute}; alerts have none")


def _no_text(parent: etree._Element, findings: Findings) -> None:
    for line, stray in [(parent.sourceline, parent.text), *((child.sourceline, child.tail) for child in parent)]:
        if stray and stray.strip():
            shown, name = " ".join(stray.split())[:40], etree.QName(parent).localname
            findings.refuse(line or 0, f"the text {shown!r} stands in {name} outside an element")


def _called(element: etree._Element) -> str:
    if not isinstance(element.tag, str):
        return "an entity that is not defined"
    name = etree.QName(element)
    return f"the element {name.localname}" + (f" of {name.namespace}" if name.namespace else " without a namespace")
