"""The board: every instance as it stands, the open tasks in them, and finding one by a few letters of its id. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from deptbus.clock import iso
from deptbus.desk.refused import Missing, Refused
from deptbus.workflow.definition import Definition, Gate, PackContent, Step, Titles
from deptbus.workflow.pack import Pack
from deptbus.workflow.said import Said

Snapshot = Mapping[str, Any]
"""The data of a ``workflow.InstanceChanged``."""

PREFIX_MIN = 4
"""Letters of a task's id that must be given at least."""
SHORT = 8
"""Letters of a task's id that are shown at least."""
_GATE = "_approval"
_NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What a definition says of a step, or of the gate before it."""

    titles: Titles
    completed_by: tuple[str, ...]
    declined_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task that is not over. Times are milliseconds since the epoch."""

    task: str
    request: str
    """The latest ``TaskRequested`` event."""
    instance: str
    workflow: str
    region: str | None
    level: str | None
    step: str
    asked: Asked
    subject: str
    role: str
    department: str
    unit: str
    """The responsible unit in it, in words."""
    basis: str
    cause: str
    state: str
    attempt: int
    requested_at: int
    acknowledge_by: int
    complete_by: int
    acknowledged_at: int | None
    paused_at: int | None
    escalations: int
    context: Mapping[str, str]

    @property
    def due(self) -> int:
        """What is due next: the acknowledgement, then the completion."""
        return self.acknowledge_by if self.acknowledged_at is None else self.complete_by

    def is_late(self, now_ms: int) -> bool:
        """Whether that has passed; not while the clock stands."""
        return self.paused_at is None and now_ms > self.due

    @property
    def endings(self) -> tuple[str, ...]:
        """The department's own event types that end this task; those that complete it first."""
        types = (*sorted(self.asked.completed_by), *sorted(self.asked.declined_by))
        return tuple(kind for kind in types if kind.startswith(self.department + "."))

    @property
    def completions(self) -> tuple[str, ...]:
        """The department's own event types that complete it; without any, its answer does."""
        return tuple(kind for kind in self.endings if kind in self.asked.completed_by)

    def to_json(self, now_ms: int) -> dict[str, Any]:
        """The task for programs, as it stands at ``now_ms``; times as RFC 3339."""
        times = ("requested_at", "acknowledge_by", "complete_by", "acknowledged_at", "paused_at", "due")
        plain = (
            "task", "request", "instance", "workflow", "region", "level", "step", "subject", "role", "department",
            "unit", "basis", "cause", "state", "attempt", "escalations",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in plain},
            **{name: None if (value := getattr(self, name)) is None else iso(value) for name in times},
            "titles": self.asked.titles.model_dump(),
            "context": dict(self.context),
            "completes_with": list(self.completions),
            "late": self.is_late(now_ms),
            "as_of": iso(now_ms),
        }


@dataclass(frozen=True, slots=True)
class Board:
    """Every instance at ``now_ms``, which in an exercise is exercise time."""

    instances: Mapping[str, Snapshot]
    """The newest snapshot of each."""
    packs: Mapping[str, bytes]
    """The canonical JSON of packs, by hash."""
    now_ms: int
    waiting: tuple[Snapshot, ...] = ()
    """The data of each ``workflow.KeyChanged`` at which entries wait for an instance."""
    note: Said | None = None
    """What is to be known of ``now_ms``, where it is not what this machine's clock says."""

    def definition(self, snapshot: Snapshot) -> Definition | None:
        """The definition that an instance runs by."""
        content = self.packs.get(snapshot["pack"])
        return None if content is None else _definition(content)

    def pack(self, name: str) -> Pack | None:
        """The compiled pack of a hash."""
        content = self.packs.get(name)
        return None if content is None else Pack.from_bytes(content)

    def title(self, snapshot: Snapshot) -> Titles:
        """The title of an instance's workflow; its name where the pack is not at hand."""
        definition = self.definition(snapshot)
        return definition.titles if definition else Titles(zh=snapshot["workflow"], en=snapshot["workflow"])

    def tasks(self, snapshot: Snapshot) -> list[OpenTask]:
        """The open tasks of an instance, what is due first at the top."""
        definition = self.definition(snapshot)
        return sorted((_open_task(snapshot, task, definition) for task in snapshot["tasks"]), key=_order)

    def open_tasks(self, department: str | None = None, instance: str | None = None) -> list[OpenTask]:
        """The open tasks of a department, or of all; what is due first at the top."""
        found = [
            task
            for snapshot in self.instances.values()
            if instance in (None, snapshot["instance"])
            for task in self.tasks(snapshot)
            if department in (None, task.department)
        ]
        return sorted(found, key=_order)

    def instance(self, name: str) -> Snapshot:
        """An instance by its id, or by ``<workflow>/<key>`` for the latest of a key; ``Missing``."""
        found = self.instances.get(name.strip("/"))
        if found is None:
            of_key = [one for one in self.instances.values() if f"{one['workflow']}/{one['key']}" == name.strip("/")]
            found = max(of_key, key=lambda one: int(one["n"]), default=None)
        if found is None:
            raise Missing(Said(f"没有实例 {name}。", f"There is no instance {name}."), see="`deptbus incidents list`")
        return found

    def task(self, prefix: str, department: str | None = None) -> OpenTask:
        """The open task whose id, or whose latest request's, begins like this; among ``department``'s first.

        ``Missing``, or ``Refused`` where several do or another department is responsible.
        """
        text = prefix.strip().lower()
        if len(text) < PREFIX_MIN:
            raise Refused(
                Said(
                    f"请至少给出任务编号的前 {PREFIX_MIN} 位；“{prefix}”太短。",
                    f"Name the task by at least {PREFIX_MIN} letters of its id; {prefix!r} is too short.",
                )
            )
        found = [task for task in self.open_tasks() if task.task.startswith(text) or task.request.startswith(text)]
        mine = [task for task in found if department in (None, task.department)]
        if len(mine) == 1:
            return mine[0]
        if mine:
            raise Refused(
                Said(
                    f"有 {len(mine)} 项未结任务的编号以 {prefix} 开头：{_several(mine, 'zh')}。请多给几位。",
                    f"{len(mine)} open tasks begin with {prefix}: {_several(mine, 'en')}. Give more letters.",
                )
            )
        if found:
            other, short, titles = found[0], found[0].task[:SHORT], found[0].asked.titles
            raise Refused(
                Said(
                    f"任务 {short}（{titles.zh}，{other.instance}）由 {other.department} 负责，而非 {department}。",
                    f"The task {short} ({titles.en}, {other.instance}) is asked of {other.department}, not of "
                    f"{department}.",
                )
            )
        raise Missing(
            Said(f"没有编号以 {prefix} 开头的未结任务。", f"No open task begins with {prefix}."),
            see="`deptbus desk list`",
        )


