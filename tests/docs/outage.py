"""Plays the outage of docs/workflows.md in memory, in the project in which it lies, and prints its timeline as JSON.

Run in a copy of the project into which the document's files were put: ``python -m tests.docs.outage``.
"""

import json
from typing import Any

from deptbus.catalogue import load_catalogue
from deptbus.workflow.load import load_workflow
from deptbus.workflow.pack import Pack
from tests.workflow.world import ROOT, START, World, sample

MINUTE = 60_000
INSTANCE = "outage/440100/1"
REGION = "440106"


class Outage:
    """One outage in Guangzhou."""

    def __init__(self) -> None:
        self.world = World(Pack(load_workflow(ROOT, "outage", load_catalogue(ROOT, START))))

    def publish(self, minute: int, event_type: str, **fields: Any) -> None:
        """An event that names no instance, as a department's own system publishes it."""
        data = sample(event_type, region=REGION, **fields)
        self.world.publish(event_type, data, at=START + minute * MINUTE, region=REGION)

    def do(self, minute: int, step: str, event_type: str) -> None:
        """What a department publishes because it was asked."""
        data, cause = sample(event_type, region=REGION), self._request(step)["task"]
        self.world.publish(event_type, data, at=START + minute * MINUTE, region=REGION, cause=cause, instance=INSTANCE)

    def answer(self, minute: int, step: str, disposition: str) -> None:
        """The department that is responsible for the latest task of a step answers."""
        self.world.answer(self._request(step), disposition, at=START + minute * MINUTE)

    def tick(self, minute: int) -> None:
        """Let time come so far."""
        self.world.tick(START + minute * MINUTE)

    def timeline(self) -> list[tuple[int, str, str, str]]:
        """Minute, kind, step or rule, and department of each line."""
        return [
            ((line["at"] - START) // MINUTE, line["kind"], line["rule"] or "", line["department"] or "")
            for line in self.world.of_type("workflow.TimelineRecorded")
        ]

    def _request(self, step: str) -> dict[str, Any]:
        return next(data for data in reversed(self.world.of_type("workflow.TaskRequested")) if data["step"] == step)


def play() -> Outage:
    """From the first report to the closed incident."""
    outage = Outage()
    outage.publish(0, "grid.OutageReported", households=60_000, districts="440104 440106")
    outage.answer(5, "repair", "acknowledged")
    outage.do(10, "ration_approval", "energy.RationingApproved")
    outage.answer(15, "inform", "completed")
    outage.do(20, "ration", "grid.RationingStarted")
    outage.publish(25, "grid.OutageUpdated", households=250_000, districts="440106 440111")
    outage.answer(30, "repair", "committed")
    outage.publish(40, "grid.RepairHalted", reason="storm")
    outage.tick(71)
    outage.publish(100, "grid.RepairResumed")
    outage.tick(121)
    outage.answer(125, "inform", "completed")
    outage.do(180, "repair", "grid.PowerRestored")
    outage.tick(301)
    outage.answer(400, "report", "completed")
    return outage


if __name__ == "__main__":
    print(json.dumps(play().timeline()))  # noqa: T201  # its result
