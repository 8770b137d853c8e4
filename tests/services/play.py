"""Plays an import through the epidemic workflow and the simulated desks, step by step, in memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from deptbus.envelope import Envelope
from deptbus.exercise.desks import AnswerWith, Desks
from deptbus.imports.item import Item
from deptbus.record import Event, Record
from deptbus.workflow.output import Output
from tests.workflow.world import HOUR, ROOT, World, pack_of, workflow

DAY = 24 * HOUR


def desks() -> dict[str, AnswerWith]:
    """The answers of every department that has a simulated desk."""
    folders = sorted(path.parent.name for path in (ROOT / "services").glob("*/desk.py"))
    return {name: import_module(f"services.{name}.desk").answer for name in folders}


@dataclass
class Played:
    """What came of it."""

    world: World
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The last snapshot of each."""
    published: Counter[str] = field(default_factory=Counter)
    """Events of the desks by type."""
    ended_at: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)


def play(items: Iterable[Item], not_before: str, until: int, seed: int = 1) -> Played:
    """Play until every incident is closed, at most until ``until``. ``not_before`` is that of the quiet timer."""
    definition = workflow("epidemic")
    definition["timers"] = [{**timer, "not_before": not_before} for timer in definition["timers"]]
    played = Played(World(pack_of(definition), stepped=True))
    waiting = sorted(items, key=lambda item: (item.at_ms, item.id))
    officials = Desks(seed, desks())
    start = waiting[0].at_ms
    step = 0
    while waiting or any(instance["status"] == "open" for instance in played.instances.values()):
        ends_at = start + (step + 1) * HOUR
        if ends_at > until:
            break
        entries = []
        while waiting and waiting[0].at_ms < ends_at:
            item = waiting.pop(0)
            entries += played.world.entries(
                item.type, item.data, at=item.at_ms, id=item.id, region=item.region, subject=item.subject
            )
        for answer in officials.due(ends_at):
            draft = answer.draft
            played.published[draft.type] += 1
            entries += played.world.entries(
                draft.type, draft.data, at=answer.at_ms, id=answer.id, region=draft.region, subject=draft.subject,
                cause=answer.cause.envelope.id, instance=answer.cause.envelope.correlationid,
            )  # fmt: skip
        if entries:
            played.world.append(*entries)
        for output in played.world.tick(ends_at, step):
            _take(played, officials, output)
        played.world.outputs.clear()
        played.ended_at = ends_at
        step += 1
    return played


def _take(played: Played, officials: Desks, output: Output) -> None:
    if output.type == "workflow.InstanceChanged":
        played.instances[output.data["instance"]] = output.data
    if output.topic != "workflow.tasks":
        return
    if output.type == "workflow.TaskRequested":
        played.requests.append(output.data)
    envelope = Envelope(
        id=output.id, type=output.type, source="/bus/advance", time_ms=output.time_ms,
        correlationid=output.correlationid,
    )  # fmt: skip
    officials.take(Event(envelope, output.data, Record(output.topic, 0, 0, 0, None, None, [])))
