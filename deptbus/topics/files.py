"""The shape of ``topics/<owner>.yaml`` and ``services/<department>/department.yaml``.

Whatever is not written has the default below, so that a new department's files stay short.
"""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as StdnumError

Cleanup = Literal["delete", "compact", "compact,delete"]
TimestampType = Literal["LogAppendTime"]
Compatibility = Literal["BACKWARD_TRANSITIVE", "FULL_TRANSITIVE", "NONE"]
Classification = Literal["public", "internal", "sensitive", "secret"]
Sharing = Literal["unconditional", "conditional", "none"]

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "y": 365 * 86_400_000}
_UNITS_BYTES = {"": 1, "B": 1, "KB": 1_000, "MB": 1_000_000, "KiB": 1 << 10, "MiB": 1 << 20}
_EVENT = re.compile(r"[a-z][a-z0-9]*\.[A-Z][A-Za-z0-9]*")


def duration_ms(text: Any) -> int:
    """``30d``, ``12h``, ``forever`` (-1) or milliseconds; ``ValueError`` for anything else."""
    if text == "forever":
        return -1
    if isinstance(text, int) and not isinstance(text, bool) and (text == -1 or text > 0):
        return text
    match = re.fullmatch(r"([1-9][0-9]*) ?(ms|s|m|h|d|y)", str(text))
    if match is None:
        raise ValueError("a duration is a number with ms, s, m, h, d or y, such as 30d, or forever")
    return int(match[1]) * _UNITS_MS[match[2]]


def size_bytes(text: Any) -> int:
    """``4MB``, ``512KB``, ``1MiB`` or bytes; ``ValueError`` for anything else."""
    match = re.fullmatch(r"([1-9][0-9]*) ?(B|KB|MB|KiB|MiB|)", str(text))
    if match is None:
        raise ValueError("a size is a number with B, KB, MB, KiB or MiB, such as 4MB")
    return int(match[1]) * _UNITS_BYTES[match[2]]


Duration = Annotated[int, BeforeValidator(duration_ms)]
Size = Annotated[int, BeforeValidator(size_bytes)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class GrantPart(_Part):
    """A department's right to read the topic."""

    department: str
    purpose: str = Field(min_length=1)
    legal_basis: str = Field(min_length=1)
    until: date | None = None
    """The last day on which it holds; without one it holds until it is withdrawn."""
    fields: tuple[str, ...] | None = Field(default=None, min_length=1)
    """What may be read, as field paths; without them all."""


class TopicDefaults(_Part):
    """What a topic may say, and what it is when it says nothing."""

    key: str = Field(default="subject", pattern=r"^[a-z][a-z0-9_]*$")
    """What must stay in order together; ``none`` for a topic without keys."""
    partitions: int = Field(default=4, ge=1, le=1_000)
    replication: int = Field(default=-1, ge=-1, le=9)
    """-1 is what the brokers use by default."""
    retention: Duration = 365 * _UNITS_MS["d"]
    cleanup: Cleanup = "delete"
    message_bytes_max: Size = 4_000_000
    timestamp: TimestampType = "LogAppendTime"
    compatibility: Compatibility = "BACKWARD_TRANSITIVE"
    classification: Classification = "internal"
    sharing: Sharing = "conditional"
    grants: tuple[GrantPart, ...] = ()

    @field_validator("replication")
    @classmethod
    def _no_zero(cls, value: int) -> int:
        if value == 0:
            raise ValueError("replication is at least 1, or -1 for the brokers' default")
        return value


class TopicPart(TopicDefaults):
    """One topic: ``name`` is ``<owner>.<stream>``; ``events`` are the event types on it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]*\.[a-z][a-z0-9-]*$", max_length=100)
    doc: str | None = None
    events: tuple[str, ...] = Field(min_length=1)

    @field_validator("events")
    @classmethod
    def _full_names(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        for event in events:
            if not _EVENT.fullmatch(event):
                raise ValueError(f"an event type is a full name such as health.CaseReported, not {event!r}")
        return events


class TopicFile(_Part):
    """``topics/<owner>.yaml``; ``defaults`` hold for every topic that says nothing else."""

    owner: str
    defaults: TopicDefaults = TopicDefaults()
    topics: tuple[TopicPart, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, raw: dict[str, Any]) -> dict[str, Any]:
        defaults, topics = raw.get("defaults"), raw.get("topics")
        if isinstance(defaults, dict) and isinstance(topics, list):
            merged = [{**defaults, **topic} if isinstance(topic, dict) else topic for topic in topics]
            return {**raw, "topics": merged}
        return raw


class Titles(_Part):
    """A department's name for people."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class DepartmentFile(_Part):
    """``services/<id>/department.yaml``: who the department is."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]{1,29}$")
    org_code: str
    level: Literal["district", "city", "province", "nation"]
    region: str = Field(pattern=r"^[1-9][0-9]{5}$")
    """GB/T 2260, six digits."""
    titles: Titles
    inbox: Literal["database", "memory"] = "memory"
    """Where the ids of handled events live. ``memory``: effects may repeat after a crash."""
    elements: tuple[str, ...] = ()
    """Identifiers of the data elements whose one source is this department (一数一源)."""

    @field_validator("org_code")
    @classmethod
    def _check_org_code(cls, value: str) -> str:
        try:
            return str(uscc.validate(value))
        except InvalidChecksum:
            last = uscc.calc_check_digit(uscc.compact(value)[:-1])
            raise ValueError(
                f"this is no 统一社会信用代码 (GB 32100): with these digits it would end in {last}"
            ) from None
        except StdnumError as error:
            raise ValueError(f"this is no 统一社会信用代码 (GB 32100): {error}") from None


def last_ms(until: date) -> int:
    """The first millisecond after a day, in China Standard Time (+08:00), at which a grant has lapsed."""
    days = (until + timedelta(days=1) - date(1970, 1, 1)).days
    return days * _UNITS_MS["d"] - 8 * _UNITS_MS["h"]
