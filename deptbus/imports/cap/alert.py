"""One file's bytes to one event, or to the reasons why not. Pure."""

import os
from dataclasses import dataclass
from hashlib import sha256

from lxml import etree

from deptbus.clock import from_iso
from deptbus.ids import derived_id
from deptbus.imports.cap.conditions import check
from deptbus.imports.cap.elements import VERSIONS
from deptbus.imports.cap.facts import event_data
from deptbus.imports.cap.finding import Finding, Findings
from deptbus.imports.cap.signature import check_signatures
from deptbus.imports.cap.structure import read_alert
from deptbus.imports.cap.xml import parse
from deptbus.imports.item import Item

DEPARTMENT = "warning"
TYPE = "warning.AlertReceived"
_BASIS = "《中华人民共和国突发事件应对法》（2007年）第四十三条"
_MODES = {"Exercise": "exercise", "Test": "test", "Draft": "test"}
"""``ce_mode`` of what is not meant: nothing in actual life acts on it."""


@dataclass(frozen=True, slots=True)
class Read:
    """What became of one file."""

    file: str
    item: Item | None
    """The event; None for a file that is refused."""
    refusals: tuple[Finding, ...] = ()
    remarks: tuple[Finding, ...] = ()


def read_bytes(file: str, content: bytes) -> Read:
    """The event of one alert, whose id follows from sender, identifier and sent."""
    findings = Findings()
    item = _item(file, content, findings)
    return Read(file, None if findings.wrong else item, findings.sorted_wrong(), tuple(sorted(findings.odd)))


def _item(file: str, content: bytes, findings: Findings) -> Item | None:
    root = parse(content, findings)
    alert = None if root is None else read_alert(root, findings)
    if root is None or alert is None:
        return None
    check(alert, findings)
    if findings.wrong:
        return None
    sent = alert.one("sent")
    signature = check_signatures(content, root, sent)
    version = VERSIONS[str(etree.QName(root).namespace)]
    data = event_data(alert, version, signature, os.path.basename(file), sha256(content).hexdigest(), findings)
    source = f"{data['sender']},{data['identifier']},{sent}"
    identity = derived_id(source, f"/departments/{DEPARTMENT}", TYPE, data["identifier"])
    mode = _MODES.get(data["status"])
    return Item(from_iso(sent), DEPARTMENT, TYPE, identity, data, data["identifier"], data["region"], _BASIS, mode)
