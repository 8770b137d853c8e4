"""The events of workflow, typed.

Written by `deptbus schemas generate` from schemas/workflow/; change those, not this file.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

from deptbus.schemas.events import EventData, RecordData, Timestamp


class CommandTaken(EventData, frozen=True):
    """An instance is commanded by another unit: because its level changed, or because it was merged under
    another or split off.
    """

    EVENT_TYPE: ClassVar[str] = "workflow.CommandTaken"
    VERSION: ClassVar[int] = 1

    instance: str
    """The instance."""
    workflow: str
    """The workflow."""
    region: str | None = None
    """GB/T 2260 region."""
    level: str | None = None
    """Response level in force."""
    from_department: str | None = None
    """Who commanded; null at the beginning."""
    from_unit: str | None = None
    """The unit, in words."""
    to_department: str
    """Who commands from now on."""
    to_unit: str
    """The unit, in words."""
    reason: str
    """Why."""
    basis: str
    """Legal basis."""


EntryKind: TypeAlias = Literal[
    "event",
    "tick",
    "activation",
    "retirement",
    "rejection",
    "forward",
    "alias",
    "migration",
    "part",
    "lead",
]
"""event: an event by a rule; tick: time has come to here; activation, retirement: a pack comes into or out of
force; rejection: an entry that could not be applied; forward: an entry sent on from an alias; alias: a key is
another name of a key; migration: an instance moves to another pack; part: an instance tells the one that
leads it, or asks to be led; lead: an instance tells one of its parts.
"""


class SourceEvent(RecordData, frozen=True):
    """The event that a journal entry carries: its envelope and where it was read."""

    id: str
    """The event's id."""
    type: str
    """The event's type."""
    source: str
    """Its producer: /departments/<id> or /bus/<process>."""
    subject: str | None = None
    """Its subject."""
    region: str | None = None
    """GB/T 2260 region code."""
    actor: str | None = None
    """The officer or process that acted. Personal data."""
    legalbasis: str | None = None
    """The legal basis it names."""
    causationid: str | None = None
    """The event that caused it; for an answer, the task."""
    correlationid: str | None = None
    """The instance it names, if any."""
    topic: str
    """The topic it was read from."""
    partition: int
    """The partition it was read from."""
    offset: int
    """Its offset there."""


class JournalEntry(RecordData, frozen=True):
    """One entry of the journal; which fields are set depends on the kind."""

    kind: EntryKind
    """What the entry is."""
    at: Timestamp
    """The time that decides: broker time of the event in actual life, exercise time in an exercise; for a
    tick, the time reached.
    """
    workflow: str
    """The workflow, empty for a tick."""
    key: str
    """The correlation key, empty where every key of the partition is meant."""
    pack: str | None = None
    """Content hash of the pack whose rule matched, or that is activated."""
    rule: str | None = None
    """The correlation rule that matched."""
    step: int | None = None
    """The exercise step that a tick ends; of an entry that another key has made, the step in which that was,
    after which it is applied.
    """
    offset: int | None = None
    """The journal offset that a rejection rejects."""
    target: str | None = None
    """The key that an alias is another name of; of part and lead, the instance that the entry is for."""
    hops: int = 0
    """forward: how many names it has been sent on from."""
    reason: str | None = None
    """Why: of a rejection, a forward or a migration; of part and lead, what is said: ask, accept, refuse,
    level, split, closed.
    """
    level: str | None = None
    """lead: the response level in force in the leading instance."""
    note: str | None = None
    """part and lead: the commander's reason, or why it is refused."""
    event: SourceEvent | None = None
    """The event of an event or forward entry; of a migration, the act that ordered it, naming the instance;
    of part and lead, what it follows from, naming as its instance the one that says it, where that is, and as
    offset how much that had put out.
    """
    body: bytes | None = None
    """The event's value as it was on its topic, or the content of an activated pack."""


class EntryAppended(EventData, frozen=True):
    """An entry was appended to the journal."""

    EVENT_TYPE: ClassVar[str] = "workflow.EntryAppended"
    VERSION: ClassVar[int] = 1

    entry: JournalEntry
    """The entry."""


