"""Small workflows for tests: one step, and what a test adds to it."""

from typing import Any

from deptbus.workflow.pack import Pack
from tests.workflow.world import pack_of

TITLES = {"zh": "测试", "en": "Test"}


def step(name: str, *on: str, role: str = "health_authority", **more: Any) -> dict[str, Any]:
    """A step asked of health, an hour to acknowledge and four to complete."""
    return {
        "step": name,
        "titles": TITLES,
        "on": list(on) or ["opened"],
        "role": role,
        "basis": "law 1",
        "acknowledge_by": "1h",
        "complete_by": "4h",
        **more,
    }


def rule(name: str, on: str, **more: Any) -> dict[str, Any]:
    """A rule by the event's region, with a window of a day."""
    return {"rule": name, "on": on, "key": "event.region", "window": "1d", "basis": "law 2", **more}


CASES = rule("cases", "health.CasesConfirmed", opens=True, set={"cases": "facts.cases + event.count"})


def small(**changes: Any) -> Pack:
    """A workflow that counts cases and closes on 1000; ``changes`` replace parts of its definition."""
    return pack_of(
        {
            "workflow": "small",
            "version": 1,
            "kind": "incident",
            "titles": TITLES,
            "basis": "law",
            "directives": "command.DirectiveIssued",
            "facts": {"cases": {"type": "int", "initial": 0}, "quiet": {"type": "bool", "initial": False}},
            "rules": [CASES],
            "escalate": [
                {"at": "acknowledge_by", "to": "command_post"},
                {"at": "complete_by", "to": "upper_government"},
            ],
            "steps": [step("verify")],
            "closes": "facts.cases >= 1000",
            "responsibilities": [
                line("health_authority", "health"),
                line("command_post", "command"),
                line("upper_government", "government"),
                line("police", "police"),
            ],
        }
        | changes
    )


def line(role: str, department: str, **more: Any) -> dict[str, Any]:
    """A line of the responsibilities."""
    return {"role": role, "department": department, "unit": TITLES, "basis": "law 3", **more}
