"""How desk and incidents are told to people: times, what is left of them, levels, and words in two languages."""

from typing import TYPE_CHECKING

from rich.markup import escape

from deptbus.clock import beijing

if TYPE_CHECKING:
    from deptbus.workflow.definition import Titles

_MINUTE_MS = 60_000
_ROMAN = {"I": "Ⅰ", "II": "Ⅱ", "III": "Ⅲ", "IV": "Ⅳ"}


def moment(time_ms: int | None) -> str:
    """Beijing time to the minute."""
    return "" if time_ms is None else beijing(time_ms)


def span(length_ms: int, lang: str) -> str:
    """How long, in its two largest units: ``2 d 3 h``, ``1 h 5 min``."""
    minutes = abs(length_ms) // _MINUTE_MS
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    names = ("天", "小时", "分") if lang == "zh" else (" d", " h", " min")
    parts = [f"{value}{name}" for value, name in zip((days, hours, minutes), names, strict=True) if value]
    return ("" if lang == "zh" else " ").join(parts[:2]) or f"0{names[2]}"


def brief(length_ms: int, lang: str) -> str:
    """How long, to the second where it is short: ``8 s``, ``2 min``, ``1 h 5 min``."""
    if length_ms >= 2 * _MINUTE_MS:
        return span(length_ms, lang)
    seconds = f"{length_ms / 1000:.0f}" if length_ms >= 1000 or not length_ms else f"{length_ms / 1000:.1f}"
    return f"{seconds}{'秒' if lang == 'zh' else ' s'}"


def events(count: int, lang: str, *, exact: bool) -> str:
    """A number of events, or that there are no more."""
    most = "" if exact else ("至多 " if lang == "zh" else "at most ")
    return f"{most}{count:,}"


def countdown(due_ms: int, now_ms: int, lang: str) -> str:
    """When, and how much time is left or by how much it is late."""
    left = due_ms - now_ms
    if lang == "zh":
        return f"{moment(due_ms)}\n{'剩余' if left >= 0 else '逾期'}{span(left, lang)}"
    return f"{moment(due_ms)}\n{span(left, lang)} {'left' if left >= 0 else 'late'}"


def level(name: str | None) -> str:
    """A response level as it is printed."""
    return _ROMAN.get(name or "", "-")


def value(given: object, lang: str) -> object:
    """A value of a fact: yes and no in words, everything else as it is."""
    return word("yes" if given else "no", lang) if isinstance(given, bool) else given


def title(titles: "Titles", lang: str) -> str:
    """A title in the reader's language."""
    return titles.zh if lang == "zh" else titles.en


def cell(text: object) -> str:
    """Text from an event for a table: no markup of its own, nothing that moves a cursor."""
    shown = "" if text is None else str(text)
    return escape(plain(shown))


def plain(text: str) -> str:
    """Text from an event for a line of its own: nothing in it moves a cursor."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def word(name: str, lang: str) -> str:
    """A state, a kind of timeline record or a column in the reader's language."""
    if lang != "zh":
        return EN.get(name, name.replace("_", " "))
    late = name.endswith("_late") and name.removesuffix("_late") in ZH
    return "逾期" + ZH[name.removesuffix("_late")] if late else ZH.get(name, name.replace("_", " "))


EN = {
    "letter_open": "open",
    "act_close": "close", "act_extend": "extend", "act_level": "level", "act_merge": "merge", "act_open": "open",
    "act_reassign": "reassign", "act_split": "split", "bound": "committed", "due_next": "due", "lead": "led by",
    "reassign": "asked instead", "regions": "asked in", "repetition": "asked again", "retry": "asked again",
    "until": "until the event",
    # Groups and what they have not read
    "advice": "what to do", "deadletters": "dead letters",
    "client_id": "client", "current": "caught up", "group_topic": "group, topic",
    "held": "held back", "new_offset": "new", "old_offset": "now", "read_again": "read again",
    "reads_until": "reads\nuntil caught up",
    "stopped": "no members", "waiting_committed": "waiting\nlast commit",
}  # fmt: skip
"""Where the word is not the name itself."""

