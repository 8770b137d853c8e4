"""What is promised of a measurement, and what came of it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bound:
    """One promise. ``row`` says what is measured and against what; it names the result for good."""

    row: str
    bound: float
    at_most: bool = False
    unit: str = ""
    """Of the number: nothing for a ratio to a peer."""

    def result(self, ratio: float, low: float, high: float, detail: str = "") -> "Result":
        """What was measured, with its interval; ``detail`` is for people: the rates on both sides, what limits."""
        holds = ratio <= self.bound if self.at_most else ratio >= self.bound
        return Result(self, ratio, low, high, holds, detail)


@dataclass(frozen=True, slots=True)
class Result:
    """A bound and the number measured, with the interval in which the true median lies with 95 %."""

    of: Bound
    ratio: float
    low: float
    high: float
    holds: bool
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """As ``results.json`` holds it."""
        found = asdict(self)
        return {"row": self.of.row, **{name: found[name] for name in ("ratio", "low", "high")},
                "bound": self.of.bound, "holds": self.holds}  # fmt: skip
