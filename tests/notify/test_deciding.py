"""What becomes of records: by what a grant leaves of them, and of dead letters that are asked again."""

from typing import Any

from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.envelope import to_headers
from deptbus.notify.deciding import asked_again, decider
from deptbus.notify.message import Notification
from deptbus.notify.wording import Names
from deptbus.record import Record
from tests.broker import ROOT
from tests.notify.samples import channel, envelope
from tests.workflow.world import sample

REQUESTED = "workflow.TaskRequested"


def record(event_type: str, **about: Any) -> Record:
    return Record("workflow.tasks", 0, 7, 1_000, b"key", b"value", to_headers(envelope(event_type, **about)))


def test_only_a_letter_of_the_channels_own_group_is_asked_again_as_the_record_that_it_was() -> None:
    asked: list[Record] = []
    original = record(REQUESTED)

    def decide(found: Record) -> Notification | None:
        asked.append(found)
        return Notification("one", {})

    def told(group: str, *, truncated: bool = False, event_type: str = "bus.DeadLettered") -> Notification | None:
        letter = {
            "topic": original.topic, "partition": 0, "offset": 7, "timestamp": 1_000, "key": b"key", "value": b"value",
            "headers": [{"name": name, "value": value} for name, value in original.headers],
            "group": group, "truncated": truncated,
        }  # fmt: skip
        return asked_again("notify.health.duty", lambda *_: letter, decide)(record(event_type))

    assert told("notify.health.duty") == Notification("one", {})
    assert asked == [original]
    assert told("notify.health.log") is None
    assert told("notify.health.duty", truncated=True) is None
    assert told("notify.health.duty", event_type=REQUESTED) is None


def test_what_is_given_up_once_more_can_be_asked_again_once_more() -> None:
    asked: list[Record] = []

    def letter_of(kept: Record) -> dict[str, Any]:
        return {
            "topic": kept.topic, "partition": kept.partition, "offset": kept.offset, "timestamp": kept.timestamp_ms,
            "key": kept.key, "value": kept.value, "group": "notify.health.duty", "truncated": False,
            "headers": [{"name": name, "value": value} for name, value in kept.headers],
        }  # fmt: skip

    original, first = record(REQUESTED), record("bus.DeadLettered")._replace(value=b"first")
    kept = {b"first": letter_of(original), b"second": letter_of(first)}
    told = asked_again("notify.health.duty", lambda found, _: kept[found.value or b""], asked.append)
    told(first._replace(value=b"second"))
    assert asked == [original]


def test_what_is_not_for_the_channel_is_not_even_decoded() -> None:
    decoded: list[str] = []

    def decode(found: Record, event_type: str) -> dict[str, Any]:
        decoded.append(event_type)
        return sample(event_type, instance="epidemic/440100/1", department="health", attempt=1)

    catalogue = load_catalogue(ROOT, system_clock())
    decide = decider(channel(what=["task_requested"]), catalogue, decode, "", Names(), system_clock())
    assert decide(record("workflow.TaskExtended")) is None
    assert decide(record(REQUESTED, mode="test")) is None
    assert decide(record(REQUESTED, replayid="r")) is None
    assert decide(Record("workflow.tasks", 0, 8, 1_000, None, None, [])) is None
    assert decoded == []
    said = decide(record(REQUESTED))
    assert said is not None
    assert said.content["data"]["acknowledge_by"].startswith("1970-01-01T00:00")
