"""Acts with a start and an end are told as one."""

from pathlib import Path

from deptbus.catalogue import load_catalogue
from deptbus.operations.audit import Auditor
from deptbus.operations.trail import Trail, Wanted, trails
from deptbus.testing import MemoryBroker, memory_auditor
from tests.operations.auditing import acts

ROOT = Path(__file__).parents[2]


def auditor() -> Auditor:
    return memory_auditor(MemoryBroker(load_catalogue(ROOT, 0)))


def told(auditor: Auditor, wanted: Wanted | None = None, limit: int = 10) -> list[tuple[str, str, int]]:
    found: list[Trail] = trails(acts(auditor), (wanted or Wanted()).holds, limit)
    return [(one.start.data["act"], one.outcome, len(list(one.records))) for one in found]


def test_an_end_belongs_to_its_start_however_many_acts_lie_between() -> None:
    recorder = auditor()
    with recorder.act("replay.run", "health.cases") as outer, recorder.act("groups.reset", "cdc"):
        recorder.record("topics.apply", "all")
        outer.outcome = "failed"
    assert told(recorder) == [("replay.run", "failed", 2), ("groups.reset", "done", 2), ("topics.apply", "done", 1)]


def test_what_follows_from_an_act_without_ending_it_is_an_act_of_its_own() -> None:
    recorder = auditor()
    start = recorder.record("replay.run", "health.cases", outcome="started")
    recorder.record("replay.stop", "health.cases", start=start.id)
    assert told(recorder) == [("replay.run", "started", 1), ("replay.stop", "done", 1)]
    recorder.record("replay.run", "health.cases", start=start.id)
    assert told(recorder)[0] == ("replay.run", "done", 2)


def test_the_end_of_an_act_that_is_not_meant_is_not_meant_either() -> None:
    recorder = auditor()
    with recorder.act("replay.run", "health.cases"):
        recorder.record("topics.apply", "health.cases")
    recorder.record("topics.apply", "all")
    assert told(recorder, Wanted(acts=frozenset({"topics"}))) == [("topics.apply", "done", 1)] * 2
    assert told(recorder, limit=1) == [("topics.apply", "done", 1)]


def test_an_order_that_is_given_again_is_told_once_as_it_was_given_last() -> None:
    recorder = auditor()
    for _ in range(2):
        with recorder.act("packs.migrate", "epidemic@2", event_id="01920000-0000-7000-8000-000000000000"):
            pass
    assert told(recorder) == [("packs.migrate", "done", 2)]
