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
    sections = (*type(pack.definition).model_fields,)
    return sorted(dict.fromkeys(findings), key=lambda finding: _place(sections, finding))


def _place(sections: tuple[str, ...], finding: Finding) -> tuple[int, int]:
    number = finding.path[1] if len(finding.path) > 1 else 0
    return sections.index(str(finding.path[0])), number if isinstance(number, int) else 0
