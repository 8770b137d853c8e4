"""Resources are counted from facts where the workflow names them, else from events, else from tasks."""

from dataclasses import dataclass, field

from deptbus.desk.resources import figure_of, names_resources, resources
from deptbus.desk.told import Told


@dataclass
class Asked:
    """A task that asks for boats."""

    outcome: str | None
    context: dict[str, str] = field(default_factory=lambda: {"resource": "boats", "quantity": "10"})


def _told(event_type: str, quantity: int, resource: str = "boats") -> Told:
    return Told("id", event_type, 0, "", {"resource": resource, "quantity": quantity})


def test_each_figure_comes_from_the_best_that_says_it() -> None:
    tasks = [Asked("completed"), Asked("declined"), Asked(None)]
    (line,) = resources(tasks, [], {})
    assert [line[name] for name in ("requested", "committed", "declined", "open", "released")] == [30, 10, 10, 10, None]
    events = [_told("fire.ResourceCommitted", 4), _told("fire.ResourceCommitted", 3), _told("fire.ResourceDeployed", 5)]
    (line,) = resources(tasks, events, {"resources_released": True})
    assert (line["committed"], line["deployed"], line["requested"], line["released"]) == (7, 5, 30, True)
    facts = {"boats_committed": 6, "boats_deployed": 2, "resources_released": True, "cases": 9}
    (line,) = resources(tasks, events, facts)
    assert (line["committed"], line["deployed"], line["declined"]) == (6, 2, 10)
    assert line["sources"]["committed"] == "facts"
    assert line["sources"]["declined"] == "tasks"


def test_facts_alone_say_enough_and_flags_are_no_figures() -> None:
    lines = resources([], [], {"pumps_requested": 3, "sites_released": False, "short": 2})
    found = [(line["resource"], line["requested"], line["committed"], line["short"]) for line in lines]
    assert found == [("", None, None, 2), ("pumps", 3, None, None)]


def test_what_an_event_says_of_a_quantity() -> None:
    assert figure_of("hospitals.ResourceShort") == "requested"
    assert figure_of("fire.BoatsReturned") == "released"
    assert figure_of("health.CaseReported") is None
    assert names_resources("health.ResourceCommitted", {"region", "resource", "quantity"})
    assert not names_resources("health.ResourceDeclined", {"region", "reason"})
