"""From an instance to messages that are ready to be sent: each is read again before it is given out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deptbus.errors import ExportRefused
from deptbus.exports.cap.activation import About, Confirmed, alerts
from deptbus.exports.cap.write import write_alert
from deptbus.imports.cap.alert import read_bytes

KINDS = {"alert": "Alert", "update": "Update", "cancel": "Cancel"}
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Message:
    """One alert to the outside."""

    kind: str
    """Alert, Update or Cancel."""
    identifier: str
    sent: str
    xml: bytes

    @property
    def file_name(self) -> str:
        """What its file is called."""
        return f"{_UNSAFE.sub('_', self.identifier)}.cap"


def messages(
    common: About, confirmed: Iterable[Confirmed], languages: Iterable[str], kind: str | None
) -> list[Message]:
    """The messages of an instance, of one kind or all.

    ``ExportRefused`` where there is none, or where an event holds what CAP does not allow.
    """
    written = (_message(alert) for alert in alerts(common, confirmed, tuple(languages)))
    found = [message for message in written if kind is None or message.kind == KINDS[kind]]
    if not found:
        what = "no response level was confirmed in it yet (government.LevelActivated)"
        if kind is not None:
            what = f"it has no message of the kind {kind}"
        raise ExportRefused(f"There is nothing to export of {common.instance}: {what}.")
    return found


def _message(alert: dict[str, Any]) -> Message:
    name = alert["identifier"]
    try:
        xml = write_alert(alert)
    except ValueError as error:
        raise ExportRefused(f"The alert {name!r} cannot be written: {error}.") from None
    refusals = read_bytes(name, xml).refusals
    if refusals:
        raise ExportRefused(f"The alert {name!r} cannot be written as CAP 1.2: {refusals[0].reason}.")
    return Message(alert["message_type"], name, alert["sent"], xml)
