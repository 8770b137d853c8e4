"""What an archive says of itself: its manifest, indexes of files, and the plan of an unfinished one. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import orjson

from deptbus.operations.archive.evidence import Evidence

FORMAT = 1
MANIFEST = "MANIFEST.json"
PLAN = "PLAN.json"
SUMS = "SHA256SUMS"


class Block(NamedTuple):
    """One block of a file."""

    position: int
    length: int
    records: int
    first: int
    """Its first offset."""
    last: int
    min_ms: int
    """Its least timestamp; they need not be in order."""
    max_ms: int
    crc: int
    """CRC-32 of its bytes."""
    marks: str
    """``evidence.mark`` of each record, one behind the other."""


@dataclass(frozen=True, slots=True)
class FileIndex:
    """What stands where in one file."""

    size: int
    """In bytes."""
    sha256: str
    blocks: tuple[Block, ...]
    schema_ids: tuple[int, ...]
    """What frames of its values name."""
    evidence: Evidence
    """Of the partition's records up to the end of this file."""

    @property
    def records(self) -> int:
        """How many records the file has."""
        return sum(block.records for block in self.blocks)

    def to_json(self) -> bytes:
        """As it is written."""
        return orjson.dumps(
            {
                "size": self.size,
                "sha256": self.sha256,
                "schema_ids": self.schema_ids,
                **self.evidence.to_data(),
                "columns": Block._fields,
                "blocks": [tuple(block) for block in self.blocks],
            }
        )

    @classmethod
    def from_json(cls, content: bytes) -> "FileIndex":
        """What ``to_json`` made; ``ValueError`` for anything else."""
        try:
            data = orjson.loads(content)
            blocks = tuple(Block(*block) for block in data["blocks"])
            ids = tuple(data["schema_ids"])
            return cls(data["size"], data["sha256"], blocks, ids, Evidence.from_data(data))
        except (KeyError, TypeError) as error:
            raise ValueError(f"it is no index: {error!r}") from None


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a partition, as the manifest lists it; the index has its name with ``.json``."""

    file: str
    size: int
    """In bytes."""
    sha256: str
    index_sha256: str
    records: int
    first: int
    last: int
    min_ms: int
    max_ms: int

    @property
    def index(self) -> str:
        """The name of its index."""
        return index_name(self.file)


def index_name(file: str) -> str:
    """The name of the index of a file."""
    return file.removesuffix(".avro") + ".json"


@dataclass(frozen=True, slots=True)
class Part:
    """What is archived of one partition: the records with ``start`` <= offset < ``end``."""

    start: int
    end: int
    evidence: Evidence = field(default_factory=Evidence)
    files: tuple[FilePart, ...] = ()

    @property
    def records(self) -> int:
        """How many there are."""
        return self.evidence.records


@dataclass(frozen=True, slots=True)
class ArchivedTopic:
    """One topic, by its logical name."""

    partitions: int
    configs: Mapping[str, str]
    parts: Mapping[int, Part]
    """By partition number; all are there, also those without records."""

    @property
    def records(self) -> int:
        """How many records are archived of it."""
        return sum(part.records for part in self.parts.values())


@dataclass(frozen=True, slots=True)
class ArchivedSchema:
    """A schema that frames of values name by its id."""

    id: int
    type: str
    fingerprint: str
    sha256: str

    @property
    def file(self) -> str:
        """Where it stands."""
        return f"schemas/{self.id}.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole archive, or the plan of one, whose partitions have no files yet."""

    id: str
    made: str
    """When it was begun, ISO 8601."""
    cluster: str
    namespace: str
    request: Mapping[str, Any]
    """What was asked for."""
    codec: str
    topics: Mapping[str, ArchivedTopic]
    schemas: tuple[ArchivedSchema, ...] = ()
    unknown_ids: tuple[int, ...] = ()
    """Schema ids in frames that the registry did not know."""
    groups: Mapping[str, Mapping[str, Mapping[int, int]]] = field(default_factory=dict)
    """Committed positions: group, topic, partition to offset; logical names."""

    @property
    def records(self) -> int:
        """How many records there are."""
        return sum(topic.records for topic in self.topics.values())

    def parts(self) -> Iterator[tuple[str, int, Part]]:
        """Every partition of every topic."""
        for name, topic in self.topics.items():
            for number, part in topic.parts.items():
                yield name, number, part

    def files(self) -> Iterator[tuple[str, str]]:
        """Name and SHA-256 of every file but the manifest and the list of sums."""
        for schema in self.schemas:
            yield schema.file, schema.sha256
        for _, _, part in self.parts():
            for file in part.files:
                yield file.file, file.sha256
                yield file.index, file.index_sha256

    def sums(self, own_sha256: str) -> bytes:
        """The list of sums, for ``sha256sum -c``; ``own_sha256`` is that of the manifest."""
        lines = [f"{sha256}  {name}\n" for name, sha256 in [*self.files(), (MANIFEST, own_sha256)]]
        return "".join(lines).encode()

    def to_json(self) -> bytes:
        """As it is written."""
        data = {"format": FORMAT, **{name: getattr(self, name) for name in _PLAIN}}
        data["topics"] = {name: _topic_data(topic) for name, topic in self.topics.items()}
        data["schemas"] = [asdict(schema) for schema in self.schemas]
        return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """What ``to_json`` made; ``ValueError`` for anything else, also for a later format."""
        try:
            data = orjson.loads(content)
            if data["format"] != FORMAT:
                raise ValueError(f"its format is {data['format']}, and this version reads {FORMAT}")
            groups = {
                group: {topic: _by_number(positions) for topic, positions in topics.items()}
                for group, topics in data["groups"].items()
            }
            return replace(
                cls(**{name: data[name] for name in _PLAIN}, topics={}),
                topics={name: _topic(topic) for name, topic in data["topics"].items()},
                schemas=tuple(ArchivedSchema(**schema) for schema in data["schemas"]),
                unknown_ids=tuple(data["unknown_ids"]),
                groups=groups,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is not as an archive's: {error!r}") from None


_PLAIN = ("id", "made", "cluster", "namespace", "request", "codec", "unknown_ids", "groups")


def _topic_data(topic: ArchivedTopic) -> dict[str, Any]:
    return {
        "partitions": topic.partitions,
        "configs": topic.configs,
        "parts": {
            number: {
                "start": part.start,
                "end": part.end,
                **part.evidence.to_data(),
                "files": [asdict(file) for file in part.files],
            }
            for number, part in topic.parts.items()
        },
    }


def _topic(data: Mapping[str, Any]) -> ArchivedTopic:
    parts = {
        int(number): Part(
            part["start"], part["end"], Evidence.from_data(part), tuple(FilePart(**file) for file in part["files"])
        )
        for number, part in data["parts"].items()
    }
    return ArchivedTopic(data["partitions"], data["configs"], parts)


def _by_number(positions: Mapping[str, int]) -> dict[int, int]:
    return {int(number): int(offset) for number, offset in positions.items()}
