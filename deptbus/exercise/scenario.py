"""Scenarios of exercises: ``services/scenarios/<name>.yaml`` says what happens by itself, when, and to which workflows.

Everything else follows: what the workflows ask, and what simulated desks answer. Whatever is wrong with a file is a
``ScenarioError`` of one sentence with file and line.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from deptbus.catalogue import Catalogue
from deptbus.clock import from_iso
from deptbus.codec import Codec
from deptbus.errors import CodecError, NotFound, ScenarioError
from deptbus.exercise.habits import Disposition
from deptbus.exercise.scripted import ScriptedAnswer
from deptbus.ids import derived_id
from deptbus.imports.item import Item
from deptbus.jsondata import from_json
from deptbus.schemas.codecs import codec_schema
from deptbus.schemas.filling import fill, is_time
from deptbus.topics.yamlfile import Lines, read_yaml
from deptbus.workflow.definition import Definition, EventType, Name, Titles
from deptbus.workflow.load import read_workflow, workflow_names
from deptbus.workflow.pack import APPROVAL

FOLDER = Path("services") / "scenarios"
_OFFSET = r"^\+([0-9]{1,4}[dhm]){1,3}$"
Offset = Annotated[str, StringConstraints(pattern=_OFFSET)]
"""How long after the scenario's beginning: ``+35m``, ``+2h``, ``+1d2h30m``."""
_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000}
_WORDS = {_OFFSET: "an offset is +, then days, hours and minutes, such as +35m or +1d2h"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EventPart(_Model):
    """Something that happens by itself: an event of the department whose type it is."""

    at: Offset
    type: EventType
    region: str
    subject: str | None = None
    """By default the region."""
    basis: str
    actor: str = "scenario"
    """Who acts."""
    data: dict[str, Any] = Field(default_factory=dict)
    """Fields; times also as offsets. Missing ones are taken from ``given``, the region, or, for times, ``at``."""


class AnswerPart(_Model):
    """How the tasks of a step are answered; the first part that is about a task counts."""

    step: Name
    region: str | None = None
    subject: str | None = None
    asked_before: Offset | None = None
    type: EventType | None = None
    after: Offset | None = None
    """From when it was asked until it is done."""
    says: tuple[Disposition, ...] = ()
    data: dict[str, Any] = Field(default_factory=dict)


class ScenarioFile(_Model):
    """What a scenario's file says."""

    scenario: str
    titles: Titles
    workflows: tuple[Name, ...] = Field(min_length=1)
    """Those that are in force."""
    from_: str = Field(alias="from")
    """When it begins: RFC 3339."""
    until: Offset
    """Until when it is played at least; then until every incident is closed."""
    step: int = Field(ge=1, le=1440)
    """Minutes of exercise time in a step."""
    seed: int = 1
    given: dict[str, Any] = Field(default_factory=dict)
    """Fields that every event has whose schema knows them, unless it says otherwise."""
    events: tuple[EventPart, ...] = Field(min_length=1)
    answers: tuple[AnswerPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario, checked. Times are milliseconds since the epoch."""

    name: str
    titles: Mapping[str, str]
    workflows: tuple[str, ...]
    from_ms: int
    until_ms: int
    step_minutes: int
    seed: int
    items: tuple[Item, ...]
    answers: tuple[ScriptedAnswer, ...]


def scenario_names(root: Path) -> tuple[str, ...]:
    """The scenarios below ``root``, sorted."""
    return tuple(sorted(path.stem for path in (root / FOLDER).glob("*.yaml")))


def load_scenario(root: Path, name: str, catalogue: Catalogue) -> Scenario:
    """One scenario, checked against the catalogue and its workflows; ``NotFound`` or ``ScenarioError``."""
    known = scenario_names(root)
    if name not in known:
        raise NotFound(
            f"There is no scenario {name} (there are: {', '.join(known) or 'none'}); add {FOLDER}/{name}.yaml."
        )
    shown = f"{FOLDER.as_posix()}/{name}.yaml"
    file, lines = read_yaml(root / FOLDER / f"{name}.yaml", shown, ScenarioFile, ScenarioError, _WORDS)
    return _Reading(root, file, lines, shown, catalogue).scenario()


class _Reading:
    """One file on its way to a scenario."""

    def __init__(self, root: Path, file: ScenarioFile, lines: Lines, shown: str, catalogue: Catalogue) -> None:
        self._root = root
        self._file = file
        self._lines = lines
        self._shown = shown
        self._schemas = catalogue.schemas
        self._types = frozenset(catalogue.schemas.types())
        if file.scenario != Path(shown).stem:
            self._refuse(
                ("scenario",), f"the scenario {file.scenario} differs from its file's name; make them the same"
            )
        try:
            self._from_ms = from_iso(file.from_)
        except ValueError:
            self._refuse(("from",), f"{file.from_!r} is no time with a zone, such as 2025-03-06T09:00:00+08:00")

    def scenario(self) -> Scenario:
        """Everything in it."""
        file = self._file
        definitions = [*self._definitions()]
        return Scenario(
            name=file.scenario,
            titles={"zh": file.titles.zh, "en": file.titles.en},
            workflows=file.workflows,
            from_ms=self._from_ms,
            until_ms=self._time(file.until),
            step_minutes=file.step,
            seed=file.seed,
            items=tuple(self._item(index, part) for index, part in enumerate(file.events)),
            answers=tuple(self._answer(index, part, definitions) for index, part in enumerate(file.answers)),
        )

    def _definitions(self) -> Iterator[Definition]:
        known = workflow_names(self._root)
        for index, name in enumerate(self._file.workflows):
            if name not in known:
                self._refuse(("workflows", index), f"there is no workflow {name}; there are {', '.join(known)}")
            yield read_workflow(self._root, name).definition

    def _item(self, index: int, part: EventPart) -> Item:
        path = ("events", index)
        if part.type not in self._types:
            self._refuse(
                (*path, "type"), f"there is no event type {part.type}; `deptbus schemas list` shows those there are"
            )
        at_ms = self._time(part.at)
        data = self._data(path, part, at_ms)
        department = part.type.partition(".")[0]
        return Item(
            at_ms=at_ms,
            department=department,
            type=part.type,
            id=derived_id(f"{self._file.scenario}:{index}", f"/departments/{department}", part.type, ""),
            data=data,
            subject=part.subject or part.region,
            region=part.region,
            basis=part.basis,
            actor=part.actor,
        )

    def _data(self, path: tuple[str | int, ...], part: EventPart, at_ms: int) -> dict[str, Any]:
        """The event's data: what is written, then what is given, the region and the time."""
        file = self._schemas.newest(part.type)
        kinds = {field["name"]: field["type"] for field in file.schema["fields"]}
        for name in part.data:
            if name not in kinds:
                self._refuse((*path, "data", name), _no_field(part.type, name, kinds))

        def still_open(name: str, kind: Any, doc: str) -> Any:
            if is_time(kind):
                return at_ms
            if name in part.data or name not in kinds:
                return None
            return self._refuse((*path, "data"), f"{part.type} needs the field {name}: {doc.rstrip('.')}")

        written: dict[str, Any] = {
            name: self._time(value) if is_time(kinds[name]) and re.match(_OFFSET, str(value)) else value
            for name, value in part.data.items()
        }
        known = {**self._file.given, "region": part.region}
        data = fill(file.schema, known, still_open) | dict(from_json(file.schema, written))
        try:
            Codec([codec_schema(part.type, file.version, 1, file.schema)]).encode(part.type, data)
        except CodecError as error:
            self._refuse((*path, "data"), str(error).rstrip("."))
        return data

    def _answer(self, index: int, part: AnswerPart, definitions: list[Definition]) -> ScriptedAnswer:
        path = ("answers", index)
        types = [*dict.fromkeys(kind for definition in definitions for kind in _ending(definition, part.step))]
        if not types:
            of = ", ".join(self._file.workflows)
            ended = {name for definition in definitions for name in _asked(definition) if [*_ending(definition, name)]}
            close = get_close_matches(part.step, sorted(ended), 1)
            meant = f"perhaps {close[0]} is meant" if close else f"those that are: {', '.join(sorted(ended))}"
            self._refuse((*path, "step"), f"no step {part.step} of {of} is ended by an event; {meant}")
        if part.type is not None and part.type not in types:
            self._refuse((*path, "type"), f"{part.type} does not end {part.step}; what does: {', '.join(types)}")
        answering = [part.type] if part.type else types
        fields = dict.fromkeys(
            field["name"] for kind in answering for field in self._schemas.newest(kind).schema["fields"]
        )
        for name in part.data:
            if name not in fields:
                self._refuse((*path, "data", name), _no_field(" or ".join(answering), name, fields))
        return ScriptedAnswer(
            step=part.step,
            region=part.region,
            subject=part.subject,
            asked_before=None if part.asked_before is None else self._time(part.asked_before),
            type=part.type,
            after_ms=None if part.after is None else _offset_ms(part.after),
            says=part.says,
            data=part.data,
        )

    def _time(self, offset: str) -> int:
        return self._from_ms + _offset_ms(offset)

    def _refuse(self, path: tuple[str | int, ...], message: str) -> NoReturn:
        raise ScenarioError(f"{self._shown}, line {self._lines.of(*path)}: {message}.")


def _no_field(event_type: str, name: str, fields: Iterable[str]) -> str:
    return f"{event_type} has no field {name}; there are {', '.join(fields)}"


def _asked(definition: Definition) -> Iterator[str]:
    """The names of what is asked of departments: steps, and gates after theirs."""
    for step in definition.steps:
        yield from (step.step, step.step + APPROVAL) if step.gate else (step.step,)


def _ending(definition: Definition, name: str) -> Iterator[str]:
    """The events that end the tasks of a step, or of a gate, which is named after its step."""
    for step in definition.steps:
        if step.step == name:
            yield from (*step.completed_by, *step.declined_by)
        elif step.gate is not None and step.step + APPROVAL == name:
            yield from (step.gate.approved_by, step.gate.rejected_by)


def _offset_ms(offset: str) -> int:
    return sum(int(amount) * _UNIT_MS[unit] for amount, unit in re.findall(r"([0-9]+)([dhm])", offset))
