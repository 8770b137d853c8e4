"""What reading one alert has shown: why it is refused, and what is odd but allowed."""

from dataclasses import dataclass, field

FINDINGS_MAX = 100
"""Findings listed of one file at most."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong or odd, and where."""

    line: int
    """From 1; 0 for the file as a whole."""
    reason: str


@dataclass(slots=True)
class Findings:
    """Collects findings, at most ``FINDINGS_MAX`` of each kind; the last one says how many more there were."""

    wrong: list[Finding] = field(default_factory=list)
    odd: list[Finding] = field(default_factory=list)
    _left_out: int = 0

    def refuse(self, line: int, reason: str) -> None:
        """Something for which the file is refused."""
        self._add(self.wrong, line, reason)

    def remark(self, line: int, reason: str) -> None:
        """Something odd that refuses nothing."""
        self._add(self.odd, line, reason)

    def sorted_wrong(self) -> tuple[Finding, ...]:
        """Why the file is refused, by line."""
        more = [Finding(self.wrong[-1].line, f"{self._left_out} more like these")] if self._left_out else []
        return (*sorted(self.wrong), *more)

    def _add(self, findings: list[Finding], line: int, reason: str) -> None:
        found = Finding(line, reason)
        if found in findings:
            return
        if len(findings) < FINDINGS_MAX:
            findings.append(found)
        elif findings is self.wrong:
            self._left_out += 1
