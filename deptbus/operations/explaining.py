"""What the bytes of a value say as far as they can be read, for people who look at a dead letter. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deptbus.errors import BusError
from deptbus.jsondata import to_json
from deptbus.operations.masking import Masker
from deptbus.operations.partial import read_partially
from deptbus.schemas.codecs import codec_schema

FRAME_BYTES = 5
_LINE = 16


@dataclass(frozen=True, slots=True)
class Explained:
    """How far a value can be read."""

    schema_id: int | None = None
    """As its frame says."""
    schema: str | None = None
    """The event type that it was read as."""
    guessed: bool = False
    """Whether that is by the headers, because the registry does not know the id."""
    data: Any = None
    """What could be read, as JSON."""
    path: str = ""
    """The field at which it breaks."""
    at: int | None = None
    """The byte at which that field begins."""
    problem: str = ""
    """What is wrong; empty where nothing is."""


def explain(
    value: bytes | None,
    event_type: str | None,
    by_id: Callable[[int], Mapping[str, Any] | None],
    newest: Callable[[str], Mapping[str, Any] | None],
) -> Explained:
    """Read a value as far as that goes. ``by_id`` gives the schema of an id, ``newest`` that of an event type."""
    if value is None:
        return Explained(problem="there is no value")
    if len(value) < FRAME_BYTES:
        return Explained(problem=f"it has {len(value)} bytes, less than the {FRAME_BYTES} of its frame")
    if value[0] != 0:
        return Explained(at=0, problem=f"it begins with byte {value[0]}, not 0: it is not framed Avro")
    schema_id = int.from_bytes(value[1:FRAME_BYTES], "big")
    schema = by_id(schema_id)
    guessed = schema is None
    if schema is None and event_type is not None:
        schema = newest(event_type)
    if schema is None:
        return Explained(schema_id, at=1, problem=f"the registry does not know the schema id {schema_id}")
    name = f"{schema.get('namespace', '')}.{schema['name']}".lstrip(".")
    try:
        parsed = codec_schema(name, 0, schema_id, schema).parsed
    except BusError as error:
        return Explained(schema_id, name, guessed, at=1, problem=str(error))
    read = read_partially(parsed, value, FRAME_BYTES)
    problem = read.problem
    if guessed:
        problem = f"the registry does not know the schema id {schema_id}" + (f"; {problem}" if problem else "")
    elif event_type is not None and name != event_type:
        problem = f"its headers say {event_type}" + (f"; {problem}" if problem else "")
    return Explained(
        schema_id, name, guessed, to_json(schema, read.data), read.path, read.at if read.problem else None, problem
    )


def hide(explained: Explained, schemas: Iterable[Mapping[str, Any]]) -> tuple[Explained, bool]:
    """What may be shown without a reason, and whether the bytes may be. ``schemas``: all versions of its event type.

    Bytes of which nobody knows the type may hold anything.
    """
    known = list(schemas)
    masker = Masker(known)
    return replace(explained, data=masker(explained.data) if known else None), bool(known) and masker.empty


def hex_dump(value: bytes) -> Iterator[str]:
    """Lines of 16 bytes: where, in hex, and as text."""
    for start in range(0, len(value), _LINE):
        part = value[start : start + _LINE]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{start:08x}  {part.hex(' '):<47}  |{text}|"
