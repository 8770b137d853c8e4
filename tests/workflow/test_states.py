"""States held as their snapshots: what the first bytes say is what the whole says, and touching changes nothing."""

from typing import Any

import pytest
from fastavro import parse_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.codec import Codec, RegisteredSchema
from deptbus.errors import CodecError
from deptbus.workflow import heads
from deptbus.workflow.due import due_items
from deptbus.workflow.partition import Partition
from deptbus.workflow.states import INSTANCE, KEY
from tests.workflow.crowd import CROWDED, crowd
from tests.workflow.definitions import CASES, rule, small
from tests.workflow.test_partition import acts, play, restarted, written
from tests.workflow.world import HOUR, START, World, codec, sample, schemas


@pytest.mark.parametrize("event_type", heads.FIRST)
def test_the_schemas_begin_with_what_is_read_without_decoding(event_type: str) -> None:
    fields = schemas().newest(event_type).schema["fields"][: len(heads.FIRST[event_type])]
    types = {field["name"]: field["type"] for field in fields}
    assert tuple(types) == heads.FIRST[event_type]
    assert types["due"] == ["null", {"type": "long", "logicalType": "timestamp-millis"}]
    assert types["offset"] == "long"
    if event_type == INSTANCE:
        assert types["status"]["symbols"] == ["open", "closed"]
        assert types["region"] == ["null", "string"]


times = st.none() | st.integers(-(2**63), 2**63 - 1)


@given(due=times, region=st.none() | st.text(), offset=st.integers(0, 2**63 - 1), closed=st.booleans())
def test_heads_say_what_is_encoded(due: int | None, region: str | None, offset: int, closed: bool) -> None:
    about: dict[str, Any] = {"due": due, "offset": offset}
    key = codec().encode(KEY, sample(KEY, **about))
    assert (heads.due(key, heads.KEY), heads.offset(KEY, key)) == (due, offset)
    about |= {"region": region, "status": "closed" if closed else "open"}
    instance = codec().encode(INSTANCE, sample(INSTANCE, **about))
    assert heads.is_open(instance) is not closed
    assert (heads.due(instance, heads.INSTANCE), heads.offset(INSTANCE, instance)) == (due, offset)
    assert heads.region(instance) == region


@pytest.mark.parametrize("event_type", heads.FIRST)
def test_a_value_that_ends_too_soon_is_no_snapshot(event_type: str) -> None:
    value = codec().encode(event_type, sample(event_type, due=START, offset=10_000))
    for length in range(5, 9):
        with pytest.raises(CodecError, match="too short"):
            heads.offset(event_type, value[:length])


@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
@settings(max_examples=40)
@given(steps=acts, untouched=st.booleans())
def test_due_times_and_places_from_bytes_are_those_of_the_decoded_states(
    steps: list[tuple[str, str, int, str]], untouched: bool, stepped: bool
) -> None:
    world = play(steps[:-1] if untouched else steps, stepped=stepped)
    again = restarted(world, world.outputs, decoded_max=0)
    for partition in (world.partition, again):
        first = []
        for name in partition.states:
            region, state = partition.states.region(name), partition.states[name]
            assert region == (state.open["region"] if state.open else None)
            items = [item[0] for item in due_items(partition.packs, state)]
            first += items
            before = partition._due.before(min(items)) if items else []
            assert name not in before
            assert (name in partition._due.before(min(items) + 1)) if items else True
        assert partition.next_due == min(first, default=None)
    assert dict(world.partition.states) == dict(again.states)


def test_a_closed_instance_is_forgotten_and_an_older_one_never_replaces_a_newer() -> None:
    world = World(small(closes="facts.cases >= 2"))
    for at in range(3):
        data = sample("health.CasesConfirmed", region="440100", count=1)
        world.publish("health.CasesConfirmed", data, at=START + at * HOUR, region="440100")
    records = written(world.outputs, "workflow.instances")
    (closed,) = (record for record in records if record.type == INSTANCE and not heads.is_open(record.value))
    first = next(record for record in records if record.type == INSTANCE)
    partition = restarted(world, [])
    partition.restore((record.key.encode(), record.value) for record in [*records, first, closed])
    partition.restored()
    assert dict(partition.states) == dict(world.partition.states)
    state = partition.states["small/440100"]
    assert state.open is not None
    assert (state.n, state.open["n"]) == (2, 2)


