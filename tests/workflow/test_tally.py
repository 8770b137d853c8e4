"""What a partition says that it holds is what its states hold, whatever happens, and after a restart too."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.workflow.partition import Partition
from deptbus.workflow.tally import Tally
from tests.workflow.test_partition import acts, play, written
from tests.workflow.world import World, codec


def _held(partition: Partition) -> tuple[dict[str, int], dict[str, int], dict[str, int], int]:
    """Instances, tasks, overdue ones and bytes, by looking at every state."""
    instances: Counter[str] = Counter()
    tasks: Counter[str] = Counter()
    overdue: Counter[str] = Counter()
    for name in partition.states:
        state = partition.states[name]
        if state.open is None:
            continue
        workflow = name.split("/")[0]
        instances[workflow] += 1
        tasks[workflow] += len(state.open["tasks"])
        overdue[workflow] += sum(
            any(one["missed"] != "declined" for one in task["escalations"]) for task in state.open["tasks"]
        )
    states = partition.states
    size = sum(
        len(one if isinstance(one, bytes) else one.value)
        for held in (states._instances, states._keys)
        for one in held.values()
    )
    return +instances, +tasks, +overdue, size


def _told(tally: Tally) -> tuple[dict[str, int], dict[str, int], dict[str, int], int]:
    counts = (+Counter(tally.instances), +Counter(tally.tasks), +Counter(tally.overdue))
    return *counts, tally.bytes


def _partition(world: World) -> tuple[Partition, Tally]:
    tally = Tally()
    return Partition(0, stepped=world.stepped, codec=codec(), tally=tally), tally


@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
@settings(max_examples=40)
@given(steps=acts, cuts=st.lists(st.integers(1, 7), min_size=1), few=st.integers(1, 3))
def test_it_is_what_the_states_hold(
    steps: list[tuple[str, str, int, str]], cuts: list[int], few: int, stepped: bool
) -> None:
    world = play(steps, stepped=stepped)
    partition, tally = _partition(world)
    entries, begin, number = [world.read(entry) for entry in world.journal], 0, 0
    while begin < len(entries):
        end = begin + cuts[number % len(cuts)]
        partition.apply(entries[begin:end])
        tally.written()
        assert _told(tally) == _held(partition)
        begin, number = end, number + 1
    assert not tally.uncounted
    again, restored = _partition(world)
    for record in written(world.outputs, "workflow.instances"):
        again.restore([(record.key.encode(), record.value)])
    again.restored()
    assert (+Counter(restored.instances), restored.bytes) == (_held(partition)[0], _held(partition)[3])
    assert len(restored.uncounted) == sum(restored.instances.values())
    while restored.uncounted:
        left = len(restored.uncounted)
        again.states.count(few)
        assert len(restored.uncounted) == max(0, left - few)
    assert _told(restored) == _held(partition)
