"""What the workers of workflows have not read is told truthfully, static members and transactions or not."""

import pytest

from deptbus.kafka.looks import Looker
from deptbus.operations.lag import History, Lag, State, by_topic
from tests.streams.world import REGIONS, Workers, World, counting
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka
LIMIT_S = 90


def test_workers_that_have_done_everything_have_no_lag_and_stopped_ones_have_what_came_since(
    world: World, workers: Workers
) -> None:
    world.activate(counting())
    name = workers.start("workflow")
    looker = Looker(world.settings)
    history = History()

    def lags() -> dict[tuple[str, str], Lag]:
        found = by_topic(history.add(looker.look(looker.names())))
        return {(one.group, one.topic): one for one in found}

    def caught_up() -> bool:
        found = lags()
        both = ("correlate", "health.cases") in found and ("advance", "workflow.journal") in found
        return both and all(one.state is State.CURRENT and not one.events for one in found.values())

    try:
        world.publish(REGIONS)
        world.wait_for_entries(len(REGIONS))
        world.tick(0)  # in an exercise what belongs to a step is held until the step ends
        wait_until(caught_up, "the workers to have done everything", LIMIT_S)
        found = lags()
        assert found["correlate", "health.cases"].owner == "correlate-0"
        assert found["advance", "workflow.journal"].owner == "advance-0"
        workers.stop(name)
        world.publish(REGIONS[:7])
        wait_until(lambda: lags()["correlate", "health.cases"].state is State.STOPPED, "the group to be empty", LIMIT_S)
        assert lags()["correlate", "health.cases"].events == 7
        assert lags()["advance", "workflow.journal"].events == 0
    finally:
        looker.close()