class EscalationWithdrawn(EventData, frozen=True):
    """An answer that was in time arrived after the escalation; it no longer stands."""

    EVENT_TYPE: ClassVar[str] = "workflow.EscalationWithdrawn"
    VERSION: ClassVar[int] = 1

    task: str
    """The task."""
    instance: str
    """The instance."""
    level: str | None = None
    """Response level in force."""
    department: str
    """The responsible department."""
    to_department: str
    """The department that was told."""
    escalation: str
    """The TaskEscalated event."""
    reason: str
    """Why."""


InstanceStatus: TypeAlias = Literal["open", "closed"]
"""Whether the instance is open."""


class FactSource(RecordData, frozen=True):
    """What set a fact last, by event time."""

    at: Timestamp
    """When the event happened."""
    id: str
    """The event; of a timer, the one that started it."""


TaskState: TypeAlias = Literal[
    "requested",
    "acknowledged",
    "accepted",
    "committed",
    "progressed",
    "declined",
    "completed",
    "cancelled",
]
"""Where a task stands."""


class Escalation(RecordData, frozen=True):
    """An escalation of a task that stands."""

    id: str
    """The TaskEscalated event."""
    missed: str
    """What was missed: acknowledge_by, complete_by or declined."""
    due: Timestamp
    """The time that was missed."""
    to_department: str
    """The department that was told."""


class Task(RecordData, frozen=True):
    """A task inside an instance's state."""

    id: str
    """The task, which is the id of its TaskRequested event."""
    step: str
    """The step of the workflow that asked for it."""
    subject: str
    """What it is about; empty for the instance as a whole."""
    role: str
    """The role asked."""
    department: str
    """The responsible department."""
    unit: str
    """The responsible unit in it, in words."""
    region: str | None = None
    """Where."""
    state: TaskState
    """Where it stands."""
    attempt: int
    """How often it has been asked for, from 1."""
    requested_at: Timestamp
    """When it was asked for."""
    acknowledge_by: Timestamp
    """Until when it must be acknowledged."""
    complete_by: Timestamp
    """Until when it must be done."""
    acknowledged_at: Timestamp | None = None
    """When it was acknowledged."""
    paused_at: Timestamp | None = None
    """Since when its clock stands still."""
    ordered_at: Timestamp | None = None
    """When a commander last gave an order about it; an older one is void."""
    rung: int
    """How many rungs of the escalation ladder it has climbed."""
    escalations: tuple[Escalation, ...]
    """The escalations that stand."""
    late: bool
    """Whether the acknowledgement was late."""
    basis: str
    """Legal basis."""
    cause: str
    """The event it follows from."""
    context: Mapping[str, str]
    """What the responsible department needs to know."""
    request: str
    """The latest TaskRequested event, from which its deadlines follow."""


Earliness: TypeAlias = Literal["completed", "declined", "cancelled", "stopped", "started"]
"""completed, declined, cancelled: what it ends; stopped, started: what it does to the clock."""


class EarlyEvent(RecordData, frozen=True):
    """Something that is about tasks of steps and may have come before one of them is asked for."""

    what: Earliness
    """What it does to a task."""
    steps: tuple[str, ...]
    """The steps, as the pack lists them for what happened."""
    subject: str
    """What it is about; empty where it is about the instance as a whole."""
    region: str | None = None
    """Its region."""
    at: Timestamp
    """When it happened."""
    id: str
    """The event."""


class Timer(RecordData, frozen=True):
    """Something that falls due in an instance."""

    name: str
    """What is due: a timer of the workflow, or a repeating step."""
    due: Timestamp
    """When."""
    cause: str
    """The event that set it."""
    subject: str
    """What it is about; empty for the instance as a whole."""


class AppliedId(RecordData, frozen=True):
    """An event that was applied, remembered so that it is not applied twice."""

    id: str
    """The event's id and the rule, separated by a space."""
    offset: int
    """Its offset in its own topic: tells a repeated entry from a repeated event."""
    until: Timestamp
    """Until when it is remembered."""


