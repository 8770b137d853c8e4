"""How desk and incidents are told to people: times, what is left of them, levels, and words in two languages."""

from rich.markup import escape

from deptbus.workflow.definition import Titles

_BEIJING_MS = 8 * 3_600_000
_MINUTE_MS = 60_000
_ROMAN = {"I": "Ⅰ", "II": "Ⅱ", "III": "Ⅲ", "IV": "Ⅳ"}


def moment(time_ms: int | None) -> str:
    """Beijing time to the minute."""
    if time_ms is None:
        return ""
    from datetime import UTC, datetime

    return datetime.fromtimestamp((time_ms + _BEIJING_MS) / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def span(length_ms: int, lang: str) -> str:
    """How long, in its two largest units: ``2 d 3 h``, ``1 h 5 min``."""
    minutes = abs(length_ms) // _MINUTE_MS
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    names = ("天", "小时", "分") if lang == "zh" else (" d", " h", " min")
    parts = [f"{value}{name}" for value, name in zip((days, hours, minutes), names, strict=True) if value]
    return ("" if lang == "zh" else " ").join(parts[:2]) or f"0{names[2]}"


def countdown(due_ms: int, now_ms: int, lang: str) -> str:
    """When, and how much time is left or by how much it is late."""
    left = due_ms - now_ms
    if lang == "zh":
        return f"{moment(due_ms)}\n{'剩余' if left >= 0 else '逾期'}{span(left, lang)}"
    return f"{moment(due_ms)}\n{span(left, lang)} {'left' if left >= 0 else 'late'}"


def level(name: str | None) -> str:
    """A response level as it is printed."""
    return _ROMAN.get(name or "", "-")


def title(titles: Titles, lang: str) -> str:
    """A title in the reader's language."""
    return titles.zh if lang == "zh" else titles.en


def cell(text: object) -> str:
    """Text from an event for a table: no markup of its own, nothing that moves a cursor."""
    shown = "" if text is None else str(text)
    return escape("".join(c if c.isprintable() or c == "\n" else "�" for c in shown))


def word(name: str, lang: str) -> str:
    """A state, a kind of timeline record or a column in the reader's language."""
    if lang == "zh":
        late = name.endswith("_late") and name.removesuffix("_late") in ZH
        return "逾期" + ZH[name.removesuffix("_late")] if late else ZH.get(name, name.replace("_", " "))
    return name.replace("_", " ")


ZH = {
    "accepted": "接受", "acknowledge_by": "签收期限", "acknowledged": "签收", "already_asked": "已有同类任务",
    "not_asked": "未下达",
    "asked_for": "申请数量", "attempt": "次数", "basis": "依据", "by": "经手人", "cancelled": "取消", "cause": "起因",
    "clock_started": "恢复计时", "clock_stopped": "暂停计时", "closed": "办结", "committed": "已承诺",
    "complete_by": "办理期限", "completed": "完成", "declined": "拒绝", "department": "部门", "detail": "详情",
    "duplicate": "重复", "escalated": "升级", "escalation_withdrawn": "撤回升级", "escalations": "升级",
    "event_owed": "缺少事件", "extended": "延期", "fact": "事实", "fact_failed": "事实出错", "facts": "事实",
    "guard_failed": "条件出错", "instance": "实例", "joined": "汇入", "last_change": "最近变化", "late": "逾期",
    "level": "响应级别", "migrated": "迁移", "migration_refused": "迁移被拒", "missed": "错过",
    "not_responsible": "非责任部门",
    "open": "进行中", "opened": "启动", "order_void": "指令无效", "ordered": "指令", "parked": "等待",
    "paused": "暂停", "progressed": "办理中", "reassigned": "改派", "region": "地区", "released": "已归还",
    "requested": "待签收", "resource": "资源", "resources": "资源", "response_level": "响应级别",
    "rule": "规则", "state": "状态", "task": "任务", "task_requested": "下达任务",
    "task_requested_again": "再次下达", "tasks": "任务", "tasks_open_/_late": "任务（未结/逾期）",
    "timeline": "时间线", "timer": "定时", "title": "名称", "to": "报送", "unmatched": "未匹配", "value": "值",
    "what": "事项", "when": "时间", "where": "地区", "withdrawn": "已撤回", "workflow": "流程",
}  # fmt: skip
