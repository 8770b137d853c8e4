"""The simulated desk of urban management."""

from random import Random

from deptbus.exercise.draft import Draft
from services.simulated import Task, by_type, draft, number

_PLACES = ("农贸市场", "广场", "棋牌室", "寺庙", "商场")
_SEEN = 0.1
"""Share of later rounds that come upon a gathering; the first round of every incident does."""


def _carry_out(task: Task, draw: Random) -> list[Draft]:
    data = {"communities": draw.randrange(5, 80), "channels": ["广播", "横幅", "短信"]}
    drafts = [draft(task, "urban.PublicityCarriedOut", data)]
    seen = task["context"].get("gatherings")  # only where a workflow looks out for them
    if seen is not None and (seen == "0" or draw.random() < _SEEN):
        drafts.append(_gathering(task, draw))
    return drafts


def _gathering(task: Task, draw: Random) -> Draft:
    gathering = number(task, "JJ")
    data = {
        "gathering": gathering,
        "place": draw.choice(_PLACES),
        "people": draw.randrange(20, 400),
        "detected_at": task["requested_at"],
    }
    return draft(task, "urban.GatheringDetected", data, gathering)


answer = by_type({"urban.PublicityCarriedOut": _carry_out})
