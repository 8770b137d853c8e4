"""Which alerts are in force: an Update supersedes what it references, a Cancel ends it, in any order of arrival. Pure.

A reference names sender, identifier and sent; two ways of writing one moment are the same. A message counts for those
of its own status only: a Cancel that is an exercise ends no actual alert. Whoever is named in references is ended for
good: when an Update is cancelled, what it superseded does not come back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deptbus.clock import from_iso

Alert = Mapping[str, Any]
"""The data of a ``warning.AlertReceived``."""
Key = tuple[str, str, int, str]
"""Sender, identifier, when it was sent (ms), status."""
State = Literal["in_force", "expired", "superseded", "cancelled", "message"]

_ENDS: dict[str, State] = {"Update": "superseded", "Cancel": "cancelled"}
_ALERTS = ("Alert", "Update")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one message stands."""

    alert: Alert
    state: State
    """``message`` for what is no alert itself: Cancel, Ack, Error."""
    by: str | None
    """The identifier of the message that superseded or cancelled it first, by when that was sent."""
    missing: tuple[str, ...]
    """Identifiers that it references and that have not arrived."""


def standings(alerts: Iterable[Alert], now_ms: int) -> list[Standing]:
    """How each stands at a moment, by when it was sent; of several with one key the first given counts."""
    known: dict[Key, Alert] = {}
    for alert in alerts:
        known.setdefault(_key(alert, alert["status"]), alert)
    ended_by: dict[Key, list[tuple[int, str, State]]] = defaultdict(list)
    for alert in known.values():
        ends = _ENDS.get(alert["message_type"])
        if ends is not None:
            for reference in alert["references"]:
                ended_by[_key(reference, alert["status"])].append((alert["sent_at"], alert["identifier"], ends))
    return [_standing(key, alert, known, ended_by, now_ms) for key, alert in sorted(known.items(), key=_by_time)]


def expires_at(alert: Alert) -> int | None:
    """When the last of its infos expires; None where one does not say, or there is none."""
    times = [info["expires"] for info in alert["infos"]]
    return max(map(from_iso, times)) if times and all(times) else None


def _standing(
    key: Key,
    alert: Alert,
    known: Mapping[Key, Alert],
    ended_by: Mapping[Key, list[tuple[int, str, State]]],
    now_ms: int,
) -> Standing:
    references = [_key(reference, alert["status"]) for reference in alert["references"]]
    missing = tuple(dict.fromkeys(reference[1] for reference in references if reference not in known))
    if alert["message_type"] not in _ALERTS:
        return Standing(alert, "message", None, missing)
    if key in ended_by:
        _, by, state = min(ended_by[key])
        return Standing(alert, state, by, missing)
    expires = expires_at(alert)
    return Standing(alert, "expired" if expires is not None and expires <= now_ms else "in_force", None, missing)


def _key(named: Alert, status: str) -> Key:
    return named["sender"], named["identifier"], from_iso(named["sent"]), status


def _by_time(known: tuple[Key, Alert]) -> tuple[int, Key]:
    return known[0][2], known[0]
