"""What differs between two packs of a workflow, in words. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from pydantic import BaseModel

from deptbus.workflow.definition import CapInfo, Definition, Gate, PackContent, Rung, Titles
from deptbus.workflow.diffwords import LABELS, NONE, SWITCHES, answers, place, rung_said
from deptbus.workflow.said import Said

PLAIN = ("version", "kind", "titles", "basis", "zone", "calendar", "command", "directives")
"""Fields of a definition that are compared as they stand; each of the others has words of its own."""


class Difference(NamedTuple):
    """One thing that differs: ``group`` is one of ``diffwords.GROUPS``."""

    group: str
    message: Said


def differences(old: PackContent, new: PackContent) -> list[Difference]:
    """Everything that differs, group by group; where it stands in the file makes no difference."""
    return list(_all(old, new))


def ladder_differences(old: Sequence[Rung], new: Sequence[Rung]) -> Iterator[Said]:
    """What differs between two escalation ladders."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        if tag == "replace" and end - start == new_end - new_start:
            for index, (rung, other) in enumerate(zip(old[start:end], new[new_start:new_end], strict=True), start):
                one, two = rung_said(rung), rung_said(other)
                yield Said(f"第 {index + 1} 级：{one.zh} → {two.zh}", f"rung {index + 1}: {one.en} → {two.en}")
            continue
        for index in range(start, end):
            said = rung_said(old[index])
            yield Said(f"不再有第 {index + 1} 级 {said.zh}", f"no longer rung {index + 1}: {said.en}")
        for index in range(new_start, new_end):
            said = rung_said(new[index])
            yield Said(f"新增第 {index + 1} 级 {said.zh}", f"new rung {index + 1}: {said.en}")


def _all(old: PackContent, new: PackContent) -> Iterator[Difference]:
    before, after = old.definition, new.definition
    who = Said(f"流程 {after.workflow}", f"workflow {after.workflow}")
    yield from _group("definition", _fields(who, before, after, PLAIN))
    yield from _group("definition", _alerts(before.cap, after.cap))
    facts = _pairs(before.facts, after.facts)
    yield from _group("facts", _parts("事实", "fact", facts, ("type", "initial", "time", "titles")))
    yield from _group("level", _level(before, after))
    yield from _group("rules", _named(before, after, "rules", "rule", "规则"))
    yield from _group("timers", _named(before, after, "timers", "timer", "定时"))
    yield from _group("escalate", ladder_differences(before.escalate, after.escalate))
    yield from _group("steps", _named(before, after, "steps", "step", "环节"))
    yield from _group("closes", _fields(Said("流程", "the workflow"), before, after, ("closes",)))
    yield from _group("responsibilities", _responsibilities(before, after))
    yield from _group("calendar", _calendar(old, new))
    yield from _group("fields", _event_fields(old, new))


def _group(group: str, said: Iterator[Said]) -> Iterator[Difference]:
    return (Difference(group, message) for message in said)


def _pairs(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    """By name, what stands under it before and after; in the order of before, then what is new."""
    return {name: (before.get(name), after.get(name)) for name in {**before, **after}}


def _named(before: Definition, after: Definition, part: str, name: str, zh: str) -> Iterator[Said]:
    old, new = ({getattr(one, name): one for one in getattr(which, part)} for which in (before, after))
    return _parts(zh, name, _pairs(old, new), None)


def _parts(zh: str, en: str, pairs: Mapping[str, tuple[Any, Any]], names: Sequence[str] | None) -> Iterator[Said]:
    for name, (old, new) in pairs.items():
        who = Said(f"{zh} {name}", f"{en} {name}")
        if old is None:
            yield Said(f"新增{who.zh}", f"new {who.en}")
        elif new is None:
            yield Said(f"不再有{who.zh}", f"no longer {who.en}")
        elif old != new:
            yield from _fields(who, old, new, names or tuple(type(new).model_fields))


def _fields(who: Said, old: BaseModel, new: BaseModel, names: Sequence[str]) -> Iterator[Said]:
    """What differs in some fields of one part."""
    for name in names:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            for said in _field(name, before, after):
                yield Said(f"{who.zh}：{said.zh}", f"{who.en}: {said.en}")


def _field(name: str, before: Any, after: Any) -> Iterator[Said]:
    match name:
        case _ if name in SWITCHES:
            yield SWITCHES[name][0 if after else 1]
        case "titles":
            yield from _titles(before, after)
        case "set" | "context":
            yield from _assigned(name, before, after)
        case "gate":
            yield from _gate(before, after)
        case "escalate":
            yield from _own_ladder(before, after)
        case "stops":
            for sign, left, right in (("不再", before, after), ("", after, before)):
                for stop in left:
                    if stop not in right:
                        en = "no longer stops" if sign else "now stops"
                        yield Said(
                            f"{sign}从 {stop.from_} 到 {stop.until} 暂停计时",
                            f"the clock {en} from {stop.from_} to {stop.until}",
                        )
        case _ if isinstance(after, tuple):
            yield from _several(LABELS[name], before, after)
        case _:
            yield _changed(LABELS[name], before, after)


def _changed(label: Said, before: Any, after: Any) -> Said:
    old, new = _written(before), _written(after)
    return Said(f"{label.zh} {old.zh} → {new.zh}", f"{label.en} {old.en} → {new.en}")


def _written(value: Any) -> Said:
    if value is None:
        return NONE
    plain = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split()) or '""'
    return Said(plain, plain)