class InstanceChanged(EventData, frozen=True):
    """The whole state of an instance after a journal entry. Compacted: the newest one stands. What readers of
    very many snapshots need comes first.
    """

    EVENT_TYPE: ClassVar[str] = "workflow.InstanceChanged"
    VERSION: ClassVar[int] = 1

    status: InstanceStatus
    """Whether it is open."""
    due: Timestamp | None = None
    """When the first of its timers and deadlines falls due."""
    region: str | None = None
    """GB/T 2260 region."""
    offset: int
    """The journal offset applied last."""
    instance: str
    """<workflow>/<key>/<n>."""
    workflow: str
    """The workflow."""
    key: str
    """The correlation key."""
    n: int
    """The how manieth instance of this key, from 1."""
    pack: str
    """Content hash of its pack."""
    version: int
    """Version of its workflow."""
    moved_from: tuple[str, ...] = ()
    """Hashes of the packs by which it ran before, the last one last."""
    level: str | None = None
    """Response level in force, I to IV."""
    highest_level: str | None = None
    """The highest level that the rule table has given."""
    command_department: str | None = None
    """The department that commands; none where the workflow names no command."""
    command_unit: str | None = None
    """The unit in it that commands, in words."""
    lead: str | None = None
    """The instance under whose command this one was merged."""
    lead_region: str | None = None
    """Its region."""
    merging: str | None = None
    """The instance that was asked to lead this one and has not answered yet."""
    parts: tuple[str, ...]
    """Open instances merged under the command of this one."""
    opened_at: Timestamp
    """When it opened."""
    closed_at: Timestamp | None = None
    """When it closed."""
    clock: Timestamp
    """The latest time it has seen; never goes back."""
    cause: str
    """The event that opened it."""
    facts: Mapping[str, bool | int | float | str | None]
    """What the workflow remembers."""
    latest: Mapping[str, FactSource]
    """By fact: the newest event that has set it."""
    tasks: tuple[Task, ...]
    """Tasks that are not over."""
    ended: tuple[str, ...]
    """Ids of the latest tasks that are over."""
    early: tuple[EarlyEvent, ...]
    """What may have overtaken the request that it is about, until no event may come so late."""
    timers: tuple[Timer, ...]
    """What falls due besides tasks."""
    targets: Mapping[str, tuple[str, ...]]
    """By step that is asked region by region, and its subject after a space where it has one: the regions it
    is asked in now.
    """
    asked: Mapping[str, int]
    """How many tasks each step has asked for."""
    done: Mapping[str, int]
    """How many tasks of each step are completed."""
    tally: Mapping[str, Mapping[str, int]]
    """Tasks by department and state, over or not."""
    counts: Mapping[str, int]
    """acknowledged_late, completed_late, escalations, duplicates, late and others."""
    applied: tuple[AppliedId, ...]
    """Events applied, until their windows are over."""
    ordinal: int
    """Outputs made so far."""
    engine: int
    """Version of the engine that computed it."""


class InstanceClosed(EventData, frozen=True):
    """An instance closed."""

    EVENT_TYPE: ClassVar[str] = "workflow.InstanceClosed"
    VERSION: ClassVar[int] = 1

    instance: str
    """The instance."""
    workflow: str
    """The workflow."""
    key: str
    """The key."""
    region: str | None = None
    """Where."""
    level: str | None = None
    """Response level at the end."""
    reason: str
    """Why."""


class InstanceMerged(EventData, frozen=True):
    """An instance was merged under the command of another; its chain of events goes on."""

    EVENT_TYPE: ClassVar[str] = "workflow.InstanceMerged"
    VERSION: ClassVar[int] = 1

    instance: str
    """The instance."""
    workflow: str
    """The workflow."""
    region: str | None = None
    """GB/T 2260 region."""
    lead: str
    """The instance whose command it comes under, or leaves."""
    reason: str
    """Why."""


class InstanceOpened(EventData, frozen=True):
    """An instance opened."""

    EVENT_TYPE: ClassVar[str] = "workflow.InstanceOpened"
    VERSION: ClassVar[int] = 1

    instance: str
    """The instance."""
    workflow: str
    """The workflow."""
    key: str
    """The key."""
    region: str | None = None
    """Where."""
    cause: str
    """The event that opened it."""


