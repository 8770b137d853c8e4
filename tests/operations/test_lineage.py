"""The tree of causes and effects, from an index in a file: no broker is needed."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from deptbus.clock import iso
from deptbus.operations.lineage.chain import Chain, Node, chain_of_event, chain_of_instance
from deptbus.operations.lineage.index import Index, delete, writing
from deptbus.operations.lineage.indexing import Ends, _prepare
from deptbus.operations.lineage.rows import Place, Said, buried, happened, packed, said

INSTANCE = "epidemic/440100/1"
AT = 1_580_000_000_000


class Log:
    """An index, and what stands on topics in it."""

    def __init__(self, path: Path) -> None:
        self.index = Index(path, writable=True)
        self.ends: dict[str, int] = {}

    def add(
        self, number: int, kind: str = "health.CasesConfirmed", cause: int | None = None, *,
        topic: str = "health.cases", instance: str | None = None, of: Place | None = None, after: int | None = None,
    ) -> Place:  # fmt: skip
        """Add an event, a millisecond later than the one before; answers where it stands."""
        offset = self.ends.get(topic, 0)
        self.ends[topic] = offset + 1
        headers = {
            "ce_id": event_id(number), "ce_type": kind.encode(), "ce_source": b"/departments/health",
            "ce_time": iso(AT + number).encode(), "ce_causationid": None if cause is None else event_id(cause),
            "ce_correlationid": instance and instance.encode(),
        }  # fmt: skip
        told = said(headers)
        assert told is not None
        place = Place(topic, 0, offset)
        with self.index.transaction():
            self.index.add(
                [(topic, 0, offset, AT + (number if after is None else after), told)], [(place, of)] if of else []
            )
        return place

    def chain(self, number: int, count_max: int = 100, *, whole: bool = False) -> Chain:
        found = chain_of_event(self.index, packed(event_id(number)), count_max, whole=whole)
        assert found is not None
        return found


def event_id(number: int) -> bytes:
    return str(UUID(int=number)).encode()


def shape(nodes: list[Node]) -> list[object]:
    """Numbers of events, each followed by those below it in a list."""
    told: list[object] = []
    for node in nodes:
        told.append(UUID(bytes=node.row.id).int)
        if node.effects or node.letters:
            told.append(shape([*node.effects, *node.letters]))
    return told


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "lineage" / "actual.sqlite")
    yield made
    made.index.close()


def test_causes_stand_above_and_effects_below(log: Log) -> None:
    log.add(1)
    log.add(2, cause=1)
    log.add(3, cause=2)
    log.add(4, cause=3)
    log.add(5, cause=3)
    log.add(6, cause=2)  # another effect of the cause
    log.add(7, cause=5)
    chain = log.chain(3)
    assert shape(chain.roots) == [1, [2, [3, [4, 5, [7]]]]]
    assert [UUID(bytes=node.row.id).int for node in chain.nodes() if node.asked] == [3]
    assert [(UUID(bytes=node.row.id).int, node.more) for node in chain.nodes() if node.more] == [(2, 1)]
    assert shape(log.chain(3, whole=True).roots) == [1, [2, [3, [4, 5, [7]], 6]]]


def test_what_opened_the_instance_is_in_the_tree(log: Log) -> None:
    log.add(1)
    log.add(2, "workflow.InstanceOpened", 1, topic="workflow.events", instance=INSTANCE)
    log.add(3)  # joins it later, and names no instance itself
    log.add(4, "workflow.TaskRequested", 3, topic="workflow.tasks", instance=INSTANCE)
    chain = log.chain(3)
    assert shape(chain.roots) == [1, [2], 3, [4]]
    assert chain.roots[0].opened == [INSTANCE]
    assert shape(log.chain(4).roots) == [1, [2], 3, [4]]


def test_an_instance_is_all_that_names_it_with_its_causes(log: Log) -> None:
    log.add(1)
    log.add(2, "workflow.InstanceOpened", 1, topic="workflow.events", instance=INSTANCE)
    log.add(3, "workflow.TaskRequested", 1, topic="workflow.tasks", instance=INSTANCE)
    log.add(4, "health.TaskAnswered", 3, topic="health.tasks", instance=INSTANCE)
    log.add(5, "workflow.TaskRequested", topic="workflow.tasks", instance="epidemic/440100/2")
    log.add(6)
    log.add(7, "workflow.TaskRequested", 6, topic="workflow.tasks", instance=INSTANCE)
    chain = chain_of_instance(log.index, INSTANCE, 100)
    assert chain is not None
    assert shape(chain.roots) == [1, [2, 3, [4]], 6, [7]]
    assert log.index.instances_of("epidemic/440100") == [INSTANCE, "epidemic/440100/2"]


def test_a_dead_letter_stands_below_what_was_given_up(log: Log) -> None:
    place = log.add(1)
    log.add(2, "bus.DeadLettered", topic="bus.deadletters", of=place)
    (root,) = log.chain(1).roots
    assert [UUID(bytes=letter.row.id).int for letter in root.letters] == [2]


def test_an_event_that_stands_twice_is_one(log: Log) -> None:
    log.add(1)
    log.add(1, topic="replayed.cases", after=50)
    log.add(2, cause=1)
    (root,) = log.chain(1).roots
    assert (root.row.place.topic, [row.place.topic for row in root.again]) == ("health.cases", ["replayed.cases"])
    assert shape([root]) == [1, [2]]


def test_a_cause_that_is_gone_and_causes_in_a_circle_do_not_stop_it(log: Log) -> None:
    log.add(2, cause=1)
    (root,) = log.chain(2).roots
    assert root.cause_gone
    log.add(10, cause=12)
    log.add(11, cause=10)
    log.add(12, cause=11)
    log.add(13, cause=13)
    assert shape(log.chain(11).roots) == [10, [11, [12]]]
    assert shape(log.chain(13).roots) == [13]


def test_a_tree_is_cut_where_it_gets_too_large(log: Log) -> None:
    log.add(1)
    for number in range(2, 40):
        log.add(number, cause=1)
    chain = log.chain(1, 10)
    assert not chain.whole
    assert len(list(chain.nodes())) == 10
    assert chain.roots[0].more == 38 - 9
    assert log.chain(1, 39).whole


def test_a_chain_as_deep_as_one_likes_is_told(log: Log) -> None:
    for number in range(1, 3_000):
        log.add(number, cause=number - 1 or None)
    assert len(list(log.chain(1, 5_000).nodes())) == 2_999


def test_ids_that_are_no_uuids_are_kept_as_they_are(log: Log) -> None:
    assert len(packed(b"order-7")) == 16
    told = Said(b"order-7", b"order-6", b"2020-01-01T00:00:00Z", b"t.T", b"/s", None, None, None)
    with log.index.transaction():
        log.index.add([("t", 0, 0, 0, told)], [])
    assert log.index.foreign([packed(b"order-7"), packed(b"order-6")]) == {
        packed(b"order-7"): "order-7", packed(b"order-6"): "order-6",
    }  # fmt: skip


def test_headers_that_are_no_events_are_passed_over() -> None:
    whole = {"ce_id": b"1", "ce_type": b"a.B", "ce_source": b"/s", "ce_time": b"2020-01-01T00:00:00Z"}
    assert said(whole) is not None
    for name in whole:
        assert said(whole | {name: None}) is None
    assert happened(b"2020-01-01T00:00:00Z", 7) == 1_577_836_800_000
    assert happened(b"yesterday\xff", 7) == 7
    letter = {"ce_subject": b"health.cases[3]@77"}
    assert buried(b"bus.DeadLettered", letter) == Place("health.cases", 3, 77)
    assert buried(b"bus.DeadLettered", {"ce_subject": b"?\xff"}) is None
    assert buried(b"health.CasesConfirmed", letter) is None


def ends(kafka: str, low: int, high: int) -> Ends:
    return Ends({"health.cases": kafka}, {("health.cases", 0): (low, high)})


def kept(log: Log) -> list[int]:
    return [row.place.offset for row in log.index.by_ids([packed(event_id(number)) for number in range(1, 9)])]


def test_what_retention_took_and_topics_made_anew_are_noticed(log: Log) -> None:
    partition = ("health.cases", 0)
    assert _prepare(log.index, ends("A", 0, 4)) == {partition: 0}
    for number in range(1, 5):
        log.add(number)
    log.index.reach({partition: (0, 4)})
    assert _prepare(log.index, ends("A", 0, 4)) == {}
    assert _prepare(log.index, ends("A", 2, 6)) == {partition: 4}  # two are gone, two are new
    assert kept(log) == [2, 3]
    assert _prepare(log.index, ends("A", 5, 6)) == {partition: 5}  # even what was to be read is gone
    assert kept(log) == []
    log.add(5)
    assert _prepare(log.index, ends("B", 0, 9)) == {partition: 0}  # deleted and made anew
    assert kept(log) == []
    log.index.reach({partition: (0, 9)})
    assert _prepare(log.index, ends("B", 0, 3)) == {partition: 0}  # cut short
    log.add(6)
    assert _prepare(log.index, Ends({}, {})) == {}
    assert kept(log) == []


def test_one_writes_at_a_time_and_others_read_beside(log: Log) -> None:
    log.add(1)
    path = log.index.path
    with writing(path) as first, writing(path) as second:
        assert (first, second) == (True, False)
        beside = Index(path)
        with log.index.transaction():
            log.index.forget("health.cases")
            assert len(beside.by_ids([packed(event_id(1))])) == 1
        assert beside.by_ids([packed(event_id(1))]) == []
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            beside.know("health.cases", "A")
        beside.close()
    with writing(path) as again:
        assert again


def test_it_is_made_anew_when_it_is_deleted_or_of_another_version(log: Log) -> None:
    log.add(1)
    path = log.index.path
    log.index._db.execute("PRAGMA user_version = 99")
    log.index.close()
    log.index = Index(path, writable=True)
    assert log.index.count() == 0
    log.index.close()
    delete(path)
    assert list(path.parent.glob("*.sqlite*")) == []
    log.index = Index(path, writable=True)
    assert log.index.count() == 0
