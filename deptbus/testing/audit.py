"""The audit without Kafka, for tests of what must go on record.

broker = MemoryBroker(load_catalogue(root, at_ms))
auditor = memory_auditor(broker)
...
assert [act.data["act"] for act in auditor.acts()] == ["replay", "replay"]
"""

from collections.abc import Callable, Iterator

from deptbus.bootstrap import make_auditor
from deptbus.errors import AuditRefused
from deptbus.ids import IdSource, random_id
from deptbus.operations.acts import TOPIC, ActReader, Audited, Ready
from deptbus.operations.audit import Auditor, Place
from deptbus.operations.chain import EMPTY, Head
from deptbus.record import Record
from deptbus.testing.memory import MemoryBroker


class MemoryAuditLog:
    """The log of a ``MemoryBroker``; ``broker.fail("bus.audit", …)`` has every append refused."""

    def __init__(self, broker: MemoryBroker, read: Callable[[Record], Audited | None]) -> None:
        self._broker = broker
        self._read = read

    def append(self, event_id: str, make: Callable[[Head], Ready]) -> tuple[Ready, Place]:
        """As ``AuditLog.append``."""
        with self._broker.changed:
            if self._broker.fault(TOPIC) is not None:
                raise AuditRefused(f"The act {event_id} is not on record: the test says so.")
            known = (self._read(record) for record in reversed(self._broker.records(TOPIC)))
            ready = make(next((act.head for act in known if act is not None), EMPTY))
            record = self._broker.put(TOPIC, ready.value, ready.key, ready.headers)
            return ready, Place(record.offset, record.timestamp_ms)

    def records(self) -> Iterator[Record]:
        """As ``AuditLog.records``."""
        yield from self._broker.records(TOPIC)

    def close(self) -> None:
        """Nothing is held."""


def memory_auditor(
    broker: MemoryBroker,
    *,
    operator: str = "tester",
    owner: str = "bus",
    process: str | None = None,
    ids: IdSource = random_id,
) -> Auditor:
    """An ``Auditor`` on a broker in memory; as the real one, but for processes that fence each other."""
    reader = ActReader(broker.codec)
    return make_auditor(
        MemoryAuditLog(broker, reader.read), broker.catalogue, broker.codec, reader, broker.namespace,
        owner=owner, process=process, operator=operator, clock=broker.clock, ids=ids,
    )  # fmt: skip
