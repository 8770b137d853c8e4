"""The lineage of an event for a page: the tree, and what of it each person may see."""

from pathlib import Path
from typing import Any

import pytest

from deptbus.errors import NotFound
from deptbus.operations.masking import HIDDEN
from deptbus.settings import Settings
from services.dashboard.access.people import LOCAL, Person
from services.dashboard.views.lineage import lineage
from tests.broker import SharedStack
from tests.command.engine import Engine
from tests.command.projecting import INSTANCE, REGION
from tests.dashboard.conftest import Followed, Following
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka

VIEWER = Person("Wu", frozenset({"viewer"}), frozenset({"health"}))
STRANGER = Person("Xu", frozenset({"viewer"}), frozenset({"water"}))


@pytest.fixture
def settings(stack: SharedStack, namespace: Any, tmp_path: Path) -> Settings:
    """The index of this test lies in a folder of its own."""
    return stack.settings(namespace=namespace.name, run_dir=tmp_path)


def opened(engine: Engine, followed: Following) -> tuple[Followed, str]:
    """An incident, and the event that opened it."""
    engine.broker.publish([REGION], count=10, legal_basis="law 1", actor="李伟")
    engine.settle()
    one = followed().start()
    wait_until(lambda: one.store.instance(INSTANCE), "the incident")
    ((event, _, _),) = engine.broker.read("health.cases")
    return one, dict(event.headers)["ce_id"].decode()


def flat(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(one for below in node["effects"] for one in flat(below))]


def test_an_event_its_effects_and_where_they_stand(engine: Engine, followed: Following) -> None:
    one, event = opened(engine, followed)
    found = lineage(one.look, LOCAL, event)
    root = found["tree"]
    assert (root["id"], root["is"], root["department"], root["basis"]) == (event, True, "health", "law 1")
    assert (root["topic"], root["opened"], root["latency_ms"]) == ("health.cases", [INSTANCE], None)
    assert (root["actor"], root["data"]["region"]) == ("李伟", REGION)
    asked = [node for node in flat(root) if node["type"] == "workflow.TaskRequested"]
    assert {node["instance"] for node in asked} == {INSTANCE}
    ids = {node["id"] for node in flat(root)}
    assert all(set(node["causes"]) <= ids and node["latency_ms"] >= 0 for node in asked)
    task = lineage(one.look, LOCAL, asked[0]["id"])["tree"]
    assert task["id"] == event
    assert [node["id"] for node in flat(task) if node["is"]] == [asked[0]["id"]]


def test_who_is_no_operator_sees_no_personal_data(engine: Engine, followed: Following) -> None:
    one, event = opened(engine, followed)
    root = lineage(one.look, VIEWER, event)["tree"]
    assert (root["actor"], root["data"]["region"], root["hidden"]) == (HIDDEN, REGION, False)


def test_who_may_not_see_the_incident_sees_no_event_of_it(engine: Engine, followed: Following) -> None:
    one, event = opened(engine, followed)
    with pytest.raises(NotFound):
        lineage(one.look, STRANGER, event)
    with pytest.raises(NotFound):
        lineage(one.look, LOCAL, "00000000-0000-7000-8000-000000000000")
