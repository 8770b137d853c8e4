"""The fold of a partition's log: read once, and what the journal rejects is passed over wherever that is said."""

from collections.abc import Iterator
from typing import Any

import pytest

from deptbus import folding
from deptbus.folding import JOURNAL, PartitionLog
from deptbus.record import Record
from deptbus.workflow import partition as module
from deptbus.workflow.advance import apply_entry
from deptbus.workflow.correlate import tick
from deptbus.workflow.fold import Folded
from deptbus.workflow.known import Packs
from deptbus.workflow.partition import RejectedEntry
from deptbus.workflow.state import Entry, KeyState, Result
from tests.workflow.definitions import small
from tests.workflow.world import HOUR, START, World, codec, sample


class Log:
    """A journal in memory, and how often it was read."""

    def __init__(self, world: World, rejected: int | None = None) -> None:
        entries = [(b"k", entry) for _, entry in world.journal]
        if rejected is not None:
            about = {"kind": "rejection", "offset": rejected, "workflow": "small", "key": "440100", "reason": "a bug"}
            entries += [(b"@rejection", tick(START) | about), (b"@tick", tick(START + 1))]
        self.records = [
            Record(JOURNAL, 0, number, START, key, codec().encode("workflow.EntryAppended", {"entry": entry}), [])
            for number, (key, entry) in enumerate(entries)
        ]
        self.readings = 0

    def read(self, topic: str) -> Iterator[Record]:
        """The journal."""
        self.readings += 1
        yield from self.records

    def fold(self) -> Folded:
        """Fold it."""
        return PartitionLog(codec(), 0, self.read, stepped=False).fold(outputs=True)


def cases() -> World:
    """Three events of one case each at one key, from offset 1 on."""
    world = World(small())
    for number in range(3):
        data = sample("health.CasesConfirmed", region="440100", count=1)
        world.publish("health.CasesConfirmed", data, at=START + number * HOUR, region="440100", id=f"case {number}")
    return world


def counted(folded: Folded) -> int:
    """The cases of the instance."""
    value = folded.snapshots["small/440100/1"].value
    return int(codec().decode(value, "workflow.InstanceChanged")["facts"]["cases"])


def test_a_journal_that_rejects_nothing_is_read_once() -> None:
    log = Log(cases())
    assert counted(log.fold()) == 3
    assert log.readings == 1


@pytest.mark.parametrize("still", [True, False], ids=["that still cannot be applied", "that could be applied by now"])
def test_an_entry_that_the_journal_rejects_is_passed_over(still: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(cases(), rejected=2)
    monkeypatch.setattr(folding, "BATCH", 1)
    if still:
        monkeypatch.setattr(module, "apply_entry", breaks)
    assert counted(log.fold()) == 2
    assert log.readings == 2


def test_an_entry_that_cannot_be_applied_and_is_not_rejected_ends_the_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = [Log(cases()), Log(cases(), rejected=3)]
    monkeypatch.setattr(module, "apply_entry", breaks)
    for log in logs:
        with pytest.raises(RejectedEntry, match="offset 2"):
            log.fold()


def breaks(packs: Packs, state: KeyState, entry: Entry, *rest: Any) -> Result:
    """A bug that one event brings out."""
    if entry["event"]["id"] == "case 1":
        raise ZeroDivisionError("a bug")
    return apply_entry(packs, state, entry, *rest)
