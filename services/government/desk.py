"""The simulated desk of the people's governments."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, beijing, by_type, draft, number

_CONFIRMED = 0.97
"""Share of raised levels that are confirmed."""


def _decide(task: Task, draw: Random) -> list[Draft]:
    if draw.random() < _CONFIRMED:
        return [draft(task, "government.LevelActivated", {"level": task["level"], **_alert(task, "ALERT")})]
    data = {"level": task["level"], "reason": "维持原级别，继续观察"}
    return [draft(task, "government.LevelRejected", data)]


def _cancel(task: Task, draw: Random) -> list[Draft]:
    data = {**_alert(task, "CANCEL"), "references": task["context"].get("references", "")}
    return [draft(task, "government.AlertCancelled", data)]


def _approve(task: Task, draw: Random) -> list[Draft]:
    data = {"gathering": task["subject"], "approval": number(task, "PF")}
    return [draft(task, "government.BanApproved", data, task["subject"])]


def _alert(task: Task, kind: str) -> dict[str, str]:
    """CAP: neither spaces nor commas, for references are made of these."""
    return {
        "alert_sender": f"government/{task['region']}",
        "alert_identifier": number(task, kind),
        "alert_sent": beijing(task["requested_at"]),
    }


answer = by_type(
    {
        "government.LevelActivated": _decide,
        "government.AlertCancelled": _cancel,
        "government.BanApproved": _approve,
    }
)