def _several(label: Said, before: Sequence[str], after: Sequence[str]) -> Iterator[Said]:
    for each in before:
        if each not in after:
            yield Said(f"不再{label.zh} {each}", f"no longer {label.en} {each}")
    for each in after:
        if each not in before:
            yield Said(f"新增{label.zh} {each}", f"now also {label.en} {each}")
    if sorted(before) == sorted(after):
        yield Said(f"{label.zh}的次序改变", f"{label.en}: another order")


def _titles(before: Titles | None, after: Titles | None) -> Iterator[Said]:
    for part, label in (("zh", Said("中文名称", "title (zh)")), ("en", Said("英文名称", "title (en)"))):
        old, new = getattr(before, part, None), getattr(after, part, None)
        if old != new:
            yield _changed(label, old, new)


def _assigned(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Said]:
    what = Said("设置", "sets") if name == "set" else Said("任务信息", "context")
    for key, (old, new) in _pairs(before, after).items():
        if old is None:
            yield Said(f"新增{what.zh} {key} = {_written(new).zh}", f"now {what.en} {key} = {_written(new).en}")
        elif new is None:
            yield Said(f"不再{what.zh} {key}", f"no longer {what.en} {key}")
        elif old != new:
            yield _changed(Said(f"{what.zh} {key}", f"{what.en} {key}"), old, new)


def _gate(before: Gate | None, after: Gate | None) -> Iterator[Said]:
    if before is None and after is not None:
        yield Said(f"新增审批，由 {after.role} 批准", f"now needs the approval of {after.role}")
    elif before is not None and after is None:
        yield Said("不再需要审批", "no longer needs an approval")
    elif before is not None and after is not None:
        yield from _fields(Said("审批", "its gate"), before, after, tuple(Gate.model_fields))


def _own_ladder(before: Sequence[Rung] | None, after: Sequence[Rung] | None) -> Iterator[Said]:
    if after is None:
        yield Said("改用流程的升级阶梯", "follows the workflow's ladder now")
    elif before is None:
        yield Said("改用自己的升级阶梯", "has a ladder of its own now")
        for rung in map(rung_said, after):
            yield Said(f"升级：{rung.zh}", f"rung {rung.en}")
    else:
        yield from ladder_differences(before, after)


def _alerts(before: CapInfo | None, after: CapInfo | None) -> Iterator[Said]:
    who = Said("对外预警", "alerts to the outside")
    if before is not None and after is not None:
        yield from _fields(who, before, after, ("category",))
        for said in _titles(before.event, after.event):
            yield Said(f"{who.zh}：{said.zh}", f"{who.en}: {said.en}")
    elif before != after:
        yield Said(f"{'可' if after else '不再'}{who.zh}", f"{'now' if after else 'no longer'} writes {who.en}")


def _level(before: Definition, after: Definition) -> Iterator[Said]:
    old, new = before.level, after.level
    who = Said("响应级别", "the level")
    if old is None or new is None:
        if old != new:
            yield Said(
                f"{who.zh}由规则{'提高' if new else '提高的规定取消'}",
                f"{who.en} is {'now' if new else 'no longer'} raised by a rule",
            )
        return
    yield from _fields(who, old, new, ("of", "basis"))
    rows = [{row.gives: row.at_least for row in which.rows} for which in (old, new)]
    for level, (least, now) in _pairs(*rows).items():
        if least != now:
            yield _changed(Said(f"{who.zh} {level} 起点", f"{who.en} {level} from"), least, now)


def _responsibilities(before: Definition, after: Definition) -> Iterator[Said]:
    old, new = (
        {(line.role, line.region, line.level): line for line in which.responsibilities} for which in (before, after)
    )
    for left, right in _pairs(old, new).values():
        where = place(right or left)
        if left is None:
            said = answers(right, None)
            yield Said(f"{where.zh}：新增 {said.zh}", f"{where.en}: new, {said.en}")
        elif right is None:
            yield Said(f"{where.zh}：不再单列", f"{where.en}: no line of its own any more")
        elif (left.department, left.unit) != (right.department, right.unit):
            one, other = answers(left, right), answers(right, left)
            yield Said(f"{where.zh}：{one.zh} → {other.zh}", f"{where.en}: {one.en} → {other.en}")
        if left is not None and right is not None and left.basis != right.basis:
            yield from _fields(where, left, right, ("basis",))


def _calendar(old: PackContent, new: PackContent) -> Iterator[Said]:
    for year, (before, after) in sorted(_pairs(old.calendar.years, new.calendar.years).items()):
        if before is None or after is None:
            yield Said(
                f"{'新增' if after else '不再有'} {year} 年", f"{'now with' if after else 'no longer with'} {year}"
            )
        elif before != after:
            count = sum(one != other for one, other in zip(before, after, strict=False))
            yield Said(f"{year} 年有 {count} 天不同", f"{year}: {count} days differ")


def _event_fields(old: PackContent, new: PackContent) -> Iterator[Said]:
    """What schemas have changed; which event types are used follows from the parts that name them."""
    for event_type in sorted(old.fields.keys() & new.fields.keys()):
        for name, (kind, now) in _pairs(old.fields[event_type], new.fields[event_type]).items():
            if kind != now:
                yield _changed(Said(f"{event_type} 的 {name}", f"{name} of {event_type}"), kind, now)
