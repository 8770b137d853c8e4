"""One incident, as it stands or as it stood at any moment: its record, its tasks, why things happened."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from deptbus.desk.afteraction import AfterAction, TaskRecord
from deptbus.desk.board import Snapshot, earlier
from deptbus.desk.drawup import draw_up
from deptbus.desk.reading import TASKS, TIMELINE
from deptbus.desk.reasons import in_words
from deptbus.desk.refused import Missing
from deptbus.desk.remembered import remembered, to_json, told
from deptbus.desk.resources import names_resources
from deptbus.desk.told import Told
from deptbus.errors import CodecError
from deptbus.workflow.definition import Definition
from deptbus.workflow.said import Said
from services.dashboard.access.people import Person
from services.dashboard.look import Look
from services.dashboard.projection.lines import line as line_of
from services.dashboard.projection.store import Stored
from services.dashboard.views.reasons import reason


def incident(look: Look, person: Person, instance: str, at_ms: int | None = None) -> dict[str, Any]:
    """What the page shows of an incident. ``Missing``, also for who may not see it."""
    record = record_of(look, person, instance, at_ms)
    snapshot = record.snapshot or {}
    definition = record.definition
    return {
        "now": look.now().at_ms,
        "as_of": record.as_of,
        "past": at_ms is not None,
        "note": record.note,
        "row": line_of(look.snapshot(record.instance), definition),
        "definition": {
            "titles": definition.titles.model_dump() if definition else None,
            "basis": definition.basis if definition else None,
            "version": snapshot.get("version"),
            "pack": snapshot.get("pack"),
        },
        "opened_at": record.opened_at,
        "closed_at": record.closed_at,
        "closed_because": _words(record.closed_because),
        "level": record.level,
        "levels": [{**step, "reason": _words(step["reason"])} for step in record.levels],
        "commands": record.commands,
        "merges": record.merges,
        "tasks": [_task(task, definition) for task in record.tasks],
        "timeline": [_line(line, definition) for line in record.timeline],
        "resources": record.resources(),
        "facts": snapshot.get("facts"),
        "remembered": [to_json(one) for one in remembered(snapshot.get("facts"), definition)],
        "targets": snapshot.get("targets"),
        "moments": sorted({line["at"] for line in record.timeline}),
        "unplaced": record.unplaced,
    }


def record_of(look: Look, person: Person, instance: str, at_ms: int | None = None) -> AfterAction:
    """The after-action record so far, or as of a time. ``Missing``, also for who may not see it."""
    snapshot = visible(look, person, instance)
    name = str(snapshot["instance"])
    board = look.board([snapshot])
    past = at_ms is not None and at_ms < snapshot["clock"]
    if past and at_ms is not None and at_ms < snapshot["opened_at"]:
        raise Missing(Said(f"{name} 当时尚未启动。", f"{name} was not open yet at that time."))
    key = name.rpartition("/")[0]
    lines = _told(look, look.store.told(TIMELINE, [name, key]))
    own = [told for told in lines if told.data["instance"] == name]
    record = draw_up(
        name,
        _told(look, look.store.told(TASKS, [name])),
        own,
        unplaced=[told for told in lines if told.data["instance"] == key],
        events=_resources(look, {told.data["cause"] for told in own}),
        as_of=board.now_ms if at_ms is None else at_ms,
        snapshot=earlier(snapshot) if past else snapshot,
        definition=board.definition(snapshot),
    )
    record.note = board.note if at_ms is None else None
    return record


def visible(look: Look, person: Person, instance: str) -> Snapshot:
    """The newest snapshot of an instance that the person may see; ``Missing`` for every other."""
    found = look.store.instance(instance)
    if found is None or not person.sees(orjson.loads(found.line)["departments"]):
        raise Missing(Said(f"没有实例 {instance}。", f"There is no instance {instance}."))
    return look.codec.decode(found.value)


def _told(look: Look, stored: Iterable[Stored]) -> list[Told]:
    """What was told, as far as it can be read."""
    found = []
    for record, envelope in stored:
        try:
            data = look.decode(record)
        except CodecError:
            continue
        found.append(Told(envelope.id, envelope.type, envelope.time_ms, record.coordinates, data))
    return found


def _resources(look: Look, ids: set[str]) -> list[Told]:
    """The events of these ids that say how much of a resource there is."""
    told = _told(look, look.store.events(ids))
    return [one for one in told if names_resources(one.type, one.data)]


def _line(line: Mapping[str, Any], definition: Definition | None) -> Mapping[str, Any]:
    return {**line, "why": reason(line, definition), "because": _words(line["detail"].get("reason"))}


def _words(text: str | None) -> Mapping[str, str] | None:
    return in_words(text)._asdict() if text else None


def _task(task: TaskRecord, definition: Definition | None) -> Mapping[str, Any]:
    context = [to_json(one) for one in told(task.context, definition)]
    titles = {"zh": task.title_zh, "en": task.title_en}
    return {**asdict(task), "titles": titles, "due": task.due, "context": context}
