"""The simulated desk of the command post."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft, number


def _file(task: Task, draw: Random) -> list[Draft]:
    known = task["context"]
    summary = (
        f"累计确诊{known.get('cases', '?')}例，处置资源短缺{known.get('shortages', '?')}次、"
        f"聚集活动{known.get('gatherings', '?')}次。"
    )
    data = {"report": number(task, "ZJ"), "summary": summary, "filed_at": task["requested_at"]}
    return [draft(task, "command.AfterActionFiled", data)]


answer = by_type({"command.AfterActionFiled": _file})
