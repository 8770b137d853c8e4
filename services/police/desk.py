"""The simulated desk of public security."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft, number


def _forbid(task: Task, draw: Random) -> list[Draft]:
    data = {"gathering": task["subject"], "ban": number(task, "JZ"), "issued_at": task["requested_at"]}
    return [draft(task, "police.BanIssued", data, task["subject"])]


def _disperse(task: Task, draw: Random) -> list[Draft]:
    data = {
        "gathering": task["subject"],
        "people": draw.randrange(10, 400),
        "dispersed_at": task["complete_by"],
    }
    return [draft(task, "police.GatheringDispersed", data, task["subject"])]


answer = by_type({"police.BanIssued": _forbid, "police.GatheringDispersed": _disperse})
