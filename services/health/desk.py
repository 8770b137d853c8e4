"""The simulated desk of the health authority."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft

_SUPPLIERS = ("省级医药储备", "市级应急物资储备库", "对口支援医院")
_DELIVERY_MS = 12 * 3_600_000


def _commit(task: Task, draw: Random) -> list[Draft]:
    data = {
        "shortage": task["subject"],
        "resource": task["context"].get("resource", "医用防护服"),
        "quantity": int(task["context"].get("quantity", 100)),
        "supplier": draw.choice(_SUPPLIERS),
        "deliver_by": task["complete_by"] + _DELIVERY_MS,
    }
    return [draft(task, "health.ResourceCommitted", data, task["subject"])]


def _release(task: Task, draw: Random) -> list[Draft]:
    return [draft(task, "health.ResourcesReleased", {"note": "调配物资已清点归还"})]


def _verify(task: Task, draw: Random) -> list[Draft]:
    # A row without a code is put right; a figure that fell was mostly put right before, and is upheld.
    missing = task["context"].get("kind") == "missing_code"
    outcome = "corrected" if missing or draw.random() < 0.3 else "upheld"
    note = "已补充行政区划代码" if missing else "核减前期误报病例"
    data = {"objection": task["subject"], "outcome": outcome, "note": note}
    return [draft(task, "health.FigureVerified", data, task["subject"])]


answer = by_type(
    {
        "health.ResourceCommitted": _commit,
        "health.ResourcesReleased": _release,
        "health.FigureVerified": _verify,
    }
)