class InstanceSplit(EventData, frozen=True):
    """An instance is commanded on its own again; its chain of events goes on."""

    EVENT_TYPE: ClassVar[str] = "workflow.InstanceSplit"
    VERSION: ClassVar[int] = 1

    instance: str
    """The instance."""
    workflow: str
    """The workflow."""
    region: str | None = None
    """GB/T 2260 region."""
    lead: str
    """The instance whose command it comes under, or leaves."""
    reason: str
    """Why."""


class KeyChanged(EventData, frozen=True):
    """What a correlation key remembers besides its open instance. Compacted. What readers of very many
    snapshots need comes first.
    """

    EVENT_TYPE: ClassVar[str] = "workflow.KeyChanged"
    VERSION: ClassVar[int] = 1

    due: Timestamp | None = None
    """When the first entry that waits has waited for its whole window."""
    offset: int
    """The journal offset applied last."""
    workflow: str
    """The workflow."""
    key: str
    """The key."""
    n: int
    """Instances opened so far."""
    alias_of: str | None = None
    """The key that this one is another name of."""
    clock: Timestamp
    """The latest time it has seen."""
    closed_at: Timestamp | None = None
    """When its latest instance closed."""
    applied: tuple[AppliedId, ...]
    """Events applied, until their windows are over."""
    parked: tuple[JournalEntry, ...]
    """Entries that wait for an instance."""


class LevelRaised(EventData, frozen=True):
    """A standing rule or an order changed the response level of an instance."""

    EVENT_TYPE: ClassVar[str] = "workflow.LevelRaised"
    VERSION: ClassVar[int] = 1

    instance: str
    """The instance."""
    workflow: str
    """The workflow."""
    region: str | None = None
    """Where."""
    from_level: str | None = None
    """The level before."""
    to_level: str
    """The level from now on."""
    reason: str
    """Why."""


class PackStored(EventData, frozen=True):
    """A pack in force in a partition, kept so that a restart needs no other topic. Compacted."""

    EVENT_TYPE: ClassVar[str] = "workflow.PackStored"
    VERSION: ClassVar[int] = 1

    workflow: str
    """The workflow."""
    version: int
    """Its version."""
    hash: str
    """Content hash."""
    content: bytes
    """The pack: canonical JSON."""
    retired: bool
    """Whether it opens no more instances."""


class PartitionAdvanced(EventData, frozen=True):
    """How far a partition of the journal is applied. Compacted: entries up to it are skipped."""

    EVENT_TYPE: ClassVar[str] = "workflow.PartitionAdvanced"
    VERSION: ClassVar[int] = 1

    partition: int
    """The partition of the journal."""
    offset: int
    """The journal offset applied last."""
    at: Timestamp
    """The time of the latest tick."""
    step: int | None = None
    """The latest exercise step."""
    engine: int
    """Version of the engine."""
    entry: int | None = None
    """The journal offset of the entry under way: it is applied to some of its keys and not to all; null
    between entries.
    """
    key: str | None = None
    """The last key, in their order, to which the entry under way is applied: <workflow>/<key>."""


class TaskCancelled(EventData, frozen=True):
    """A task is no longer asked for."""

    EVENT_TYPE: ClassVar[str] = "workflow.TaskCancelled"
    VERSION: ClassVar[int] = 1

    task: str
    """The task."""
    instance: str
    """The instance."""
    step: str
    """The step."""
    level: str | None = None
    """Response level in force."""
    department: str
    """The responsible department."""
    reason: str
    """Why."""
    basis: str
    """Legal basis."""


Missed: TypeAlias = Literal["acknowledge_by", "complete_by", "declined"]
"""What was missed."""


class TaskEscalated(EventData, frozen=True):
    """A deadline of a task was missed, or it was declined, and a higher role is told."""

    EVENT_TYPE: ClassVar[str] = "workflow.TaskEscalated"
    VERSION: ClassVar[int] = 1

    task: str
    """The task."""
    instance: str
    """The instance."""
    step: str
    """The step."""
    level: str | None = None
    """Response level in force."""
    department: str
    """The department that is late."""
    missed: Missed
    """What was missed."""
    due: Timestamp
    """The time that was missed."""
    rung: int
    """The rung of the ladder, from 1."""
    to_role: str
    """The role told."""
    to_department: str
    """The department told."""
    basis: str
    """Legal basis."""


