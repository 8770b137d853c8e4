"""One owner of a journal partition: a second one fences it; a poison entry is passed over, for the fold too."""

import pytest

from deptbus.errors import TransactionFenced
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import read_partition
from deptbus.partitioning import partition_of
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.streams.hanging import mark_of
from deptbus.streams.owner import Owner
from deptbus.streams.wiring import JOURNAL, Wiring
from deptbus.workflow.correlate import tick
from deptbus.workflow.partition import Partition
from tests.streams.world import REGIONS, World, counting
from tests.waiting import wait_until
from tests.workflow.world import START

pytestmark = pytest.mark.kafka

KEY = "counting/440100"
NUMBER = partition_of(KEY.encode(), 4)


def _read(settings: Settings, topic: str) -> list[Record]:
    return list(read_partition(reader_configuration(settings), settings.world.physical(topic), NUMBER))


def _journal(settings: Settings) -> list[Record]:
    return _read(settings, JOURNAL)


def _append(wiring: Wiring, world: World, pack: str | None, event_id: str, region: str = "440100") -> None:
    event = {
        "id": event_id, "type": "health.CasesConfirmed", "source": "/departments/health", "subject": None,
        "region": region, "actor": None, "legalbasis": None, "causationid": None, "correlationid": None,
        "topic": "health.cases", "partition": 0, "offset": 0,
    }  # fmt: skip
    data = {
        "region": region, "province": "", "city": "", "count": 1, "total": 1, "date": "", "source_reference": "",
    }  # fmt: skip
    entry = tick(START) | {
        "kind": "event", "workflow": "counting", "key": region, "pack": pack, "rule": "counted", "event": event,
        "body": world.codec.encode("health.CasesConfirmed", data),
    }  # fmt: skip
    wiring.append(entry, f"counting/{region}", NUMBER, time_ms=START).result().require()


def test_a_second_owner_fences_the_first(wiring: Wiring, world: World) -> None:
    first, second = Owner(wiring, NUMBER), Owner(wiring, NUMBER)
    first.open()
    second.open()
    _append(wiring, world, counting().hash, "one")
    world.tick(0)
    records = _journal(world.settings)
    with pytest.raises(TransactionFenced, match=f"advance-{NUMBER}"):
        first.process(records)
    done = second.process(records)
    assert done.offset == records[-1].offset + 1
    wait_until(lambda: world.cases() == {"440100": 1}, "the second owner's commit", 5)
    first.close()
    second.close()


def test_what_counts_as_done_and_is_not_in_the_log_is_applied_when_a_partition_is_taken(
    wiring: Wiring, world: World
) -> None:
    """The commit of the owner before was answered and lost with its broker; the group's offset was committed."""
    _append(wiring, world, counting().hash, "one")
    world.tick(0)
    end = _journal(world.settings)[-1].offset + 1
    owner = Owner(wiring, NUMBER)
    assert owner.open(delivered=end).offset == end
    wait_until(lambda: world.cases() == {"440100": 1}, "the entries to be applied", 5)
    assert owner.open(delivered=end).offset == end
    assert world.cases() == {"440100": 1}
    owner.close()


def test_entries_are_held_until_the_tick_and_repeated_ones_are_skipped(wiring: Wiring, world: World) -> None:
    owner = Owner(wiring, NUMBER)
    owner.open()
    activation = _journal(world.settings)
    assert owner.process(activation).offset == activation[-1].offset + 1
    _append(wiring, world, counting().hash, "one")
    _append(wiring, world, counting().hash, "two")
    records = _journal(world.settings)
    held = records[len(activation)].offset
    assert owner.process(records).offset == held
    assert owner.process(records).offset == held
    world.tick(0)
    records = _journal(world.settings)
    assert owner.process(records).offset == records[-1].offset + 1
    wait_until(lambda: world.cases() == {"440100": 2}, "the commit", 5)
    owner.close()


