"""The owner of one journal partition: its states, its transactions. Blocking, used from one thread at a time.

A batch is consecutive entries: fold, send the outputs and snapshots, commit; only then is its end told, for the
input offsets to follow (I4). After anything unclear the producer is closed and made anew, the states are restored
from the log, and the entries that the log does not show as applied are applied again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog

from deptbus.envelope import Envelope, from_headers, to_headers
from deptbus.errors import ClusterUnreachable, CodecError, TransactionUnclear
from deptbus.failpoint import hit
from deptbus.ids import derived_id
from deptbus.kafka.configuration import producer_configuration, reader_configuration
from deptbus.kafka.consumer import end_offsets, read_partition
from deptbus.kafka.producer import TransactionalProducer
from deptbus.record import Record
from deptbus.streams.hanging import free
from deptbus.streams.wiring import APPENDED, EVENTS, INSTANCES, JOURNAL, TASKS, Wiring
from deptbus.workflow.correlate import tick
from deptbus.workflow.output import Output
from deptbus.workflow.partition import Partition, Read, RejectedEntry

RECOVERY_S = 120.0
"""A partition whose transactions stay unclear for so long ends the process."""
RECOVERY_PAUSE_S = 0.5
"""Between two attempts at a broker that does not answer."""
ANSWERS_EVERY = 1_000
"""Records of one transaction after which answers are let in."""
LOOK_BACK = (16, 1_000, 1_000_000_000)
"""How many offsets before its end a partition is searched for its last committed record, one after the other."""
REQUESTED = "workflow.TaskRequested"

_log = structlog.get_logger("deptbus.streams.owner")


@dataclass(frozen=True, slots=True)
class Done:
    """What one batch came to."""

    offset: int
    """Everything in the journal partition before it is done with."""
    next_due: int | None
    at: int
    """The time of the latest tick applied."""


class Owner:
    """See the module. ``open`` before anything else; an ``Owner`` that raised is of no further use."""

    def __init__(self, wiring: Wiring, number: int) -> None:
        self.number = number
        self._wiring = wiring
        self._settings = wiring.settings
        self._reading = reader_configuration(wiring.settings)
        self._journal = f"{JOURNAL}/{number}"
        self._log = _log.bind(partition=number, worker=wiring.worker)
        self._producer: TransactionalProducer | None = None
        self._partition = self._new_partition()
        self._seen = -1
        """The last journal offset that was taken in."""
        self._outputs: dict[str, int] = {}
        self._headers: dict[str, str] = {}

    def open(self, delivered: int = 0) -> Done:
        """Fence older owners, restore the states; reports where exercises want it.

        ``delivered``: no entry before this offset will be handed to ``process``. Those of them that the log does not
        show as applied are applied here. Raises ``TransactionUnclear``, ``ClusterUnreachable``.
        """
        began = time.monotonic()
        self.close()
        world = self._wiring.world
        producer = TransactionalProducer(
            producer_configuration(self._settings) | {"linger.ms": 0},
            world.physical(f"advance-{self.number}"),
            self._settings.publish_timeout_s,
        )
        self._producer = producer
        producer.init()
        if freed := free(producer, self._wiring.admin, world, self.number):
            self._log.warning("freed", partitions=freed)
        records = self._restore()
        self._seen = self._partition.applied
        if self._wiring.stepped:
            self._outputs = {} if self._partition.step is None else self._ends()
            self._report(0)
        self._log.info(
            "restored", offset=self._partition.applied, records=records,
            keys=len(self._partition.states), ms=round((time.monotonic() - began) * 1000),
        )  # fmt: skip
        self._catch_up(delivered)
        return self._done()

    def _catch_up(self, end: int) -> None:
        if end <= self._seen + 1:
            return
        journal = self._wiring.world.physical(JOURNAL)
        records = read_partition(self._reading, journal, self.number, self._seen + 1, end)
        while batch := list(islice(records, self._settings.batch_max)):
            self._log.info("caught_up", offset=batch[-1].offset, records=len(batch))
            self._advance(batch)

    def close(self) -> None:
        """Let go of the producer; an open transaction is ended by the next owner's ``open``."""
        if self._producer is not None:
            self._producer.close()
            self._producer = None

    def process(self, records: Sequence[Record]) -> Done:
        """Apply a batch in one transaction. Raises ``TransactionFenced`` when the partition has another owner."""
        fresh = [record for record in records if record.offset > self._seen]
        if not fresh:
            return self._done()
        hit("after-poll")
        last = fresh[-1].offset
        try:
            return self._advance(fresh)
        except TransactionUnclear as error:
            self._log.warning("unclear", offset=last, error=str(error))
        return self._recover(last)

    def _recover(self, last: int) -> Done:
        """Start from what the log shows, and apply the journal up to ``last`` again."""
        limit = time.monotonic() + RECOVERY_S
        while True:
            try:
                done = self.open()
                journal = self._wiring.world.physical(JOURNAL)
                records = list(
                    read_partition(self._reading, journal, self.number, self._partition.applied + 1, last + 1)
                )
                return self._advance(records) if records else done
            except (TransactionUnclear, ClusterUnreachable) as error:
                if time.monotonic() > limit:
                    raise
                self._log.warning("recovering", offset=last, error=str(error))
                time.sleep(RECOVERY_PAUSE_S)  # the broker is away; nothing wakes us when it is back

    def _advance(self, records: Sequence[Record]) -> Done:
        reads, letters = self._decoded(records)
        outputs, rejections = self._apply(reads)
        hit("after-outputs")
        if outputs or rejections:
            self._commit(outputs, rejections)
        if letters:
            self._wiring.sender.flush()
            for letter in letters:
                letter.result().require()
        self._seen = records[-1].offset
        if self._wiring.stepped and any(read[1]["kind"] == "tick" for read in reads):
            self._report(sum(output.type == REQUESTED for output in outputs))
        return self._done()

    def _decoded(self, records: Sequence[Record]) -> tuple[list[Read], list[Any]]:
        """The entries; what cannot be decoded goes to the dead letters and is passed over, here as by the fold."""
        reads: list[Read] = []
        letters = []
        for record in records:
            try:
                entry = self._wiring.decode(record.value, APPENDED)["entry"]
                body = None
                if entry["event"] is not None and entry["body"] is not None:
                    body = self._wiring.decode(entry["body"], entry["event"]["type"])
                reads.append((record.offset, entry, body))
            except CodecError as error:
                self._log.error("undecodable", offset=record.offset, reason=error.reason, error=str(error))
                letters.append(self._wiring.letters.send(record, error.reason, str(error), 1))
        return reads, letters

    def _apply(self, reads: Sequence[Read]) -> tuple[list[Output], list[RejectedEntry]]:
        """Outputs, and the entries that had to be passed over."""
        rejections: list[RejectedEntry] = []
        while True:
            try:
                passed_over = frozenset(rejection.offset for rejection in rejections)
                return self._partition.apply(reads, passed_over), rejections
            except RejectedEntry as rejection:
                self._log.error("rejected", offset=rejection.offset, reason=rejection.reason)
                rejections.append(rejection)

    def _commit(self, outputs: Sequence[Output], rejections: Sequence[RejectedEntry]) -> None:
        producer = self._producer
        assert producer is not None
        producer.begin()
        for rejection in rejections:
            self._reject(producer, rejection)
        for count, output in enumerate(outputs, 1):
            self._send(producer, output)
            if count % ANSWERS_EVERY == 0:
                producer.poll()
        hit("inside-transaction")
        producer.commit()
        hit("after-commit")
        if self._wiring.stepped:
            logical = self._wiring.world.logical
            for (topic, partition), end in producer.ends.items():
                if logical(topic) in (TASKS, EVENTS, JOURNAL):
                    self._outputs[f"{logical(topic)}/{partition}"] = end

    def _send(self, producer: TransactionalProducer, output: Output) -> None:
        envelope = Envelope(
            id=output.id,
            type=output.type,
            source=self._wiring.workflow.source,
            time_ms=output.time_ms,
            subject=output.subject,
            dataschema=self._dataschema(output.type),
            correlationid=output.correlationid,
            causationid=output.causationid,
            legalbasis=output.legalbasis,
            mode=self._wiring.world.mode,
            region=output.region,
        )
        producer.send(
            self._wiring.world.physical(output.topic),
            -1 if output.elsewhere else self.number,
            output.key.encode(),
            self._wiring.codec.encode(output.type, output.data),
            to_headers(envelope),
        )

    def _dataschema(self, event_type: str) -> str:
        found = self._headers.get(event_type)
        if found is None:
            version = self._wiring.codec.schema(event_type).version
            found = self._headers[event_type] = f"urn:deptbus:{event_type}:v{version}"
        return found

    def _reject(self, producer: TransactionalProducer, rejection: RejectedEntry) -> None:
        """Write down, for the fold too, that an entry is passed over."""
        entry = tick(self._partition.at) | {
            "kind": "rejection",
            "offset": rejection.offset,
            "reason": rejection.reason,
        }
        cause = f"{self._journal}@{rejection.offset}"
        ready = self._wiring.workflow.prepare(
            APPENDED, {"entry": entry}, subject="@rejection", key="@rejection", time_ms=self._partition.at,
            id=derived_id(cause, "advance", APPENDED, "@rejection"),
        )  # fmt: skip
        producer.send(self._wiring.world.physical(JOURNAL), self.number, ready.key, ready.value, ready.headers)

    def _restore(self) -> int:
        """Take the states from the log; how many records there were."""
        partition = self._new_partition()
        count = 0
        for record in read_partition(self._reading, self._wiring.world.physical(INSTANCES), self.number):
            hit("while-restoring")
            if record.value is not None:
                event_type = from_headers(record.headers).type
                partition.restore(event_type, self._wiring.decode(record.value, event_type))
                count += 1
        hit("while-restoring")
        partition.restored()
        self._partition = partition
        return count

    def _new_partition(self) -> Partition:
        return Partition(self.number, stepped=self._wiring.stepped, decode=self._wiring.decode_body)

    def _ends(self) -> dict[str, int]:
        """The offsets after the last committed records of what this partition writes, as reports name them."""
        ends = {}
        for topic in (TASKS, EVENTS):
            physical = self._wiring.world.physical(topic)
            end = end_offsets(self._reading, physical)[self.number]
            for distance in LOOK_BACK:
                start = max(0, end - distance)
                offsets = [r.offset for r in read_partition(self._reading, physical, self.number, start, end)]
                if offsets or start == 0:
                    ends[f"{topic}/{self.number}"] = offsets[-1] + 1 if offsets else 0
                    break
        return ends

    def _report(self, asked: int) -> None:
        """Say how far exercise time has come here; waits until it is said, for the offsets follow."""
        partition = self._partition
        pending = self._wiring.report(
            {self._journal: self._seen + 1}, step=partition.step, outputs=self._outputs,
            next_at=partition.next_due, asked=asked,
        )  # fmt: skip
        self._wiring.sender.flush()
        pending.result().require()

    def _done(self) -> Done:
        held = self._partition.held_from
        offset = self._seen + 1 if held is None else held
        return Done(offset, self._partition.next_due, self._partition.at)
