"""Very much falls due at once: the same comes of it as if it had happened one by one, each once, in bounded chunks."""

import heapq
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.workflow import due
from deptbus.workflow.correlate import tick
from deptbus.workflow.due import DueItem, Firing, due_items, happen
from deptbus.workflow.known import Packs
from deptbus.workflow.partition import CHUNK_MAX, Partition
from deptbus.workflow.state import KeyState, Result
from tests.workflow.crowd import crowded
from tests.workflow.definitions import CASES, rule, small, step
from tests.workflow.world import HOUR, START, World, sample

REGIONS = ("440100", "440300", "440500")
BUSY = small(
    rules=[
        CASES | {"subject": "event.source_reference", "restart": ["calm"]},
        rule("objection", "data.ObjectionRaised", window="3h", park_max=3, set={"quiet": "true"}),
    ],
    timers=[
        {"timer": "calm", "after": "5h", "basis": "law 4", "set": {"cases": "facts.cases + 1"}},
        {"timer": "never", "after": "1h", "basis": "law 4"},
    ],
    steps=[
        step("verify", "rule:cases", only_one=False),
        step("report", "opened", every="2h", repeat_while="!facts.quiet", acknowledge_by="0m"),
        step("sweep", "timer:calm", acknowledge_by="0m", complete_by="0m", cancelled_by=["completed:report"]),
    ],
    level={"of": "open.verify", "rows": [{"at_least": 3, "gives": "III"}, {"at_least": 5, "gives": "I"}], "basis": "l"},
    escalate=[
        {"at": "acknowledge_by", "to": "command_post", "retry": True},
        {"at": "acknowledge_by", "to": "upper_government"},
        {"at": "complete_by", "to": "police", "reassign": True},
        {"at": "complete_by", "after": "3h", "to": "upper_government"},
    ],
    closes="facts.cases >= 9",
)  # fmt: skip

acts = st.lists(
    st.tuples(
        st.sampled_from(["cases", "cases", "objection", "answer", "tick"]),
        st.sampled_from(REGIONS),
        st.integers(0, 5),
        st.sampled_from(["acknowledged", "declined", "completed"]),
    ),
    max_size=40,
)


class OneByOne(Partition):
    """What a tick means: again and again the first thing that is due, each in a change of its own."""

    def _happen(self, batch: Any, name: str, items: list[DueItem], until: int, offset: int, *, anew: bool) -> None:
        while True:
            if anew:
                items = due_items(self.packs, batch.state(name))
            if not items or min(items) >= (until, "", ""):
                return
            item = min(items)
            items.remove(item)
            for result in _one(self.packs, batch.state(name), item, offset):
                batch.put(name, batch.state(name), result, offset)
            if item[1] == "task" and not anew:  # its later deadlines stood before the step as well
                items += [later for later in due_items(self.packs, batch.state(name)) if later[1:] == item[1:]]
            heapq.heapify(items)


def _one(packs: Packs, state: KeyState, item: DueItem, offset: int) -> Iterator[Result]:
    pack = packs.of(state)
    if item[1] == "parked":
        yield from happen(packs, state, [item], item[0] + 1, offset, anew=False)
    elif pack is not None:
        firing = Firing(pack, state, offset)
        firing.fire(item)
        if firing.fired:
            yield firing.after(), firing.outputs


def play(steps: list[tuple[str, str, int, str]], *, stepped: bool) -> World:
    """Much happens, and seldom does time pass: then much is due at once."""
    world = World(BUSY, stepped=stepped)
    now, ended = START, 0
    for number, (act, region, size, disposition) in enumerate(steps):
        if act == "tick":
            now += (size + 1) * 3 * HOUR
            world.tick(now, ended)
            ended += 1
        elif act == "objection":
            world.publish("data.ObjectionRaised", sample("data.ObjectionRaised", region=region), at=now, region=region)
        elif act == "answer":
            if tasks := world.of_type("workflow.TaskRequested"):
                world.answer(tasks[-1 - size % len(tasks)], disposition, at=now - size * HOUR // 4)
        else:
            data = sample("health.CasesConfirmed", region=region, count=size // 2, source_reference=f"s{number}")
            world.publish("health.CasesConfirmed", data, at=now + size * HOUR // 3, region=region)
    world.tick(now + 48 * HOUR, ended)
    return world


@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
@settings(max_examples=50)
@given(steps=acts)
def test_what_falls_due_together_happens_as_if_one_by_one(
    steps: list[tuple[str, str, int, str]], stepped: bool
) -> None:
    world = play(steps, stepped=stepped)
    one_by_one = world.new_partition(kind=OneByOne)
    outputs = [output for entry in world.journal for output in one_by_one.apply([world.read(entry)])]
    assert outputs == world.outputs


@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
def test_what_a_tick_sets_going_is_due_in_it_in_actual_life_and_in_the_next_step_of_an_exercise(stepped: bool) -> None:
    world = World(BUSY, stepped=stepped)
    data = sample("health.CasesConfirmed", region="440100", source_reference="s")
    world.publish("health.CasesConfirmed", data, at=START, region="440100")
    world.tick(START + HOUR // 2, 0)
    outputs = world.tick(START + 12 * HOUR, 1)
    requested = [data["step"] for data in world.of_type("workflow.TaskRequested", outputs)]
    escalated = [data["step"] for data in world.of_type("workflow.TaskEscalated", outputs)]
    assert "sweep" in requested
    assert ("sweep" in escalated) is not stepped
    later = world.tick(START + 13 * HOUR, 2)
    assert ("sweep" in [data["step"] for data in world.of_type("workflow.TaskEscalated", later)]) is stepped


@pytest.mark.parametrize(
    ("keys", "tasks", "stepped"), [(100_000, 1, False), (100, 1_000, False), (100, 1_000, True)],
    ids=["many instances", "many tasks", "many tasks in exercise time"],
)  # fmt: skip
def test_100_000_due_at_once_escalate_once_each_in_chunks(keys: int, tasks: int, stepped: bool) -> None:
    partition = crowded(keys, tasks, stepped=stepped)
    entries = [(10, tick(START + 2 * HOUR, 0 if stepped else None), None)]
    escalated: set[str] = set()
    reached, chunks = "", 0
    for chunk in partition.chunks(entries):
        chunks += 1
        now = [output.data["task"] for output in chunk if output.type == "workflow.TaskEscalated"]
        assert escalated.isdisjoint(now)
        escalated.update(now)
        assert len(chunk) <= 2 * CHUNK_MAX
        if partition.reached is not None:
            assert partition.reached > (10, reached)
            reached = partition.reached[1]
    assert len(escalated) == 100_000
    assert chunks > 20
    assert partition.reached is None
    assert partition.next_due == START + 4 * HOUR


def test_a_tick_that_goes_round_in_circles_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "FIRED_MAX", 50)
    world = World(small(steps=[step("report", "opened", every="0m")]))
    data = sample("health.CasesConfirmed", region="440100")
    world.publish("health.CasesConfirmed", data, at=START, region="440100")
    assert len(world.tick(START + HOUR)) < 500