@lru_cache(maxsize=64)
def _definition(content: bytes) -> Definition:
    """Not compiled, for a board evaluates nothing."""
    return PackContent.model_validate_json(content).definition


def asked(definition: Definition | None, name: str) -> Asked:
    """What a definition says of the step or gate ``name``."""
    step, gate = _step(definition, name)
    if gate is not None:
        return Asked(gate.titles, (gate.approved_by,), (gate.rejected_by,))
    if step is None:
        return Asked(Titles(zh=name, en=name), (), ())
    return Asked(step.titles, step.completed_by, step.declined_by)


def _step(definition: Definition | None, name: str) -> tuple[Step | None, Gate | None]:
    for step in definition.steps if definition else ():
        if step.step == name:
            return step, None
        if step.gate is not None and step.step + _GATE == name:
            return step, step.gate
    return None, None


def step_of(definition: Definition | None, name: str) -> Step | None:
    """The step ``name``; of a gate, the step behind it."""
    return _step(definition, name)[0]


def short_ids(ids: Iterable[str]) -> dict[str, str]:
    """Each id's shortest beginning of at least ``SHORT`` letters that no other one shares."""
    ordered = sorted(set(ids))
    short = {}
    for index, name in enumerate(ordered):
        neighbours = [ordered[other] for other in (index - 1, index + 1) if 0 <= other < len(ordered)]
        length = SHORT
        while length < len(name) and any(other.startswith(name[:length]) for other in neighbours):
            length += 1
        short[name] = name[:length]
    return short


_CHANGING = (
    "level", "highest_level", "command_department", "command_unit", "lead", "lead_region", "parts", "targets", "facts",
    "counts", "tally",
)  # fmt: skip
"""Fields of a snapshot of which an earlier value may be lost."""


def earlier(latest: Snapshot) -> Snapshot:
    """What is known of an earlier state where compaction has taken its snapshot: what never changes."""
    return {**latest, "status": "open", "closed_at": None, **dict.fromkeys(_CHANGING)}


def _order(task: OpenTask) -> tuple[int, int, str]:
    return task.due, task.complete_by, task.task


def _several(tasks: list[OpenTask], lang: str) -> str:
    short, shown, more = short_ids(task.task for task in tasks), tasks[:_NAMED_MAX], len(tasks) - _NAMED_MAX
    if lang == "zh":
        named = "、".join(f"{short[task.task]}（{task.asked.titles.zh}，{task.instance}）" for task in shown)
        return named + (f"等，另有 {more} 项" if more > 0 else "")
    named = ", ".join(f"{short[task.task]} ({task.asked.titles.en}, {task.instance})" for task in shown)
    return named + (f" and {more} more" if more > 0 else "")


def _open_task(snapshot: Snapshot, task: Mapping[str, Any], definition: Definition | None) -> OpenTask:
    return OpenTask(
        task=task["id"],
        request=task["request"],
        instance=snapshot["instance"],
        workflow=snapshot["workflow"],
        region=task["region"],
        level=snapshot["level"],
        step=task["step"],
        asked=asked(definition, task["step"]),
        subject=task["subject"],
        role=task["role"],
        department=task["department"],
        unit=task["unit"],
        basis=task["basis"],
        cause=task["cause"],
        state=task["state"],
        attempt=task["attempt"],
        requested_at=task["requested_at"],
        acknowledge_by=task["acknowledge_by"],
        complete_by=task["complete_by"],
        acknowledged_at=task["acknowledged_at"],
        paused_at=task["paused_at"],
        escalations=len(task["escalations"]),
        context=task["context"],
    )
