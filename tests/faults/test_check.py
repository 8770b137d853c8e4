"""The check is able to fail: with one record of the finished exercise tampered with, it does."""

from collections import Counter
from collections.abc import Sequence

import pytest

from deptbus.checking import Records
from deptbus.record import Record
from tests.faults.play import Outcome
from tests.faults.tamper import ALL, Tamper, alter, drop

pytestmark = [pytest.mark.kafka, pytest.mark.faults, pytest.mark.timeout(470)]

OUTPUTS = ("workflow.tasks", "workflow.timeline", "workflow.events", "workflow.instances")
INPUTS = ("health.cases", "hospitals.tasks", "hospitals.capacity")

tampers = pytest.mark.parametrize("tamper", ALL.values(), ids=ALL)


def tampered(outcome: Outcome, topic: str, tamper: Tamper, index: int) -> Records:
    """The records of the exercise with one of them tampered with."""
    return {**outcome.records, topic: tamper(outcome.records[topic], index)}


def places(records: Sequence[Record]) -> list[int]:
    """Some records to tamper with: the first, the last but two, and some between."""
    return sorted({0, len(records) // 3, len(records) // 2, len(records) - 3})


@tampers
@pytest.mark.parametrize("topic", OUTPUTS)
def test_outputs(outcome: Outcome, topic: str, tamper: Tamper) -> None:
    records = outcome.records[topic]
    for index in places(records):
        number = records[index].partition
        found = outcome.check.outputs(tampered(outcome, topic, tamper, index), number, outcome.folds[number])
        assert found, f"{records[index].coordinates} was not missed"


@tampers
@pytest.mark.parametrize("topic", INPUTS)
def test_inputs(outcome: Outcome, topic: str, tamper: Tamper) -> None:
    index = len(outcome.records[topic]) // 2
    assert outcome.check.inputs(tampered(outcome, topic, tamper, index))


@tampers
def test_journal(outcome: Outcome, tamper: Tamper) -> None:
    """An entry that correlate did not repeat after a crash: that it stands there once and in its place counts."""
    journal = outcome.records["workflow.journal"]
    ids = Counter(dict(record.headers)["ce_id"] for record in journal)
    middle = len(journal) // 2
    index = next(
        number
        for number, record in enumerate(journal[middle:], middle)
        if dict(record.headers)["ce_source"] == b"/bus/correlate" and ids[dict(record.headers)["ce_id"]] == 1
    )
    records = tampered(outcome, "workflow.journal", tamper, index)
    number = journal[index].partition
    assert outcome.check.inputs(records) + outcome.check.outputs(records, number)


@pytest.mark.parametrize("tamper", [drop, alter], ids=["drop", "alter"])
def test_ticks(outcome: Outcome, tamper: Tamper) -> None:
    journal = outcome.records["workflow.journal"]
    middle = len(journal) // 2
    index = next(number for number, record in enumerate(journal[middle:], middle) if record.key == b"@tick")
    records = tampered(outcome, "workflow.journal", tamper, index)
    assert outcome.check.outputs(records, journal[index].partition)


@pytest.mark.parametrize("tamper", [drop, alter], ids=["drop", "alter"])
def test_dead_letters(outcome: Outcome, tamper: Tamper) -> None:
    letters = outcome.records["bus.deadletters"]
    ids = Counter(dict(record.headers)["ce_id"] for record in letters)
    index = next(number for number, record in enumerate(letters) if ids[dict(record.headers)["ce_id"]] == 1)
    assert outcome.check.inputs(tampered(outcome, "bus.deadletters", tamper, index))
