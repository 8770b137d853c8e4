"""Reading workflows: a sound one loads, and whatever is wrong is one sentence with file, line and reason."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.errors import DefinitionError
from deptbus.workflow.load import check_workflows, load_workflow, load_workflows
from deptbus.workflow.pack import Pack

ROOT = Path(__file__).parents[2]
WORKFLOW = """\
workflow: shortage
version: 3
kind: case
titles: {zh: 短缺, en: Shortage}
basis: 某办法第一条
facts:
  count: {type: int, initial: 0}
  closed: {type: bool, initial: false}
level:
  of: facts.count
  rows:
    - {at_least: 1, gives: IV}
    - {at_least: 10, gives: III}
  basis: 某办法第二条
rules:
  - rule: short
    on: hospitals.ResourceShort
    when: event.region != ""
    key: city(event.region)
    opens: true
    window: 30d
    subject: event.shortage
    set:
      count: facts.count + 1
    restart: [quiet]
    basis: 某办法第三条
  - rule: banned
    on: police.BanIssued
    match: region
    window: 1d
    basis: 某办法第三条
timers:
  - timer: quiet
    after: 14d
    set: {closed: "true"}
    basis: 某办法第四条
escalate:
  - {at: acknowledge_by, to: command_post, retry: true}
  - {at: complete_by, to: command_post}
steps:
  - step: supply
    titles: {zh: 调配, en: Supply}
    on: ["rule:short"]
    when: facts.count < 100
    role: health_authority
    basis: 某办法第五条
    acknowledge_by: 1wd
    complete_by: 2wd
    completed_by: [health.ResourceCommitted]
    declined_by: [health.ResourceDeclined]
    context: {region: event.region}
  - step: report
    titles: {zh: 报告, en: Report}
    on: ["completed:supply", level]
    role: command_post
    basis: 某办法第六条
    acknowledge_by: 30m
    complete_by: 4h
closes: facts.closed && open_tasks == 0
"""
RESPONSIBILITIES = """\
responsibilities:
  - role: health_authority
    department: health
    unit: {zh: 卫健委, en: Health authority}
    basis: 某办法第七条
  - role: health_authority
    region: "44"
    level: I
    department: health
    unit: {zh: 省卫健委, en: Province health authority}
    basis: 某办法第七条
  - role: command_post
    department: command
    unit: {zh: 指挥部, en: Command post}
    basis: 某办法第七条
"""


@cache
def catalogue() -> Catalogue:
    return load_catalogue(ROOT, 0)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def writer(workflow: str = WORKFLOW, responsibilities: str | None = RESPONSIBILITIES) -> Path:
        return written(tmp_path, workflow, responsibilities)

    return writer


def written(root: Path, workflow: str, responsibilities: str | None = RESPONSIBILITIES) -> Path:
    folder = root / "services" / "workflows" / "shortage"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "workflow.yaml").write_text(workflow, encoding="utf-8")
    if responsibilities is not None:
        (folder / "responsibilities.yaml").write_text(responsibilities, encoding="utf-8")
    return root


def line_of(text: str, part: str) -> int:
    """The line on which the first thing that matches stands, from 1."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_workflows_of_the_project_are_sound() -> None:
    contents = load_workflows(ROOT, catalogue(), (2020,))
    assert "epidemic" in contents
    for content in contents.values():
        pack = Pack(content)
        assert Pack.from_bytes(pack.to_bytes()).hash == pack.hash


def test_a_sound_workflow_loads(write: Callable[..., Path]) -> None:
    content = load_workflow(write(), "shortage", catalogue(), (2020, 2021))
    assert content.definition.responsibilities[1].region == "44"
    assert content.fields["hospitals.ResourceShort"]["region"] == "string"
    assert content.calendar.years[2020]


def test_calendars_are_only_in_packs_that_count_working_days(write: Callable[..., Path]) -> None:
    content = load_workflow(write(WORKFLOW.replace("wd", "d")), "shortage", catalogue(), (1900,))
    assert content.calendar.years == {}


