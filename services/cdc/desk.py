"""The simulated desk of the centre for disease control."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft

_CONFIRMED = 0.6
"""Share of reported cases that are confirmed."""


def _verify(task: Task, draw: Random) -> list[Draft]:
    data = {"case": task["subject"], "verified_at": task["complete_by"]}
    if draw.random() < _CONFIRMED:
        found = {**data, "method": "核酸检测"}
        return [draft(task, "cdc.CaseConfirmed", found, task["subject"])]
    found = {**data, "retracts": False, "reason": "两次核酸检测阴性"}
    return [draft(task, "cdc.CaseDiscarded", found, task["subject"])]


answer = by_type({"cdc.CaseConfirmed": _verify})
