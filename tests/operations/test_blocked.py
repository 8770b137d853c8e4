"""A dead-letter topic that cannot be written stops only the partitions that need it, which go on by themselves."""

from collections.abc import Callable

import pytest

from deptbus.bus import Bus
from deptbus.deadletters import TOPIC
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.observe import names
from deptbus.partitioning import partition_of
from deptbus.record import Event
from deptbus.testing import running, wait_until
from deptbus.topics.plan import wanted
from tests.bus.conftest import catalogue, kafka_world, quick, root  # noqa: F401  # fixtures
from tests.bus.contract import CASE, report
from tests.bus.worlds import KafkaWorld
from tests.operations.letters import letters
from tests.streams.conftest import workers, world  # noqa: F401  # fixtures
from tests.streams.world import CASES, LIMIT_S, REGIONS, Workers, World, counting
from tests.workflow.world import START

pytestmark = pytest.mark.kafka

Break = Callable[[Admin, KafkaWorld], Callable[[], None]]
"""Makes the topic unwritable, and answers what mends it."""


def too_small(admin: Admin, world: KafkaWorld) -> Callable[[], None]:  # noqa: F811
    limit = str(world.catalogue.topic(TOPIC).message_bytes_max)
    admin.alter_configs(world.namespace, {TOPIC: {"max.message.bytes": "100"}})
    return lambda: admin.alter_configs(world.namespace, {TOPIC: {"max.message.bytes": limit}})


def gone(admin: Admin, world: KafkaWorld) -> Callable[[], None]:  # noqa: F811
    admin.delete(world.namespace, [TOPIC])
    return lambda: admin.create(world.namespace, [wanted(world.catalogue.topic(TOPIC), 1)])


def blocked(bus: Bus) -> float:
    """The metric of the process."""
    assert bus._subscriber is not None
    return sum(measure.value for measure in bus._subscriber.measures() if measure.metric is names.BLOCKED)


@pytest.mark.parametrize("broken", [too_small, gone])
def test_a_subscriber_holds_that_partition_says_so_and_goes_on(kafka_world: KafkaWorld, broken: Break) -> None:  # noqa: F811
    admin = Admin(client_configuration(kafka_world.settings))
    ward, lab = kafka_world.connect("ward"), kafka_world.connect("lab")
    seen: list[str] = []

    @lab.subscribe(CASE)
    def investigate(event: Event) -> None:
        if event.data["case"] == "bad":
            raise ValueError("trouble")
        seen.append(event.data["case"])

    mend = broken(admin, kafka_world)
    held = next(f"k{n}" for n in range(99) if partition_of(f"k{n}".encode(), 4) == 1)
    other = next(f"k{n}" for n in range(99) if partition_of(f"k{n}".encode(), 4) == 2)
    for case in ("bad", "behind"):
        report(ward, case, subject=held)
    with running(lab, 60):
        wait_until(lambda: lab.health().problems)
        assert lab.health().problems[0].startswith("ward.cases[1] is held at 0: its dead letter cannot be written (")
        for number in range(20):
            report(ward, str(number), subject=other)
            wait_until(lambda number=number: str(number) in seen, 5)
        assert lab.health().problems
        assert blocked(lab) == 1
        assert not kafka_world.committed("lab", "ward.cases").get(1)
        mend()
        wait_until(lambda: letters(kafka_world))
        wait_until(lambda: kafka_world.committed("lab", "ward.cases").get(1) == 2)
        wait_until(lambda: not lab.health().problems)
        assert blocked(lab) == 0
    assert seen.count("behind") == 1
    assert {letter.data["offset"] for letter in letters(kafka_world)} == {0}


def test_correlate_holds_that_partition_and_places_the_events_of_others(world: World, workers: Workers) -> None:  # noqa: F811
    world.activate(counting())
    topic = world.catalogue.topic_of(CASES).name
    parts = world.catalogue.topic(topic).partitions
    place = {region: partition_of(region.encode(), parts) for region in REGIONS}
    bad = place[REGIONS[0]]
    behind, elsewhere = ([one for one in REGIONS if (place[one] == bad) is wanted] for wanted in (True, False))
    world.admin.alter_configs(world.settings.world, {TOPIC: {"max.message.bytes": "100"}})
    world.sender.send(
        topic, REGIONS[0].encode(), b"poison", [("ce_type", CASES.encode())], "raw", bad
    ).result().require()
    correlate = workers.start("correlate")
    world.publish(REGIONS, time_ms=START + 1)
    world.wait_for_entries(len(elsewhere))
    wait_until(lambda: "held" in workers.log(correlate), LIMIT_S)
    world.publish(elsewhere, time_ms=START + 2)
    world.wait_for_entries(2 * len(elsewhere))
    assert world.read(TOPIC) == []
    world.admin.alter_configs(world.settings.world, {TOPIC: {"max.message.bytes": "5000000"}})
    world.wait_for_entries(2 * len(elsewhere) + len(behind))
    wait_until(lambda: "goes_on" in workers.log(correlate), LIMIT_S)
    (letter,) = {(data["topic"], data["partition"], data["group"]) for _, _, data in world.read(TOPIC)}
    assert letter == (topic, bad, "correlate")
    workers.stop(correlate)


def test_advance_holds_that_partition_and_applies_the_entries_of_others(world: World, workers: Workers) -> None:  # noqa: F811
    world.activate(counting())
    parts = world.catalogue.topic("workflow.journal").partitions
    place = {region: partition_of(f"counting/{region}".encode(), parts) for region in REGIONS}
    bad = place[REGIONS[0]]
    elsewhere = {region for region in REGIONS if place[region] != bad}
    world.admin.alter_configs(world.settings.world, {TOPIC: {"max.message.bytes": "100"}})
    correlate = workers.start("correlate")
    world.publish(REGIONS, time_ms=START + 1)
    world.wait_for_entries(len(REGIONS))
    workers.stop(correlate)
    world.sender.send("workflow.journal", b"poison", b"junk", [], "raw", bad).result().require()
    world.tick(0)
    advance = workers.start("advance")
    wait_until(lambda: set(world.cases()) == elsewhere, LIMIT_S)
    wait_until(lambda: "held" in workers.log(advance), LIMIT_S)
    assert set(world.cases()) == elsewhere
    world.admin.alter_configs(world.settings.world, {TOPIC: {"max.message.bytes": "5000000"}})
    wait_until(lambda: set(world.cases()) == set(REGIONS), LIMIT_S)
    assert {(data["topic"], data["partition"], data["group"]) for _, _, data in world.read(TOPIC)} == {
        ("workflow.journal", bad, "advance")
    }
    assert set(world.cases().values()) == {1}
    assert workers.stop(advance) == 0