# Each: what to replace, by what, on which line (of what comes then) it is reported, and the reason.
BROKEN = [
    ("version: 3", "version: [3", "kind", "this is not valid YAML"),
    ("version: 3", "version: three", "version:", "version is not usable: it must be a whole number"),
    ("version: 3", "versoin: 3", "versoin", "versoin is not known here"),
    ("kind: case", "kind: case\ncolour: red", "colour", "colour is not known here"),
    ("kind: case", "kind: case\nkind: incident", "kind: incident", "kind stands twice"),
    ("workflow: shortage", "workflow: other", "workflow:", "differs from its folder shortage"),
    ("kind: case", "kind: case\ncalendar: mars", "calendar", "There is no calendar mars"),
    ("kind: case", "kind: case\nzone: Asia/Atlantis", "zone", "there is no time zone Asia/Atlantis"),
    ("kind: case", "kind: case\nresponsibilities: []", "responsibilities", "responsibilities stand in .*move them"),
    ("kind: case", "kind: case\ndirectives: command.Ordered", "directives", "no event type command.Ordered"),
    ("window: 30d", "window: 30 days", "window: 30", "a duration is a number and m, h, d or wd"),
    ("window: 30d", "window: 3wd", "window: 3wd", "a window cannot be in working days"),
    ("window: 30d", "window: 30", "window: 30", "put it in quotes"),
    ("rule: banned", "rule: short", "police", "there are two of rule short"),
    ("step: report", "step: supply", "step: supply", "there are two of step supply"),
    ("step: report", "step: x_approval", "x_approval", "belong to gates"),
    ("timer: quiet", "timer: repeat_quiet", "timer: repeat_quiet", "belong to steps"),
    ("hospitals.ResourceShort", "hospitals.ResourceShrt", "ResourceShrt", "did you mean hospitals.ResourceShort"),
    ("hospitals.ResourceShort", "resourceShort", "resourceShort", "an event type is an owner and a name"),
    ("when: event.region", "when: event.regoin", "event.regoin", r"reference to 'event\.regoin' \(column 6\)"),
    ("when: event.region", "when: facts.count == 0 && event.region", "facts.count == 0", "undeclared reference"),
    ("key: city(event.region)", "key: event.quantity", "key: event.quantity", "gives int, but string is needed"),
    ("    key: city(event.region)\n", "", "rule: short", "opens instances and has no key"),
    ("    match: region", "    match: region\n    key: event.region", "match: region", "match finds open instances"),
    ("opens: true", "opens: false", "rules:", "no rule opens an instance"),
    ("count: facts.count + 1", "cuont: facts.count + 1", "cuont", "no fact cuont; did you mean count"),
    ("count: facts.count + 1", 'count: "true"', 'count: "true"', "gives bool, but int is needed"),
    ("count: facts.count + 1", "count: 1", "count: 1", "put it in quotes"),
    ("restart: [quiet]", "restart: [quite]", "restart:", "no timer quite; did you mean quiet"),
    ("type: int, initial: 0", "type: int", "type: int", "the fact count has no initial value"),
    ("type: int, initial: 0", "type: int, initial: no", "initial: no", "'no' is no int"),
    ("type: int, initial: 0", "type: int, initial: true", "initial: true", "True is no int"),
    ("after: 14d", "after: 14d\n    not_before: 2020-02-29", "not_before", "no time with a zone"),
    ("of: facts.count", "of: facts.closed", "of: facts.closed", "gives bool, but int is needed"),
    ("at_least: 10, gives: III", "at_least: 1, gives: III", "gives: III", "at_least must rise"),
    ("at_least: 10, gives: III", "at_least: 10, gives: IV", "at_least: 10", "levels must rise"),
    ("at_least: 10, gives: III", "at_least: 10, gives: V", "at_least: 10", "'IV', 'III', 'II' or 'I'"),
    ('"rule:short"', '"rule:shrot"', "rule:shrot", "no rule shrot; did you mean short"),
    ('"rule:short"', '"timer:loud"', "timer:loud", "no timer loud"),
    ('"rule:short"', '"when:short"', "when:short", "a trigger is opened, level"),
    ('"completed:supply", level', '"completed:report"', "completed:report", "report is never asked for"),
    ("acknowledge_by: 30m", "acknowledge_by: 5h", "acknowledge_by: 5h", r"\(5h\) is later than complete_by \(4h\)"),
    ("acknowledge_by: 30m", "acknowledge_by: 1wd", "acknowledge_by: 1wd\n    complete_by: 4h", "give both in working"),
    ("acknowledge_by: 1wd", "acknowledge_by: 3wd", "acknowledge_by: 3wd", "is later than complete_by"),
    ("complete_by: 4h", "complete_by: 4h\n    every: 0h", "every: 0h", "asked again after no time"),
    ("complete_by: 4h", 'complete_by: 4h\n    repeat_while: "true"', "repeat_while", "repeat_while needs every"),
    ("  - {at: complete_by, to: command_post}\n", "", "escalate:", "no rung for a missed complete_by"),
    ("retry: true", "retry: true, reassign: true", "reassign: true", "choose one"),
    ("to: command_post, retry", "to: comand_post, retry", "comand_post", "did you mean command_post"),
    ("role: command_post", "role: mayor", "role: mayor", "no role mayor"),
    ("[health.ResourceCommitted]", "[police.BanIssued]", "police.BanIssued]", "published by police, but"),
    ("[health.ResourceDeclined]", "[health.ResourceCommitted]", "declined_by", "both complete and decline"),
    ("region: event.region}", "region: event.quantity}", "event.quantity}", "gives int, but string is needed"),
    ("after: 14d", "after: 999999999999d", "after: 9", "longer than 36525 days"),
    ("version: 3", "version: 3000000000", "version:", "a version is at most 2147483647"),
    ("type: int, initial: 0", "type: int, initial: 9223372036854775808", "initial: 9", "a whole number is at most"),
    ("closes: facts.closed", "closes: facts.count", "closes:", "no matching overload"),
    ("kind: case", "kind: case\ncommand: comand_post", "command: comand_post", "no role comand_post; did you mean"),
    ("    context: {", '    retargeted_by: ["rule:shrot"]\n    context: {', "retargeted_by", "no rule shrot; did"),
    ("    context: {region: event.region}", "    retargeted_by: [level]", "retargeted_by", "nothing of supply can"),
    ("    context: {", "    retargeted_by: [level]\n    context: {", "context:", r"undeclared reference to .event"),
    ("    context: {", "    for_regions: facts.count\n    context: {", "for_regions", "gives int, but string"),
    ("    context: {", "    for_regions: facts.cuont\n    context: {", "for_regions", r"reference to 'facts\.cuont'"),
    ("complete_by: 4h", "complete_by: 4h\n    takeover: true", "takeover", "answered alike at every level"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "part", "reason"), BROKEN)
