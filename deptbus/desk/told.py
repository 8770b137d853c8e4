"""An event as it was read off a topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """An event of ``workflow.tasks``, ``workflow.timeline`` or a department. Its time is in milliseconds."""

    id: str
    type: str
    time_ms: int
    where: str
    """``topic[partition]@offset``."""
    data: Mapping[str, Any]
