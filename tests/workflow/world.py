"""A world in memory for tests of workflows: publish, correlate, advance, with every value really encoded."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from deptbus.codec import Codec
from deptbus.envelope import Envelope
from deptbus.errors import DefinitionError
from deptbus.record import Record
from deptbus.schemas.codecs import codec_schemas
from deptbus.schemas.store import SchemaStore, load_schemas
from deptbus.topics.yamlfile import read_yaml
from deptbus.workflow.calendars import chinese_years
from deptbus.workflow.correlate import Correlator, tick
from deptbus.workflow.definition import Calendar, Definition, PackContent
from deptbus.workflow.fields import fields_of
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.partition import CHUNK_MAX, Partition
from deptbus.workflow.state import Entry, KeyState
from deptbus.workflow.states import DECODED_MAX

ROOT = Path(__file__).parents[2]
HOUR = 3_600_000
START = 1_579_449_600_000  # 2020-01-20T00:00+08:00


@cache
def schemas() -> SchemaStore:
    """The project's own."""
    return load_schemas(ROOT)


@cache
def codec() -> Codec:
    """All schemas of the project under made-up registry ids."""
    store = schemas()
    names = [(kind, file.version) for kind in store.types() for file in store.versions(kind)]
    larger = {"workflow.EntryAppended": 2_000_000, "workflow.KeyChanged": 4_000_000}
    return Codec(codec_schemas(store, {name: number for number, name in enumerate(names, start=1)}), 1_000_000, larger)


def pack_of(definition: Mapping[str, Any]) -> Pack:
    """The pack of a definition written as data."""
    checked = Definition.model_validate(definition)
    calendar = Calendar(calendar="cn", years={year: chinese_years()[year] for year in (2019, 2020)})
    fields = fields_of(checked, schemas())
    return Pack(PackContent(definition=checked, calendar=calendar, fields=fields))


def workflow(name: str) -> dict[str, Any]:
    """A workflow of the project, as data."""
    folder = ROOT / "services" / "workflows" / name
    definition: dict[str, Any] = _yaml(folder / "workflow.yaml")
    return definition | _yaml(folder / "responsibilities.yaml")


class _Free(BaseModel):
    model_config = ConfigDict(extra="allow")


def _yaml(path: Path) -> dict[str, Any]:
    model, _ = read_yaml(path, path.name, _Free, DefinitionError)
    return dict(model.model_extra or {})


def sample(event_type: str, **fields: Any) -> dict[str, Any]:
    """Data of an event type: zeros, but for the given fields."""
    schema = schemas().newest(event_type).schema
    return _zero(schema, {}) | fields


