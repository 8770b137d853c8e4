"""Alerts for tests, written here: the text of one, with parts put in, left out or changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from deptbus.imports.cap.alert import Read, read_bytes

NAMESPACES = {"1.1": "urn:oasis:names:tc:emergency:cap:1.1", "1.2": "urn:oasis:names:tc:emergency:cap:1.2"}
IDENTIFIER = "44030041600000_20200124090000_1"
SENDER = "warning@example.cn"
SENT = "2020-01-24T09:00:00+08:00"

AREA = """    <area>
      <areaDesc>深圳市</areaDesc>
      <polygon>22.5,113.9 22.5,114.2 22.7,114.2 22.7,113.9 22.5,113.9</polygon>
      <circle>22.55,114.06 5.5</circle>
      <geocode>
        <valueName>GB/T 2260</valueName>
        <value>440300</value>
      </geocode>
    </area>
"""
INFO = f"""  <info>
    <language>zh-CN</language>
    <category>Met</category>
    <event>暴雨</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <headline>深圳市发布暴雨橙色预警信号</headline>
{AREA}  </info>
"""


def cap(
    *,
    version: str = "1.2",
    identifier: str = IDENTIFIER,
    sent: str = SENT,
    kind: str = "Alert",
    references: str = "",
    info: str = INFO,
    encoding: str = "UTF-8",
) -> str:
    """One alert; the elements of its head stand on lines 3 to 8, info from line 9 on (10 with references)."""
    named = f"  <references>{references}</references>\n" if references else ""
    return f"""<?xml version="1.0" encoding="{encoding}"?>
<alert xmlns="{NAMESPACES[version]}">
  <identifier>{identifier}</identifier>
  <sender>{SENDER}</sender>
  <sent>{sent}</sent>
  <status>Actual</status>
  <msgType>{kind}</msgType>
  <scope>Public</scope>
{named}{info}</alert>
"""


def reference(identifier: str, sent: str = SENT) -> str:
    """How an alert names an earlier one."""
    return f"{SENDER},{identifier},{sent}"


def read(text: str | bytes) -> Read:
    """What becomes of one file."""
    return read_bytes("storm.cap", text if isinstance(text, bytes) else text.encode())


def data(text: str | bytes) -> dict[str, Any]:
    """The data of an alert that is read."""
    done = read(text)
    assert done.item is not None, done.refusals
    return done.item.data


def refusals(text: str | bytes) -> list[tuple[int, str]]:
    """Line and reason of everything for which a file is refused."""
    done = read(text)
    assert (done.item is None) == bool(done.refusals)
    return [(finding.line, finding.reason) for finding in done.refusals]


def remarks(text: str | bytes) -> list[str]:
    """What is odd about an alert that is read."""
    done = read(text)
    assert done.item is not None, done.refusals
    return [finding.reason for finding in done.remarks]


def with_info(change: Callable[[str], str]) -> str:
    """The alert with its info changed."""
    changed = change(INFO)
    assert changed != INFO
    return cap(info=changed)


def write(folder: Path, name: str, text: str) -> Path:
    """A file; answers its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
