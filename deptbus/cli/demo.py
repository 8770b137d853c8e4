"""``deptbus demo``: an epidemic, or another scenario, through the departments until every incident is closed."""

import logging
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from deptbus.cli import output
from deptbus.errors import SettingsError

if TYPE_CHECKING:
    from deptbus.exercise.clock import Announcement
    from deptbus.exercise.exercise import Plan, Watch
    from deptbus.exercise.summary import Summary
    from deptbus.settings import Settings
    from deptbus.workflow.definition import PackContent

WORKFLOW = "epidemic"
TIMER = "quiet"
"""The timer of the workflow before which no incident closes."""
REGIONS_OF_ONE_WORKER = 25
"""With more regions than a province has, the journal is worked off by two workers, each with its partition."""
PROBLEMS_SHOWN_MAX = 20
_WIND_DOWN_MS = 18 * 86_400_000
_NEWS_S = 10.0
"""How often a line is printed where there is no terminal, in seconds."""


def demo(
    scenario: Annotated[str | None, typer.Argument(help="Such as leak-shenzhen; none plays the epidemic.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Say which scenarios there are.")] = False,
    data: Annotated[Path | None, typer.Option(help="Folder with day files YYYY-MM-DD.csv.")] = None,
    province: Annotated[str | None, typer.Option(help="GB/T 2260 code such as 440000, or all.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, such as 2020-01-20.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, inclusive.")] = None,
    seed: Annotated[int | None, typer.Option(help="What the simulated desks draw from.")] = None,
    step: Annotated[int | None, typer.Option(min=1, help="Minutes of exercise time in a step.")] = None,
    namespace: Annotated[str, typer.Option(help="The world to play in; what it holds is dropped.")] = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Play an epidemic, or another scenario, through the departments and print the outcome.

    By default the epidemic: Guangdong (440000) from 2020-01-20 to 2020-02-29, where the data are beside the project,
    else days of the project's own; --data, --province, --from and --to are about it. Other scenarios are files of
    services/scenarios. Starts broker and registry where they do not run, drops what an earlier run left in the
    namespace, and leaves everything readable: BUS_NAMESPACE=demo deptbus tail workflow.timeline
    """
    from deptbus.exercise.exercise import Exercise
    from deptbus.settings import Settings
    from deptbus.stack.choice import open_stack

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the workers are stopped too
    settings = Settings.load(namespace=namespace)
    if show_list:
        show_scenarios(settings, as_json=as_json)
        return
    if scenario is None:
        plan = make_plan(settings, choose(settings.root, data, province, first, last), seed or 1, step or 60)
    elif (data, province, first, last) == (None, None, None, None):
        plan = scenario_plan(settings, scenario, seed, step)
    else:
        raise SettingsError(
            f"--data, --province, --from and --to are about the epidemic; leave them out of {scenario}."
        )
    with output.err.status("starting the stack") as spinner:
        open_stack(settings).up(lambda text: spinner.update(f"starting the stack: {text}"))
        exercise = Exercise(settings, plan)
        exercise.prepare(spinner.update)
    with _step_log(exercise.directory), _progress(plan) as watch:
        summary = exercise.play(watch)
    if as_json:
        output.json(summary.to_data())
    else:
        show(summary, settings.lang)
        output.note(f"Everything stays readable: BUS_NAMESPACE={namespace} deptbus tail workflow.timeline")
    if not summary.fold_equal:
        for difference in exercise.differences:
            output.error(difference)
        raise typer.Exit(1)


def show_scenarios(settings: "Settings", *, as_json: bool) -> None:
    """What can be played besides the epidemic."""
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import iso, system_clock
    from deptbus.exercise.scenario import load_scenario, scenario_names

    catalogue = load_catalogue(settings.root, system_clock())
    scenarios = [load_scenario(settings.root, name, catalogue) for name in scenario_names(settings.root)]
    rows = [
        (found.name, found.titles[settings.lang], ", ".join(found.workflows), iso(found.from_ms), len(found.items))
        for found in scenarios
    ]
    if as_json:
        names = ("scenario", "title", "workflows", "from", "events")
        output.json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        output.table("", _WORDS[settings.lang]["scenarios"].split(","), rows)


class Choice(NamedTuple):
    """Which day files are played."""

    folder: Path
    province: str
    first: str
    last: str


GUANGDONG = Choice(Path("..") / "shared" / "data" / "epidemic", "440000", "2020-01-20", "2020-02-29")
"""Real figures, where they lie beside the project; the folder is below the root."""


def choose(root: Path, data: Path | None, province: str | None, first: str | None, last: str | None) -> Choice:
    """What is given, and for the rest Guangdong's figures where they are there, else the project's scenario."""
    from deptbus.imports import scenario

    shared = root / GUANGDONG.folder
    own = Choice(scenario.FOLDER, scenario.PROVINCE, scenario.FIRST, scenario.LAST)
    default = GUANGDONG._replace(folder=shared) if data is not None or shared.is_dir() else own
    return Choice(data or default.folder, province or default.province, first or default.first, last or default.last)


def make_plan(settings: "Settings", choice: Choice, seed: int, step: int) -> "Plan":
    """What the demo plays: the events of the day files, and the epidemic with the last day as its earliest end."""
    from deptbus.clock import iso
    from deptbus.exercise.exercise import Plan
    from deptbus.exercise.summary import Figure
    from deptbus.imports.epidemic import CASES, OBJECTION, day_of, midnight_ms, read_days
    from deptbus.workflow.activation import with_not_before
    from deptbus.workflow.pack import Pack

    first, last = day_of(choice.first), day_of(choice.last)
    found = read_days(choice.folder, choice.province, first, last)
    for problem in found.problems[:PROBLEMS_SHOWN_MAX]:
        output.note(str(problem))
    if found.problems:
        output.note(f"{len(found.problems)} rows or files could not be read as they stand.")
    (content,) = _workflows(settings, [WORKFLOW])
    pack = Pack.compile(with_not_before(content, TIMER, iso(midnight_ms(last))))
    return Plan(
        found.items, midnight_ms(first), midnight_ms(last), (pack,), seed, step * 60_000,
        advance_workers=2 if found.regions > REGIONS_OF_ONE_WORKER else 1,
        figures=(
            Figure("case_events", CASES),
            Figure("cases", CASES, sum_of="count"),
            Figure("objections", OBJECTION, by="kind"),
        ),
    )  # fmt: skip


def scenario_plan(settings: "Settings", name: str, seed: int | None, step: int | None) -> "Plan":
    """What is played of a scenario's file; ``seed`` and ``step`` (minutes) where they are to differ from it."""
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.exercise.exercise import Plan
    from deptbus.exercise.scenario import load_scenario
    from deptbus.workflow.pack import Pack

    found = load_scenario(settings.root, name, load_catalogue(settings.root, system_clock()))
    packs = tuple(Pack.compile(content) for content in _workflows(settings, found.workflows))
    return Plan(
        found.items, found.from_ms, found.until_ms, packs, seed or found.seed, (step or found.step_minutes) * 60_000,
        scenario=name,
    )  # fmt: skip


def _workflows(settings: "Settings", names: Iterable[str]) -> "list[PackContent]":
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.workflow.load import load_workflow

    catalogue = load_catalogue(settings.root, system_clock())
    return [load_workflow(settings.root, name, catalogue) for name in names]


def show(summary: "Summary", lang: str) -> None:
    """The outcome for people."""
    words = _WORDS[lang]
    rows: list[tuple[str, object]] = []
    for name, value in summary.to_data().items():
        if isinstance(value, dict) and name in ("imported", *summary.figures):
            rows += [(f"{words.get(name, name)}: {part}", count) for part, count in value.items()]
        elif not isinstance(value, dict):
            rows.append((words.get(name, name), value))
    rows += [(f"{words['level']} {level}", count) for level, count in summary.incidents_by_level.items()]
    output.table(words["outcome"], (words["figure"], words["number"]), rows)
    states = sorted({state for counts in summary.tasks.values() for state in counts})
    output.table(
        words["tasks"],
        (words["department"], *states),
        [(department, *(counts.get(state, 0) for state in states)) for department, counts in summary.tasks.items()],
    )


_WORDS = {
    "en": {
        "outcome": "Outcome", "figure": "figure", "number": "number", "tasks": "Tasks", "department": "department",
        "imported": "events brought in", "scenarios": "scenario,title,workflows,from,events",
        "objections": "objections", "level": "incidents that reached level", "case_events": "case events",
        "cases": "cases", "incidents": "incidents", "incidents_closed": "incidents closed",
        "acknowledged_late": "acknowledged late", "completed_late": "completed late", "escalations": "escalations",
        "dead_letters": "dead letters", "events_in": "events in", "events_out": "events out",
        "fold_equal": "folded states equal the live ones", "seconds": "seconds",
    },
    "zh": {
        "outcome": "结果", "figure": "指标", "number": "数量", "tasks": "任务", "department": "部门",
        "imported": "导入事件", "scenarios": "情景,标题,流程,起始,事件数",
        "objections": "数据异议", "level": "达到响应级别的事件", "case_events": "病例事件", "cases": "病例",
        "incidents": "突发事件", "incidents_closed": "已结束的突发事件", "acknowledged_late": "逾期签收",
        "completed_late": "逾期办结", "escalations": "升级", "dead_letters": "死信", "events_in": "输入事件",
        "events_out": "输出事件", "fold_equal": "重算状态与实际一致", "seconds": "秒",
    },
}  # fmt: skip


@contextmanager
def _progress(plan: "Plan") -> Iterator["Watch"]:
    """Where exercise time stands: a bar on a terminal, else a line now and then; both on standard error."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from deptbus.clock import beijing

    def text(step: "Announcement", opened: int, closed: int) -> str:
        return f"{beijing(step.starts_at)}  incidents {opened}, closed {closed}"

    if not output.err.is_terminal:
        due = time.monotonic()

        def say(step: "Announcement", opened: int, closed: int) -> None:
            nonlocal due
            if step.last or time.monotonic() >= due:
                output.note(text(step, opened, closed))
                due = time.monotonic() + _NEWS_S

        yield say
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=output.err, transient=True) as progress:
        # The response winds down a fortnight after the last case and takes a few days more.
        bar = progress.add_task("", total=plan.until_ms - plan.from_ms + _WIND_DOWN_MS)

        def show_step(step: "Announcement", opened: int, closed: int) -> None:
            progress.update(bar, completed=step.starts_at - plan.from_ms, description=text(step, opened, closed))

        yield show_step


@contextmanager
def _step_log(directory: Path) -> Iterator[None]:
    """How long each step took, in ``logs/steps.log``."""
    handler = logging.FileHandler(directory / "logs" / "steps.log", mode="w")
    log = logging.getLogger("deptbus.exercise")
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
