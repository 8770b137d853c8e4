"""Views that are drawn of what a dashboard has followed: performance, the map, and the record as files."""

import orjson
import pytest

from deptbus.errors import NotFound
from services.dashboard.access.people import LOCAL, Person
from services.dashboard.views.afteraction import after_action
from services.dashboard.views.map import incident_map
from services.dashboard.views.performance import performance
from tests.command.engine import Engine
from tests.command.projecting import INSTANCE, REGION
from tests.dashboard.conftest import Followed, Following
from tests.waiting import wait_until
from tests.workflow.world import HOUR, START, sample

pytestmark = pytest.mark.kafka

STRANGER = Person("Xu", frozenset({"viewer"}), frozenset({"water"}))


@pytest.fixture
def one(engine: Engine, followed: Following) -> Followed:
    """An incident of which a task was done and one is overdue, two hours on."""
    engine.broker.publish([REGION], count=10)
    engine.settle()
    (verify,) = [data for data in engine.world.of_type("workflow.TaskRequested") if data["step"] == "verify"]
    engine.world.answer(verify, "completed", at=START + HOUR)
    engine.world.tick(START + 24 * HOUR)
    engine.write()
    made = followed().start()
    wait_until(lambda: made.look.now().at_ms >= START + 24 * HOUR, "time to pass")
    return made


def test_departments_are_measured_over_the_incidents_that_somebody_may_see(one: Followed) -> None:
    found = performance(one.look, LOCAL)
    (health,) = [line for line in found["departments"] if line["department"] == "health"]
    assert (found["incidents"], health["asked"], health["completed"], health["missed"]) == (1, 2, 1, 1)
    assert health["median_complete_ms"] == HOUR
    assert performance(one.look, LOCAL, START, START + 1)["departments"] == found["departments"]
    assert performance(one.look, LOCAL, START + 1)["departments"] == []
    assert performance(one.look, LOCAL, None, START)["departments"] == []
    assert performance(one.look, STRANGER) == {"now": found["now"], "incidents": 0, "departments": []}


def test_what_was_asked_in_a_closed_incident_is_told_again(engine: Engine, one: Followed) -> None:
    data = sample("command.DirectiveIssued", act="close", workflow="small", key=REGION, reason="over")
    engine.world.publish(
        "command.DirectiveIssued", data, at=START + 25 * HOUR, region=REGION, instance=INSTANCE, actor="Chen"
    )
    engine.write()
    wait_until(lambda: orjson.loads(one.store.lines()[0])["status"] == "closed", "the incident to be closed")
    first, second = performance(one.look, LOCAL), performance(one.look, LOCAL)
    assert first["departments"] == second["departments"]
    (health,) = [line for line in second["departments"] if line["department"] == "health"]
    assert (second["incidents"], health["asked"], health["completed"], health["missed"]) == (1, 2, 1, 1)
    assert performance(one.look, STRANGER)["departments"] == []


def test_the_map_and_the_files_of_an_incident(one: Followed) -> None:
    drawn = incident_map(one.look, LOCAL, INSTANCE)
    (guangzhou,) = [part for part in drawn["features"] if part["properties"].get("code") == REGION]
    assert guangzhou["properties"]["label"] == {"zh": "广州市", "en": "Guangzhou"}
    assert set(guangzhou["properties"]["of"]) == {"incident", "task"}
    record = orjson.loads(after_action(one.look, LOCAL, INSTANCE, "json", "zh").content)
    assert (record["instance"], record["mode"], len(record["tasks"])) == (INSTANCE, "exercise", 2)
    for form in ("csv", "html"):
        assert INSTANCE.encode() in after_action(one.look, LOCAL, INSTANCE, form, "zh").content  # type: ignore[arg-type]
    for view in (incident_map, lambda *about: after_action(*about, "json", "zh")):
        with pytest.raises(NotFound):
            view(one.look, STRANGER, INSTANCE)
