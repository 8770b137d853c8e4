"""What a scenario lays down of simulated officers' answers; everything else they decide by their habits. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deptbus.exercise.habits import Act, Disposition


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """How some tasks are answered: those of a step, of a region and subject if given, asked before a time if given."""

    step: str
    region: str | None = None
    subject: str | None = None
    asked_before: int | None = None
    """Milliseconds since the epoch."""
    type: str | None = None
    """The event that answers; by default one that completes the task."""
    after_ms: int | None = None
    """How long after it was asked the task is done; by default as the habits have it."""
    says: tuple[Disposition, ...] = ()
    """What the officer says of it before it is done."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the event."""

    def fits(self, task: Mapping[str, Any]) -> bool:
        """Whether it is about a ``workflow.TaskRequested``."""
        return (
            task["step"] == self.step
            and self.region in (None, task["region"])
            and self.subject in (None, task["subject"])
            and (self.asked_before is None or task["requested_at"] < self.asked_before)
        )

    def acts(self, task: Mapping[str, Any], habitual: tuple[Act, ...]) -> tuple[Act, ...]:
        """What the officer does and when: what is laid down in the place of the habits."""
        asked_ms = task["requested_at"]
        if self.after_ms is None and not self.says:
            return habitual
        done_ms = habitual[-1].at_ms if self.after_ms is None else asked_ms + self.after_ms
        words: tuple[Disposition, ...] = ("acknowledged", *self.says)
        pause_ms = min(task["acknowledge_by"] - asked_ms, done_ms - asked_ms) // (len(words) + 1)
        said = tuple(Act(word, asked_ms + (number + 1) * pause_ms) for number, word in enumerate(words))
        return (*said, Act("completed", done_ms))


def scripted(answers: tuple[ScriptedAnswer, ...], task: Mapping[str, Any]) -> ScriptedAnswer | None:
    """The first of the answers that is about a task."""
    return next((answer for answer in answers if answer.fits(task)), None)
