"""Our side of ``publish``."""

import time
from functools import lru_cache

from bench.cases import REGION, TOPIC, TYPE, Cases, cases
from bench.suite.child import serve
from deptbus import bootstrap, garbage
from deptbus.bus import Bus
from deptbus.kafka.transport import KafkaTransport
from deptbus.settings import Settings

_given = lru_cache(maxsize=1)(cases)


class Ours:
    """A bus, and a sender for what is ready."""

    bus: Bus

    def open(self) -> None:
        """Connect."""
        garbage.look_seldom()
        settings = Settings.load()
        self.bus = bootstrap.connect(settings, "health")
        self.sender = KafkaTransport(settings).sender()
        self.events(1_000)

    def events(self, count: int) -> float:
        """Seconds to publish and have every event acknowledged."""
        given: Cases = _given(count)
        publish = self.bus.publish_soon
        began = time.perf_counter()
        pending = [publish(TYPE, data, subject=subject, region=REGION) for data, subject in given]
        self.bus.flush()
        for one in pending:
            one.check()
        return time.perf_counter() - began

    def prepare(self, count: int) -> None:
        """Encode what ``ready`` is to send."""
        prepare = self.bus._publisher.prepare
        prepared = [prepare(TYPE, data, subject=subject, region=REGION) for data, subject in _given(count)]
        self.records = [(one.key, one.value, one.headers, one.id) for one in prepared]

    def ready(self) -> float:
        """Seconds to send what is encoded already and have each record acknowledged."""
        records, send = self.records, self.sender.send
        began = time.perf_counter()
        pending = [send(TOPIC, key, value, headers, event_id) for key, value, headers, event_id in records]
        self.sender.flush()
        for one in pending:
            one.check()
        return time.perf_counter() - began


if __name__ == "__main__":
    ours = Ours()
    serve({"open": ours.open, "events": ours.events, "prepare": ours.prepare, "ready": ours.ready})
