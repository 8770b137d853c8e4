"""Verifying the audit of a world: against itself, against what this machine has seen, against what it is told."""

from collections.abc import Iterable

from deptbus.errors import NotFound
from deptbus.operations.audit import Auditor
from deptbus.operations.chain import EMPTY, Finding, Head, Verified
from deptbus.operations.heads import Heads
from deptbus.workflow.said import Said


def verify(auditor: Auditor, heads: Heads, given: Iterable[Head], *, actual: bool) -> Verified:
    """What came of it; the head of a whole log is kept.

    ``actual``: in actual life a topic that was made anew is a finding; other worlds are dropped as a matter of course.
    ``NotFound`` where there is no audit and never was.
    """
    if heads.topic_id is None:
        before = heads.elsewhere() if actual else None
        if before is None:
            raise NotFound("The topic bus.audit is not there. Run `deptbus topics apply`.")
        return Verified(0, EMPTY, (_gone(*before[1], str(before[0])),), 1)
    verified = auditor.verify(*heads.seen(), *given)
    before = heads.elsewhere() if actual else None
    if before is not None:
        verified = verified._replace(
            findings=(_anew(*before[1], str(before[0])), *verified.findings), found=verified.found + 1
        )
    if verified.acts and not verified.found:
        heads.keep(verified.head)
    return verified


def _gone(number: int, _: str, path: str) -> Finding:
    return Finding(
        "gone", None,
        Said(
            f"审计日志不在集群中，而本机曾见到第 {number} 号（{path}）：主题被删除。",
            f"There is no bus.audit, and this machine has seen it up to number {number} ({path}): it was deleted.",
        ),
    )  # fmt: skip


def _anew(number: int, _: str, path: str) -> Finding:
    return Finding(
        "anew", None,
        Said(
            f"审计日志被重新建立：本机曾见到先前的日志至第 {number} 号（{path}）。如属有意，请移走该文件。",
            f"bus.audit was made anew: this machine has seen an earlier one up to number {number} ({path}). If that "
            "was meant, move the file away.",
        ),
    )  # fmt: skip
