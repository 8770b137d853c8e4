"""How the bus is, for operators: rates, lag, dead letters, overdue tasks, their last hours, and what doctor finds."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from deptbus.operations.lag import Lag
from services.dashboard.access.people import Person
from services.dashboard.look import Look
from services.dashboard.projection.store import KEPT_MS, Point
from services.dashboard.views.entitled import require_operator
from services.dashboard.views.sampling import Sample, by_department

POINTS_MAX = 180
"""Points of a series at most: more are taken together, and their mean is shown."""
Drawn = dict[str, Any]


def health(look: Look, person: Person, latest: Sample) -> dict[str, Any]:
    """What the newest look found, and the figures of the last hours. ``Missing`` for who is no operator."""
    require_operator(person)
    return {
        "at": latest.at_ms or look.clock(),
        "problem": latest.problem or None,
        "rates": [
            {"department": department, "per_s": round(rate, 3)}
            for department, rate in by_department(look, latest.rates).items()
        ],
        "lag": [_lag(one) for one in sorted(latest.lags, key=_gravest)],
        "letters": [
            {"topic": topic, "reason": reason, "count": count}
            for (topic, reason), count in sorted(latest.letters.items(), key=lambda item: (-item[1], item[0]))
        ],
        "overdue": [{"department": department, "tasks": tasks} for department, tasks in latest.overdue.items()],
        "series": series(look.store.series(look.clock() - KEPT_MS), KEPT_MS // POINTS_MAX),
        "findings": [one.to_json() for one in latest.findings],
        "findings_at": latest.findings_at_ms or None,
    }


def series(points: Iterable[Point], width_ms: int) -> list[Drawn]:
    """Points, in the order of their names, as series; those of the same stretch of ``width_ms`` as their mean."""
    found = []
    for (name, label), of_one in groupby(points, key=lambda point: (point.name, point.label)):
        drawn = []
        for stretch, together in groupby(of_one, key=lambda point: point.at_ms // width_ms):
            values = [point.value for point in together]
            drawn.append([stretch * width_ms, round(sum(values) / len(values), 3)])
        found.append({"name": name, "label": label, "points": drawn})
    return found


def _gravest(one: Lag) -> tuple[bool, int, str, str, tuple[int, ...]]:
    return not one.alarming, -one.events, one.group, one.topic, one.partitions


def _lag(one: Lag) -> dict[str, Any]:
    return {
        "group": one.group,
        "topic": one.topic,
        "partition": one.partitions[0],
        "events": one.events,
        "exact": one.exact,
        "seconds": one.waiting_ms / 1000 if one.events else 0,
        "stuck": one.alarming,
        "state": one.state.value,
    }
