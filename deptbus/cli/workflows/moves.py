"""How a move to another version is shown to people: what becomes of each open task, of timers, facts and ladders."""

from typing import TYPE_CHECKING, Any

from deptbus.cli import output
from deptbus.cli.words import cell, moment, word

if TYPE_CHECKING:
    from deptbus.settings import Settings


def show(settings: "Settings", report: dict[str, Any]) -> None:
    """One instance's part of the report."""
    zh = settings.lang == "zh"
    output.out.print(
        f"{report['instance']}: {report['from_version']} → {report['version']}", style="bold", markup=False
    )
    for reason in report["refused"]:
        output.out.print(f"  {'不能迁移' if zh else 'cannot move'}: {reason}", markup=False, soft_wrap=True)
    if report["tasks"]:
        output.table("", _columns(zh), [_task(zh, task) for task in report["tasks"]])
    for timer in report["timers"]:
        old, new = timer["after"]["old"], timer["after"]["new"]
        then = (
            "" if old == new else (f"，下次启动按 {new}（原 {old}）" if zh else f"; from its next start {old} → {new}")
        )
        due = f"定时 {timer['timer']} 仍于 {moment(timer['due'])} 到时" if zh else (
            f"timer {timer['timer']} stays due {moment(timer['due'])}"
        )  # fmt: skip
        _line(due + then)
    for name, value in report["facts_added"].items():
        _line(f"{'新增事实' if zh else 'new fact'} {name} = {value!r}")
    for ladder in report["ladders"]:
        for change in ladder["changes"]:
            _line(f"{'环节' if zh else 'step'} {ladder['step']}: {change['zh' if zh else 'en']}")
    for each in report["follows"]:
        about = " ".join(f"{name}={value}" for name, value in each["detail"].items())
        _line(
            f"{'随即' if zh else 'at once'}: {word(each['kind'], settings.lang)} {each['rule'] or ''} {about}".rstrip()
        )


def _line(text: str) -> None:
    output.out.print(f"  {text}", markup=False, soft_wrap=True)


def _columns(zh: bool) -> tuple[str, ...]:
    if zh:
        return ("环节", "部门", "新版本的责任单位", "签收期限", "办理期限")
    return ("step", "department", "by the new version", "acknowledge by", "complete by")


def _task(zh: bool, task: dict[str, Any]) -> tuple[str, ...]:
    now = task["would_be_asked_now"]
    title = task["title_zh" if zh else "title_en"]
    about = " ".join(part for part in (task["region"], task["subject"]) if part)
    ends = ("\n随即取消" if zh else "\nends at once") if task["ends"] else ""
    return (
        cell(f"{task['step']}\n{title}\n{about}".rstrip() + ends),
        cell(f"{task['department']}\n{task['unit']}"),
        cell(f"{now['department']}\n{now['unit' if zh else 'unit_en']}") if now else "",
        _deadline(task["acknowledge_by"]),
        _deadline(task["complete_by"]),
    )


def _deadline(both: dict[str, int]) -> str:
    if both["old"] == both["new"]:
        return moment(both["old"])
    return f"{moment(both['old'])}\n→ {moment(both['new'])}"
