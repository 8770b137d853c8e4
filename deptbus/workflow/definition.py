"""What ``workflow.yaml`` says, as checked models; ``pack`` compiles them for ``advance``.

Expressions are CEL. They may name ``event.<field>`` (where one event is at hand), ``facts.<fact>``, ``level`` and
``level_rank`` (0 none, 1 IV … 4 I), ``region``, ``subject``, ``at`` (milliseconds), ``lead`` (the instance under whose
command this one was merged, or empty), ``parts`` (the number of open instances merged under this one), ``open_tasks``,
``open.<step>``, ``asked.<step>`` and ``done.<step>`` (numbers of tasks).

Triggers are written ``opened``, ``level``, ``merged``, ``split``, ``rule:<rule>``, ``timer:<timer>``,
``completed:<step>``, ``declined:<step>``. ``merged`` and ``split`` come in the part and in the instance that leads it.
"""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Expression = Annotated[str, StringConstraints(min_length=1)]
EventType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[A-Z][A-Za-z0-9]*$")]
Trigger = Annotated[
    str,
    StringConstraints(pattern=r"^(opened|level|merged|split|(rule|timer|completed|declined):[a-z][a-z0-9_]*)$"),
]
Duration = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]*)(m|h|d|wd)$")]
"""A number of minutes, hours, days (24 h each) or working days: ``30m``, ``4h``, ``14d``, ``2wd``."""

LEVELS = ("IV", "III", "II", "I")
Level = Literal["IV", "III", "II", "I"]
"""Response levels, lowest first."""
RANK = {level: rank for rank, level in enumerate(LEVELS, start=1)}
"""Response levels as numbers: IV is 1, I is 4."""

_DURATION = re.compile(r"([0-9]+)(m|h|d|wd)")
_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


def split_duration(duration: str) -> tuple[int, int]:
    """Milliseconds and working days of a duration; one of the two is 0."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"{duration!r} is not a duration such as 30m, 4h, 14d or 2wd")
    amount = int(found[1])
    return (0, amount) if found[2] == "wd" else (amount * _MS[found[2]], 0)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Titles(_Model):
    """One title in two languages."""

    zh: str
    en: str


class Fact(_Model):
    """Something an instance remembers."""

    type: Literal["int", "double", "string", "bool"]
    initial: int | float | str | bool | None = None
    titles: Titles | None = None
    """What it is called where people read; by default as here."""
    time: bool = False
    """Whether it is a time, in milliseconds since the epoch."""


class Row(_Model):
    """From ``at_least`` on, the table gives this level."""

    at_least: int
    gives: Level


class LevelRule(_Model):
    """The standing rule that raises the response level, never lowers it."""

    of: Expression
    """An int expression over facts; evaluated after every entry."""
    rows: tuple[Row, ...] = Field(min_length=1)
    basis: str


class Rule(_Model):
    """A correlation rule: which events concern an instance, and what the instance remembers of them."""

    rule: Name
    on: EventType
    when: Expression | None = None
    key: Expression | None = None
    """The correlation key (string) of an event that names no instance itself."""
    match: Literal["region"] | None = None
    """``region``: concerns every open instance whose region contains the event's, or lies in it."""
    opens: bool = False
    region: Expression | None = None
    """The region (string) of an instance that this rule opens; by default the event's."""
    window: Duration
    """How long it may wait for an instance, how late it may come, how long its id is remembered."""
    park_max: int = Field(64, ge=0, le=1000)
    subject: Expression | None = None
    """What the event is about (string); becomes the subject of tasks that it asks for, ends or cancels."""
    alias: Expression | None = None
    """Another key (string) under which this instance is to be found from now on."""
    set: dict[Name, Expression] = Field(default_factory=dict)
    restart: tuple[Name, ...] = ()
    """Timers that start anew."""
    basis: str


class Timer(_Model):
    """Falls due a while after it was last started."""

    timer: Name
    after: Duration
    not_before: str | None = None
    """An RFC 3339 time before which it is not due."""
    set: dict[Name, Expression] = Field(default_factory=dict)
    basis: str


class Rung(_Model):
    """A rung of the escalation ladder: when a deadline is missed or the task declined."""

    at: Literal["acknowledge_by", "complete_by", "declined"]
    after: Duration = "0m"
    to: Name
    """The role that is told."""
    retry: bool = False
    """Ask the responsible department again."""
    reassign: bool = False
    """Make the department of ``to`` responsible, and ask it."""


