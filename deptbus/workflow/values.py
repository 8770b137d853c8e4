"""What the expressions of a workflow see of an instance and of the event at hand. Pure."""

from collections.abc import Mapping
from typing import Any

from deptbus.workflow.definition import RANK
from deptbus.workflow.expressions import EvaluationError, Expression
from deptbus.workflow.notes import TEXT_MAX
from deptbus.workflow.state import Instance


class InstanceValues:
    """The values of variables, by their qualified names; translated expressions use the attributes."""

    instance: Instance
    event: Mapping[str, Any] | None
    event_region: str | None
    """What ``region`` is while no instance is open."""
    subject: str
    at: int

    def __getitem__(self, name: str, /) -> Any:
        """The value of a variable of an expression."""
        head, _, tail = name.partition(".")
        if head == "event":
            value: Any = self.event
            for part in tail.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            return value
        if head == "facts":
            return self.instance["facts"][tail]
        if head in ("asked", "done"):
            return self.instance[head].get(tail, 0)
        if head == "open":
            return self.open_of(tail)
        return self._plain(head)

    @property
    def region(self) -> str:
        """The instance's; while none is open the event's."""
        return (self.instance["region"] if self.instance else self.event_region) or ""

    def open_of(self, step: str) -> int:
        """How many tasks of a step are open."""
        return sum([task["step"] == step for task in self.instance["tasks"]])

    def _plain(self, name: str) -> Any:
        level = self.instance.get("level")
        match name:
            case "at":
                return self.at
            case "level":
                return level or ""
            case "level_rank":
                return RANK.get(level, 0) if level else 0
            case "region":
                return self.region
            case "subject":
                return self.subject
            case "lead":
                return self.instance.get("lead") or ""
            case "parts":
                return len(self.instance.get("parts", ()))
            case "open_tasks":
                return len(self.instance["tasks"])
        raise KeyError(name)

    def text(self, expression: Expression | None) -> str:
        """The string of an expression, at most ``TEXT_MAX`` long; empty where it has no value."""
        if expression is None:
            return ""
        try:
            return str(expression.evaluate(self))[:TEXT_MAX]
        except EvaluationError:
            return ""