class TaskExtended(EventData, frozen=True):
    """A task has other deadlines: by an order, because its clock stood still, or because its instance moved
    to another version.
    """

    EVENT_TYPE: ClassVar[str] = "workflow.TaskExtended"
    VERSION: ClassVar[int] = 1

    task: str
    """The task."""
    instance: str
    """The instance."""
    level: str | None = None
    """Response level in force."""
    department: str
    """The responsible department."""
    acknowledge_by: Timestamp
    """New."""
    complete_by: Timestamp
    """New."""
    reason: str
    """Why."""
    basis: str
    """Legal basis."""


class TaskReassigned(EventData, frozen=True):
    """A task has another responsible department."""

    EVENT_TYPE: ClassVar[str] = "workflow.TaskReassigned"
    VERSION: ClassVar[int] = 1

    task: str
    """The task."""
    instance: str
    """The instance."""
    step: str
    """The step."""
    level: str | None = None
    """Response level in force."""
    from_department: str
    """The department before."""
    to_department: str
    """The department from now on."""
    unit: str
    """The responsible unit in it, in words."""
    reason: str
    """Why."""
    basis: str
    """Legal basis."""


class TaskRequested(EventData, frozen=True):
    """A workflow asks one department for something. The event's id is the task."""

    EVENT_TYPE: ClassVar[str] = "workflow.TaskRequested"
    VERSION: ClassVar[int] = 1

    task: str
    """The task."""
    instance: str
    """The instance."""
    workflow: str
    """The workflow."""
    step: str
    """The step."""
    title_zh: str
    """Title in Chinese."""
    title_en: str
    """Title in English."""
    department: str
    """The responsible department."""
    unit: str
    """The responsible unit in it, in words."""
    role: str
    """The role it was asked in."""
    region: str | None = None
    """Where."""
    subject: str
    """What it is about; empty for the instance as a whole."""
    level: str | None = None
    """Response level in force."""
    basis: str
    """Legal basis."""
    requested_at: Timestamp
    """When it was asked for."""
    acknowledge_by: Timestamp
    """Until when it must be acknowledged."""
    complete_by: Timestamp
    """Until when it must be done."""
    completes_with: tuple[str, ...]
    """Event types that complete it; empty when the answer completes it."""
    attempt: int
    """How often it has been asked for, from 1."""
    cause: str
    """The event it follows from."""
    context: Mapping[str, str]
    """What the responsible department needs to know."""


class TaskRetargeted(EventData, frozen=True):
    """What a task is about has moved; its deadlines stay."""

    EVENT_TYPE: ClassVar[str] = "workflow.TaskRetargeted"
    VERSION: ClassVar[int] = 1

    task: str
    """The task."""
    instance: str
    """The instance."""
    step: str
    """The step."""
    level: str | None = None
    """Response level in force."""
    department: str
    """The responsible department."""
    region: str | None = None
    """Where."""
    subject: str
    """What it is about."""
    context: Mapping[str, str]
    """What the responsible department needs to know from now on."""
    reason: str
    """What it follows from: the trigger."""
    basis: str
    """Legal basis."""


class TimelineRecorded(EventData, frozen=True):
    """Something changed in an instance: what, when, by which rule, on what basis, from what cause."""

    EVENT_TYPE: ClassVar[str] = "workflow.TimelineRecorded"
    VERSION: ClassVar[int] = 1

    instance: str
    """The instance; <workflow>/<key> where none is open."""
    kind: str
    """What happened: opened, joined, task_requested, acknowledged, escalated, closed and others, see the
    glossary.
    """
    at: Timestamp
    """When."""
    rule: str | None = None
    """The rule or step."""
    task: str | None = None
    """The task."""
    department: str | None = None
    """The department concerned."""
    actor: str | None = None
    """Who acted. Personal data."""
    basis: str | None = None
    """Legal basis."""
    cause: str
    """The event it follows from."""
    detail: Mapping[str, str]
    """Particulars."""
