"""The simulated desk of the command post."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft, number

_CASUALTIES = (("dead", "死亡{}人"), ("injured", "受伤{}人"), ("evacuated", "转移{}人"))
_CASES = (("cases", "累计确诊{}例"), ("shortages", "处置资源短缺{}次"), ("gatherings", "聚集活动{}次"))


def _file(task: Task, draw: Random) -> list[Draft]:
    known = task["context"]
    counted = [text.format(known[name]) for name, text in (*_CASES, *_CASUALTIES) if name in known]
    summary = "，".join(counted or ["处置完毕"]) + "。"
    data = {"report": number(task, "ZJ"), "summary": summary, "filed_at": task["requested_at"]}
    return [draft(task, "command.AfterActionFiled", data)]


answer = by_type({"command.AfterActionFiled": _file})
