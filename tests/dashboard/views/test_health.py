"""How the bus is, for operators; what is looked at again and again."""

import pytest

from deptbus.errors import NotFound
from services.dashboard.access.people import LOCAL, Person
from services.dashboard.projection.store import Point
from services.dashboard.views.catalogue import catalogue
from services.dashboard.views.health import health, series
from services.dashboard.views.sampling import Sample, Sampler
from tests.command.engine import Engine
from tests.command.projecting import REGION
from tests.dashboard.conftest import Following
from tests.waiting import wait_until
from tests.workflow.world import HOUR, START


def test_points_of_one_stretch_are_shown_as_their_mean() -> None:
    points = [
        Point("lag", "advance", 1_000, 4), Point("lag", "advance", 1_900, 6), Point("lag", "advance", 2_000, 1),
        Point("rate", "health", 1_500, 0.5),
    ]  # fmt: skip
    assert series(points, 1_000) == [
        {"name": "lag", "label": "advance", "points": [[1_000, 5.0], [2_000, 1.0]]},
        {"name": "rate", "label": "health", "points": [[1_000, 0.5]]},
    ]
    assert series([], 1_000) == []


@pytest.mark.kafka
def test_operators_see_rates_lag_and_overdue_tasks(engine: Engine, followed: Following) -> None:
    one = followed().start()
    sampler = Sampler(one.look)
    try:
        assert health(one.look, LOCAL, sampler.latest)["lag"] == []
        sampler.sample()
        assert sampler.latest.problem == ""
        engine.broker.publish([REGION], count=10)
        engine.settle()
        engine.world.tick(START + 2 * HOUR)
        engine.write()
        wait_until(lambda: one.look.now().at_ms >= START + 2 * HOUR, "time to pass")
        sampler.sample()
        found = health(one.look, LOCAL, sampler.latest)
        rates = {line["department"]: line["per_s"] for line in found["rates"]}
        assert rates["health"] > 0
        assert rates["water"] == 0
        assert found["overdue"] == [{"department": "health", "tasks": 2}]
        assert {line["name"] for line in found["series"]} >= {"rate", "overdue", "letters"}
        assert {finding["area"] for finding in found["findings"]} >= {"brokers", "topics", "deadletters"}
        assert found["problem"] is None
        topics = {topic["name"]: topic for topic in catalogue(one.look, sampler.latest.traffic)["topics"]}
        assert topics["health.cases"]["rate"] > 0
    finally:
        sampler.close()


@pytest.mark.kafka
def test_to_others_it_is_not_there(followed: Following) -> None:
    one = followed()
    with pytest.raises(NotFound, match="Only operators"):
        health(one.look, Person("Li", frozenset({"commander"}), None), Sample())
