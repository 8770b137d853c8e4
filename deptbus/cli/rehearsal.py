"""``deptbus replay --rehearsal`` and ``--compare``: a stretch in a world of its own, and what came out differently."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deptbus.cli import output
from deptbus.cli.signals import ended_as_by_ctrl_c
from deptbus.errors import BusError, SettingsError

if TYPE_CHECKING:
    from deptbus.catalogue import Catalogue
    from deptbus.exercise.exercise import Watch
    from deptbus.operations.comparing import Comparison
    from deptbus.operations.rehearsal import Course
    from deptbus.operations.replays import Replay
    from deptbus.rehearsing import Rehearsal
    from deptbus.replaying import Replays
    from deptbus.workflow.pack import Pack

DIFFERENT = 3
"""The exit code where something came out differently."""
PER_S = 300.0
"""Events of a rehearsal in a second at most, unless something else is said: its broker is that of actual life."""
_NEWS_S = 10.0


def read_pack(root: Path, catalogue: "Catalogue", path: Path) -> "Pack":
    """The pack of a folder with workflow.yaml, of that file itself, or of a pack's JSON; ``BusError``."""
    from deptbus.workflow.checks import problems
    from deptbus.workflow.load import content_of, read_folder
    from deptbus.workflow.pack import Pack

    folder = path.parent if path.name == "workflow.yaml" else path
    if (folder / "workflow.yaml").is_file():
        source = read_folder(folder, str(folder))
        content = content_of(root, source, catalogue)
        found = problems(content, catalogue)
        if found:
            raise source.error(found[0], len(found) - 1)
        return Pack.compile(content)
    if not path.is_file():
        raise SettingsError(f"--pack {path} is neither a folder with workflow.yaml nor a file; name one.")
    return Pack.from_bytes(path.read_bytes())


def rehearse(
    replays: "Replays",
    ordered: "Replay",
    *,
    until_ms: int,
    whole: bool,
    step: int | None,
    pack: "Pack | None",
    comparing: bool,
    keep: bool,
    reason: str | None,
    as_json: bool,
) -> None:
    """Play the stretch into its namespace, on record; with ``comparing`` hold the outcome against what happened."""
    from deptbus.operations.replays import ACT
    from deptbus.rehearsing import Rehearsal

    words = _WORDS[replays.settings.lang]
    rehearsal = Rehearsal(replays.settings, replays.catalogue, ordered, None if step is None else step * 60_000)
    rehearsal.check()
    packs = rehearsal.packs(pack)
    with output.err.status(words["reading"]):
        played = rehearsal.read()
        course = rehearsal.course(played, until_ms, whole=whole)
    detail: dict[str, object] = {
        **ordered.to_detail(),
        "packs": ", ".join(f"{one.workflow}@{one.version}" for one in packs),
    }
    if pack is not None:
        detail["pack"] = pack.hash
    comparison = None
    acting = replays.auditor.act(ACT, ordered.target.name, reason, detail, event_id=ordered.id)
    with played, ended_as_by_ctrl_c(), acting as act:
        try:
            with output.err.status(words["preparing"]):
                rehearsal.prepare(packs, course)
            with _progress(course, words) as watch:
                steps = rehearsal.play(played, packs, course, watch)
            if comparing:
                with output.err.status(words["comparing"]):
                    comparison = rehearsal.compare(played, course)
                act.detail(compared=len(comparison.instances), different=len(comparison.different))
            act.detail(events=rehearsal.counts["played"], unasked=rehearsal.counts["unasked"], steps=steps)
        finally:
            if not keep:
                rehearsal.drop()
    _show(rehearsal, ordered, comparison, keep=keep, as_json=as_json)
    if comparison is not None and comparison.different:
        raise typer.Exit(DIFFERENT)


def drop(replays: "Replays", name: str) -> None:
    """Drop a rehearsal's namespace; ``BusError`` for one that is on record as none."""
    from deptbus.exercise.exercise import drop_namespace
    from deptbus.namespace import Namespace

    known = {each.replay.target.name for each in replays.known().values() if each.replay.target.kind == "rehearsal"}
    if name not in known:
        raise BusError(f"{name} is no rehearsal on record; `deptbus replay list` shows those that are.")
    replays.auditor.record("replay.drop", name)
    drop_namespace(replays.admin, Namespace(name))