def test_a_broken_definition_names_line_and_reason(
    write: Callable[..., Path], old: str, new: str, part: str, reason: str
) -> None:
    assert old in WORKFLOW
    text = WORKFLOW.replace(old, new, 1)
    lines = text.splitlines()
    number = text[: text.rindex(part)].count("\n") + 1 if "\n" in part else line_of(text, part)
    if (old, new) in {("rule: banned", "rule: short"), ("step: report", "step: supply")}:
        number = [count for count, line in enumerate(lines, 1) if new in line][-1]
    with pytest.raises(DefinitionError, match=reason) as error:
        load_workflow(write(text), "shortage", catalogue())
    sentence = str(error.value)
    assert sentence.startswith(f"services/workflows/shortage/workflow.yaml, line {number}: "), sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("department: command", "department: comand", 13, "no department comand; did you mean command"),
        ('region: "44"', "region: 44", 7, "put it in quotes"),
        ('region: "44"', 'region: "440000"', 7, "write '44' for all that 440000 contains"),
        ('region: "44"', "region: south", 7, "no prefix of region codes"),
        ('    region: "44"\n    level: I\n', "", 6, "health_authority in every region at every level has two lines"),
        ("  - role: command_post\n", "  - role: command_post\n    level: II\n", 12, "is not resolved every"),
        ("department: command", "departement: command", 13, "departement is not known here"),
    ],
)  # fmt: skip
def test_a_broken_list_of_responsibilities_names_line_and_reason(
    write: Callable[..., Path], old: str, new: str, line: int, reason: str
) -> None:
    assert old in RESPONSIBILITIES
    with pytest.raises(DefinitionError, match=reason) as error:
        load_workflow(write(WORKFLOW, RESPONSIBILITIES.replace(old, new, 1)), "shortage", catalogue())
    assert str(error.value).startswith(f"services/workflows/shortage/responsibilities.yaml, line {line}: ")


