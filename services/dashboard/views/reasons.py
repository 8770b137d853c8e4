"""Why something happened, in words: which rule linked an event, which step asked, which rung told. Pure."""

from collections.abc import Mapping
from typing import Any

from deptbus.desk.board import step_of
from deptbus.desk.reasons import in_words
from deptbus.workflow.definition import Definition, Rule

Words = dict[str, str]


def reason(line: Mapping[str, Any], definition: Definition | None) -> Words:
    """The reason of a line of the timeline; empty where its kind says it all."""
    name = line["rule"]
    if definition is None or not name:
        return {"zh": "", "en": ""}
    for rule in definition.rules:
        if rule.rule == name:
            return _linked(rule)
    for timer in definition.timers:
        if timer.timer == name:
            return {
                "zh": f"定时器 {name}：{timer.after} 之内没有重新计时",
                "en": f"the timer {name} ran for {timer.after} without a restart",
            }
    step = step_of(definition, name)
    if step is None:
        return {"zh": f"规则 {name}", "en": f"the rule {name}"}
    triggers = [in_words(trigger) for trigger in step.on]
    condition = f"{step.when}" if step.when else ""
    return {
        "zh": f"步骤“{step.titles.zh}”：{'或'.join(said.zh for said in triggers)}时下达"
        + (f"，条件：{condition}" if condition else ""),
        "en": f"the step “{step.titles.en}” is asked for when {' or '.join(said.en for said in triggers)}"
        + (f", if {condition}" if condition else ""),
    }


def _linked(rule: Rule) -> Words:
    """What a correlation rule looks at."""
    zh, en = f"规则 {rule.rule}：事件 {rule.on}", f"the rule {rule.rule} links {rule.on}"
    if rule.key:
        zh, en = f"{zh}，按 {rule.key} 归入", f"{en} by {rule.key}"
    if rule.match == "region":
        zh, en = f"{zh}，按所在地区匹配", f"{en} by the region that contains it"
    if rule.when:
        zh, en = f"{zh}，条件：{rule.when}", f"{en} when {rule.when}"
    return {"zh": zh, "en": en}
