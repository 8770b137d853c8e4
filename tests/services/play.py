"""Plays events that happen by themselves through workflows and the simulated desks, step by step, in memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.envelope import Envelope
from deptbus.exercise.default_desk import DefaultDesk
from deptbus.exercise.desks import AnswerWith, Desks
from deptbus.exercise.scenario import load_scenario
from deptbus.exercise.scripted import ScriptedAnswer
from deptbus.imports.item import Item
from deptbus.record import Event, Record
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from tests.workflow.world import HOUR, ROOT, START, World, pack_of, workflow

DAY = 24 * HOUR
MINUTE = HOUR // 60


@cache
def catalogue() -> Catalogue:
    """The project's own."""
    return load_catalogue(ROOT, START)


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
    tasks: list[Output] = field(default_factory=list)
    """Everything on ``workflow.tasks``."""
    timeline: list[dict[str, Any]] = field(default_factory=list)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every request of a task."""
        return self.of("workflow.TaskRequested")

    def of(self, event_type: str) -> list[dict[str, Any]]:
        """The data of what was put out on ``workflow.tasks`` of one type."""
        return [output.data for output in self.tasks if output.type == event_type]

    def kinds(self) -> Counter[str]:
        """How many timeline records there are of each kind."""
        return Counter(record["kind"] for record in self.timeline)


def play(items: Iterable[Item], not_before: str, until: int, seed: int = 1) -> Played:
    """Play an import through the epidemic workflow; ``not_before`` is that of the quiet timer."""
    definition = workflow("epidemic")
    definition["timers"] = [{**timer, "not_before": not_before} for timer in definition["timers"]]
    return play_packs([pack_of(definition)], items, until=until, seed=seed)


def play_scenario(name: str, seed: int | None = None) -> Played:
    """Play a scenario of the project."""
    found = load_scenario(ROOT, name, catalogue())
    return play_packs(
        [pack_of(workflow(workflow_name)) for workflow_name in found.workflows],
        found.items,
        until=found.until_ms + 28 * DAY,
        seed=seed or found.seed,
        answers=found.answers,
        step_ms=found.step_minutes * MINUTE,
    )


def play_packs(
    packs: list[Pack],
    items: Iterable[Item],
    *,
    until: int,
    seed: int,
    answers: tuple[ScriptedAnswer, ...] = (),
    step_ms: int = HOUR,
) -> Played:
    """Play until every incident is closed, at most until ``until``. Quiet time is skipped, as the clock does."""
    played = Played(World(*packs, stepped=True))
    waiting = sorted(items, key=lambda item: (item.at_ms, item.id))
    default = DefaultDesk(catalogue().schemas, {pack.workflow: pack.definition for pack in packs})
    officials = Desks(seed, default, desks(), answers)
    start = waiting[0].at_ms
    step = 0
    while waiting or any(instance["status"] == "open" for instance in played.instances.values()):
        ends_at = start + (step + 1) * step_ms
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
        outputs = [*played.world.tick(ends_at, step)]
        for output in outputs:
            _take(played, officials, output)
        # What is for another key is read in the next step.
        told = [output.data["entry"] for output in outputs if output.topic == "workflow.journal"]
        if told:
            played.world.append(*told)
        played.world.outputs.clear()
        played.ended_at = ends_at
        step += 1
        if all(output.topic in ("workflow.instances", "workflow.timeline") for output in outputs):
            due = [officials.next_at(), waiting[0].at_ms if waiting else None, played.world.partition.next_due]
            dates = [date for date in due if date is not None]
            if dates:
                step = max(step, (min(dates) - start) // step_ms)
    return played


def _take(played: Played, officials: Desks, output: Output) -> None:
    if output.type == "workflow.InstanceChanged":
        played.instances[output.data["instance"]] = output.data
    elif output.type == "workflow.TimelineRecorded":
        played.timeline.append(output.data)
    if output.topic != "workflow.tasks":
        return
    played.tasks.append(output)
    envelope = Envelope(
        id=output.id, type=output.type, source="/bus/advance", time_ms=output.time_ms,
        correlationid=output.correlationid,
    )  # fmt: skip
    officials.take(Event(envelope, output.data, Record(output.topic, 0, 0, 0, None, None, [])))