def _zero(schema: Any, named: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return _zero(schema[0], named)
    kind = schema if isinstance(schema, str) else schema["type"]
    if isinstance(schema, dict) and "name" in schema:
        named[f"{schema.get('namespace', '')}.{schema['name']}"] = schema
    if kind == "record":
        return {field["name"]: _zero(field["type"], named) for field in schema["fields"]}
    if kind == "enum":
        return schema["symbols"][0]
    if kind in _ZEROS:
        return copy.copy(_ZEROS[kind])
    return _zero(named[kind], named)


_ZEROS = {"null": None, "string": "", "bytes": b"", "boolean": False, "array": [], "map": {}} | dict.fromkeys(
    ("int", "long", "float", "double"), 0
)


class World:
    """One journal partition and its correlator; ``outputs`` is all that was put out."""

    def __init__(self, *packs: Pack, stepped: bool = False) -> None:
        self.correlator = Correlator(packs)
        self.stepped = stepped
        self.journal: list[tuple[int, Entry]] = []
        self.outputs: list[Output] = []
        self.partition = self.new_partition()
        self._published: dict[str, int] = {}
        for pack in packs:
            about = {"workflow": pack.workflow, "pack": pack.hash, "body": pack.to_bytes()}
            self.append({**tick(START), "kind": "activation", **about})

    def new_partition(
        self, chunk_max: int = CHUNK_MAX, kind: type[Partition] = Partition, decoded_max: int = DECODED_MAX
    ) -> Partition:
        """An empty partition over the same schemas."""
        return kind(0, stepped=self.stepped, codec=codec(), chunk_max=chunk_max, decoded_max=decoded_max)

    def append(self, *entries: Entry) -> list[Output]:
        """Append entries as one batch; answers what they put out."""
        batch = []
        for entry in entries:
            value = codec().encode("workflow.EntryAppended", {"entry": entry})
            self.journal.append((len(self.journal), codec().decode(value)["entry"]))
            batch.append(self.read(self.journal[-1]))
        outputs = self.partition.apply(batch)
        self.outputs += outputs
        return outputs

    @staticmethod
    def read(journalled: tuple[int, Entry]) -> tuple[int, Entry, dict[str, Any] | None]:
        """A journal entry as the worker hands it to the partition."""
        offset, entry = journalled
        event = entry["event"]
        body = entry["body"] if event else None
        return offset, entry, None if body is None else codec().decode(body, event["type"])

    def entries(
        self,
        event_type: str,
        data: Mapping[str, Any],
        *,
        at: int,
        id: str | None = None,
        region: str | None = None,
        subject: str | None = None,
        cause: str | None = None,
        instance: str | None = None,
        actor: str | None = None,
        offset: int | None = None,
    ) -> list[Entry]:
        """What correlate makes of an event that a department publishes."""
        department = event_type.partition(".")[0]
        number = self._published[department] = self._published.get(department, -1) + 1
        envelope = Envelope(
            id=id or f"{department}-{number}",
            type=event_type,
            source=f"/departments/{department}",
            time_ms=at,
            subject=subject,
            region=region,
            causationid=cause,
            correlationid=instance,
            legalbasis="a law",
            actor=actor,
        )
        value = codec().encode(event_type, data)
        record = Record(f"{department}.events", 0, number if offset is None else offset, at, None, value, [])
        return [appended.entry for appended in self.correlator.entries(envelope, dict(data), record, at)]

    def publish(self, event_type: str, data: Mapping[str, Any], **about: Any) -> list[Output]:
        """Publish an event and let it be advanced at once; answers what it put out."""
        return self.append(*self.entries(event_type, data, **about))

    def tick(self, at: int, step: int | None = None) -> list[Output]:
        """Let time come to ``at``."""
        return self.append(tick(at, step))

    def kinds(self, outputs: list[Output] | None = None) -> list[str]:
        """The kinds of timeline records."""
        found = self.outputs if outputs is None else outputs
        return [output.data["kind"] for output in found if output.type == "workflow.TimelineRecorded"]

    def of_type(self, event_type: str, outputs: list[Output] | None = None) -> list[dict[str, Any]]:
        """The data of outputs of one type."""
        found = self.outputs if outputs is None else outputs
        return [output.data for output in found if output.type == event_type]

    def snapshots(self) -> dict[str, bytes]:
        """The latest encoded record of every instance and key."""
        return encoded(self.outputs)

    def answer(self, task: Mapping[str, Any], disposition: str, *, at: int, **about: Any) -> list[Output]:
        """The responsible department answers a task."""
        data = {"task": task["task"], "disposition": disposition, "note": None}
        kind = f"{task['department']}.TaskAnswered"
        return self.publish(kind, data, at=at, cause=task["task"], instance=task["instance"], **about)


def encoded(outputs: list[Output]) -> dict[str, bytes]:
    """The latest encoded record of every key of ``workflow.instances``."""
    return {
        output.key: codec().encode(output.type, output.data)
        for output in outputs
        if output.topic == "workflow.instances"
    }


class Unaltered(Partition):
    """A partition that looks whether what happens to a key alters the state that stands: it must not."""

    def _entry(self, batch: Any, name: str, read: Any, offset: int) -> None:
        before = self.states.find(name)
        stood = _as_bytes(before)
        super()._entry(batch, name, read, offset)
        assert _as_bytes(before) == stood

    def _happen(self, batch: Any, name: str, items: Any, until: int, offset: int, *, anew: bool) -> None:
        before = self.states.find(name)
        stood = _as_bytes(before)
        super()._happen(batch, name, items, until, offset, anew=anew)
        assert _as_bytes(before) == stood


def _as_bytes(state: KeyState | None) -> bytes:
    if state is None:
        return b""
    rest = repr((state.n, state.alias_of, state.clock, state.closed_at, state.applied, state.parked, state.offset))
    instance = b"" if state.instance is None else codec().encode("workflow.InstanceChanged", state.instance)
    return rest.encode() + instance
