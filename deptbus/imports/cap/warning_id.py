"""Warning numbers of the national release system (12379): ``ZZZZZZDDDUUUXX_YYYYMMDDhhmmss_N``, 31 characters.

Region (GB/T 2260), kind of organisation (GB/T 4657), unit, extension, Beijing time, sequence.
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from deptbus.clock import BEIJING
from deptbus.imports.cap.regions import is_region

LENGTH = 31
_LOOKS = re.compile(r"[0-9]{14}_[0-9]{14}(?:_.*)?", re.DOTALL)
_WHOLE = re.compile(r"([0-9]{6})([0-9]{3})([0-9]{3})([0-9]{2})_([0-9]{14})_([0-9])")
_NATION = ("100000", "000000")


class NoWarningId(Exception):
    """Something that looks like a warning number is none; the text says why."""


@dataclass(frozen=True, slots=True)
class WarningId:
    """A warning number taken apart."""

    region: str
    organisation: str
    unit: str
    extension: str
    issued_at: int
    """Milliseconds since the epoch."""
    sequence: int

    def to_data(self) -> dict[str, Any]:
        """As ``warning.AlertReceived`` has it."""
        return asdict(self)

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.issued_at / 1000, BEIJING)
        return f"{self.region}{self.organisation}{self.unit}{self.extension}_{at:%Y%m%d%H%M%S}_{self.sequence}"


def read_warning_id(identifier: str) -> WarningId | None:
    """The parts of a warning number; None for an identifier of another kind.

    ``NoWarningId`` where it looks like one and a part of it cannot be.
    """
    if not _LOOKS.fullmatch(identifier):
        return None
    found = _WHOLE.fullmatch(identifier)
    if found is None:
        raise NoWarningId(
            f"the identifier has {len(identifier)} characters; a warning number has {LENGTH}, "
            "ending in the time, a low line and one digit"
        )
    region, organisation, unit, extension, time, sequence = found.groups()
    if region not in _NATION and not is_region(region):
        raise NoWarningId(f"its first six digits, {region}, are no region of GB/T 2260")
    try:
        at = datetime.strptime(time, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        raise NoWarningId(f"{time} in it is no time YYYYMMDDhhmmss") from None
    return WarningId(region, organisation, unit, extension, round(at.timestamp() * 1000), int(sequence))
