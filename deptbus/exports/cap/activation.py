"""What an instance's activations say to the outside: the first is an Alert, later ones Updates, the end a Cancel. Pure.

After a Cancel the next activation is an Alert again. Colour, grade and response level are three parameters, each
given only where the event gives it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deptbus.clock import from_iso
from deptbus.errors import ExportRefused
from deptbus.imports.cap.regions import name_of
from deptbus.workflow.definition import CapInfo, Definition, Titles

ACTIVATED = "government.LevelActivated"
CANCELLED = "government.AlertCancelled"
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
_STATUS = {"actual": "Actual", "exercise": "Exercise", "test": "Test"}
_ROMAN = {"I": "Ⅰ", "II": "Ⅱ", "III": "Ⅲ", "IV": "Ⅳ"}


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An event of ``government.levels`` that belongs to the instance."""

    id: str
    type: str
    time_ms: int
    mode: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What is the same for all alerts of an instance."""

    instance: str
    titles: Titles
    """Of its workflow."""
    cap: CapInfo
    sender: Titles
    """Who issues the alerts, in words."""


def about(instance: str, definition: Definition, sender: Titles) -> About:
    """What alerts of an instance say in common; ``ExportRefused`` where its workflow does not say what to alert."""
    if definition.cap is None:
        raise ExportRefused(
            f"The workflow {definition.workflow} does not say what its alerts are about: add `cap` with category and "
            f"event to services/workflows/{definition.workflow}/workflow.yaml and activate it."
        )
    return About(instance, definition.titles, definition.cap, sender)


def alerts(common: About, confirmed: Iterable[Confirmed], languages: Iterable[str]) -> list[dict[str, Any]]:
    """The alerts, in the shape of ``warning.AlertReceived``, by when they were sent; ``languages``: zh, en."""
    found: list[dict[str, Any]] = []
    standing: list[dict[str, str]] = []
    for event in sorted({event.id: event for event in confirmed}.values(), key=_sent):
        reference = {
            "sender": event.data["alert_sender"],
            "identifier": event.data["alert_identifier"],
            "sent": event.data["alert_sent"],
        }
        kind = "Cancel" if event.type == CANCELLED else "Update" if standing else "Alert"
        references = list(standing)
        if kind == "Cancel":
            references = _named(event.data["references"]) or references
            if not references:
                continue  # nothing was in force, so there is nothing that the outside could be told to forget
        infos = [_info(common, event, kind, language) for language in languages]
        found.append(_alert(common, event, kind, references, infos))
        standing = [] if kind == "Cancel" else [*standing, reference]
    return found


def _sent(event: Confirmed) -> tuple[int, int, str]:
    try:
        return from_iso(event.data["alert_sent"]), event.time_ms, event.id
    except ValueError:
        raise ExportRefused(
            f"The event {event.id} ({event.type}) was sent at {event.data['alert_sent']!r}, which is no time with an "
            "offset such as 2020-01-24T09:00:00+08:00."
        ) from None


def _named(references: str) -> list[dict[str, str]]:
    """What a Cancel itself names, where it does so in the form of CAP."""
    parts = [part.split(",") for part in references.split()]
    if any(len(part) != 3 for part in parts):
        return []
    return [dict(zip(("sender", "identifier", "sent"), part, strict=True)) for part in parts]


def _alert(
    common: About, event: Confirmed, kind: str, references: list[dict[str, str]], infos: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "identifier": event.data["alert_identifier"],
        "sender": event.data["alert_sender"],
        "sent": event.data["alert_sent"],
        "status": _STATUS[event.mode],
        "message_type": kind,
        "source": None,
        "scope": "Public",
        "restriction": None,
        "addresses": [],
        "codes": [],
        "note": None,
        "references": references,
        "incidents": [common.instance],
        "infos": infos,
    }


def _info(common: About, event: Confirmed, kind: str, language: str) -> dict[str, Any]:
    data = event.data
    ends = kind == "Cancel"
    return {
        "language": LANGUAGES[language],
        "categories": [common.cap.category],
        "event": _said(common.cap.event, language),
        "response_types": ["AllClear" if ends else "Execute"],
        "urgency": "Past" if ends else data["urgency"],
        "severity": "Unknown" if ends else data["severity"],
        "certainty": "Observed" if ends else data["certainty"],
        "audience": None,
        "event_codes": [],
        "effective": data["alert_sent"],
        "onset": None,
        "expires": None,
        "sender_name": _sender(common, data["region"], language),
        "headline": _headline(common, data, kind, language),
        "description": None,
        "instruction": None,
        "web": None,
        "contact": None,
        "parameters": [] if ends else _marks(data),
        "resources": [],
        "areas": [_area(data["region"], language)],
    }


def _marks(data: Mapping[str, Any]) -> list[dict[str, str]]:
    named = {"warning colour": data["colour"], "event grade": data["grade"], "response level": data["level"]}
    return [{"name": name, "value": value} for name, value in named.items() if value is not None]


def _area(region: str, language: str) -> dict[str, Any]:
    return {
        "description": _place(region, language),
        "polygons": [],
        "circles": [],
        "geocodes": [{"name": "GB/T 2260", "value": region}],
        "altitude": None,
        "ceiling": None,
    }


def _headline(common: About, data: Mapping[str, Any], kind: str, language: str) -> str:
    place, title = _place(data["region"], language), _said(common.titles, language)
    if language == "zh":
        if kind == "Cancel":
            return f"{place}终止{title}应急响应"
        return f"{place}{'启动' if kind == 'Alert' else '调整为'}{title}{_ROMAN[data['level']]}级应急响应"
    if kind == "Cancel":
        return f"{place}: the response has ended. {title}"
    return f"{place}: response level {_ROMAN[data['level']]} {'activated' if kind == 'Alert' else 'now'}. {title}"


def _sender(common: About, region: str, language: str) -> str:
    name = name_of(region)
    return f"{name}{common.sender.zh}" if language == "zh" else f"{common.sender.en}, {name}"


def _place(region: str, language: str) -> str:
    """The region's name; in English with its code, for the name is Chinese."""
    name = name_of(region)
    return name if language == "zh" or name == region else f"{name} ({region})"


def _said(titles: Titles, language: str) -> str:
    return titles.zh if language == "zh" else titles.en