class Gate(_Model):
    """An approval that must be had before the step's task is asked for."""

    role: Name
    titles: Titles
    basis: str
    acknowledge_by: Duration
    complete_by: Duration
    approved_by: EventType
    rejected_by: EventType
    escalate: tuple[Rung, ...] | None = None


class ClockStop(_Model):
    """The clock of the step's tasks stands still from one event to another."""

    from_: EventType = Field(alias="from")
    until: EventType
    basis: str


class Step(_Model):
    """What is asked of one responsible department, when, on what basis, until when."""

    step: Name
    titles: Titles
    on: tuple[Trigger, ...] = Field(min_length=1)
    when: Expression | None = None
    role: Name
    basis: str
    acknowledge_by: Duration
    complete_by: Duration
    every: Duration | None = None
    """Asked again after each such time, counted from when it was first asked, while ``repeat_while`` holds."""
    repeat_while: Expression | None = None
    completed_by: tuple[EventType, ...] = ()
    """Events that complete the task; without any, the department's answer does."""
    declined_by: tuple[EventType, ...] = ()
    cancelled_by: tuple[Trigger, ...] = ()
    for_regions: Expression | None = None
    """Region codes (string, separated by spaces): one task for each, answered by who is responsible there."""
    retargeted_by: tuple[Trigger, ...] = ()
    """``for_regions`` and ``context`` are computed again: regions that left are no longer asked, new ones are asked,
    and whoever is asked still is told what changed. The deadlines stay."""
    takeover: bool = False
    """When the level changes, open tasks pass to whoever is responsible at the new one."""
    escalate: tuple[Rung, ...] | None = None
    """The ladder; by default the definition's."""
    gate: Gate | None = None
    stops: tuple[ClockStop, ...] = ()
    context: dict[Name, Expression] = Field(default_factory=dict)
    """Strings that the responsible department needs to know."""
    only_one: bool = True
    """While a task of this step and subject is open, it is not asked for again."""


class Responsibility(_Model):
    """Who answers in a role: the most specific line counts, by region prefix, then by level."""

    role: Name
    region: str = ""
    """A prefix of region codes; empty for everywhere."""
    level: Level | None = None
    """Only at this response level; none for every level."""
    department: Name
    unit: Titles
    basis: str


class CapInfo(_Model):
    """What alerts to the outside say of a workflow's incidents (CAP 1.2), whatever their level."""

    category: Literal[
        "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"
    ]
    event: Titles


class Definition(_Model):
    """One version of one workflow."""

    workflow: Name
    version: int = Field(ge=1)
    kind: Literal["incident", "case"]
    titles: Titles
    basis: str
    zone: str = "Asia/Shanghai"
    """Time zone of working days."""
    calendar: Name = "cn"
    """Holiday calendar of working days."""
    cap: CapInfo | None = None
    """For `deptbus export cap`; without it the workflow's activations cannot be written as alerts."""
    command: Name | None = None
    """The role that commands an instance: by its region and level, or by those of the instance that leads it."""
    directives: EventType | None = None
    """The event type with which commanders order: open, level, reassign, extend, merge, split, close."""
    facts: dict[Name, Fact] = Field(default_factory=dict)
    level: LevelRule | None = None
    rules: tuple[Rule, ...] = Field(min_length=1)
    timers: tuple[Timer, ...] = ()
    escalate: tuple[Rung, ...] = Field(min_length=1)
    steps: tuple[Step, ...] = Field(min_length=1)
    closes: Expression
    """A bool expression, evaluated after every entry: true closes the instance."""
    responsibilities: tuple[Responsibility, ...] = ()
    """From ``responsibilities.yaml`` beside it."""


class Calendar(_Model):
    """Working days by year, so that a pack needs no library to be folded: a year not in it is refused."""

    calendar: Name
    years: dict[int, str]
    """A year's days, one character each, from 1 January: ``1`` a working day, ``0`` not."""


class PackContent(_Model):
    """What a pack consists of; its canonical JSON is hashed."""

    definition: Definition
    calendar: Calendar
    fields: dict[EventType, dict[str, str]]
    """Of every event type in use: dotted field path to CEL type (int, double, string, bool, bytes, dyn)."""