ZH = {
    # Kinds of timeline records and states
    "accepted": "接受", "acknowledged": "签收", "alias_void": "别名无效", "already_asked": "已有同类任务",
    "cancelled": "取消", "clock_started": "恢复计时", "clock_stopped": "暂停计时", "closed": "办结",
    "command_taken": "指挥权移交", "committed": "承诺", "completed": "完成", "deadline_failed": "期限出错",
    "declined": "拒绝", "duplicate": "重复", "escalated": "升级", "escalation_withdrawn": "撤回升级",
    "event_owed": "缺少事件", "extended": "延期", "fact_failed": "事实出错", "fact_overtaken": "已有更新的事实",
    "guard_failed": "条件出错", "joined": "汇入", "late": "逾期", "level": "响应级别", "level_failed": "级别出错",
    "level_overtaken": "已有更新的级别指令",
    "malformed": "不合格条目", "merged": "合并指挥", "migrated": "迁移", "migration_refused": "迁移被拒",
    "nobody_responsible": "无人负责", "not_asked": "未下达", "not_responsible": "非责任部门", "opened": "启动",
    "order_void": "指令无效", "ordered": "指令", "over_already": "事先已了结", "parked": "暂存", "progressed": "办理中",
    "reassigned": "改派",
    "regions_failed": "区域出错", "retargeted": "目标变更", "split": "分开指挥", "task_requested": "下达任务",
    "task_requested_again": "再次下达", "timer": "定时", "triggers_stopped": "触发循环已停止", "unmatched": "未匹配",
    # What is shown beside them
    "acknowledge_by": "签收期限", "act_close": "结束", "act_extend": "延期", "act_level": "响应级别",
    "act_merge": "合并指挥", "act_open": "启动", "act_reassign": "改派", "act_split": "分开指挥", "all": "全部",
    "asked_for": "申请数量", "asks": "下达", "attempt": "次数", "basis": "依据", "bound": "已承诺", "by": "经手人",
    "cancels": "取消", "cause": "起因", "command": "指挥", "complete_by": "办理期限", "context": "情况",
    "department": "部门", "deployed": "已部署", "detail": "详情", "due": "到期时间", "due_next": "到期事项",
    "escalation": "升级", "escalations": "升级", "event": "事件", "fact": "事实", "facts": "事实",
    "from_department": "原部门", "from_level": "原级别", "from_unit": "原单位", "instance": "实例", "kind": "类别",
    "last_change": "最近变化", "lead": "牵头实例", "missed": "错过", "no": "否", "open": "进行中",
    "out_of_order": "乱序", "overdue": "逾期", "part": "下属实例", "paused": "暂停", "reason": "原因",
    "reassign": "改由其办理", "region": "地区", "regions": "涉及地区", "released": "已归还",
    "repetition": "再次下达", "requested": "待签收", "resource": "资源", "resources": "资源",
    "response_level": "响应级别", "responsible": "责任单位", "retry": "再次催办", "rule": "规则", "short": "缺口",
    "since": "自", "state": "状态", "stood": "停计时长", "task": "任务", "tasks": "任务",
    "tasks_open_/_late": "任务（未结/逾期）", "timeline": "时间线", "title": "名称", "to": "报送",
    "to_department": "现部门", "to_level": "现级别", "to_unit": "现单位", "type": "类型", "unit": "单位",
    "until": "等待事件", "value": "值", "what": "事项", "when": "时间", "where": "地区", "window": "时间窗",
    "withdrawn": "已撤回", "workflow": "流程", "yes": "是",
    # Dead letters
    "act": "处置", "at": "时间", "attempts": "尝试次数", "bad_magic": "格式标记错误", "correlate": "关联出错",
    "discarded": "已弃置", "edited": "已更正", "foreign_mode": "模式不符", "framing": "格式错误",
    "given_up": "放弃时间", "group": "消费组", "handler": "处理出错", "headers": "信封错误", "key": "键",
    "letter": "死信", "letter_open": "待处理",
    "letters": "件数", "message": "说明", "publish_failed": "发布被拒", "quarantined": "隔离",
    "record": "记录", "redriven": "已重投", "returned_as": "再次成为死信", "sent_again": "重投次数",
    "sent_from": "重投自", "too_large": "过大", "topic": "主题", "trailing": "多余字节", "undecodable": "无法解码",
    "unknown_schema": "模式未知", "unknown_type": "类型未知", "wrong_type": "类型不符",
    # Groups and what they have not read
    "advice": "处理", "area": "方面", "audit": "审计", "brokers": "代理", "clock": "时钟", "deadletters": "死信",
    "disk": "磁盘", "error": "错误", "fine": "正常", "groups": "消费组", "note": "提示", "partitions": "分区",
    "quorum": "控制器", "registry": "模式登记", "versions": "版本", "warning": "警告",
    "assigned": "分配的分区", "behind": "有积压", "catching_up": "追赶中",
    "client_id": "客户端", "committed_ago": "上次提交",
    "completing_rebalancing": "重新分配中", "current": "已跟上", "dead": "已不存在", "empty": "无成员",
    "falling_behind": "积压增加", "finding": "发现", "group_topic": "消费组、主题",
    "held": "被事务挡住", "host": "主机", "members": "成员", "new_offset": "新位移", "offset": "位移",
    "old_offset": "现位移", "partition": "分区", "preparing_rebalancing": "重新分配中", "read_again": "重读",
    "reads_until": "读取速度\n预计追上", "severity": "严重程度", "skipped": "跳过", "stable": "稳定",
    "stopped": "无成员", "stuck": "停滞", "topics": "主题", "unread": "未读", "unreadable": "读不出",
    "waiting_committed": "等待\n上次提交",
}  # fmt: skip
