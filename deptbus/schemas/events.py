"""The base of the typed event classes that ``deptbus schemas generate`` writes, and their timestamps.

An event object is frozen; ``to_data`` gives the dict that ``Bus.publish`` and the codec take, with times as
integers, and ``from_data`` reads one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from deptbus.errors import CodecError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)


def from_ms(value: Any) -> Any:
    """Milliseconds since the epoch as a time in UTC; anything else as it is, for pydantic to judge."""
    return _EPOCH + value * _MILLISECOND if isinstance(value, int) and not isinstance(value, bool) else value


def to_ms(value: datetime) -> int:
    """Milliseconds since the epoch, rounded down."""
    return (value - _EPOCH) // _MILLISECOND


def from_us(value: Any) -> Any:
    """Microseconds since the epoch as a time in UTC; anything else as it is, for pydantic to judge."""
    return _EPOCH + value * _MICROSECOND if isinstance(value, int) and not isinstance(value, bool) else value


def to_us(value: datetime) -> int:
    """Microseconds since the epoch."""
    return (value - _EPOCH) // _MICROSECOND


Timestamp = Annotated[AwareDatetime, BeforeValidator(from_ms), PlainSerializer(to_ms)]
"""A ``timestamp-millis``: a time with a zone here, an integer in data."""
TimestampMicros = Annotated[AwareDatetime, BeforeValidator(from_us), PlainSerializer(to_us)]
"""A ``timestamp-micros``."""


class RecordData(BaseModel, frozen=True):
    """A record inside an event."""

    model_config = ConfigDict(extra="forbid", validate_default=True)

    def to_data(self) -> dict[str, Any]:
        """The Avro record's dict."""
        return self.model_dump()

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The object of an Avro record's dict; ``CodecError`` (reason ``invalid``) if it does not fit."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise CodecError("invalid", f"the data are no {cls.__name__}: {field}: {first['msg']}") from None


class EventData(RecordData, frozen=True):
    """The data of one event type."""

    EVENT_TYPE: ClassVar[str]
    """The Avro full name."""
    VERSION: ClassVar[int]
    """The schema version that the class was made from."""
