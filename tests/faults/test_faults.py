"""Workers and brokers are killed while the demo plays; nothing is lost, nothing is done twice (I1, I2, I3, I4, I7)."""

from collections import Counter
from dataclasses import asdict, fields

import pytest

from deptbus.checking import repeated
from deptbus.exercise.summary import Summary
from tests.faults.play import Acknowledged, Outcome
from tests.faults.script import ADVANCE_DEATHS, CORRELATE_DEATHS

pytestmark = [pytest.mark.kafka, pytest.mark.faults, pytest.mark.timeout(470)]

NOT_COMPARED = {"dead_letters", "events_in", "seconds"}
"""Poison makes the first two differ, killing the third."""
REQUESTED = b"workflow.TaskRequested"


def test_everything_happened(outcome: Outcome) -> None:
    kills = Counter(fault.what for fault in outcome.script.progress.happened)
    deaths = Counter(what.partition(" dies ")[0] for what in kills.elements() if " dies " in what)
    assert deaths["advance-0"] + deaths["correlate-0"] == 10
    assert deaths["desks"] == 2
    assert {point.partition(":")[0] for point in ADVANCE_DEATHS + CORRELATE_DEATHS} == {
        "after-poll", "after-outputs", "after-append", "inside-transaction", "after-commit", "while-restoring",
    }  # fmt: skip
    assert kills["kill -9 of the broker"] == 2
    assert kills["advance-1 and correlate-1 join"] == kills["advance-1 leaves"] == kills["correlate-1 leaves"] == 1
    assert sum("restarted in good order" in what for what in kills) == 3
    assert outcome.exits["advance-0"].count(-9) >= 1 + len(ADVANCE_DEATHS)
    assert outcome.exits["correlate-0"].count(-9) >= 1 + len(CORRELATE_DEATHS)


def test_the_fold_equals_the_live_state(outcome: Outcome) -> None:
    assert outcome.differences == ()
    assert outcome.disturbed.fold_equal
    for number, folded in outcome.folds.items():
        assert outcome.check.outputs(outcome.records, number, folded) == []


def test_no_task_exists_twice(outcome: Outcome) -> None:
    assert repeated(outcome.records) == []
    requested = Counter(
        (data["task"], data["attempt"])
        for record in outcome.records["workflow.tasks"]
        if dict(record.headers)["ce_type"] == REQUESTED
        for data in [outcome.codec.decode(record.value)]
    )
    assert len(requested) > 100
    assert set(requested.values()) == {1}


def test_every_acknowledged_input_is_in_it(outcome: Outcome) -> None:
    on_topics = {
        Acknowledged(dict(record.headers)["ce_id"].decode(), topic, record.partition, record.offset)
        for topic, records in outcome.records.items()
        for record in records
    }
    assert len(outcome.acknowledged) > 1_000
    assert [each for each in outcome.acknowledged if each not in on_topics] == []
    entered = _entered(outcome, disturbed=True)
    ids = {each.id for each in outcome.acknowledged}
    assert ids - entered <= _published(outcome) - _entered(outcome, disturbed=False), "not in the journal"
    assert outcome.check.inputs(outcome.records) == []


def _entered(outcome: Outcome, *, disturbed: bool) -> set[str]:
    """The ids of all events that the journal holds."""
    records = outcome.records if disturbed else outcome.undisturbed_records
    entries = (outcome.codec.decode(record.value)["entry"] for record in records["workflow.journal"])
    return {entry["event"]["id"] for entry in entries if entry["event"] is not None}


def _published(outcome: Outcome) -> set[str]:
    """The ids of everything on the topics of departments, undisturbed."""
    return {
        dict(record.headers)["ce_id"].decode()
        for topic, records in outcome.undisturbed_records.items()
        if not topic.startswith(("workflow.", "bus."))
        for record in records
    }


def test_the_outcome_is_that_of_an_undisturbed_run(outcome: Outcome) -> None:
    def compared(summary: Summary) -> dict[str, object]:
        return {name: value for name, value in asdict(summary).items() if name not in NOT_COMPARED}

    assert compared(outcome.disturbed) == compared(outcome.undisturbed)
    assert outcome.undisturbed.dead_letters == 0
    assert {field.name for field in fields(Summary)} > NOT_COMPARED


def test_dead_letters_are_exactly_the_poison(outcome: Outcome) -> None:
    letters = [outcome.codec.decode(record.value) for record in outcome.records["bus.deadletters"]]
    assert len(outcome.poured) == 12
    assert {(letter["topic"], letter["partition"], letter["offset"]) for letter in letters} == {
        (poison.topic, poison.partition, poison.offset) for poison in outcome.poured
    }
    for poison in outcome.poured:
        found = [
            letter
            for letter in letters
            if (letter["topic"], letter["partition"], letter["offset"])
            == (poison.topic, poison.partition, poison.offset)
        ]
        for letter in found:
            assert letter["reason"] == poison.reason, poison.kind
            assert letter["value"] == poison.value, poison.kind
            assert letter["key"] == poison.key, poison.kind
            assert [(header["name"], header["value"]) for header in letter["headers"]] == poison.headers
            assert not letter["truncated"]
    assert outcome.disturbed.dead_letters == len(outcome.poured)
