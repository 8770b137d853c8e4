"""A journal partition: cut into batches, restarted, stepped and folded, it always comes to the same."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.workflow import partition as module
from deptbus.workflow.advance import apply_entry
from deptbus.workflow.correlate import tick
from deptbus.workflow.fold import Folded, Written, compare_outputs, compare_snapshots, fold
from deptbus.workflow.known import Packs
from deptbus.workflow.output import Output
from deptbus.workflow.partition import CHUNK_MAX, Partition, RejectedEntry
from deptbus.workflow.state import Entry, KeyState, Read, Result
from deptbus.workflow.states import DECODED_MAX
from tests.workflow.definitions import CASES, rule, small, step
from tests.workflow.world import HOUR, START, World, codec, encoded, sample

REGIONS = ("440100", "440300")
PACK = small(
    rules=[CASES, rule("objection", "data.ObjectionRaised", window="3h", park_max=2, set={"quiet": "true"})],
    steps=[
        step("verify", "rule:cases", only_one=False),
        step("report", "opened", every="2h", repeat_while="!facts.quiet"),
    ],
    escalate=[
        {"at": "acknowledge_by", "to": "command_post", "retry": True},
        {"at": "complete_by", "to": "upper_government"},
        {"at": "declined", "to": "police", "reassign": True},
    ],
    closes="facts.cases >= 12",
)

acts = st.lists(
    st.tuples(
        st.sampled_from(["cases", "again", "objection", "answer", "tick", "tick"]),
        st.sampled_from(REGIONS),
        st.integers(0, 5),
        st.sampled_from(["acknowledged", "declined", "completed"]),
    ),
    max_size=40,
)


def play(steps: list[tuple[str, str, int, str]], *, stepped: bool) -> World:
    """Let things happen one after another, each entry applied at once."""
    world = World(PACK, stepped=stepped)
    now, ended = START, 0
    for number, (act, region, size, disposition) in enumerate(steps):
        about: dict[str, Any] = {"at": now - size * HOUR // 3, "region": region}
        if act == "tick":
            now += (size + 1) * HOUR // 2
            world.tick(now, ended)
            ended += 1
        elif act == "objection":
            world.publish("data.ObjectionRaised", sample("data.ObjectionRaised", region=region), **about)
        elif act == "answer":
            tasks = world.of_type("workflow.TaskRequested")
            if tasks:
                world.answer(tasks[-1 - size % len(tasks)], disposition, at=now - size * HOUR // 4)
        else:
            about["id"] = f"cases {number - size if act == 'again' else number}"
            world.publish("health.CasesConfirmed", sample("health.CasesConfirmed", region=region, count=size), **about)
    world.tick(now + 48 * HOUR, ended)
    return world


def written(outputs: list[Output], topic: str) -> list[Written]:
    """Outputs as they would stand on a topic."""
    return [
        Written(output.key, output.id, output.type, codec().encode(output.type, output.data), f"{topic}[0]@{number}")
        for number, output in enumerate(outputs)
        if output.topic == topic
    ]


def decode(event_type: str, value: bytes) -> dict[str, Any]:
    """The data of an event."""
    return codec().decode(value, event_type)


def restarted(
    world: World, outputs: list[Output], chunk_max: int = CHUNK_MAX, decoded_max: int = DECODED_MAX
) -> Partition:
    """A new partition, restored from what was written."""
    partition = world.new_partition(chunk_max, decoded_max=decoded_max)
    for record in written(outputs, "workflow.instances"):
        partition.restore([(record.key.encode(), record.value)])
    partition.restored()
    return partition


@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
@settings(max_examples=60)
@given(
    steps=acts,
    cuts=st.lists(st.integers(1, 7), min_size=1),
    crashes=st.sets(st.integers(0, 60)),
    chunk_max=st.integers(1, 30),
    decoded_max=st.sampled_from([0, 8, DECODED_MAX]),
)
def test_batches_chunks_and_crashes_change_nothing(
    steps: list[tuple[str, str, int, str]],
    cuts: list[int],
    crashes: set[int],
    chunk_max: int,
    decoded_max: int,
    stepped: bool,
) -> None:
    world = play(steps, stepped=stepped)
    reads = [world.read(entry) for entry in world.journal]
    partition, at, number, transactions = world.new_partition(chunk_max, decoded_max=decoded_max), 0, 0, 0
    outputs: list[Output] = []
    while at < len(reads):
        end = at + cuts[number % len(cuts)]
        number += 1
        for chunk in partition.chunks(reads[at:end]):
            transactions += 1
            if transactions in crashes:  # before the commit: nothing of the chunk stands
                partition = restarted(world, outputs, chunk_max, decoded_max)
                at = partition.applied + 1
                break
            outputs += chunk
        else:
            at = end
    assert encoded(outputs) == encoded(world.outputs) | partition_record(outputs)
    told = [(output.id, output.data) for output in outputs if output.topic != "workflow.instances"]
    assert told == [(output.id, output.data) for output in world.outputs if output.topic != "workflow.instances"]
    assert restarted(world, outputs, chunk_max).reached is None


@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
@settings(max_examples=40)
@given(steps=acts, chunk_max=st.integers(1, 30))
def test_where_only_states_are_wanted_they_are_the_same(
    steps: list[tuple[str, str, int, str]], chunk_max: int, stepped: bool
) -> None:
    world = play(steps, stepped=stepped)
    partition = Partition(0, stepped=stepped, codec=codec(), chunk_max=chunk_max, silent=True)
    outputs = partition.apply([world.read(entry) for entry in world.journal])
    assert encoded(outputs) == encoded(world.outputs) | partition_record(outputs)
    assert not {"workflow.tasks", "workflow.events"} & {output.topic for output in outputs}


def partition_record(outputs: list[Output]) -> dict[str, bytes]:
    """How far a partition is applied depends on the batches."""
    return {key: value for key, value in encoded(outputs).items() if key.startswith("@partition/")}


@settings(max_examples=40)
@given(steps=acts)
def test_a_key_never_has_two_open_instances_and_time_never_goes_back(steps: list[tuple[str, str, int, str]]) -> None:
    world = play(steps, stepped=False)
    clocks: dict[str, int] = {}
    opened: dict[str, int] = {}
    for output in world.outputs:
        if output.type == "workflow.InstanceChanged":
            data = output.data
            assert data["clock"] >= clocks.get(output.key, 0)
            assert len({task["id"] for task in data["tasks"]}) == len(data["tasks"])
            clocks[output.key] = data["clock"]
        elif output.type in ("workflow.InstanceOpened", "workflow.InstanceClosed"):
            key = output.data["key"]
            opened[key] = opened.get(key, 0) + (1 if output.type == "workflow.InstanceOpened" else -1)
            assert opened[key] in (0, 1)


def test_a_step_merges_entries_and_deadlines_in_the_order_of_exercise_time() -> None:
    world = World(small(), stepped=True)
    entries = world.entries("health.CasesConfirmed", sample("health.CasesConfirmed", region="440100"), at=START)
    assert world.append(*entries) == []
    world.tick(START + HOUR, 0)
    (task,) = world.of_type("workflow.TaskRequested")
    assert world.partition.next_due == START + HOUR
    late = sample("health.TaskAnswered", task=task["task"], disposition="acknowledged")
    entries = world.entries("health.TaskAnswered", late, at=START + HOUR + 1, instance=task["instance"])
    outputs = world.append(*entries, tick(START + 2 * HOUR, 1))
    assert world.kinds(outputs) == ["escalated", "acknowledged_late"]


def test_an_answer_at_the_very_deadline_is_in_time() -> None:
    world = World(small(), stepped=True)
    entries = world.entries("health.CasesConfirmed", sample("health.CasesConfirmed", region="440100"), at=START)
    world.append(*entries, tick(START + HOUR, 0))
    (task,) = world.of_type("workflow.TaskRequested")
    data = sample("health.TaskAnswered", task=task["task"], disposition="acknowledged")
    entries = world.entries("health.TaskAnswered", data, at=START + HOUR, instance=task["instance"])
    assert world.kinds(world.append(*entries, tick(START + 2 * HOUR, 1))) == ["acknowledged"]


def test_what_a_step_makes_due_happens_in_the_next_one() -> None:
    world = World(small(), stepped=True)
    entries = world.entries("health.CasesConfirmed", sample("health.CasesConfirmed", region="440100"), at=START)
    outputs = world.append(*entries, tick(START + 24 * HOUR, 0))
    assert world.of_type("workflow.TaskEscalated", outputs) == []
    assert world.partition.next_due == START + HOUR
    assert len(world.of_type("workflow.TaskEscalated", world.tick(START + 48 * HOUR, 1))) == 2


def test_an_event_dated_after_its_step_counts_as_of_the_steps_end() -> None:
    world = World(small(), stepped=True)
    data = sample("health.CasesConfirmed", region="440100", count=1)
    entries = world.entries("health.CasesConfirmed", data, at=START + 10_000 * HOUR, region="440100")
    world.append(*entries, tick(START + HOUR, 0))
    assert world.partition.states["small/440100"].open["clock"] == START + HOUR - 1  # type: ignore[index]  # it is open


def test_entries_of_an_open_step_are_held_and_not_to_be_committed() -> None:
    world = World(small(), stepped=True)
    entries = world.entries("health.CasesConfirmed", sample("health.CasesConfirmed", region="440100"), at=START)
    world.append(*entries)
    assert world.partition.held_from == 1
    assert world.partition.applied == 0
    world.tick(START + HOUR, 0)
    assert world.partition.held_from is None
    assert world.partition.applied == 2


def test_an_entry_that_cannot_be_applied_is_named_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.apply_entry

    def breaks(packs: Packs, state: KeyState, entry: Entry, *rest: Any) -> Result:
        if entry["event"]["id"] == "poison":
            raise ZeroDivisionError("a bug")
        return real(packs, state, entry, *rest)

    monkeypatch.setattr(module, "apply_entry", breaks)
    world = World(small())
    data = sample("health.CasesConfirmed", region="440100", count=1)
    entries = [world.entries("health.CasesConfirmed", data, at=START, id=name)[0] for name in ("poison", "sound")]
    reads = [world.read((offset, entry)) for offset, entry in enumerate(entries, start=1)]
    with pytest.raises(RejectedEntry, match="offset 1") as refused:
        world.partition.apply(reads)
    assert world.partition.applied == 0
    outputs = world.partition.apply(reads, frozenset({(refused.value.offset, refused.value.key)}))
    assert world.kinds(outputs)[0] == "opened"


def test_an_entry_for_every_key_is_passed_over_only_where_it_cannot_be_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = small(
        rules=[CASES, rule("short", "hospitals.ResourceShort", key=None, match="region", set={"quiet": "true"})]
    )
    world = World(pack)
    for number in range(4):
        data = sample("health.CasesConfirmed", region=f"44010{number}", count=1)
        world.publish("health.CasesConfirmed", data, at=START, region=f"44010{number}")

    def breaks(packs: Any, state: Any, *more: Any) -> Any:
        if state.key == "440102" and more[0]["rule"] == "short":
            raise ZeroDivisionError("a poison state")
        return apply_entry(packs, state, *more)

    monkeypatch.setattr(module, "apply_entry", breaks)
    data = sample("hospitals.ResourceShort", region="440000")
    [entry] = world.entries("hospitals.ResourceShort", data, at=START + 1, region="440000")
    reads, partition = [world.read((len(world.journal), entry))], restarted(world, world.outputs, 1)
    with pytest.raises(RejectedEntry, match="cannot be applied to small/440102: ZeroDivisionError") as refused:
        partition.apply(reads)
    assert partition.reached == (reads[0][0], "small/440101")
    rejected = frozenset({(refused.value.offset, refused.value.key)})
    partition.apply(reads, rejected)
    quiet = {name: state.open["facts"]["quiet"] for name, state in partition.states.items() if state.open}
    assert quiet == {"small/440100": True, "small/440101": True, "small/440102": False, "small/440103": True}
    world.partition.apply(reads, rejected)
    assert world.partition.states == partition.states, "chunks and what stood before change nothing"


def test_where_an_entry_for_many_keys_is_cut_depends_on_no_entry_before_it() -> None:
    shortage = rule("short", "hospitals.ResourceShort", key=None, match="region", set={"quiet": "true"})
    world = World(small(rules=[CASES, shortage], steps=[step("verify", "rule:cases", only_one=False)]))
    regions = ["440101", "440102", "440103", "510101", "510102", "510103", "510104"]

    def case(region: str, number: int) -> list[Entry]:
        data = sample("health.CasesConfirmed", region=region, count=1, source_reference=str(number))
        return world.entries("health.CasesConfirmed", data, at=START + number, region=region)

    for region in regions:
        world.append(*case(region, 0), *case(region, 1))
    written_before = list(world.outputs)
    entries = [one for region in regions[:3] for one in case(region, 2)]
    data = sample("hospitals.ResourceShort", region="510000")
    entries += world.entries("hospitals.ResourceShort", data, at=START + 3, region="510000")
    reads = [world.read((len(world.journal) + number, entry)) for number, entry in enumerate(entries)]

    def cuts(batches: list[list[Read]]) -> list[tuple[int, str]]:
        partition, found = restarted(world, written_before, chunk_max=5), []
        for batch in batches:
            for _ in partition.chunks(batch):
                found += [partition.reached] if partition.reached else []
        return found

    assert cuts([reads]) == cuts([[read] for read in reads]) == [(reads[-1][0], "small/510102")]


# The fold


def folded_world() -> tuple[World, Folded]:
    """A world in which something of everything happened, and its fold."""
    world = World(PACK)
    for number in range(3):
        region = REGIONS[number % 2]
        data = sample("health.CasesConfirmed", region=region, count=5)
        world.publish("health.CasesConfirmed", data, at=START + number * HOUR, region=region)
        for task in world.of_type("workflow.TaskRequested")[-2:]:
            world.answer(task, "completed", at=START + number * HOUR + 1)
        world.tick(START + number * HOUR + HOUR // 2)
    return world, refold(world, world.journal)


def refold(world: World, journal: list[tuple[int, Entry]]) -> Folded:
    """Fold a journal in a partition of its own."""
    reads = [world.read((offset, entry)) for offset, (_, entry) in enumerate(journal)]
    return fold(world.new_partition(), [reads], frozenset(), codec().encode, outputs=True)


def differences(folded: Folded, outputs: list[Output]) -> list[str]:
    """All that the fold has to say."""
    found = compare_snapshots(folded, written(outputs, "workflow.instances"), decode)
    for topic in folded.outputs:
        found += compare_outputs(topic, folded, written(outputs, topic))
    return found


def test_the_fold_of_an_untouched_journal_equals_what_was_written() -> None:
    world, folded = folded_world()
    assert differences(folded, world.outputs) == []


def _drop(items: list[Any]) -> list[Any]:
    return items[:-1]


def _double(items: list[Any]) -> list[Any]:
    return [*items, items[-1]]


def _swap(items: list[Any]) -> list[Any]:
    return [*items[:-2], items[-1], items[-2]]


TAMPERING = pytest.mark.parametrize("tamper", [_drop, _double, _swap], ids=["dropped", "doubled", "swapped"])


@TAMPERING
@pytest.mark.parametrize("topic", ["workflow.tasks", "workflow.timeline", "workflow.events"])
def test_the_fold_notices_an_output(topic: str, tamper: Callable[[list[Any]], list[Any]]) -> None:
    world, folded = folded_world()
    tampered = tamper([output for output in world.outputs if output.topic == topic])
    others = [output for output in world.outputs if output.topic != topic]
    assert differences(folded, others + tampered)


@pytest.mark.parametrize("topic", ["workflow.tasks", "workflow.timeline", "workflow.events", "workflow.instances"])
def test_the_fold_notices_an_altered_record(topic: str) -> None:
    world, folded = folded_world()
    index = max(n for n, output in enumerate(world.outputs) if output.topic == topic and output.key[0] != "@")
    output = world.outputs[index]
    field = {"workflow.tasks": "step", "workflow.timeline": "kind", "workflow.events": "key"}.get(topic)
    altered = {**output.data, field: "altered"} if field else {**output.data, "clock": 1}
    outputs = [*world.outputs[:index], output._replace(data=altered), *world.outputs[index + 1 :]]
    assert any("altered" in found or "not what" in found for found in differences(folded, outputs))


def test_the_fold_notices_a_lost_or_doubled_snapshot() -> None:
    world, folded = folded_world()
    index = max(n for n, output in enumerate(world.outputs) if output.type == "workflow.InstanceChanged")
    snapshot = world.outputs[index]
    assert differences(folded, [*world.outputs[:index], *world.outputs[index + 1 :]])
    assert differences(folded, [*world.outputs, snapshot])


@TAMPERING
def test_the_fold_notices_a_journal_entry(tamper: Callable[[list[Any]], list[Any]]) -> None:
    world, _ = folded_world()
    events = [number for number, (_, entry) in enumerate(world.journal) if entry["kind"] == "event"]
    head, tail = world.journal[: events[-1] + 1], world.journal[events[-1] + 1 :]
    assert differences(refold(world, tamper(head) + tail), world.outputs)
