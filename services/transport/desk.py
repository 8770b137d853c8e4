"""The simulated desk of the transport department."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft, number

_ROADS = ("高速公路出口", "火车站", "长途汽车站", "国道入城口")


def _activate(task: Task, draw: Random) -> list[Draft]:
    data = {
        "checkpoint": number(task, "JC"),
        "road": draw.choice(_ROADS),
        "activated_at": task["requested_at"],
    }
    return [draft(task, "transport.CheckpointActivated", data)]


answer = by_type({"transport.CheckpointActivated": _activate})
