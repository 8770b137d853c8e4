"""The simulated desk of the hospitals."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft

_BASELINE = {
    "AdultICU": 40,
    "Burn": 30,
    "MedicalSurgical": 900,
    "NegativeFlowIsolation": 60,
    "OtherIsolation": 200,
    "OperatingRooms": 50,
    "PediatricICU": 20,
    "Pediatrics": 150,
    "Psychiatric": 100,
}
"""Staffed beds by kind (EDXL-HAVE)."""
_RESOURCES = ("医用防护服", "N95口罩", "呼吸机", "负压救护车", "核酸检测试剂")
_NEEDED_MS = 24 * 3_600_000
_SHORT = 0.005
"""Share of later reports with a shortage; the first report of every incident has one."""


def _report(task: Task, draw: Random) -> list[Draft]:
    beds = [
        {"kind": kind, "baseline": baseline, "available": draw.randrange(baseline // 10, baseline)}
        for kind, baseline in _BASELINE.items()
    ]
    data = {
        "facility_status": "Compromised" if task["level"] in ("I", "II") else "Normal",
        "ems_status": "Normal",
        "beds": beds,
        "reported_at": task["requested_at"],
    }
    drafts = [draft(task, "hospitals.CapacityUpdated", data)]
    shortages = task["context"].get("shortages")  # only where a workflow asks what is short
    if shortages is not None and (shortages == "0" or draw.random() < _SHORT):
        drafts.append(_short(task, draw))
    return drafts


def _short(task: Task, draw: Random) -> Draft:
    shortage = f"{task['task']}/1"
    data = {
        "shortage": shortage,
        "resource": draw.choice(_RESOURCES),
        "quantity": draw.randrange(10, 500, 10),
        "needed_by": task["requested_at"] + _NEEDED_MS,
    }
    return draft(task, "hospitals.ResourceShort", data, shortage)


answer = by_type({"hospitals.CapacityUpdated": _report})