def test_of_very_many_keys_few_are_held_decoded_and_the_rest_as_they_were_written() -> None:
    world = World(CROWDED)
    names = (f"{number:04}" for number in range(500))
    values = {output.key: output.value(codec().encode) for output in crowd(names, 2)}
    partition = world.new_partition(decoded_max=50)
    partition.restore((key.encode(), value) for key, value in values.items())
    partition.restored()
    for name in partition.states:
        assert partition.states[name].open
    states = partition.states
    assert sum(1 + len(state.open["tasks"]) for state in states._decoded.values() if state.open) <= 50
    held = {name: value for name, value in states._instances.items() if isinstance(value, bytes)}
    assert held == {key.rpartition("/")[0]: value for key, value in values.items() if key.endswith("/1")}


@pytest.mark.parametrize("decoded_max", [0, 20, 10_000])
def test_a_snapshot_is_written_as_if_nothing_were_kept_of_the_one_before(decoded_max: int) -> None:
    world = World(CROWDED)
    world.partition = restarted(world, world.outputs, decoded_max=decoded_max)
    for number in range(60):
        data = sample("health.CasesConfirmed", region="xy"[number % 2], source_reference=f"s{number}")
        before = len(world.outputs)
        world.publish("health.CasesConfirmed", data, at=START + number * HOUR, region=data["region"])
        world.tick(START + number * HOUR + 1)
        records = [output for output in world.outputs[before:] if output.type == INSTANCE]
        assert records
        for record in records:
            assert record.value(codec().encode) == codec().encode(INSTANCE, record.data)


def test_snapshots_of_an_older_schema_are_the_same_states() -> None:
    world = World(CROWDED)
    data = sample("health.CasesConfirmed", region="x", source_reference="s")
    world.publish("health.CasesConfirmed", data, at=START, region="x")
    older = Codec([_older(codec().schema(kind)) if kind in heads.FIRST else codec().schema(kind) for kind in
                   (INSTANCE, KEY, "workflow.PackStored", "workflow.PartitionAdvanced")])  # fmt: skip
    newer = _Knowing(codec(), older)
    partition = Partition(0, stepped=False, codec=newer)
    records = [output for output in world.outputs if output.topic == "workflow.instances"]
    partition.restore((output.key.encode(), older.encode(output.type, output.data)) for output in records)
    partition.restored()
    assert partition.next_due == world.partition.next_due == START + HOUR
    assert dict(partition.states) == dict(world.partition.states)


def _older(schema: RegisteredSchema) -> RegisteredSchema:
    """As if the fields had stood in another order."""
    parsed = {**schema.parsed, "fields": schema.parsed["fields"][::-1]}
    parsed.pop("__fastavro_parsed__", None)
    return RegisteredSchema(schema.id + 1_000, schema.type, 0, parse_schema(parsed))


class _Knowing:
    """The project's codec, which knows an older one's schemas as well."""

    def __init__(self, codec: Codec, older: Codec) -> None:
        schemas = [*codec._by_id.values(), *(one for one in older._by_id.values() if not codec.knows(one.id))]
        both = Codec(schemas, 1_000_000)
        self.keeping, self.decode, self.type_of = both.keeping, both.decode, both.type_of
        self.encode = both.encode


@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
def test_what_concerns_a_place_decodes_no_state_elsewhere(stepped: bool) -> None:
    flooded = rule("flooded", "hospitals.ResourceShort", key=None, match="region", set={"quiet": "true"})
    world = World(small(rules=[CASES, flooded]), stepped=stepped)
    for region in ("440100", "440300", "510100"):
        data = sample("health.CasesConfirmed", region=region, count=1)
        world.publish("health.CasesConfirmed", data, at=START, region=region)
    world.tick(START + 1, 0)
    partition = world.partition = restarted(world, world.outputs, decoded_max=0)
    world.publish("hospitals.ResourceShort", sample("hospitals.ResourceShort", region="510100"), at=START + 1,
                  region="510000")  # fmt: skip
    world.tick(START + 2, 1)
    assert list(partition.states._decoded) == ["small/510100"]
    assert {name: state.open["facts"]["quiet"] for name, state in partition.states.items() if state.open} == {
        "small/440100": False, "small/440300": False, "small/510100": True,
    }  # fmt: skip
