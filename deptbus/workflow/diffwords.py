"""The words of ``diff``: what the parts of a definition are called, in two languages."""

from deptbus.workflow.definition import Duration, Responsibility, Rung
from deptbus.workflow.said import Said

NONE = Said("无", "none")
GROUPS = {
    "definition": Said("流程", "workflow"),
    "facts": Said("事实变量", "facts"),
    "level": Said("响应级别", "response level"),
    "rules": Said("关联规则", "rules"),
    "timers": Said("定时", "timers"),
    "escalate": Said("升级阶梯", "escalation"),
    "steps": Said("环节", "steps"),
    "closes": Said("办结条件", "closing"),
    "responsibilities": Said("责任清单", "responsibilities"),
    "calendar": Said("工作日历", "calendar"),
    "fields": Said("事件字段", "event fields"),
}
"""Groups of differences, in the order in which they are told."""

LABELS = {
    "acknowledge_by": Said("签收期限", "acknowledge_by"),
    "after": Said("时长", "after"),
    "alias": Said("别名", "alias"),
    "approved_by": Said("批准事件", "approved_by"),
    "basis": Said("依据", "basis"),
    "calendar": Said("工作日历", "calendar"),
    "cancelled_by": Said("取消于", "cancelled by"),
    "category": Said("类别", "category"),
    "closes": Said("办结条件", "closes when"),
    "command": Said("指挥角色", "command"),
    "complete_by": Said("办理期限", "complete_by"),
    "completed_by": Said("完成于", "completed by"),
    "context": Said("任务信息", "context"),
    "declined_by": Said("拒绝于", "declined by"),
    "directives": Said("指令事件", "directives"),
    "every": Said("重复周期", "every"),
    "for_regions": Said("下达地区", "for_regions"),
    "initial": Said("初始值", "initial value"),
    "key": Said("关联键", "key"),
    "kind": Said("类别", "kind"),
    "match": Said("匹配方式", "match"),
    "not_before": Said("不早于", "not before"),
    "of": Said("所依据的值", "computed from"),
    "on": Said("触发于", "on"),
    "park_max": Said("最多暂存", "park_max"),
    "region": Said("地区", "region"),
    "rejected_by": Said("驳回事件", "rejected_by"),
    "repeat_while": Said("重复条件", "repeat_while"),
    "restart": Said("重启定时", "restarts"),
    "retargeted_by": Said("重新定向于", "retargeted by"),
    "role": Said("角色", "role"),
    "subject": Said("对象", "subject"),
    "time": Said("是否为时间", "is a time"),
    "type": Said("类型", "type"),
    "version": Said("版本", "version"),
    "when": Said("条件", "when"),
    "window": Said("时间窗", "window"),
    "zone": Said("时区", "time zone"),
}
"""Fields that hold one value, or several of a kind."""

SWITCHES = {
    "opens": (Said("可启动实例", "now opens instances"), Said("不再启动实例", "no longer opens instances")),
    "only_one": (
        Said("同一对象只下达一个任务", "is now asked once while a task is open"),
        Said("同一对象可同时下达多个任务", "may now be asked again while a task is open"),
    ),
    "takeover": (
        Said("级别变化时移交", "is now taken over when the level changes"),
        Said("级别变化时不再移交", "is no longer taken over when the level changes"),
    ),
}
"""Fields that are true or false: what is said when they become so."""


def rung_said(rung: Rung) -> Said:
    """A rung of an escalation ladder."""
    zero: Duration = "0m"
    after = Said("", "") if rung.after == zero else Said(f"后 {rung.after} ", f" after {rung.after}")
    then = Said("，改派", ", reassigned") if rung.reassign else Said("，再次下达", ", asked again")
    if not rung.reassign and not rung.retry:
        then = Said("", "")
    missed = LABELS.get(rung.at, Said("拒绝", "declined"))
    return Said(f"{missed.zh}{after.zh}报 {rung.to}{then.zh}", f"{missed.en}{after.en} to {rung.to}{then.en}")


def answers(line: Responsibility, other: Responsibility | None) -> Said:
    """Who answers, as far as it differs from another line."""
    if other is not None and line.department == other.department:
        return Said(line.unit.zh, line.unit.en)
    return Said(f"{line.department}（{line.unit.zh}）", f"{line.department} ({line.unit.en})")


def place(line: Responsibility) -> Said:
    """In which role, region and level a line counts."""
    region = Said(f"在 {line.region} ", f" in {line.region}") if line.region else Said("", "")
    level = Said(f"{line.level} 级", f" at level {line.level}") if line.level else Said("", "")
    return Said(f"角色 {line.role} {region.zh}{level.zh}".rstrip(), f"role {line.role}{region.en}{level.en}")
