"""Very many deadlines missed at once, and the worker is killed in the middle: each escalates once, in actual life and
in an exercise, and the journal gives the same."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.checking import check_namespace
from deptbus.folding import fold_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.settings import Settings
from deptbus.workflow.correlate import tick
from tests.broker import SharedStack
from tests.streams.crowd import NEVER_S, advanced, append, cases, written
from tests.streams.world import Workers, World, environment
from tests.waiting import wait_until
from tests.workflow.crowd import CROWDED
from tests.workflow.world import HOUR, START

pytestmark = [pytest.mark.kafka, pytest.mark.faults, pytest.mark.timeout(400)]

DUE = 20_000
PARTITION = 0
LIMIT_S = 120


@pytest.fixture(params=["", "t-many-due"], ids=["actual life", "exercise time"])
def settings(request: pytest.FixtureRequest, stack: SharedStack) -> Iterator[Settings]:
    """Of a world of which nothing is left afterwards."""
    found = stack.settings(namespace=request.param)
    yield found
    admin = Admin(client_configuration(found))
    if request.param:
        admin.delete_namespace(found.world)
    else:
        admin.delete(Namespace(), admin.names(Namespace()))


@pytest.fixture
def workers(stack: SharedStack, settings: Settings, tmp_path: Path) -> Iterator[Workers]:
    """Workers that append no ticks of their own; none outlives the test."""
    variables = environment(settings, stack.environment(), tmp_path) | {"BUS_INPUT_WAIT_S": NEVER_S}
    started = Workers(settings, variables, tmp_path)
    yield started
    started.end()


@pytest.fixture
def world(settings: Settings, workers: Workers) -> Iterator[World]:
    """Topics, schemas and the pack are there."""
    made = World(settings)
    made.activate(CROWDED)
    yield made
    made.close()
    workers.end()


def test_20_000_due_at_once_escalate_once_each_whatever_is_killed(
    world: World, workers: Workers, settings: Settings
) -> None:
    first, second = (0, 1) if settings.namespace else (None, None)
    workers.start("advance")
    append(world, PARTITION, *cases(world, PARTITION, DUE), tick(START + 1, first))
    wait_until(lambda: advanced(world, PARTITION) == START + 1, "the instances to be open", LIMIT_S)
    assert workers.stop("advance-0") == 0
    append(world, PARTITION, tick(START + 2 * HOUR, second))
    before = written(world, PARTITION)
    workers.start("advance")
    wait_until(lambda: written(world, PARTITION) > before, "a chunk", LIMIT_S)
    assert workers.stop("advance-0") == 0
    assert advanced(world, PARTITION) == START + 1, "it can be given up between two chunks"
    for failpoint in ("after-commit:2", "inside-transaction:2", "after-outputs:2"):
        assert workers.dies(workers.start("advance", failpoint=failpoint)) == -9
        assert advanced(world, PARTITION) == START + 1, "in the middle of the tick"
    workers.start("advance")
    wait_until(
        lambda: advanced(world, PARTITION) == START + 2 * HOUR,
        f"the tick to be applied\n{workers.log('advance-0')}",
        LIMIT_S,
    )
    escalated = Counter(data["task"] for _, kind, data in world.read("workflow.tasks")
                        if kind == "workflow.TaskEscalated")  # fmt: skip
    assert len(escalated) == DUE
    assert set(escalated.values()) == {1}
    for topic in ("workflow.tasks", "workflow.timeline", "workflow.events"):
        assert world.repeated(topic) == []
    assert workers.log("advance-0").count("restored") == 6 * 4
    assert workers.stop("advance-0") == 0
    result = fold_namespace(settings, outputs=True)
    assert result.differences == ()
    assert result.instances == DUE
    if settings.namespace:
        assert check_namespace(settings) == [], "every record of every transaction, in order"
