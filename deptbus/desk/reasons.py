"""Why the bus did something, in the reader's language: of the engine's own short sentences in the timeline. Pure.

What people wrote, such as the reason of an order, is nobody's to translate: it stays as it is.
"""

import re

from deptbus.workflow.said import Said

_TRIGGERS = {
    "level": ("响应级别变更", "the response level changed"),
    "opened": ("事件立案", "the instance was opened"),
    "rule": ("规则 {1} 生效", "the rule {1} applied"),
    "timer": ("定时器 {1} 到点", "the timer {1} fell due"),
    "completed": ("步骤 {1} 办结", "the step {1} was completed"),
    "declined": ("步骤 {1} 被拒绝", "the step {1} was declined"),
    "approved": ("步骤 {1} 获批", "the step {1} was approved"),
    "rejected": ("步骤 {1} 未获批", "the step {1} was rejected"),
}
_SENTENCES = {
    "the closing condition holds": "满足结束条件",
    r"the rule table gives (\w+) for (-?\d+)": "按分级标准，数值 {2} 对应 {1} 级",
    r"no longer in (\d+): (\S+)": "不再涉及 {1}（{2}）",
    r"(acknowledge_by|complete_by) by (\w+)": "{2} 超过期限（{1}）",
    "the clock stood still": "曾暂停计时",
    r"answered at (\S+), in time": "已于 {1} 按期答复",
    r"merged under (\S+), which is at level (\w*)": "并入 {1} 统一指挥，其级别为 {2}",
    r"merged under (\S+)": "并入 {1} 统一指挥",
    r"taken over under (\S+)": "由 {1} 统一指挥，任务改派",
    r"(\S+), which leads it, is at level (\w*)": "统一指挥的 {1} 级别为 {2}",
    "it names no other instance": "没有指明另一事件",
    r"it is led by (\S+)": "已由 {1} 统一指挥",
    r"(\S+) has been asked and has not answered yet": "已请求并入 {1}，尚未答复",
    "it leads others": "它正统一指挥其他事件",
    "it did not ask, or not any more": "没有请求，或已撤回",
    r"(\S+) is not open": "{1} 未立案或已结束",
    r"split from (\S+)": "脱离 {1} 的统一指挥",
    r"moved to version (\d+)": "迁移到版本 {1}",
    "it is open already": "已经立案",
    "it is led by none": "没有上级事件",
    "no such task is open": "没有这项未结任务",
    "a later order stands": "已有更晚的指令",
    "no such act": "没有这种指令",
    r"the standing rule has given (\w+) since": "此后已按分级标准定为 {1} 级",
    "these deadlines are none, or the wrong way round": "期限无效或先后颠倒",
    r"(\w+) has no responsibility here": "{1} 在此没有职责",
    r"nobody is responsible as (\w+)": "没有部门承担 {1} 职责",
    r"(\d+) tasks are open": "未结任务已达 {1} 项",
    r"open tasks say more than (\d+) characters": "未结任务的文字超过 {1} 字",
    r"the regions of (\d+) steps are remembered": "已记住 {1} 个步骤的区域",
    r"(.+) is no region code": "{1} 不是行政区划代码",
    r"(\d+) regions; (\d+) are asked": "{1} 个区域，只下达 {2} 个",
    r"one entry has set off (\d+)": "一条记录已触发 {1} 次",
    "more wait than may": "暂存的已超过上限",
    r"version (\d+) has no rule for it": "版本 {1} 没有相应规则",
    r"its value cannot be read: (\S+)": "内容无法读取：{1}",
}
_PATTERNS = [(re.compile(pattern), zh) for pattern, zh in _SENTENCES.items()]
_TRIGGER = re.compile(r"(\w+)(?::(\w+))?")
"""What a step waits for, which is the reason where it takes tasks back or moves them."""


def in_words(reason: str) -> Said:
    """A reason as people read it."""
    for pattern, zh in _PATTERNS:
        if found := pattern.fullmatch(reason):
            return Said(_filled(zh, found), reason)
    found = _TRIGGER.fullmatch(reason)
    if found and found[1] in _TRIGGERS and (found[2] is None) == ("{1}" not in _TRIGGERS[found[1]][0]):
        zh, en = _TRIGGERS[found[1]]
        return Said(zh.replace("{1}", found[2] or ""), en.replace("{1}", found[2] or ""))
    return Said(reason, reason)


def _filled(text: str, found: re.Match[str]) -> str:
    for number, part in enumerate(found.groups(), 1):
        text = text.replace(f"{{{number}}}", part)
    return text