def test_a_poison_entry_is_rejected_in_the_journal(
    wiring: Wiring, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deptbus.workflow import partition as module  # noqa: PLC0415

    real = module.apply_entry

    def breaks(packs, state, entry, *more):  # type: ignore[no-untyped-def]
        if entry["event"] and entry["event"]["id"] == "poison":
            raise ZeroDivisionError("a poison pack")
        return real(packs, state, entry, *more)

    monkeypatch.setattr(module, "apply_entry", breaks)
    owner = Owner(wiring, NUMBER)
    owner.open()
    for event_id in ("one", "poison", "two"):
        _append(wiring, world, counting().hash, event_id)
    world.tick(0)
    owner.process(_journal(world.settings))
    wait_until(lambda: world.cases() == {"440100": 2}, "the neighbours", 5)
    entries = [data["entry"] for _, _, data in world.read("workflow.journal")]
    rejections = [entry for entry in entries if entry["kind"] == "rejection"]
    assert len(rejections) == 1
    assert "a poison pack" in rejections[0]["reason"]
    owner.close()


def test_an_unclear_commit_is_settled_from_the_log(
    wiring: Wiring, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deptbus.errors import TransactionUnclear  # noqa: PLC0415
    from deptbus.streams import writer as module  # noqa: PLC0415

    failures = iter([True, False])

    class Unclear(module.TransactionalProducer):
        def commit(self) -> None:
            """Commit, and say that nobody knows: the worst case."""
            super().commit()
            if next(failures, False):
                raise TransactionUnclear("no answer came")

    owner = Owner(wiring, NUMBER)
    owner.open()
    owner.process(_journal(world.settings))
    owner.close()
    monkeypatch.setattr(module, "TransactionalProducer", Unclear)
    owner.open()
    _append(wiring, world, counting().hash, "one")
    world.tick(0)
    records = _journal(world.settings)
    assert owner.process(records).offset == records[-1].offset + 1
    wait_until(lambda: world.cases() == {"440100": 1}, "the commit", 5)
    assert world.repeated("workflow.tasks") == []
    assert world.repeated("workflow.timeline") == []
    owner.close()


def test_what_is_unclear_within_an_entry_is_settled_from_the_log_key_by_key(
    wiring: Wiring, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick of four keys, each in a transaction of its own; nobody knows of the second one whether it is committed."""
    from deptbus.errors import TransactionUnclear  # noqa: PLC0415
    from deptbus.streams import writer as module  # noqa: PLC0415

    failures = iter([False, False, True])

    class Unclear(module.TransactionalProducer):
        def commit(self) -> None:
            """Commit, and say that nobody knows."""
            super().commit()
            if next(failures, False):
                raise TransactionUnclear("no answer came")

    monkeypatch.setattr(module, "TransactionalProducer", Unclear)
    monkeypatch.setattr(
        Owner, "_new_partition",
        lambda self: Partition(self.number, stepped=True, codec=wiring, chunk_max=1),
    )  # fmt: skip
    owner = Owner(wiring, NUMBER)
    owner.open()
    owner.process(_journal(world.settings))
    regions = [region for region in REGIONS if partition_of(f"counting/{region}".encode(), 4) == NUMBER][:4]
    for region in regions[:4]:
        _append(wiring, world, counting().hash, f"case {region}", region)
    world.tick(0)
    records = _journal(world.settings)
    first = owner.process(records)
    assert (first.more, first.offset) == (True, records[1].offset), "the tick and what it applies are not done with"
    reports = len(world.reports("advance"))
    done = owner.proceed()
    assert (done.more, done.offset) == (False, records[-1].offset + 1)
    wait_until(lambda: world.cases() == dict.fromkeys(regions, 1), "the commits", 5)
    assert [data["step"] for data in world.reports("advance")[reports:]] == [None, 0], "opened again, then applied"
    for topic in ("workflow.tasks", "workflow.timeline", "workflow.events"):
        assert world.repeated(topic) == []
    marks = [mark for record in _read(world.settings, "workflow.timeline") if (mark := mark_of(record, NUMBER))]
    assert list(dict.fromkeys(mark.key for mark in marks)) == [*(f"counting/{one}" for one in regions[:3]), ""]
    assert marks == sorted(marks), "later transactions have greater marks"
    owner.close()
