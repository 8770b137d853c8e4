"""Transactions that are over and have no end everywhere: what was committed is written again, the rest is given up."""

from collections.abc import Iterator

import pytest

from deptbus.kafka.configuration import producer_configuration, reader_configuration
from deptbus.kafka.consumer import read_partition
from deptbus.kafka.producer import TransactionalProducer
from deptbus.streams.hanging import Hanging, Mark, Mended
from deptbus.streams.wiring import INSTANCES, JOURNAL, TASKS, TIMELINE, Wiring
from tests.streams.world import World
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka

NUMBER, OTHER = 1, 2
KEY = "counting/440100"


@pytest.fixture
def producers(wiring: Wiring) -> Iterator[list[TransactionalProducer]]:
    """An owner, and the one that comes after it."""
    name = wiring.world.physical(f"advance-{NUMBER}")
    made = [TransactionalProducer(producer_configuration(wiring.settings), name) for _ in range(2)]
    made[0].init()
    yield made
    for one in made:
        one.close()


def send(
    wiring: Wiring, producer: TransactionalProducer, topic: str, mark: Mark, value: bytes, by: int = NUMBER
) -> None:
    """A record of the transaction that ``mark`` names."""
    headers = [("ce_id", value), mark.header(by)]
    producer.send(wiring.world.physical(topic), NUMBER, KEY.encode(), value, headers)


def values(world: World, topic: str) -> list[bytes | None]:
    """What can be read there."""
    physical = world.settings.world.physical(topic)
    return [record.value for record in read_partition(reader_configuration(world.settings), physical, NUMBER)]


def stable(wiring: Wiring) -> bool:
    """Whether nothing is without an end any more."""
    topics = (TASKS, TIMELINE, INSTANCES, JOURNAL)
    ends = wiring.admin.end_offsets(wiring.world, topics, committed=False)
    return wiring.admin.end_offsets(wiring.world, topics) == ends


def test_what_was_committed_and_left_without_an_end_is_written_again(
    wiring: Wiring, world: World, producers: list[TransactionalProducer]
) -> None:
    """Of the transactions up to entry 10 something can be read; the one up to 12 was under way."""
    before, after = producers
    before.begin()
    send(wiring, before, TASKS, Mark(10, ""), b"task 10")
    before.commit()
    before.begin()
    send(wiring, before, INSTANCES, Mark(9, "small/2"), b"state 9")
    send(wiring, before, INSTANCES, Mark(10, ""), b"state 10")
    send(wiring, before, JOURNAL, Mark(10, ""), b"entry 10")
    send(wiring, before, JOURNAL, Mark(3, ""), b"another owner's", by=OTHER)
    send(wiring, before, INSTANCES, Mark(12, ""), b"state 12")
    send(wiring, before, TIMELINE, Mark(12, ""), b"line 12")
    send(wiring, before, TASKS, Mark(12, ""), b"task 12")
    before.flush()
    journal = values(world, JOURNAL)
    hanging = Hanging(wiring, NUMBER)
    assert set(hanging.look()) == {(topic, NUMBER) for topic in (TASKS, TIMELINE, INSTANCES, JOURNAL)}
    after.init()
    assert hanging.mend(after) == Mended([], 3)
    assert values(world, INSTANCES)[-2:] == [b"state 9", b"state 10"]
    assert values(world, JOURNAL) == [*journal, b"entry 10"]
    assert values(world, TASKS) == [b"task 10"]
    assert values(world, TIMELINE) == []
    assert stable(wiring)


def test_what_nobody_has_seen_is_given_up(wiring: Wiring, world: World, producers: list[TransactionalProducer]) -> None:
    before, after = producers
    before.begin()
    send(wiring, before, TASKS, Mark(10, ""), b"task 10")
    before.commit()
    before.begin()
    send(wiring, before, TASKS, Mark(10, "small/1"), b"task 11")
    send(wiring, before, INSTANCES, Mark(10, "small/1"), b"state 11")
    before.flush()
    hanging = Hanging(wiring, NUMBER)
    hanging.look()
    after.init()
    assert hanging.mend(after) == Mended([], 0)
    assert values(world, TASKS) == [b"task 10"]
    assert stable(wiring)


def test_what_is_committed_meanwhile_is_not_written_twice(
    wiring: Wiring, world: World, producers: list[TransactionalProducer]
) -> None:
    before, after = producers
    before.begin()
    send(wiring, before, TASKS, Mark(10, ""), b"task 10")
    before.flush()
    hanging = Hanging(wiring, NUMBER)
    assert hanging.look() == [(TASKS, NUMBER)]
    before.commit()
    after.init()
    assert hanging.mend(after) == Mended([], 0)
    assert values(world, TASKS) == [b"task 10"]


def test_a_transaction_that_is_given_up_shows_nothing_and_holds_nobody_up(
    wiring: Wiring, world: World, producers: list[TransactionalProducer]
) -> None:
    physical = wiring.world.physical(TASKS)
    producers[0].void([(physical, NUMBER), (physical, OTHER)])
    wait_until(lambda: stable(wiring), "the end of the transaction", 5)
    assert wiring.admin.end_offsets(wiring.world, [TASKS])[TASKS, NUMBER] > 0
    assert world.read(TASKS) == []
