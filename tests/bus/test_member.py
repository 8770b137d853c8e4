"""A static member of a group on Kafka: what is shared out, what is read again, how it leaves."""

from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import KafkaError

from deptbus.kafka import member
from deptbus.kafka.configuration import producer_configuration
from deptbus.kafka.member import GroupMember, SlotTaken
from deptbus.kafka.producer import KafkaSender
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.testing import wait_until
from deptbus.transport import Partition
from tests.bus.worlds import KafkaWorld

pytestmark = pytest.mark.kafka

TOPIC = "ward.cases"
SOON_S = 4.0
"""Less than the session of a member that says nothing."""


class Reading:
    """A member, what it was told, and what it has read."""

    def __init__(self, settings: Settings, instance: str, group: str = "group") -> None:
        self.told: list[tuple[str, frozenset[Partition]]] = []
        self.records: list[Record] = []
        self.done: dict[Partition, int] = {}
        """What is committed when it is taken away."""
        self.member = GroupMember(
            settings, settings.world.physical(group), instance, given=self._given, taken=self._taken
        )
        self.member.subscribe([settings.world.physical(TOPIC)])

    def _given(self, partitions: frozenset[Partition]) -> None:
        self.told.append(("given", partitions))

    def _taken(self, partitions: frozenset[Partition]) -> None:
        self.told.append(("taken", partitions))
        assert self.member.commit({where: self.done[where] for where in partitions if where in self.done})

    def poll(self, wanted: frozenset[Partition] | None = None) -> None:
        self.records += self.member.poll(self.member.assignment if wanted is None else wanted, 100, 0.05)

    def commit(self, offset: int, partition: int = 0) -> None:
        """Commit, and wait until it stands."""
        where = (TOPIC, partition)
        assert self.member.commit({where: offset})
        wait_until(lambda: self.member.committed([where]) == {where: offset})

    def values(self, partition: int = 0) -> list[bytes | None]:
        return [record.value for record in self.records if record.partition == partition]


@pytest.fixture
def settings(kafka_world: KafkaWorld) -> Settings:
    return kafka_world.settings


@pytest.fixture
def members(settings: Settings) -> Iterator[dict[str, Reading]]:
    made: dict[str, Reading] = {}
    yield made
    for reading in made.values():
        reading.member._taken = lambda partitions: None
        reading.member.close()


def publish(settings: Settings, values: Mapping[int, list[str]]) -> None:
    sender = KafkaSender(producer_configuration(settings), settings.world, 30)
    for partition, texts in values.items():
        for text in texts:
            sender.send(TOPIC, b"k", text.encode(), [], text, partition=partition)
    sender.flush()
    sender.close()


def numbers(start: int, end: int) -> list[str]:
    return [str(number) for number in range(start, end)]


def test_everything_is_read_from_where_it_is_committed(settings: Settings, members: dict[str, Reading]) -> None:
    publish(settings, {0: numbers(0, 10), 1: numbers(0, 5)})
    first = members["a"] = Reading(settings, "a")
    wait_until(lambda: first.poll() or len(first.records) == 15)
    assert first.values() == [text.encode() for text in numbers(0, 10)]
    first.commit(7)
    assert first.member.committed([(TOPIC, 0), (TOPIC, 1)]) == {(TOPIC, 0): 7, (TOPIC, 1): 0}
    first.member.close()
    again = members["a"] = Reading(settings, "a")
    wait_until(lambda: again.poll() or len(again.records) == 8)
    assert again.values() == [b"7", b"8", b"9"]


def test_where_all_partitions_stand_is_known_at_once(settings: Settings, members: dict[str, Reading]) -> None:
    reading = members["a"] = Reading(settings, "a")
    wait_until(lambda: reading.poll() or reading.told)
    assert set(reading.member.reached) == reading.member.assignment == reading.member.moved
    assert set(reading.member.reached.values()) == {0}


def test_what_is_not_wanted_waits_while_the_rest_goes_on(settings: Settings, members: dict[str, Reading]) -> None:
    reading = members["a"] = Reading(settings, "a")
    wait_until(lambda: reading.poll() or reading.told)
    wanted = frozenset({(TOPIC, 1)})
    reading.poll(wanted)
    publish(settings, {0: numbers(0, 3), 1: numbers(0, 3)})
    wait_until(lambda: reading.poll(wanted) or len(reading.values(1)) == 3)
    assert reading.values(0) == []
    wait_until(lambda: reading.poll() or len(reading.values(0)) == 3)
    assert reading.values(0) == [b"0", b"1", b"2"]


def test_what_is_taken_away_is_finished_and_committed_before(settings: Settings, members: dict[str, Reading]) -> None:
    publish(settings, {number: numbers(0, 4) for number in (0, 1)})
    first = members["a"] = Reading(settings, "a")
    wait_until(lambda: first.poll() or len(first.records) == 8)
    first.done = {(TOPIC, 0): 4, (TOPIC, 1): 4}
    second = members["b"] = Reading(settings, "b")
    wait_until(lambda: first.poll() or second.poll() or (second.member.assignment and first.told[-1][0] == "given"))
    assert [told for told, _ in first.told] == ["given", "taken", "given"]
    assert not first.member.assignment & second.member.assignment
    assert first.member.assignment | second.member.assignment == first.told[0][1]
    publish(settings, {number: ["4"] for number in (0, 1)})
    wait_until(lambda: first.poll() or second.poll() or len(first.records) + len(second.records) == 10)
    assert [record.value for record in second.records] in ([], [b"4"], [b"4", b"4"]), "nothing was read twice"


