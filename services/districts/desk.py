"""The simulated desk of districts and counties."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft, number

_TITLES = {"epidemic": "关于新型冠状病毒肺炎疫情防控工作的通告"}
_BUILDINGS = ("党校宿舍", "快捷酒店", "职工疗养院", "体育馆")


def _publish(task: Task, draw: Random) -> list[Draft]:
    data = {
        "bulletin": number(task, "TG"),
        "title": _TITLES.get(task["workflow"], "关于突发事件应急处置工作的通告"),
        "published_at": task["requested_at"],
    }
    return [draft(task, "districts.BulletinPublished", data)]


def _requisition(task: Task, draw: Random) -> list[Draft]:
    site = number(task, "SITE")
    data = {
        "site": site,
        "name": draw.choice(_BUILDINGS),
        "rooms": draw.randrange(30, 300, 10),
        "order": number(task, "ZY"),
    }
    return [draft(task, "districts.SiteRequisitioned", data, site)]


def _ready(task: Task, draw: Random) -> list[Draft]:
    data = {"site": task["subject"], "rooms": int(task["context"].get("rooms", 30))}
    return [draft(task, "districts.SiteReady", data, task["subject"])]


def _release(task: Task, draw: Random) -> list[Draft]:
    return [draft(task, "districts.SitesReleased", {"note": "场所已消毒返还，并按规定补偿"})]


answer = by_type(
    {
        "districts.BulletinPublished": _publish,
        "districts.SiteRequisitioned": _requisition,
        "districts.SiteReady": _ready,
        "districts.SitesReleased": _release,
    }
)
