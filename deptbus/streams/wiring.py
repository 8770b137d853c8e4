"""What both stream processors need besides Faust: catalogue, codec, one sender, reports, dead letters."""

from collections.abc import Iterable, Mapping
from typing import Any

from deptbus import bootstrap
from deptbus.blocked import LETTER_S, await_answers, why_unwritten
from deptbus.catalogue import Catalogue
from deptbus.clock import REPORTED, system_clock
from deptbus.codec import Codec, Encode
from deptbus.deadletters import TYPE as DEAD_LETTERED
from deptbus.deadletters import DeadLetters
from deptbus.errors import CodecError
from deptbus.ids import random_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, producer_configuration
from deptbus.kafka.producer import KafkaSender
from deptbus.outcome import Pending
from deptbus.publishing import Publisher
from deptbus.settings import Settings

JOURNAL = "workflow.journal"
INSTANCES = "workflow.instances"
TASKS = "workflow.tasks"
EVENTS = "workflow.events"
TIMELINE = "workflow.timeline"
PACKS = "bus.packs"
APPENDED = "workflow.EntryAppended"
ASK_S = 5.0
"""How long one client is asked about the cluster before another is."""
TOGETHER_MS = 50
"""How long what is handed over waits for a flush, in milliseconds: a batch sent at once is read at once, and costs one
request."""


class Wiring:
    """One worker's connections. ``role`` is ``correlate`` or ``advance``; ``worker`` the slot: ``advance-0``."""

    def __init__(
        self,
        settings: Settings,
        role: str,
        slot: int,
        catalogue: Catalogue,
        codec: Codec,
    ) -> None:
        self.settings = settings
        self.world = settings.world
        self.role = role
        self.worker = f"{role}-{slot}"
        self.stepped = self.world.mode != "actual"
        """Whether exercise time decides."""
        self.catalogue = catalogue
        self.codec = codec
        self._learn = bootstrap.learner(codec, bootstrap.open_registry(settings))
        self.sender = KafkaSender(
            producer_configuration(settings) | {"linger.ms": TOGETHER_MS}, self.world, settings.publish_timeout_s
        )
        self.tracer = bootstrap.open_tracer(settings)
        self.workflow = self._publisher("workflow")
        self._bus = self._publisher("bus")
        self.ask_anew()
        self.limits = bootstrap.limits(settings)
        self.late: list[Pending] = []
        """Dead letters that may still be answered; a flush would wait for them as well."""
        self.letters = DeadLetters(self._bus, role, self.codec.value_bytes_max(DEAD_LETTERED))

    def _publisher(self, owner: str) -> Publisher:
        return Publisher(
            owner, self.catalogue, self.codec, self.sender,
            namespace=self.world, clock=system_clock, ids=random_id, process=self.role, tracer=self.tracer,
        )  # fmt: skip

    def encode(self, event_type: str, data: Mapping[str, Any]) -> bytes:
        """The framed value; ``CodecError``."""
        return self.codec.encode(event_type, data)

    def keeping(self, event_type: str, room: int) -> Encode:
        """What encodes states that change little by little: as the codec's."""
        return self.codec.keeping(event_type, room)

    def decode(self, value: bytes | None, event_type: str) -> dict[str, Any]:
        """The data in a value. An id that is not known yet is asked for once; ``CodecError``, ``RegistryError``."""
        try:
            return self.codec.decode(value, event_type)
        except CodecError as error:
            if error.reason != "unknown_schema" or not self._learn(self.codec.schema_id(value)):
                raise
        return self.codec.decode(value, event_type)

    def type_of(self, value: bytes | None) -> str:
        """The event type of a value; an id that is not known yet is asked for, as by ``decode``."""
        schema_id = self.codec.schema_id(value)
        if not self.codec.knows(schema_id):
            self._learn(schema_id)
        return self.codec.type_of(value)

    def flush(self) -> None:
        """Have what was handed over sent, and wait for it, unless dead letters without an answer are among it."""
        self.late = [letter for letter in self.late if letter.outcome is None]
        if not self.late:
            self.sender.flush()

    def unwritten(self, outputs: Iterable[Pending], letters: Mapping[int, Pending]) -> dict[int, str]:
        """Wait for outputs, and a while for dead letters; those that are not written, by their keys, and why."""
        late = await_answers(outputs, letters.values(), LETTER_S)
        self.late = [letter for letter in {*self.late, *late} if letter.outcome is None]
        return {key: why for key, letter in letters.items() if (why := why_unwritten(letter)) is not None}

    def append(self, data: Mapping[str, Any], key: str, partition: int, **envelope: Any) -> Pending:
        """Append an entry to the journal; ``partition`` -1 leaves it to the key. ``envelope``: as ``prepare``."""
        return self.workflow.send(
            self.workflow.prepare(APPENDED, {"entry": data}, subject=key, key=key, **envelope), partition
        )

    def ask_anew(self) -> None:
        """Have another client ask the cluster: one that has seen it without leaders may not find them for long."""
        self.admin = Admin(client_configuration(self.settings), timeout_s=ASK_S)

    def report(
        self,
        positions: Mapping[str, int],
        *,
        step: int | None = None,
        outputs: Mapping[str, int] | None = None,
        next_at: int | None = None,
        covered_until: int | None = None,
        asked: int = 0,
    ) -> Pending:
        """Say on ``bus.progress`` how far this worker has come. Partitions are written ``<topic>/<number>``."""
        data = {
            "role": self.role,
            "worker": self.worker,
            "step": step,
            "positions": dict(positions),
            "outputs": dict(outputs or {}),
            "next_at": next_at,
            "covered_until": covered_until,
            "asked": asked,
        }
        return self._bus.send(self._bus.prepare(REPORTED, data, subject=self.worker))

    def close(self) -> None:
        """Wait for what was handed over, and let go of the broker."""
        self.sender.close()