def test_a_member_that_leaves_hands_over_at_once(settings: Settings, members: dict[str, Reading]) -> None:
    first, second = Reading(settings, "a"), Reading(settings, "b")
    members["b"] = second
    wait_until(lambda: first.poll() or second.poll() or (first.member.assignment and second.member.assignment))
    everything = first.member.assignment | second.member.assignment
    first.member.close()
    wait_until(lambda: second.poll() or second.member.assignment == everything, limit_s=SOON_S)


def test_what_came_while_partitions_were_shared_out_is_read_again(
    settings: Settings, members: dict[str, Reading]
) -> None:
    """A poll in which this happened may answer records of before or of after, and nobody can tell."""
    publish(settings, {0: numbers(0, 6)})
    reading = members["a"] = Reading(settings, "a")
    wait_until(lambda: reading.poll() or len(reading.records) == 6)
    reading.commit(2)
    reading.records.clear()
    read = reading.member._records

    def shared_out(count_max: int, timeout_s: float) -> list[Record]:
        found = read(count_max, timeout_s)
        reading.member._shared_out = bool(found)
        return found

    reading.member._records = shared_out  # type: ignore[method-assign]
    publish(settings, {0: ["6"]})
    wait_until(lambda: reading.poll() or reading.member._shared_out)
    assert reading.records == []
    reading.member._records = read  # type: ignore[method-assign]
    wait_until(lambda: reading.poll() or len(reading.records) == 5)
    assert reading.values() == [b"2", b"3", b"4", b"5", b"6"]


class Said:
    """Something that librdkafka says between records."""

    def __init__(self, code: int, topic: str | None = None, offset: int = -1) -> None:
        self.error, self.topic = lambda: KafkaError(code), lambda: topic
        self.partition, self.offset = lambda: 0, lambda: offset


def test_a_broker_that_is_away_for_a_moment_ends_nothing(settings: Settings, members: dict[str, Reading]) -> None:
    """That is said of no topic at all."""
    reading = members["a"] = Reading(settings, "a")
    wait_until(lambda: reading.poll() or reading.told)
    reading.member.moved.clear()
    reading.member._event(Said(KafkaError._ALL_BROKERS_DOWN))  # type: ignore[arg-type]
    reading.member._event(Said(KafkaError._TRANSPORT, settings.world.physical(TOPIC)))  # type: ignore[arg-type]
    assert not reading.member.moved


def test_an_end_that_is_told_while_partitions_are_shared_out_is_of_before(
    settings: Settings, members: dict[str, Reading]
) -> None:
    reading = members["a"] = Reading(settings, "a")
    wait_until(lambda: reading.poll() or reading.told)
    end = Said(KafkaError._PARTITION_EOF, settings.world.physical(TOPIC), 9)
    reading.member._shared_out = True
    reading.member._event(end)  # type: ignore[arg-type]
    assert reading.member.reached[TOPIC, 0] == 0
    reading.member._shared_out = False
    reading.member._event(end)  # type: ignore[arg-type]
    assert reading.member.reached[TOPIC, 0] == 9


def test_whose_place_is_taken_is_told(settings: Settings, members: dict[str, Reading]) -> None:
    first = Reading(settings, "a")
    wait_until(lambda: first.poll() or first.told)
    members["a"] = second = Reading(settings, "a")

    def lost() -> bool:
        second.poll()
        try:
            first.poll()
        except SlotTaken as error:
            assert "another process runs as a " in str(error)
            return True
        return False

    wait_until(lost)


def test_a_member_that_was_fenced_long_after_it_came_joins_anew(
    settings: Settings, members: dict[str, Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a broker has stood still: what it had asked before comes after it has joined once more."""
    publish(settings, {0: numbers(0, 3)})
    first = members["a"] = Reading(settings, "a")
    wait_until(lambda: first.poll() or len(first.records) == 3)
    first.commit(1)
    monkeypatch.setattr(member, "APART_S", 0.0)
    second = Reading(settings, "a")
    wait_until(lambda: second.poll() or second.told)
    wait_until(lambda: first.poll() or len(first.told) == 3)
    assert [told for told, _ in first.told] == ["given", "taken", "given"]
    assert first.told[1][1] == first.told[2][1] == first.told[0][1]
    wait_until(lambda: first.poll() or len(first.records) == 5)
    assert first.values()[3:] == [b"1", b"2"], "from where it was committed"
    first.commit(3)
    second.member._closing = True
    second.member._consumer.close()


def test_nothing_is_committed_of_what_was_lost(settings: Settings, members: dict[str, Reading]) -> None:
    publish(settings, {0: numbers(0, 3)})
    reading = members["a"] = Reading(settings, "a")
    wait_until(lambda: reading.poll() or len(reading.records) == 3)
    told: list[bool] = []
    reading.member._taken = lambda _: told.append(reading.member.commit({(TOPIC, 0): 3}))
    reading.member._gone(reading.member._consumer, reading.member._places(reading.member.assignment))
    assert told == [False]
    assert reading.member.committed([(TOPIC, 0)]) == {(TOPIC, 0): 0}
