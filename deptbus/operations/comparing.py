"""Where the outcomes of a rehearsal differ from what happened, in words of two languages. Pure."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from deptbus.clock import beijing
from deptbus.operations.outcomes import InstanceOutcome, Outcomes, TaskOutcome
from deptbus.workflow.said import Said


class Difference(NamedTuple):
    """One thing that came out differently."""

    kind: str
    """``opened``, ``level``, ``closed``, ``asked``, ``department``, ``acknowledge_by``, ``complete_by``,
    ``acknowledged``, ``ended``, ``escalations`` or ``reassigned``."""
    task: str | None
    """The step, its subject and region."""
    then: Any
    now: Any
    said: Said


@dataclass(frozen=True, slots=True)
class Compared:
    """One instance, then and now."""

    then: str | None
    """Its name; None where it opened now only."""
    now: str | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything."""

    instances: tuple[Compared, ...]
    """Those compared, in the order of their names."""
    before: int
    """How many keys had an instance open before the stretch: their instances are not compared."""

    @property
    def different(self) -> tuple[Compared, ...]:
        """The instances that came out differently."""
        return tuple(each for each in self.instances if each.differences)


def compare(then: Outcomes, now: Outcomes, played: Container[str], tolerance_ms: int) -> Comparison:
    """Hold the instances that events of the stretch opened against those of its rehearsal.

    ``played`` are the ids of these events. Times that differ by no more than ``tolerance_ms`` are the same: in actual
    life a tick comes a moment after what falls due.
    """
    was = {each.cause: each for each in then.instances.values() if each.cause in played and each.key not in then.before}
    now_by_cause = {each.cause: each for each in now.instances.values() if each.key not in then.before}
    found = []
    for cause in {**was, **now_by_cause}:
        old, new = was.get(cause), now_by_cause.get(cause)
        differences = tuple(_differences(old, new, tolerance_ms))
        found.append(Compared(old.name if old else None, new.name if new else None, differences))
    found.sort(key=lambda each: each.then or each.now or "")
    return Comparison(tuple(found), len(then.before))


def _differences(old: InstanceOutcome | None, new: InstanceOutcome | None, tolerance_ms: int) -> Iterator[Difference]:
    if old is None or new is None:
        one = old or new
        assert one is not None
        at = beijing(one.opened_at)
        said = (
            Said(f"当时于 {at} 启动，现在不启动", f"it opened then, at {at}, and does not open now")
            if new is None
            else Said(f"当时未启动，现在于 {at} 启动", f"it did not open then and opens now, at {at}")
        )
        yield Difference("opened", None, old and old.opened_at, new and new.opened_at, said)
        return
    if old.levels != new.levels:
        was, now = " → ".join(old.levels) or "-", " → ".join(new.levels) or "-"
        yield _said("level", None, old.levels, new.levels, Said("响应级别", "response level"), was, now)
    if _apart(old.closed_at, new.closed_at, tolerance_ms):
        yield _said(
            "closed", None, old.closed_at, new.closed_at, Said("办结", "closed"), _when(old.closed_at),
            _when(new.closed_at),
        )  # fmt: skip
    for before, after in _pairs(old, new):
        yield from _task(before, after, tolerance_ms)


def _pairs(old: InstanceOutcome, new: InstanceOutcome) -> Iterator[tuple[TaskOutcome | None, TaskOutcome | None]]:
    """Tasks then and now: those of the same id and place, then those of the same place and number.

    An id alone says nothing: it counts outputs, and under other rules the same number is another task.
    """
    left = {(task.id, *key[:3]): key for key, task in new.tasks.items()}
    same = {key: left[place] for key, task in old.tasks.items() if (place := (task.id, *key[:3])) in left}
    free = {key: task for key, task in new.tasks.items() if key not in same.values()}
    for key, task in old.tasks.items():
        yield task, new.tasks[same[key]] if key in same else free.pop(key, None)
    for task in free.values():
        yield None, task


def _task(old: TaskOutcome | None, new: TaskOutcome | None, tolerance_ms: int) -> Iterator[Difference]:
    one = old or new
    assert one is not None
    name = " ".join(part for part in (one.step, one.subject, one.region) if part)
    what = Said(f"任务 {name}", f"task {name}")
    if old is None or new is None:
        at = beijing(one.requested_at)
        said = (
            Said(
                f"{what.zh}：当时于 {at} 向 {one.department} 下达，现在不下达",
                f"{what.en}: {one.department} was asked then, at {at}, and is not asked now",
            )
            if new is None
            else Said(
                f"{what.zh}：当时未下达，现在于 {at} 向 {one.department} 下达，{_by(one).zh}",
                f"{what.en}: it was not asked then; {one.department} is asked now, at {at}, {_by(one).en}",
            )
        )
        yield Difference("asked", name, old and old.department, new and new.department, said)
        return
    if old.department != new.department:
        yield _said("department", name, old.department, new.department, _of(what, Said("责任部门", "asked of")),
                    old.department, new.department)  # fmt: skip
    if old.reassigned != new.reassigned:
        yield _said("reassigned", name, old.reassigned, new.reassigned, _of(what, Said("改派", "reassigned to")),
                    ", ".join(old.reassigned) or "-", ", ".join(new.reassigned) or "-")  # fmt: skip
    for kind, label in (
        ("requested_at", Said("下达", "asked at")),
        ("acknowledge_by", Said("签收期限", "acknowledge by")),
        ("complete_by", Said("办理期限", "complete by")),
    ):
        was, now = getattr(old, kind), getattr(new, kind)
        if _apart(was, now, tolerance_ms):
            yield _said(kind, name, was, now, _of(what, label), _when(was), _when(now))
    for kind, label in (("acknowledged", Said("签收", "acknowledged")), ("ended", Said("结果", "outcome"))):
        was, now = getattr(old, kind), getattr(new, kind)
        if was != now:
            yield Difference(kind, name, was, now, Said(
                f"{what.zh}：{label.zh} {_STATES[was].zh} → {_STATES[now].zh}",
                f"{what.en}: {label.en} {_STATES[was].en} → {_STATES[now].en}",
            ))  # fmt: skip
    told = [sorted(task.escalations.values()) for task in (old, new)]
    if told[0] != told[1]:
        was, now = (", ".join(f"{each.missed} → {each.to}" for each in side) or "-" for side in told)
        yield _said("escalations", name, [list(each) for each in told[0]], [list(each) for each in told[1]],
                    _of(what, Said("升级", "escalations")), was, now)  # fmt: skip


_STATES: dict[str | None, Said] = {
    None: Said("无", "none"),
    "in_time": Said("按时", "in time"),
    "late": Said("逾期", "late"),
    "completed": Said("完成", "completed"),
    "completed_late": Said("逾期完成", "completed late"),
    "declined": Said("拒绝", "declined"),
    "cancelled": Said("取消", "cancelled"),
}


def _of(what: Said, label: Said) -> Said:
    return Said(f"{what.zh}：{label.zh}", f"{what.en}: {label.en}")


def _said(kind: str, task: str | None, then: Any, now: Any, label: Said, was: str, after: str) -> Difference:
    return Difference(kind, task, then, now, Said(f"{label.zh} {was} → {after}", f"{label.en} {was} → {after}"))


def _by(task: TaskOutcome) -> Said:
    by = beijing(task.complete_by)
    return Said(f"办理期限 {by}", f"to be completed by {by}")


def _when(time_ms: int | None) -> str:
    return "-" if time_ms is None else beijing(time_ms)


def _apart(one: int | None, other: int | None, tolerance_ms: int) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > tolerance_ms
