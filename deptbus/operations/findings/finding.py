"""One finding of a look at the bus."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from deptbus.workflow.said import Said

NAMED_MAX = 3
"""So many names are told at most."""


class Severity(StrEnum):
    """How grave a finding is."""

    ERROR = "error"
    """Something does not work, or data are at risk."""
    WARNING = "warning"
    """Something will not work, or somebody waits."""
    NOTE = "note"
    """Worth knowing."""
    FINE = "fine"
    """Looked at, and nothing is wrong."""


NO_ADVICE = Said("", "")


class Finding(NamedTuple):
    """One thing that was found."""

    area: str
    kind: str
    """The same for the same thing, for programs."""
    severity: Severity
    text: Said
    advice: Said = NO_ADVICE

    @property
    def calls(self) -> bool:
        """Whether somebody should act."""
        return self.severity in (Severity.ERROR, Severity.WARNING)

    def to_json(self) -> dict[str, Any]:
        """The finding for programs."""
        return {
            "area": self.area, "kind": self.kind, "severity": self.severity.value, "text": self.text._asdict(),
            "advice": self.advice._asdict() if self.advice.en else None,
        }  # fmt: skip


def fine(area: str, zh: str, en: str) -> Finding:
    """Nothing is wrong."""
    return Finding(area, "fine", Severity.FINE, Said(zh, en))


def not_told(area: str, reason: str, severity: Severity = Severity.WARNING) -> Finding:
    """An area that could not be looked at."""
    return Finding(area, "not_told", severity, Said(f"无法检查：{reason}", f"could not be looked at: {reason}"))


def named(names: Sequence[str]) -> str:
    """The first few of some names."""
    more = f", … ({len(names)})" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
