"""What a process of an exercise needs of the bus: the catalogue, the codec, one sender for all owners, tails."""

import logging
from collections.abc import Mapping
from typing import Any

from deptbus import bootstrap
from deptbus.catalogue import BUS_OWNERS, Catalogue, load_catalogue
from deptbus.clock import ANNOUNCED, REPORTED, system_clock
from deptbus.codec import Codec
from deptbus.envelope import Headers, from_headers
from deptbus.errors import SettingsError
from deptbus.exercise.clock import Announcement, Report
from deptbus.ids import derived_id, random_id
from deptbus.kafka.configuration import producer_configuration, reader_configuration
from deptbus.kafka.consumer import Tail
from deptbus.kafka.producer import KafkaSender
from deptbus.outcome import Pending
from deptbus.publishing import Publisher
from deptbus.record import Event, Record
from deptbus.settings import Settings

TOGETHER_MS = 5
"""How long what is handed over waits for a flush, in milliseconds."""
_OWN = tuple(f"{owner}." for owner in BUS_OWNERS)
"""What topics of the bus's own begin with: announcements, reports and ticks are no inputs."""
_log = logging.getLogger("deptbus.exercise.link")


class Link:
    """A process of the exercise in one namespace. ``process`` is what its events name as their source.

    What is handed over travels together at the next ``flush``: its readers then see it at once and not in parts,
    each of which would cost them a round of their own.
    """

    def __init__(self, settings: Settings, process: str) -> None:
        if not settings.namespace:
            raise SettingsError("An exercise needs a namespace of its own; set BUS_NAMESPACE to its name.")
        self.settings = settings
        self.process = process
        self.catalogue: Catalogue = load_catalogue(settings.root, system_clock())
        registry = bootstrap.open_registry(settings)
        self.codec: Codec = bootstrap.load_codec(settings, self.catalogue, registry)
        registry.close()
        self.sender = KafkaSender(
            producer_configuration(settings) | {"linger.ms": TOGETHER_MS}, settings.world, settings.publish_timeout_s
        )
        self._publishers: dict[str, Publisher] = {}
        self._waiting: list[Pending] = []

    def publisher(self, owner: str) -> Publisher:
        """What publishes for one department, or for the bus's own ``workflow`` and ``bus``."""
        found = self._publishers.get(owner)
        if found is None:
            found = self._publishers[owner] = Publisher(
                owner, self.catalogue, self.codec, self.sender, namespace=self.settings.world,
                clock=system_clock, ids=random_id, process=self.process, tracer=bootstrap.open_tracer(self.settings),
            )  # fmt: skip
        return found

    def publish(self, owner: str, event_type: str, data: Mapping[str, Any], **envelope: Any) -> None:
        """Hand an event over; ``flush`` or ``check`` tells what became of it. ``envelope``: as ``prepare`` takes."""
        publisher = self.publisher(owner)
        self._waiting.append(publisher.send(publisher.prepare(event_type, data, **envelope)))

    def append(self, event_type: str, data: Mapping[str, Any], key: str, partition: int, **envelope: Any) -> None:
        """Hand a record of the workflow's own over to one partition, whatever its key."""
        publisher = self.publisher("workflow")
        self._waiting.append(publisher.send(publisher.prepare(event_type, data, key=key, **envelope), partition))

    def send(self, topic: str, key: bytes | None, value: bytes, headers: Headers, event_id: str) -> None:
        """Hand a record over as it is; ``flush`` or ``check`` tells what became of it."""
        self._waiting.append(self.sender.send(topic, key, value, headers, event_id))

    def flush(self) -> dict[str, int]:
        """Wait for every answer; where each department topic ends after what was written since the last flush.

        ``PublishFailed`` or ``PublishUnknown`` if anything was not acknowledged.
        """
        if self._waiting:
            self.sender.flush()
        ends: dict[str, int] = {}
        for pending in self._waiting:
            outcome = pending.result().require()
            if outcome.topic.startswith(_OWN):
                continue
            partition = f"{outcome.topic}/{outcome.partition}"
            ends[partition] = max(ends.get(partition, 0), outcome.offset + 1)
            _log.debug("acknowledged %s %s@%d", outcome.event_id, partition, outcome.offset)
        self._waiting.clear()
        return ends

    def check(self) -> None:
        """Without waiting: raise for what was refused, and forget what was acknowledged."""
        self.sender.poll(0)
        self._waiting = [
            pending for pending in self._waiting if pending.outcome is None or not pending.outcome.require()
        ]

    def report(self, report: Report) -> None:
        """Say on ``bus.progress`` how far this process has come."""
        data = {
            "role": report.role,
            "worker": self.process,
            "step": report.step,
            "positions": dict(report.positions),
            "outputs": dict(report.outputs),
            "next_at": report.next_at,
            "covered_until": None,
            "asked": 0,
        }
        self.publish("bus", REPORTED, data, subject=self.process)

    def announce(self, announcement: Announcement) -> None:
        """Say on ``bus.clock`` which step it is."""
        data = {
            "step": announcement.step,
            "starts_at": announcement.starts_at,
            "ends_at": announcement.ends_at,
            "read": dict(announcement.read),
            "last": announcement.last,
        }
        self.publish(
            "bus",
            ANNOUNCED,
            data,
            subject=self.process,
            time_ms=announcement.starts_at,
            id=derived_id(f"step {announcement.step}", self.process, ANNOUNCED, ""),
        )

    def tail(self, starts: Mapping[str, int]) -> Tail:
        """Follow topics (logical names), each from ``BEGINNING`` or ``END``."""
        world = self.settings.world
        return Tail(
            reader_configuration(self.settings),
            {world.physical(topic): start for topic, start in starts.items()},
        )

    def data(self, record: Record) -> dict[str, Any]:
        """The value of a record of the bus's own; ``CodecError`` if it is none."""
        return self.codec.decode(record.value)

    def close(self) -> None:
        """Let go of the broker."""
        self.sender.close()


def event_of(record: Record, data: dict[str, Any]) -> Event:
    """A decoded event with its envelope; ``CodecError`` for headers that cannot be read."""
    return Event(from_headers(record.headers), data, record)


def partitions(ends: Mapping[str, int]) -> dict[tuple[str, int], int]:
    """Ends as reports write them (``<topic>/<number>``) by topic and number."""
    found = {}
    for partition, end in ends.items():
        topic, _, number = partition.rpartition("/")
        found[topic, int(number)] = end
    return found


def to_report(data: Mapping[str, Any]) -> Report:
    """A ``bus.ProgressReported`` as the clock takes it."""
    return Report(data["role"], data["step"], data["positions"], data["outputs"], data["next_at"])


def to_announcement(data: Mapping[str, Any]) -> Announcement:
    """A ``bus.StepAnnounced`` as participants take it."""
    return Announcement(data["step"], data["starts_at"], data["ends_at"], data["read"], data["last"])
