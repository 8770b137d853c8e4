"""What is allowed in a definition and yet will not do what its author meant. Pure, and without false alarms.

``checks`` says what is wrong, and refuses it; this says what is in vain: it speaks up only where something is certain
for every instance that opens by the pack.
"""

from collections.abc import Iterable

from deptbus.workflow.lint.finding import Finding
from deptbus.workflow.lint.guards import guard_findings
from deptbus.workflow.lint.reach import Symbols, reach
from deptbus.workflow.lint.times import time_findings
from deptbus.workflow.lint.use import use_findings
from deptbus.workflow.pack import Pack

__all__ = ["Finding", "Symbols", "lint"]


def lint(pack: Pack, symbols: Symbols) -> list[Finding]:
    """All findings about a pack that has passed its checks, in the order of the file."""
    found = reach(pack, symbols)
    findings: Iterable[Finding] = (*guard_findings(found), *use_findings(found), *time_findings(pack.definition))
    return sorted(dict.fromkeys(findings), key=lambda finding: _place(pack, finding))


def _place(pack: Pack, finding: Finding) -> tuple[int, list[str]]:
    parts = (*type(pack.definition).model_fields,)
    return parts.index(str(finding.path[0])), [f"{part:06}" if isinstance(part, int) else part for part in finding.path]
