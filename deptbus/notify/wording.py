"""How notifications are worded, in Chinese and English. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from deptbus.clock import beijing

Languages = Mapping[str, str]
"""A text in ``zh`` and in ``en``."""


@dataclass(frozen=True, slots=True)
class Names:
    """Titles by id; what is not in them is called by its id."""

    departments: Mapping[str, Languages] = field(default_factory=dict)
    workflows: Mapping[str, Languages] = field(default_factory=dict)
    steps: Mapping[tuple[str, str], Languages] = field(default_factory=dict)
    """By workflow and step."""


class Phrase(NamedTuple):
    """Title and text."""

    title: Languages
    text: Languages


# Title and text in Chinese, then in English.
_TEMPLATES: Mapping[str, tuple[str, str, str, str]] = MappingProxyType({
    "task_requested": (
        "新任务：{step}",
        "{case}请{department}（{unit}）办理“{step}”{about}，{deadlines}。依据：{basis}",
        "New task: {step}",
        "{case} asks {department} for “{step}”{about}: {deadlines}. Basis: {basis}",
    ),
    "task_requested_again": (
        "再次下达任务：{step}",
        "{case}第{attempt}次请{department}（{unit}）办理“{step}”{about}，{deadlines}。依据：{basis}",
        "Task asked for again: {step}",
        "{case} asks {department} for “{step}”{about}, attempt {attempt}: {deadlines}. Basis: {basis}",
    ),
    "task_escalated": (
        "任务升级：{step}",
        "{case}：{department}的任务“{step}”{missed}（{due}），现升级至{to_department}。依据：{basis}",
        "Task escalated: {step}",
        "{case}: “{step}” of {department} {missed} ({due}, UTC+8); {to_department} is told. Basis: {basis}",
    ),
    "escalation_withdrawn": (
        "撤回升级：{department}",
        "{case}：{department}的答复并未逾期，对{to_department}的升级撤回。原因：{reason}",
        "Escalation withdrawn: {department}",
        "{case}: {department} was in time after all; the escalation to {to_department} no longer stands: {reason}",
    ),
    "task_cancelled": (
        "任务取消：{step}",
        "{case}：{department}的任务“{step}”取消。原因：{reason}。依据：{basis}",
        "Task cancelled: {step}",
        "{case}: “{step}” is no longer asked of {department}: {reason}. Basis: {basis}",
    ),
    "task_reassigned": (
        "任务改派：{step}",
        "{case}：任务“{step}”由{from_department}改派至{to_department}（{unit}）。原因：{reason}。依据：{basis}",
        "Task reassigned: {step}",
        "{case}: “{step}” goes from {from_department} to {to_department}: {reason}. Basis: {basis}",
    ),
    "task_extended": (
        "任务延期：{department}",
        "{case}：{department}的任务延期，{deadlines}。原因：{reason}。依据：{basis}",
        "Task extended: {department}",
        "{case}: a task of {department} has other deadlines: {deadlines}. Why: {reason}. Basis: {basis}",
    ),
    "task_retargeted": (
        "任务对象变化：{step}",
        "{case}：{department}的任务“{step}”{about}对象已变化，期限不变。原因：{reason}。依据：{basis}",
        "Task retargeted: {step}",
        "{case}: what “{step}”{about} of {department} is about has moved; its deadlines stay: {reason}. Basis: {basis}",
    ),
    "instance_opened": ("启动：{case}", "{case}已启动。", "Opened: {case}", "{case} has opened."),
    "instance_closed": (
        "办结：{case}", "{case}已办结。原因：{reason}", "Closed: {case}", "{case} has closed: {reason}.",
    ),
    "instance_merged": (
        "合并指挥：{case}",
        "{case}并入{lead}统一指挥。原因：{reason}",
        "Merged: {case}",
        "{case} comes under the command of {lead}: {reason}.",
    ),
    "instance_split": (
        "单独指挥：{case}",
        "{case}脱离{lead}，单独指挥。原因：{reason}",
        "Split off: {case}",
        "{case} leaves the command of {lead} and is commanded on its own: {reason}.",
    ),
    "level_raised": (
        "响应级别{to_level}：{case}",
        "{case}的响应级别由{from_level}调整为{to_level}。原因：{reason}",
        "Level {to_level}: {case}",
        "{case} has response level {to_level} instead of {from_level}: {reason}.",
    ),
    "command_taken": (
        "指挥权移交：{case}",
        "{case}由{to_department}（{to_unit}）指挥。原因：{reason}。依据：{basis}",
        "Command taken: {case}",
        "{case} is commanded by {to_department}: {reason}. Basis: {basis}",
    ),
})  # fmt: skip

_MISSED: Mapping[str, tuple[str, str]] = MappingProxyType({
    "acknowledge_by": ("逾期未签收", "was not acknowledged in time"),
    "complete_by": ("逾期未办结", "was not completed in time"),
    "declined": ("已被拒绝", "was declined"),
})  # fmt: skip
_NONE = ("无", "none")
_LEVELS = ("{}级", "{}")
_DEADLINES = ("须于{}前签收、{}前办结", "acknowledge by {}, complete by {} (UTC+8)")
_DEPARTMENTS = ("department", "from_department", "to_department")


def phrase(
    what: str, data: Mapping[str, Any], *, instance: str, region: str | None, level: str | None, names: Names
) -> Phrase:
    """Title and text of what an event tells of; what the data lack is left out or ``-``."""
    zh_title, zh_text, en_title, en_text = _TEMPLATES[what]
    workflow = instance.partition("/")[0]
    case = {"instance": instance, "region": region, "level": level, "workflow": workflow}
    zh = _Fields(0, "zh", data, case, names)
    en = _Fields(1, "en", data, case, names)
    return Phrase(
        {"zh": zh_title.format_map(zh), "en": en_title.format_map(en)},
        {"zh": zh_text.format_map(zh), "en": en_text.format_map(en)},
    )


class _Fields(dict[str, str]):
    """The words for a template in one language, made when the template asks for them."""

    def __init__(
        self, index: int, lang: str, data: Mapping[str, Any], case: Mapping[str, str | None], names: Names
    ) -> None:
        super().__init__()
        self._index, self._lang, self._data, self._case, self._names = index, lang, data, case, names

    def __missing__(self, name: str) -> str:
        value = self._data.get(name)
        if name == "due":
            return self._time(name)
        if name == "deadlines":
            return _DEADLINES[self._index].format(self._time("acknowledge_by"), self._time("complete_by"))
        if name in _DEPARTMENTS:
            return self._title(self._names.departments.get(str(value)), value)
        if name in ("from_level", "to_level"):
            return _NONE[self._index] if value is None else _LEVELS[self._index].format(value)
        if name == "missed":
            return _MISSED[str(value)][self._index] if str(value) in _MISSED else str(value)
        made = {"step": self._step, "about": self._about, "case": self._name}.get(name)
        return made() if made is not None else _clean(value)

    def _time(self, name: str) -> str:
        value = self._data.get(name)
        return "-" if value is None else beijing(int(value))

    def _title(self, titles: Languages | None, value: object) -> str:
        return titles[self._lang] if titles is not None else _clean(value)

    def _step(self) -> str:
        own = self._data.get(f"title_{self._lang}")
        step = str(self._data.get("step") or "")
        return str(own or self._title(self._names.steps.get((str(self._case["workflow"]), step)), step))

    def _about(self) -> str:
        subject = self._data.get("subject")
        if not subject:
            return ""
        return f"（{_clean(subject)}）" if self._lang == "zh" else f" ({_clean(subject)})"

    def _name(self) -> str:
        workflow = str(self._case["workflow"])
        title = self._title(self._names.workflows.get(workflow), workflow)
        level = self._case["level"]
        if self._lang == "zh":
            return f"{title}（{self._case['instance']}{f'，{level}级' if level else ''}）"
        return f"{title} ({self._case['instance']}{f', level {level}' if level else ''})"


def _clean(value: object) -> str:
    """Text from an event: nothing that moves a cursor or begins a line."""
    return "-" if value in (None, "") else "".join(c if c.isprintable() else " " for c in str(value))