def _show(
    rehearsal: "Rehearsal", ordered: "Replay", comparison: "Comparison | None", *, keep: bool, as_json: bool
) -> None:
    words, lang = _WORDS[rehearsal.source.lang], rehearsal.source.lang
    name = ordered.target.name
    if as_json:
        found: dict[str, Any] = {
            "id": ordered.id, "rehearsal": name if keep else None, "events": rehearsal.counts["played"],
            "unasked": rehearsal.counts["unasked"],
        }  # fmt: skip
        output.json(found | ({} if comparison is None else _data(comparison)))
        return
    if comparison is not None:
        for compared in comparison.different:
            output.out.print(compared.then or compared.now or "", style="bold", markup=False, soft_wrap=True)
            for difference in compared.differences:
                output.out.print(f"  {difference.said.in_(lang)}", markup=False, soft_wrap=True)
        output.out.print(
            words["same" if not comparison.different else "different"].format(
                all=len(comparison.instances), different=len(comparison.different)
            ),
            markup=False, soft_wrap=True,
        )  # fmt: skip
        if comparison.before:
            output.note(words["before"].format(comparison.before))
    output.note(words["played"].format(events=rehearsal.counts["played"]))
    if rehearsal.counts["unasked"]:
        output.note(words["unasked"].format(rehearsal.counts["unasked"]))
    if keep:
        output.note(words["kept"].format(name=name))


def _data(comparison: "Comparison") -> dict[str, Any]:
    return {
        "compared": len(comparison.instances),
        "open_before": comparison.before,
        "different": [
            {
                "then": each.then,
                "now": each.now,
                "differences": [
                    {"kind": one.kind, "task": one.task, "then": one.then, "now": one.now, "zh": one.said.zh,
                     "en": one.said.en}
                    for one in each.differences
                ],
            }
            for each in comparison.different
        ],
    }  # fmt: skip


@contextmanager
def _progress(course: "Course", words: dict[str, str]) -> "Iterator[Watch]":
    """Where the rehearsal's time stands: a bar on a terminal, else a line now and then; both on standard error."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from deptbus.clock import beijing

    if not output.err.is_terminal:
        due = time.monotonic() + _NEWS_S

        def say(step: Any, opened: int, closed: int) -> None:
            nonlocal due
            if time.monotonic() >= due:
                output.note(f"{beijing(step.starts_at)}  {opened} / {closed}")
                due = time.monotonic() + _NEWS_S

        yield say
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), TimeRemainingColumn())
    with Progress(*columns, console=output.err, transient=True) as progress:
        task = progress.add_task(words["playing"], total=max(1, course.until_ms - course.origin_ms))

        def show(step: Any, opened: int, closed: int) -> None:
            progress.update(
                task, completed=step.starts_at - course.origin_ms, description=f"{beijing(step.starts_at)}  {opened}"
            )

        yield show


_WORDS = {
    "en": {
        "reading": "reading the stretch", "preparing": "making the namespace", "comparing": "comparing",
        "playing": "rehearsing",
        "same": "{all} instances came out as they did then.",
        "different": "{different} of {all} instances came out differently.",
        "before": "Instances of {} keys were open before the stretch and are not compared.",
        "played": "{events:,} events were played.",
        "unasked": "{} answers are left out: what they answer was not asked.",
        "kept": "The rehearsal stays readable: BUS_NAMESPACE={name} deptbus incidents list; drop it with: "
                "deptbus replay drop {name}",
    },
    "zh": {
        "reading": "读取区间", "preparing": "建立命名空间", "comparing": "比较", "playing": "复演",
        "same": "{all} 个实例的结果与当时相同。",
        "different": "{all} 个实例中有 {different} 个结果不同。",
        "before": "{} 个关联键的实例在区间之前已启动，未作比较。",
        "played": "已复演 {events:,} 个事件。",
        "unasked": "略去 {} 个答复：所答的任务未下达。",
        "kept": "复演结果可查：BUS_NAMESPACE={name} deptbus incidents list；删除：deptbus replay drop {name}",
    },
}  # fmt: skip
