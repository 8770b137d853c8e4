"""The simulated desk of the people's governments."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, cap_time, clock_digits, draft, number

_CONFIRMED = 0.97
"""Share of raised levels that are confirmed."""
_SEVERITY = {"I": "Extreme", "II": "Severe", "III": "Moderate", "IV": "Minor"}
"""How this desk judges the threat when it confirms a level."""
_ORGANISATION, _UNIT = "000", "00000"
"""A government has no code among the organisations of GB/T 4657."""


def _decide(task: Task, draw: Random) -> list[Draft]:
    if draw.random() < _CONFIRMED:
        context = task["context"]
        data = {
            "level": task["level"],
            **_alert(task, 0),
            "colour": context.get("colour") or None,
            "grade": context.get("grade") or None,
            "urgency": "Immediate",
            "severity": _SEVERITY[task["level"]],
            "certainty": "Observed",
        }
        return [draft(task, "government.LevelActivated", data)]
    data = {"level": task["level"], "reason": "维持原级别，继续观察"}
    return [draft(task, "government.LevelRejected", data)]


def _cancel(task: Task, draw: Random) -> list[Draft]:
    data = {**_alert(task, 5), "references": task["context"].get("references", "")}
    return [draft(task, "government.AlertCancelled", data)]


def _approve(task: Task, draw: Random) -> list[Draft]:
    data = {"gathering": task["subject"], "approval": number(task, "PF")}
    return [draft(task, "government.BanApproved", data, task["subject"])]


def _alert(task: Task, first: int) -> dict[str, str]:
    """CAP: neither spaces nor commas, for references are made of these. The identifier is a warning number (12379).

    What is asked in one region in one second differs in its last digit, one of five from ``first`` on.
    """
    sequence = first + int(task["task"][:8], 16) % 5
    number = f"{task['region'][:6]}{_ORGANISATION}{_UNIT}_{clock_digits(task['requested_at'])}_{sequence}"
    return {
        "alert_sender": f"government/{task['region']}",
        "alert_identifier": number,
        "alert_sent": cap_time(task["requested_at"]),
    }


answer = by_type(
    {
        "government.LevelActivated": _decide,
        "government.AlertCancelled": _cancel,
        "government.BanApproved": _approve,
    }
)
