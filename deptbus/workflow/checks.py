"""Does a workflow fit the catalogue? Event types, responsibilities, expressions and calendar. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deptbus.catalogue import Catalogue
from deptbus.errors import DefinitionError
from deptbus.workflow.definition import Definition, PackContent, split_duration
from deptbus.workflow.expressions import ExpressionError
from deptbus.workflow.pack import Compiler
from deptbus.workflow.problem import Path, Problem, unknown
from deptbus.workflow.structure import durations, ladders, structure_problems

_EXPRESSIONS = frozenset({"when", "key", "region", "subject", "alias", "set", "repeat_while", "for_regions", "context"})
"""The parts of rules, timers and steps in which expressions stand."""
_REGION = re.compile(r"([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9})?")


def problems(content: PackContent, catalogue: Catalogue, years: Iterable[int] = ()) -> list[Problem]:
    """Everything that is wrong with a workflow, in the order in which it is best mended.

    ``years``: those for which working days must be known, if the workflow counts in them. Expressions are looked
    at only when all names are right.
    """
    definition = content.definition
    found = [*structure_problems(definition)]
    found += _responsibilities(definition, catalogue)
    found += _events(definition, catalogue)
    if not found:
        found += _expressions(content)
    found += _calendar(content, years)
    return found


def counts_working_days(definition: Definition) -> bool:
    """Whether any deadline is in working days."""
    return any(split_duration(duration)[1] or duration.endswith("wd") for _, duration in durations(definition))


def roles_used(definition: Definition) -> Iterator[tuple[Path, str]]:
    """Every role that is named: of who commands, of steps, gates and rungs, with where it stands."""
    if definition.command is not None:
        yield ("command",), definition.command
    for index, step in enumerate(definition.steps):
        yield ("steps", index, "role"), step.role
        if step.gate is not None:
            yield ("steps", index, "gate", "role"), step.gate.role
    for path, rungs in ladders(definition):
        for index, rung in enumerate(rungs):
            yield (*path, index, "to"), rung.to


def _responsibilities(definition: Definition, catalogue: Catalogue) -> Iterator[Problem]:
    seen: dict[tuple[str, str, str | None], int] = {}
    known = set(catalogue.schemas.types())
    for index, line in enumerate(definition.responsibilities):
        path: Path = ("responsibilities", index)
        if line.department not in catalogue.departments:
            remedy = f"add services/{line.department}/department.yaml"
            yield Problem((*path, "department"), unknown("department", line.department, catalogue.departments, remedy))
        elif f"{line.department}.TaskAnswered" not in known:
            yield Problem(
                (*path, "department"),
                f"{line.department} cannot answer tasks: there is no {line.department}.TaskAnswered; "
                f"add schemas/{line.department}/TaskAnswered/v1.avsc and the topic {line.department}.tasks",
            )
        if not _REGION.fullmatch(line.region):
            yield Problem((*path, "region"), f"{line.region!r} is no prefix of region codes (2, 4, 6 or 9 digits)")
        elif len(line.region) == 6 and line.region.endswith("00"):
            short = line.region.removesuffix("00").removesuffix("00")
            yield Problem(
                (*path, "region"), f"regions count by prefix: write {short!r} for all that {line.region} contains"
            )
        place = (line.role, line.region, line.level)
        if place in seen:
            yield Problem(path, f"{_place(*place)} has two lines, so nobody knows which one counts; remove one")
        seen.setdefault(place, index)
    yield from _nobody(definition)


def _place(role: str, region: str, level: str | None) -> str:
    return f"{role} in {region or 'every region'} at {f'level {level}' if level else 'every level'}"


def _nobody(definition: Definition) -> Iterator[Problem]:
    everywhere = {line.role for line in definition.responsibilities if not line.region and line.level is None}
    somewhere = {line.role: index for index, line in reversed(list(enumerate(definition.responsibilities)))}
    told: set[str] = set()
    for path, role in roles_used(definition):
        if role in everywhere or role in told:
            continue
        told.add(role)
        if role in somewhere:
            yield Problem(
                ("responsibilities", somewhere[role]),
                f"{role} is not resolved everywhere: add a line for it without region and level",
            )
        else:
            yield Problem(path, unknown("role", role, set(somewhere), "add it to responsibilities.yaml"))


def _events(definition: Definition, catalogue: Catalogue) -> Iterator[Problem]:
    known = catalogue.schemas.types()

    def missing(path: Path, event_type: str) -> Iterator[Problem]:
        if event_type not in known:
            remedy = f"add schemas/{event_type.replace('.', '/')}/v1.avsc"
            yield Problem(path, unknown("event type", event_type, known, remedy))

    for index, rule in enumerate(definition.rules):
        yield from missing(("rules", index, "on"), rule.on)
    if definition.directives is not None:
        yield from missing(("directives",), definition.directives)
    reassigned = {rung.to for _, rungs in ladders(definition) for rung in rungs if rung.reassign}
    for index, step in enumerate(definition.steps):
        path: Path = ("steps", index)
        answers: list[tuple[Path, str, str]] = []
        for part, types in (("completed_by", step.completed_by), ("declined_by", step.declined_by)):
            answers += [((*path, part, number), name, step.role) for number, name in enumerate(types)]
        if step.gate is not None:
            gate = (*path, "gate")
            answers.append(((*gate, "approved_by"), step.gate.approved_by, step.gate.role))
            answers.append(((*gate, "rejected_by"), step.gate.rejected_by, step.gate.role))
        for where, event_type, role in answers:
            if event_type in known:
                yield from _not_theirs(where, event_type, role, reassigned, definition, catalogue)
            else:
                yield from missing(where, event_type)
        for number, stop in enumerate(step.stops):
            yield from missing((*path, "stops", number, "from"), stop.from_)
            yield from missing((*path, "stops", number, "until"), stop.until)


def _not_theirs(
    path: Path,
    event_type: str,
    role: str,
    reassigned: set[str],
    definition: Definition,
    catalogue: Catalogue,
) -> Iterator[Problem]:
    """A task that none of the departments asked can ever complete, since another owns the event."""
    departments = {
        line.department for line in definition.responsibilities if line.role == role or line.role in reassigned
    }
    owner = catalogue.topic_of(event_type).owner
    if departments and owner not in departments:
        yield Problem(
            path,
            f"{event_type} is published by {owner}, but {role} is answered by {', '.join(sorted(departments))}; "
            "name an event of theirs",
        )


def _expressions(content: PackContent) -> Iterator[Problem]:
    """The first expression of each part that does not compile; compiled just as the pack will compile them."""
    definition, compiler = content.definition, Compiler(content)
    for index, rule in enumerate(definition.rules):
        try:
            compiler.rule(rule)
        except DefinitionError as error:
            yield _placed(error, ("rules", index), rule.model_dump())
    for index, timer in enumerate(definition.timers):
        try:
            compiler.timer(timer)
        except DefinitionError as error:
            yield _placed(error, ("timers", index), timer.model_dump())
    for index, step in enumerate(definition.steps):
        try:
            compiler.steps(step)
        except DefinitionError as error:
            yield _placed(error, ("steps", index), step.model_dump())
    try:
        if definition.level is not None:
            compiler.expression(definition.level.of, "int", ())
    except DefinitionError as error:
        yield Problem(("level", "of"), str(error))
    try:
        compiler.expression(definition.closes, "bool", ())
    except DefinitionError as error:
        yield Problem(("closes",), str(error))


def _placed(error: DefinitionError, path: Path, part: Mapping[str, Any]) -> Problem:
    if isinstance(error, ExpressionError):
        for name in _EXPRESSIONS & part.keys():
            value = part[name]
            if value == error.source:
                return Problem((*path, name), str(error))
            if isinstance(value, Mapping):
                for key, source in value.items():
                    if source == error.source:
                        return Problem((*path, name, key), str(error))
    return Problem(path, str(error).removesuffix("."))


def _calendar(content: PackContent, years: Iterable[int]) -> Iterator[Problem]:
    definition, calendar = content.definition, content.calendar
    if not counts_working_days(definition):
        return
    if calendar.calendar != definition.calendar:
        yield Problem(("calendar",), f"the pack holds the calendar {calendar.calendar} instead")
    for year in years:
        if year not in calendar.years:
            yield Problem(
                ("calendar",),
                f"deadlines are in working days, but the calendar {calendar.calendar} does not have {year}; "
                f"add it in services/workflows/calendars/{calendar.calendar}.yaml",
            )