def test_responsibilities_must_be_there(write: Callable[..., Path]) -> None:
    with pytest.raises(DefinitionError, match=r"workflow\.yaml, line 1: .*responsibilities\.yaml is missing"):
        load_workflow(write(WORKFLOW, None), "shortage", catalogue())


def test_a_takeover_needs_something_that_changes_the_level(write: Callable[..., Path]) -> None:
    start, end = WORKFLOW.index("level:\n"), WORKFLOW.index("rules:\n")
    text = WORKFLOW.replace(WORKFLOW[start:end], "").replace('supply", level', 'supply"')
    text = text.replace("complete_by: 4h", "complete_by: 4h\n    takeover: true").replace(", level]", "]")
    with pytest.raises(DefinitionError, match=f"line {line_of(text, 'takeover')}: nothing changes the level"):
        load_workflow(write(text), "shortage", catalogue())


def test_a_moving_step_under_a_command_loads(write: Callable[..., Path]) -> None:
    moving = 'for_regions: event.region\n    retargeted_by: ["rule:short"]\n    takeover: true\n    context: {region'
    text = WORKFLOW.replace("context: {region", moving).replace("kind: case", "kind: case\ncommand: command_post")
    text = text.replace('"completed:supply", level', '"completed:supply", merged, split')
    pack = Pack(load_workflow(write(text), "shortage", catalogue()))
    assert pack.retargeted_on == {"rule:short": ["supply"]}


def test_a_year_without_holidays_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(DefinitionError, match=r"line 1: deadlines are in working days, but the calendar cn .* 2031"):
        load_workflow(write(), "shortage", catalogue(), (2020, 2031))


def test_everything_that_is_wrong_is_told_at_once(write: Callable[..., Path]) -> None:
    text = WORKFLOW.replace("restart: [quiet]", "restart: [x]").replace('"rule:short"', '"rule:y"')
    contents, sentences = check_workflows(write(text), catalogue())
    assert contents == {}
    assert len(sentences) == 2
    with pytest.raises(DefinitionError, match=r"\(1 more: run `deptbus workflows check`\.\)"):
        load_workflow(write(text), "shortage", catalogue())


def test_no_such_workflow(write: Callable[..., Path]) -> None:
    with pytest.raises(DefinitionError, match=r"There is no workflow shortages \(there are: shortage\)"):
        load_workflow(write(), "shortages", catalogue())


@pytest.mark.parametrize(
    "text", ["", "a", "&a [*a]", "? [1]\n: 2\n", "workflow: &a {b: *a}\n", "\0", "- a\n", "1: 2\n"]
)
def test_what_is_hardly_yaml_is_a_definition_error(write: Callable[..., Path], text: str) -> None:
    with pytest.raises(DefinitionError, match=r"^services/workflows/shortage/workflow\.yaml, line \d+: "):
        load_workflow(write(text), "shortage", catalogue())


_LINES = WORKFLOW.splitlines(keepends=True)
_BITS = st.sampled_from([
    "", " ", ":", "- ", "[", "}", '"', "null", "0", "-1", "1e400", "on", "wd", "999999999999d", "facts.", "event.x",
    "rule:", "&a ", "*a", "<<: ", "? ", "{}", "[]", "!!int x", "2020-01-01", "true", "||", "\t", "\u2028", "\x00", "é",
])  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_no_mutation_ends_in_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    lines = list(_LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        line, bit = lines[number], data.draw(_BITS)
        kind = data.draw(st.sampled_from(("drop", "double", "swap", "value", "insert", "cut")))
        if kind == "drop":
            lines[number] = ""
        elif kind == "double":
            lines[number] = line + line
        elif kind == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[number], lines[other] = lines[other], line
        elif kind == "value":
            lines[number] = line.partition(":")[0] + f": {bit}\n"
        else:
            at = data.draw(st.integers(0, len(line)))
            lines[number] = line[:at] + (bit + line[at:] if kind == "insert" else "\n")
    root = written(tmp_path, "".join(lines))
    contents, sentences = check_workflows(root, catalogue(), (2020,))
    for content in contents.values():
        Pack(content)
    for sentence in sentences:
        assert re.match(r"services/workflows/shortage/(workflow|responsibilities)\.yaml, line \d+: .", sentence)
        assert "\n" not in sentence
    assert bool(contents) is not bool(sentences)
