"""What the simulated desks share. A desk is pure: the same task and draw give the same drafts."""

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from deptbus.clock import BEIJING
from deptbus.exercise.draft import Draft

Task = dict[str, Any]
"""The data of a ``workflow.TaskRequested``."""

Answer = Callable[[Task, Random], list[Draft]]
"""What a department publishes when it has done a task; the first draft completes it."""


def by_type(answers: Mapping[str, Answer]) -> Answer:
    """A desk that answers a task with the first event type that completes it and that it knows."""

    def answer(task: Task, draw: Random) -> list[Draft]:
        for event_type in task["completes_with"]:
            if event_type in answers:
                return answers[event_type](task, draw)
        return []

    return answer


def draft(task: Task, event_type: str, data: Mapping[str, Any], subject: str | None = None) -> Draft:
    """An event on the task's basis and about its region; ``subject`` is by default the region."""
    region = task["region"]
    return Draft(event_type, {"region": region, **data}, subject or region, region, task["basis"])


def number(task: Task, kind: str) -> str:
    """A number such as an authority gives to what it issues: the same for the same task."""
    return f"{kind}-{task['region']}-{task['task'][:8]}"


def cap_time(time_ms: int) -> str:
    """ISO 8601 with the offset +08:00, as CAP has it."""
    return datetime.fromtimestamp(time_ms / 1000, BEIJING).isoformat(timespec="seconds")


def clock_digits(time_ms: int) -> str:
    """Beijing time as ``YYYYMMDDhhmmss``."""
    return datetime.fromtimestamp(time_ms / 1000, BEIJING).strftime("%Y%m%d%H%M%S")
