"""Writes what a journal partition puts out: one producer, whose transactions fence those of older owners. Blocking."""

from collections.abc import Iterable, Sequence

from deptbus.envelope import Stamp
from deptbus.failpoint import hit
from deptbus.ids import derived_id
from deptbus.kafka.configuration import producer_configuration
from deptbus.kafka.producer import TransactionalProducer
from deptbus.observe.counting import PROCESS, Count
from deptbus.observe.names import PUBLISHED
from deptbus.streams.hanging import Hanging, Mark, Mended
from deptbus.streams.traces import Traces
from deptbus.streams.wiring import APPENDED, EVENTS, JOURNAL, TASKS, Wiring
from deptbus.workflow.correlate import tick
from deptbus.workflow.output import Output
from deptbus.workflow.partition import RejectedEntry

FOLLOWED = frozenset({TASKS, EVENTS, JOURNAL})
"""Where traces go on: what somebody reacts to. Snapshots and timelines only say what is."""
TOGETHER_MS = 50
"""How long records of a transaction wait for others, in milliseconds; its commit sends at once what is left."""
ANSWERS_EVERY = 1_000
"""Records of one transaction after which answers are let in."""


class Writer:
    """See the module. ``open`` before anything else, and again after ``TransactionUnclear``."""

    def __init__(self, wiring: Wiring, number: int) -> None:
        self.number = number
        self.ends: dict[str, int] = {}
        """Where what was committed ends, of what exercises follow: the next offset by ``<topic>/<number>``."""
        self._wiring = wiring
        self._producer: TransactionalProducer | None = None
        self._mark = Mark(-1, "").header(number)
        """Of the transaction under way."""
        self._mode = wiring.world.mode
        self._encode = wiring.codec.encode
        self._routes: dict[str, tuple[str, Stamp, Count, bool]] = {}
        self.traces = Traces(wiring.tracer)
        """Of what is written and of what it follows from."""

    def open(self) -> Mended:
        """Fence older owners, and make whole what their transactions have left. ``TransactionUnclear``."""
        self.close()
        world, settings = self._wiring.world, self._wiring.settings
        hanging = Hanging(self._wiring, self.number)
        hanging.look()
        self._producer = TransactionalProducer(
            producer_configuration(settings) | {"linger.ms": TOGETHER_MS},
            world.physical(f"advance-{self.number}"),
            settings.publish_timeout_s,
        )
        self._producer.init()
        return hanging.mend(self._producer)

    def close(self) -> None:
        """Let go of the producer; an open transaction is ended by the next owner's ``open``."""
        if self._producer is not None:
            self._producer.close()
            self._producer = None

    def write(
        self, outputs: Sequence[Output], rejections: Iterable[RejectedEntry], at: int, stands: tuple[int, str]
    ) -> None:
        """Hand all this over in a transaction. ``TransactionUnclear``, ``…Fenced``.

        Rejections are dated ``at``; ``stands`` is where the partition stands with it.
        """
        producer = self._producer
        assert producer is not None
        self._mark = Mark(*stands).header(self.number)
        producer.begin()
        for rejection in rejections:
            self._reject(producer, rejection, at)
        for count, output in enumerate(outputs, 1):
            self._send(producer, output)
            if count % ANSWERS_EVERY == 0:
                producer.poll()

    def commit(self) -> None:
        """Commit what was handed over, and wait for it. ``TransactionUnclear``, ``…Fenced``."""
        producer = self._producer
        assert producer is not None
        hit("inside-transaction")
        producer.commit()
        hit("after-commit")
        if self._wiring.stepped:
            logical = self._wiring.world.logical
            for (topic, partition), end in producer.ends.items():
                if logical(topic) in (TASKS, EVENTS, JOURNAL):
                    self.ends[f"{logical(topic)}/{partition}"] = end

    def _send(self, producer: TransactionalProducer, output: Output) -> None:
        topic, stamp, sent, followed = self._routes.get(output.type) or self._route(output)
        sent.value += 1
        headers = stamp.headers(
            output.id, output.time_ms, self._mode, output.subject, correlationid=output.correlationid,
            causationid=output.causationid, legalbasis=output.legalbasis, region=output.region,
            traceparent=self.traces.next(output.id, output.causationid, output.topic) if followed else None,
        )  # fmt: skip
        headers.append(self._mark)
        partition = -1 if output.elsewhere else self.number
        producer.send(topic, partition, output.key.encode(), output.value(self._encode), headers)

    def _route(self, output: Output) -> tuple[str, Stamp, Count, bool]:
        """The physical topic of a type, what its headers share, how many were written, whether traces go on in it."""
        version = self._wiring.codec.schema(output.type).version
        stamp = Stamp(output.type, self._wiring.workflow.source, f"urn:deptbus:{output.type}:v{version}", None)
        physical, sent = self._wiring.world.physical(output.topic), PROCESS.count(PUBLISHED, output.type)
        route = self._routes[output.type] = physical, stamp, sent, output.topic in FOLLOWED
        return route

    def _reject(self, producer: TransactionalProducer, rejection: RejectedEntry, at: int) -> None:
        """Write down, for the fold too, that an entry is passed over."""
        workflow, _, key = rejection.key.partition("/")
        about = {"offset": rejection.offset, "workflow": workflow, "key": key, "reason": rejection.reason}
        cause = f"{JOURNAL}/{self.number}@{rejection.offset}"
        ready = self._wiring.workflow.prepare(
            APPENDED, {"entry": tick(at) | {"kind": "rejection"} | about}, subject="@rejection", key="@rejection",
            time_ms=at, id=derived_id(cause, "advance", APPENDED, f"@rejection {rejection.key}"),
        )  # fmt: skip
        headers = [*ready.headers, self._mark]
        producer.send(self._wiring.world.physical(JOURNAL), self.number, ready.key, ready.value, headers)
